/** One room's log in memory: messages, the ids that make repeats recognisable, and who watches. Bounded. */
import { createHash } from 'node:crypto'
import { drawEpoch, drawTag, formatCursor, originTag, type Position } from '../protocol/cursor.ts'
import type { Ack, Batch, Cursor, Draft, Member, Message } from '../protocol/message.ts'
import type { Appended, LogState, Resumption, StoreLimits, Wake } from './store.ts'

/** Room in a batch for its cursor, gap and punctuation. */
const envelopeBytes = 256

/** What an object and its place in a collection take beside their text, roughly, in V8. */
const overheadBytes = 128

/** A message as it is kept. */
export interface Line {
  readonly message: Message
  readonly tag: string
}

interface Entry extends Line {
  /** Of its JSON: what it takes in a batch. */
  readonly jsonBytes: number
  /** When it was kept, in ms of the monotonic clock: a wall clock that jumps ages nothing. */
  readonly keptAt: number
}

/** An id that was used, and for which message: what makes its repeat recognisable. */
export interface KeptId {
  /** Of its member and itself. */
  readonly key: string
  readonly seq: number
  readonly tag: string
  readonly textHash: string
  /** In ms since 1970, as its message. */
  readonly at: number
}

interface AgeingId extends KeptId {
  readonly keptAt: number
}

/** Before the first message of a log that nobody has seen. */
export const drawOrigin = (): Position => ({ epoch: drawEpoch(), seq: 0, tag: originTag })

/** A queue that drops from its front in constant time and finds by index. */
class Queue<T> {
  #items: T[] = []
  #first = 0

  get length(): number {
    return this.#items.length - this.#first
  }
  at(index: number): T | undefined {
    return this.#items[this.#first + index]
  }
  push(item: T): void {
    this.#items.push(item)
  }
  shift(): T | undefined {
    const item = this.#items[this.#first]
    if (item === undefined) return undefined
    this.#first++
    // Dropped items are let go in bulk, once they are half of the array.
    if (this.#first * 2 >= this.#items.length) {
      this.#items = this.#items.slice(this.#first)
      this.#first = 0
    }
    return item
  }
  values(): readonly T[] {
    return this.#items.slice(this.#first)
  }
}

/** One room's log. `bytes` counts its messages and its kept ids. */
export class Log implements LogState {
  readonly watchers = new Set<Wake>()
  bytes = 0
  /** When the last message came, or the room appeared; when somebody last read it. In ms, monotonic. */
  lastAppend: number
  lastRead: number
  #epoch: string
  #entries = new Queue<Entry>()
  readonly #ids = new Map<string, AgeingId>()
  #idQueue = new Queue<AgeingId>()
  /** The tag of oldest - 1. */
  #floorTag: string
  #head: number

  constructor(now: number, { epoch, seq, tag } = drawOrigin()) {
    this.lastAppend = now
    this.lastRead = now
    this.#epoch = epoch
    this.#head = seq
    this.#floorTag = tag
  }

  get epoch(): string {
    return this.#epoch
  }
  get head(): number {
    return this.#head
  }
  get oldest(): number {
    return this.#head - this.#entries.length + 1
  }
  get cursor(): Cursor {
    return this.cursorOf(this.#head)
  }
  /** Before the oldest message kept. */
  get floor(): Position {
    return { epoch: this.#epoch, seq: this.oldest - 1, tag: this.#floorTag }
  }
  /** The messages kept, the oldest first. */
  get lines(): readonly Line[] {
    return this.#entries.values()
  }
  /** The ids kept whose messages are not, the oldest first. */
  get idsBelow(): readonly KeptId[] {
    return this.#idQueue.values().filter(({ seq }) => seq < this.oldest)
  }
  /** Bytes of what it keeps, without what V8 takes beside it. */
  get textBytes(): number {
    return this.bytes - overheadBytes * (this.#entries.length + this.#idQueue.length)
  }
  tagOf(seq: number): string {
    return this.#entries.at(seq - this.oldest)?.tag ?? this.#floorTag
  }
  cursorOf(seq: number): Cursor {
    return formatCursor({ epoch: this.epoch, seq, tag: this.tagOf(seq) })
  }

  find(member: Member, draft: Draft): Appended | undefined {
    const kept = this.#ids.get(idKey(member, draft))
    if (kept === undefined) return undefined
    if (kept.textHash !== hash(draft.text)) return { outcome: 'mismatch' }
    const cursor = formatCursor({ epoch: this.epoch, seq: kept.seq, tag: kept.tag })
    return { outcome: 'duplicate', ack: { id: draft.id, seq: kept.seq, cursor, duplicate: true } }
  }

  /** What a draft becomes, so many places after the head. Nothing is kept yet. */
  compose(member: Member, { id, text }: Draft, place = 1): Line {
    const message: Message = { seq: this.#head + place, id, member: member.id, author: member.name, text, at: Date.now() }
    return { message, tag: drawTag() }
  }

  /** Keeps a line, which is the next, since `now`. */
  add({ message, tag }: Line, now: number): Ack {
    const { seq, id, text, at } = message
    const entry: Entry = { message, tag, jsonBytes: Buffer.byteLength(JSON.stringify(message)), keptAt: now }
    this.#head = seq
    this.#entries.push(entry)
    this.bytes += entryBytes(entry)
    this.addId({ key: idKey({ id: message.member }, message), seq, tag, textHash: hash(text), at }, now)
    this.lastAppend = now
    return { id, seq, cursor: this.cursor, duplicate: false }
  }

  addId(id: KeptId, now: number): void {
    const kept: AgeingId = { ...id, keptAt: now }
    this.#ids.set(kept.key, kept)
    this.#idQueue.push(kept)
    this.bytes += idBytes(kept)
  }

  /** Begins again, as another log: only who watches stays. */
  clear(now: number, { epoch, seq, tag } = drawOrigin()): void {
    this.#epoch = epoch
    this.#entries = new Queue()
    this.#ids.clear()
    this.#idQueue = new Queue()
    this.#floorTag = tag
    this.#head = seq
    this.bytes = 0
    this.lastAppend = now
    this.lastRead = now
  }

  /** Lets go of what is over the room's limits by now. */
  trim(limits: StoreLimits, now: number): void {
    while (this.#entries.length > limits.keepMessages) this.dropMessage()
    const keptSince = now - limits.keepSeconds * 1000
    while ((this.#entries.at(0)?.keptAt ?? Infinity) <= keptSince) this.dropMessage()
    while (this.#idQueue.length > limits.dedupeIds) this.dropId()
    const oldestId = now - limits.dedupeSeconds * 1000
    while ((this.#idQueue.at(0)?.keptAt ?? Infinity) <= oldestId) this.dropId()
    while (this.bytes > limits.keepBytes && this.#entries.length > 1 && this.dropMessage());
    while (this.bytes > limits.keepBytes && this.#idQueue.length > 1 && this.dropId());
  }

  dropMessage(): boolean {
    const entry = this.#entries.shift()
    if (entry === undefined) return false
    this.#floorTag = entry.tag
    this.bytes -= entryBytes(entry)
    return true
  }

  dropId(): boolean {
    const kept = this.#idQueue.shift()
    if (kept === undefined) return false
    // Its member may have used it again since: read back from a file, both are here.
    if (this.#ids.get(kept.key) === kept) this.#ids.delete(kept.key)
    this.bytes -= idBytes(kept)
    return true
  }

  batch({ from, gap }: Resumption, maxMessages: number, maxBytes: number): Batch {
    const messages: Message[] = []
    let bytes = envelopeBytes
    for (let index = from + 1 - this.oldest; messages.length < maxMessages; index++) {
      const entry = this.#entries.at(index)
      if (entry === undefined) break
      bytes += entry.jsonBytes + 1
      if (bytes > maxBytes && messages.length > 0) break
      messages.push(entry.message)
    }
    const end = from + messages.length
    return { messages, cursor: this.cursorOf(end), ...(gap && { gap }), ...(end < this.#head && { more: true as const }) }
  }
}

export const idKey = (member: Pick<Member, 'id'>, draft: Pick<Draft, 'id'>): string => `${member.id} ${draft.id}`
const hash = (text: string): string => createHash('sha256').update(text).digest('base64url')
const entryBytes = (entry: Entry): number => entry.jsonBytes + overheadBytes
const idBytes = (kept: KeptId): number => kept.key.length + kept.textHash.length + overheadBytes
