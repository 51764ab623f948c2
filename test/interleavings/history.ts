/**
 * The model: a room is a list for each epoch. What was acknowledged fills it, and what a reader was shown is held
 * against it: contract §4 and §5, I1 to I4, in the smallest form that can be read.
 */
import { parseCursor, type Position } from '../../src/protocol/cursor.ts'
import type { Ack, Cursor, Draft, Gap, Member, Message } from '../../src/protocol/message.ts'
import type { Appended } from '../../src/store/store.ts'

/** What an application is shown: where it begins, messages, and gaps with the place where they leave it. */
export type Shown =
  | { readonly kind: 'message'; readonly message: Message }
  | { readonly kind: 'begin' | 'gap'; readonly gap?: Gap; readonly epoch: string; readonly at: number }

interface Line {
  readonly author: string
  readonly id: string
  readonly text: string
  readonly ack: Ack
}

/** The place of a cursor that the server has given. */
export function placeOf(cursor: Cursor): Position {
  const place = parseCursor(cursor)
  if (place === undefined) throw new Error(`this is no cursor: ${cursor}`)
  return place
}

export class History {
  /** By epoch, in the order of their first appearance: what was acknowledged at seq - 1. */
  readonly #epochs = new Map<string, (Line | undefined)[]>()
  /** What was said, in the order of the acknowledgements: to repeat it, and to look from there. */
  readonly said: { readonly author: Member; readonly draft: Draft; readonly ack: Ack }[] = []
  readonly #tags = new Map<string, string>()
  readonly #keepMessages: number

  constructor(keepMessages: number) {
    this.#keepMessages = keepMessages
  }

  /** The epoch of the last acknowledgement, or of a cursor seen since. */
  get epoch(): string | undefined {
    return [...this.#epochs.keys()].at(-1)
  }

  /** A cursor was given: of each place there is one tag, whoever is told it (I3). */
  cursor(cursor: Cursor): Position {
    const place = placeOf(cursor)
    const key = `${place.epoch}.${place.seq}`
    const known = this.#tags.get(key) ?? place.tag
    if (known !== place.tag) throw new Error(`two tags for ${key}: ${known} and ${place.tag}`)
    this.#tags.set(key, place.tag)
    if (!this.#epochs.has(place.epoch)) this.#epochs.set(place.epoch, [])
    return place
  }

  acknowledged(author: Member, draft: Draft, ack: Ack): void {
    const { epoch, seq } = this.cursor(ack.cursor)
    const log = this.#log(epoch)
    if (seq !== ack.seq) throw new Error(`acknowledged as ${ack.seq}, with the cursor of ${seq}`)
    const known = log[seq - 1]
    // A first attempt whose acknowledgement was lost is answered as a repeat: it is there once all the same.
    if (known !== undefined && !(ack.duplicate && sameLine(known, author, draft))) throw new Error(`${seq} was given twice`)
    log[seq - 1] = { author: author.id, id: draft.id, text: draft.text, ack }
    this.said.push({ author, draft, ack })
  }

  /** What the append of an id that was used before is to be answered; undefined where this epoch knows nothing of it. */
  repeated(author: Member, draft: Draft): Appended | undefined {
    const line = this.#log(this.epoch ?? '').find((one) => one?.author === author.id && one.id === draft.id)
    if (line === undefined) return undefined
    return line.text === draft.text ? { outcome: 'duplicate', ack: { ...line.ack, duplicate: true } } : { outcome: 'mismatch' }
  }

  /** The batch that contract §4 asks for, by its texts. */
  expected(since: Cursor, limit: number): object {
    const { epoch, seq } = placeOf(since)
    const log = this.#log(this.epoch ?? '')
    const start = Math.max(0, log.length - this.#keepMessages)
    const gap: Gap | undefined =
      epoch !== this.epoch ? { reason: 'epoch' } : seq < start ? { reason: 'trimmed', missed: start - seq } : undefined
    const from = gap === undefined ? seq : start
    const to = Math.min(from + limit, log.length)
    return { texts: log.slice(from, to).map((line) => line?.text), at: to, gap, more: to < log.length }
  }

  /** @throws Error that says what a reader was shown wrongly, or not at all (I1, I2, I4) */
  check(reader: string, shown: readonly Shown[], { exact }: { readonly exact: boolean }): void {
    const wrong = (what: string): never => {
      throw new Error(`${reader}: ${what}`)
    }
    for (const [epoch, log] of this.#epochs) if (log.includes(undefined)) wrong(`seq has a hole in ${epoch}`)
    const order = [...this.#epochs.keys()]
    const seen = new Set<string>()
    let [epoch, at] = ['', 0]
    const line = (seq: number): Line => this.#log(epoch)[seq - 1] ?? wrong(`${seq} of ${epoch} was never acknowledged`)
    /** What was shown in another epoch is not shown again; everything else is. */
    const passOver = (to: number): void => {
      for (; at < to; at++) {
        const missing = line(at + 1)
        if (!seen.has(key(missing))) wrong(`${at + 1} (${missing.text}) was lost`)
      }
    }
    for (const event of shown) {
      if (event.kind === 'message') {
        const { seq, member, id, text } = event.message
        if (epoch === '') wrong('a message before the beginning')
        if (seq <= at) wrong(`${seq} (${text}) was repeated, or comes late`)
        passOver(seq - 1)
        const said = line(seq)
        if (said.author !== member || said.id !== id || said.text !== text) wrong(`${seq} is ${said.text}, not ${text}`)
        if (seen.has(key(said))) wrong(`${id} was shown twice`)
        seen.add(key(said))
        at = seq
        continue
      }
      const { gap } = event
      if (gap?.reason === 'trimmed') {
        if (event.epoch !== epoch) wrong('a gap of another epoch')
        const most = event.at - at
        // What was shown in another epoch may have come, and is not shown again.
        while (at < event.at && seen.has(key(line(at + 1)))) at++
        const least = event.at - at
        if (most <= 0) wrong(`told of a gap at ${event.at}, where nothing is missing`)
        // While two wires are open the newer one counts from where it was opened.
        const told = gap.missed ?? 0
        if (told < least || (exact && told > most)) wrong(`missed ${least} to ${most}, told ${told}`)
      } else if (epoch !== '') {
        if (gap?.reason !== 'epoch' || order.indexOf(event.epoch) <= order.indexOf(epoch))
          wrong(`${gap?.reason} from ${epoch} to ${event.epoch}`)
      }
      epoch = event.epoch
      at = event.at
    }
    if (epoch !== this.epoch) wrong(`ends in ${epoch}, not in ${this.epoch}`)
    passOver(this.#log(epoch).length)
  }

  #log(epoch: string): (Line | undefined)[] {
    return this.#epochs.get(epoch) ?? []
  }
}

const key = ({ author, id }: Line): string => `${author} ${id}`

const sameLine = (line: Line, author: Member, draft: Draft): boolean =>
  line.author === author.id && line.id === draft.id && line.text === draft.text
