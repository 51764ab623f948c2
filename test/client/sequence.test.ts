import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Hole, Sequence } from '../../src/client/sequence.ts'
import { formatCursor } from '../../src/protocol/cursor.ts'
import type { Batch, Gap, Message } from '../../src/protocol/message.ts'

const message = (seq: number): Message => ({ seq, id: `message-${seq}`, member: 'm_1', author: 'Ann', text: `text ${seq}`, at: 0 })

/** The messages after `from` up to `to` of a log. */
function batch(from: number, to: number, gap?: Gap, epoch = 'EEEEEEEEEEEE'): Batch {
  const messages = Array.from({ length: to - from }, (_, index) => message(from + 1 + index))
  return { messages, cursor: formatCursor({ epoch, seq: to, tag: 'tttttt' }), ...(gap && { gap }) }
}

const seqs = (messages: readonly Message[]): number[] => messages.map(({ seq }) => seq)

describe('what the application is shown', () => {
  it('is every message exactly once and in order, whatever overlaps on however many wires', () => {
    // Wires read the same log from cursors of their own; their batches arrive in any interleaving.
    const wires = fc.array(fc.array(fc.nat(4), { minLength: 1, maxLength: 12 }), { minLength: 1, maxLength: 3 })
    fc.assert(
      fc.property(wires, fc.infiniteStream(fc.nat(2)), (steps, turns) => {
        const sequence = new Sequence()
        const shown: number[] = []
        sequence.accept(batch(0, 0))
        const left = steps.map((lengths) => ({ at: 0, lengths: [...lengths] }))
        for (const turn of turns) {
          const open = left.filter(({ lengths }) => lengths.length > 0)
          const wire = open[turn % Math.max(1, open.length)]
          if (wire === undefined) break
          const to = wire.at + (wire.lengths.shift() ?? 0)
          shown.push(...seqs(sequence.accept(batch(wire.at, to)).messages))
          wire.at = to
        }
        const most = Math.max(...left.map(({ at }) => at))
        expect(shown).toEqual(Array.from({ length: most }, (_, index) => index + 1))
        expect(sequence.cursor).toBe(batch(0, most).cursor)
      }),
    )
  })

  it('begins after the first batch, wherever that stands in the log', () => {
    const sequence = new Sequence()
    expect(seqs(sequence.accept(batch(40, 43)).messages)).toEqual([41, 42, 43])
    expect(seqs(sequence.accept(batch(42, 44)).messages)).toEqual([44])
  })

  it('is nothing of a batch that leaves a hole: the room is resumed from the cursor', () => {
    const sequence = new Sequence()
    sequence.accept(batch(0, 2))
    expect(() => sequence.accept(batch(3, 5))).toThrow(Hole)
    expect(sequence.cursor).toBe(batch(0, 2).cursor)
    expect(seqs(sequence.accept(batch(2, 5)).messages)).toEqual([3, 4, 5])
  })

  it('is nothing of a batch of another log that tells no gap', () => {
    const sequence = new Sequence()
    sequence.accept(batch(0, 2))
    expect(() => sequence.accept(batch(0, 1, undefined, 'FFFFFFFFFFFF'))).toThrow(Hole)
  })

  it('goes on behind a gap, without what it has shown before under the same member and id', () => {
    const sequence = new Sequence()
    sequence.accept(batch(0, 3))
    const accepted = sequence.accept(batch(1, 5, { reason: 'rollback' }, 'FFFFFFFFFFFF'))
    expect(accepted.gap).toEqual({ reason: 'rollback' })
    expect(seqs(accepted.messages)).toEqual([4, 5])
    expect(accepted.repeats).toBe(2)
    expect(seqs(sequence.accept(batch(5, 6, undefined, 'FFFFFFFFFFFF')).messages)).toEqual([6])
  })

  it('never moves its cursor back within a log', () => {
    const sequence = new Sequence()
    sequence.accept(batch(0, 5))
    expect(sequence.accept(batch(2, 3))).toMatchObject({ messages: [], repeats: 1 })
    expect(sequence.cursor).toBe(batch(0, 5).cursor)
  })
})
