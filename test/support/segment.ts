/** What one subscriber was told of one log without a break: from where, up to where, and what stood there. */
import { parseCursor, type Position } from '../../src/protocol/cursor.ts'
import type { GapReason } from '../../src/protocol/message.ts'
import type { Entry } from './journal.ts'

export interface Segment {
  readonly epoch: string
  /** The line at which it begins. */
  readonly began: number
  /** It begins after this seq, and has been read up to `end`. */
  readonly from: number
  end: number
  /** What stood at a seq, as far as it was shown. */
  readonly messages: Map<number, Seen>
  /** By key: the seq at which it was shown. */
  readonly places: Map<string, number>
  /** The tags of the seqs at which a batch ended. */
  readonly tags: Map<number, string>
  /** The gap that it began with, where it did. */
  gap: ToldGap | undefined
}

/** `order` is the place of its line in the journal. */
export interface ToldGap {
  readonly reason: GapReason
  readonly missed: number
  readonly before: Segment
  readonly after: Segment
  readonly order: number
}

export interface Seen {
  /** Member and id: what a message is, whatever its place. */
  readonly key: string
  readonly text: string
  readonly order: number
}

/** A batch: where it leaves its reader, after which seq it begins, and its line. */
interface Reading {
  readonly end: Position
  readonly from: number
  readonly order: number
}

/** One subscriber's journal, read through. */
export class Delivered {
  readonly who: string
  readonly segments: Segment[] = []
  /** By key: where it was shown first. */
  readonly shown = new Map<string, number>()
  readonly sightings: Seen[] = []
  /** The line at which it first joined. */
  began = Infinity
  left = false
  readonly repeated: string[] = []
  readonly reordered: string[] = []
  /** It went over to another log, and its application was not told. */
  readonly silent: string[] = []
  #last = 0
  #reading: Reading | undefined

  constructor(who: string) {
    this.who = who
  }

  get current(): Segment | undefined {
    return this.segments.at(-1)
  }
  get gaps(): ToldGap[] {
    return this.segments.flatMap(({ gap }) => (gap === undefined ? [] : [gap]))
  }

  take(entry: Entry, order: number): void {
    switch (entry.did) {
      case 'joined':
        this.began = Math.min(this.began, order)
        this.left = false
        break
      case 'left':
        this.#settle()
        this.left = true
        break
      case 'read': {
        this.#settle()
        const end = parseCursor(entry.cursor)
        if (end !== undefined) this.#reading = { end, from: end.seq - entry.messages, order }
        break
      }
      case 'gap':
        this.#break(entry.reason, entry.missed ?? 0, order)
        break
      case 'saw':
        this.#settle()
        this.#see({ key: `${entry.member} ${entry.id}`, text: entry.text, order }, entry.seq)
        break
    }
  }

  /** Nothing follows any more. */
  end(): this {
    this.#settle()
    return this
  }

  /** A batch that told of no gap goes on where the one before ended, or begins the first segment. */
  #settle(): void {
    const reading = this.#reading
    this.#reading = undefined
    if (reading === undefined) return
    const { end } = reading
    const segment = this.current
    if (segment?.epoch === end.epoch) {
      const known = segment.tags.get(end.seq)
      if (known !== undefined && known !== end.tag) this.silent.push(`${this.who} was told another tag for seq ${end.seq}, and no gap`)
      segment.tags.set(end.seq, end.tag)
      segment.end = Math.max(segment.end, end.seq)
      return
    }
    if (segment !== undefined) this.silent.push(`${this.who} went from log ${segment.epoch} to ${end.epoch} and was told no gap`)
    this.#begin(reading)
  }

  #break(reason: GapReason, missed: number, order: number): void {
    const reading = this.#reading
    const before = this.current
    this.#reading = undefined
    if (reading === undefined) return
    const after = this.#begin(reading)
    if (before !== undefined) after.gap = { reason, missed, before, after, order }
  }

  #begin({ end, from, order }: Reading): Segment {
    this.#last = from
    const tags = new Map([[end.seq, end.tag]])
    const segment = { epoch: end.epoch, began: order, from, end: end.seq, messages: new Map(), places: new Map(), tags, gap: undefined }
    this.segments.push(segment)
    return segment
  }

  #see(seen: Seen, seq: number): void {
    this.sightings.push(seen)
    if (this.shown.has(seen.key)) this.repeated.push(`${this.who} was shown ${seen.key} ("${seen.text}") twice`)
    else if (seq <= this.#last) this.reordered.push(`${this.who} was shown seq ${seq} after ${this.#last}`)
    if (!this.shown.has(seen.key)) this.shown.set(seen.key, seen.order)
    this.current?.messages.set(seq, seen)
    this.current?.places.set(seen.key, seq)
    this.#last = Math.max(this.#last, seq)
  }
}
