/** A run as it is to be, out of a model: one log, two writers, three readers, and journals in which every promise is kept. */
import * as fc from 'fast-check'
import { formatCursor, type Position } from '../../src/protocol/cursor.ts'
import type { Ack, GapReason } from '../../src/protocol/message.ts'
import { type Entry, Journal } from './journal.ts'

/** What happens next; `who` is a writer's or a reader's number. */
export type Step =
  | { readonly does: 'publish'; readonly who: number; readonly acked: boolean }
  | { readonly does: 'read'; readonly who: number; readonly limit: number }
  | { readonly does: 'leave' | 'join'; readonly who: number }
  | { readonly does: 'trim'; readonly keep: number }
  | { readonly does: 'begin-again' }
  | { readonly does: 'go-back'; readonly by: number; readonly more: number }

const who = fc.nat(2)
export const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    { weight: 8, arbitrary: fc.record({ does: fc.constant('publish' as const), who, acked: fc.boolean() }) },
    { weight: 8, arbitrary: fc.record({ does: fc.constant('read' as const), who, limit: fc.integer({ min: 1, max: 5 }) }) },
    { weight: 1, arbitrary: fc.record({ does: fc.constantFrom('leave' as const, 'join' as const), who }) },
    { weight: 1, arbitrary: fc.record({ does: fc.constant('trim' as const), keep: fc.nat(4) }) },
    { weight: 1, arbitrary: fc.constant({ does: 'begin-again' as const }) },
    { weight: 1, arbitrary: fc.record({ does: fc.constant('go-back' as const), by: fc.integer({ min: 1, max: 4 }), more: fc.nat(6) }) },
  ),
  { minLength: 20, maxLength: 120 },
)

interface Kept {
  readonly key: string
  readonly text: string
  readonly tag: string
}
interface Reader {
  readonly write: ReturnType<Journal['writer']>
  readonly shown: Set<string>
  position: Position | undefined
  left: boolean
}
interface Pending {
  readonly key: string
  readonly text: string
}

export function journalOf(given: readonly Step[]): Entry[] {
  const journal = new Journal()
  const run = new ModelRun(journal)
  for (const step of given) run.take(step)
  run.end()
  return journal.entries
}

class ModelRun {
  readonly #journal: Journal
  readonly #readers: Reader[]
  readonly #pending = new Map<number, Pending>()
  #log: Kept[] = []
  #floor = 0
  #epoch = 0
  #drawn = 0

  constructor(journal: Journal) {
    this.#journal = journal
    this.#readers = [0, 1, 2].map((name) => this.#reader(`reader ${name}`))
    for (const reader of this.#readers) this.#read(reader, 50)
  }

  take(step: Step): void {
    const reader = 'who' in step ? this.#readers[step.who] : undefined
    if (step.does === 'publish') this.#publish(step.who, step.acked)
    if (step.does === 'trim') this.#floor = Math.max(this.#floor, this.#log.length - step.keep)
    if (step.does === 'begin-again') this.#beginAgain()
    if (step.does === 'go-back') this.#goBack(step.by, step.more)
    if (reader === undefined) return
    if (step.does === 'read' && !reader.left) this.#read(reader, step.limit)
    if (step.does === 'leave' && !reader.left) {
      reader.left = true
      reader.write({ did: 'left' })
    }
    if (step.does === 'join' && reader.left) {
      reader.left = false
      reader.write({ did: 'joined', since: reader.position && formatCursor(reader.position) })
    }
  }

  end(): void {
    for (const writer of this.#pending.keys()) this.#acknowledge(writer)
    const witness = this.#reader('the log')
    for (const reader of [...this.#readers, witness]) if (!reader.left) this.#readToEnd(reader)
  }

  #reader(name: string): Reader {
    const write = this.#journal.writer(name)
    write({ did: 'joined', since: 'earliest' })
    return { write, shown: new Set(), position: undefined, left: false }
  }

  #publish(writer: number, acked: boolean): void {
    // One in flight: what is not acknowledged goes first.
    if (this.#pending.has(writer)) this.#acknowledge(writer)
    const pending = { key: `m_${writer} id-${this.#drawn}`, text: `text ${this.#drawn++}` }
    this.#pending.set(writer, pending)
    this.#journal.writer(`writer ${writer}`)({ did: 'attempted', text: pending.text })
    this.#keep(pending)
    if (acked) this.#acknowledge(writer)
  }

  #keep({ key, text }: Pending): void {
    this.#log.push({ key, text, tag: `t${String(this.#drawn++).padStart(5, '0')}` })
  }

  /** Sent again with its id: it is found where it stands, or kept anew in a log that does not know it. */
  #acknowledge(writer: number): void {
    const pending = this.#pending.get(writer) as Pending
    this.#pending.delete(writer)
    if (!this.#log.some(({ key }) => key === pending.key)) this.#keep(pending)
    const seq = this.#log.findIndex(({ key }) => key === pending.key) + 1
    const [member = '', id = ''] = pending.key.split(' ')
    const ack: Ack = { id, seq, cursor: formatCursor(this.#at(seq)), duplicate: false }
    this.#journal.writer(`writer ${writer}`)({ did: 'acked', text: pending.text, member, ack })
  }

  #at(seq: number): Position {
    return { epoch: `epoch${String(this.#epoch).padStart(7, '0')}`, seq, tag: this.#log[seq - 1]?.tag ?? 'AAAAAA' }
  }

  #beginAgain(): void {
    this.#epoch++
    this.#log = []
    this.#floor = 0
  }

  /** An older copy is restored, and its numbers are used again; everybody had read what is gone. */
  #goBack(by: number, more: number): void {
    for (const writer of this.#pending.keys()) this.#acknowledge(writer)
    for (const reader of this.#readers) if (!reader.left) this.#readToEnd(reader)
    if (this.#readers.some(({ left }) => left)) return
    const to = Math.max(this.#floor, this.#log.length - by)
    if (to === this.#log.length) return
    this.#log = this.#log.slice(0, to)
    for (let n = 0; n < more; n++) this.#publish(n % 2, true)
    for (const reader of this.#readers) this.#readToEnd(reader)
  }

  #readToEnd(reader: Reader): void {
    do this.#read(reader, 50)
    while (reader.position?.seq !== this.#log.length)
  }

  #read(reader: Reader, limit: number): void {
    const [from, gap] = this.#resume(reader.position)
    const batch = this.#log.slice(from, from + limit)
    const end = this.#at(from + batch.length)
    reader.position = end
    reader.write({ did: 'read', cursor: formatCursor(end), messages: batch.length })
    if (gap !== undefined) reader.write({ did: 'gap', ...gap })
    for (const [index, { key, text }] of batch.entries()) {
      if (reader.shown.has(key)) continue
      reader.shown.add(key)
      const [member = '', id = ''] = key.split(' ')
      reader.write({ did: 'saw', seq: from + index + 1, id, member, text })
    }
  }

  /** Contract §4. */
  #resume(position: Position | undefined): [from: number, gap?: { reason: GapReason; missed?: number }] {
    if (position === undefined) return [this.#floor]
    const here = this.#at(position.seq)
    if (position.epoch !== here.epoch) return [this.#floor, { reason: 'epoch' }]
    if (position.seq > this.#log.length) return [this.#floor, { reason: 'ahead' }]
    if (position.seq < this.#floor) return [this.#floor, { reason: 'trimmed', missed: this.#floor - position.seq }]
    return position.tag === here.tag ? [position.seq] : [this.#floor, { reason: 'rollback' }]
  }
}
