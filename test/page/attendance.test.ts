/** Who is here, as the page says it: from what the wire told, and what the lab knows of it. */
import { describe, expect, it } from 'vitest'
import { attendance, byWire, evidenceOf, headcount, inOrder, mostRows } from '../../src/page/members/attendance.ts'
import type { PresentMember } from '../../src/client/index.ts'
import type { ListedWire } from '../../src/lab/events.ts'
import type { TransportName } from '../../src/protocol/message.ts'

const member = (id: string, name: string, ...wires: TransportName[]): PresentMember => ({ id, name, wires })
const answer = (wires: Record<string, ListedWire[]>, ageMs = 0) => ({
  list: evidenceOf({ type: 'members', room: 'lobby', list: Object.entries(wires).map(([id, held]) => ({ id, name: id, wires: held })) }),
  ageMs,
})
const plain = (text: string | undefined): string => text?.replaceAll('\u202f', ' ') ?? ''
const proofOf = (wire: ListedWire, ageMs = 0): { silent: boolean; proof: string } => {
  const [row] = attendance([member('a', 'Ann', wire.transport)], undefined, answer({ a: [wire] }, ageMs)).rows
  return { silent: row?.silent ?? false, proof: plain(row?.wires[0]?.proof) }
}

describe('how we know that somebody is here', () => {
  it.each([
    ['poll', 1_230, 10_000, 'seen 1.2 s ago'],
    ['long-poll', 12_900, 90_000, 'seen 12 s ago'],
    ['sse', 12_000, 60_000, 'stream open, lease renewed 12 s ago'],
    ['websocket', 8_040, 30_000, 'socket open, pong or frame 8.0 s ago'],
  ] as const)('is said of %s in its own words', (transport, seenMs, leaseMs, proof) => {
    expect(proofOf({ transport, seenMs, leaseMs })).toEqual({ silent: false, proof })
  })

  it('is silence from the first ms after half of the lease', () => {
    expect(proofOf({ transport: 'websocket', seenMs: 15_000, leaseMs: 30_000 }).silent).toBe(false)
    expect(proofOf({ transport: 'websocket', seenMs: 17_000, leaseMs: 30_000 })).toEqual({
      silent: true,
      proof: 'silent for 17 s, leaves in 13 s',
    })
  })

  it('grows old with the answer that told of it', () => {
    expect(proofOf({ transport: 'poll', seenMs: 1_000, leaseMs: 10_000 }, 3_000)).toEqual({ silent: false, proof: 'seen 4.0 s ago' })
    expect(proofOf({ transport: 'poll', seenMs: 4_000, leaseMs: 10_000 }, 3_000).proof).toBe('silent for 7.0 s, leaves in 3 s')
    expect(proofOf({ transport: 'poll', seenMs: 9_900, leaseMs: 10_000 }, 3_000).proof).toBe('silent for 12 s, leaves now')
  })

  it('is nothing where nobody told: names and wires stay', () => {
    const [row] = attendance([member('a', 'Ann', 'sse')], 'a').rows
    expect(row).toEqual({ id: 'a', name: 'Ann', own: true, silent: false, wires: [{ transport: 'sse', silent: false, proof: '' }] })
  })

  it('is one wire of two for who has two: silent is who is silent on both', () => {
    const [row] = attendance(
      [member('a', 'Ann', 'sse', 'websocket')],
      undefined,
      answer({
        a: [
          { transport: 'sse', seenMs: 40_000, leaseMs: 60_000 },
          { transport: 'websocket', seenMs: 100, leaseMs: 30_000 },
        ],
      }),
    ).rows
    expect(row?.silent).toBe(false)
    expect(row?.wires.map(({ silent }) => silent)).toEqual([true, false])
  })

  it('is said where the lab has somebody as gone of whom this wire has not', () => {
    const [row] = attendance([member('a', 'Ann', 'sse')], undefined, answer({})).rows
    expect(row?.silent).toBe(true)
    expect(row?.wires[0]?.proof).toContain('has left')
  })
})

it('has ourselves first and the others by name, so that rows stay where they are', () => {
  const members = [member('c', 'Newt 10', 'poll'), member('b', 'Newt 9', 'poll'), member('z', 'Zoe', 'poll'), member('a', 'newt 9', 'sse')]
  expect(inOrder(members, 'z').map(({ id }) => id)).toEqual(['z', 'a', 'b', 'c'])
})

it('shows at most so many rows, and says how many more there are', () => {
  const members = Array.from({ length: 512 }, (_, index) => member(`m${index}`, `Newt ${index}`, 'poll'))
  const { rows, others } = attendance(members, undefined)
  expect([rows.length, others]).toEqual([mostRows, 512 - mostRows])
})

it('counts by wire, and who has two for both', () => {
  const members = [member('a', 'Ann', 'poll'), member('b', 'Ben', 'sse', 'websocket'), member('c', 'Cat', 'sse')]
  expect(byWire(members)).toEqual({ poll: 1, 'long-poll': 0, sse: 2, websocket: 1 })
  expect(headcount(members)).toBe('3 here: 1 by polling, 2 by SSE, 1 by WebSocket.')
  expect(headcount([])).toBe('0 here.')
})
