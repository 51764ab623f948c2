/** The embedded default: every room in this process's memory, bounded by count, bytes and age. */
import { createHash } from 'node:crypto'
import { drawEpoch, drawTag, formatCursor, originTag } from '../protocol/cursor.ts'
import type { Ack, Batch, Cursor, Draft, Member, Message, Since } from '../protocol/message.ts'
import { Problem } from '../protocol/problem.ts'
import { drawMs } from '../protocol/random.ts'
import {
  type Appended,
  defaultLimits,
  type LogState,
  type Resumption,
  resume,
  type RoomStore,
  type StoreLimits,
  type Unwatch,
  type Wake,
} from './store.ts'

/** How often rooms and messages whose time has passed are looked for, where nobody reads them anyway. */
const sweepMs = 5_000

/** Who has read within this time is still in the room: a poller asks once a minute at least, and may miss one. */
const readerMs = 150_000

/** Room in a batch for its cursor, gap and punctuation. */
const envelopeBytes = 256

/** What an object and its place in a collection take beside their text, roughly, in V8. */
const overheadBytes = 128

interface Entry {
  readonly message: Message
  readonly tag: string
  /** Of its JSON: what it takes in a batch. */
  readonly jsonBytes: number
  /** When it was kept, in ms of the monotonic clock: a wall clock that jumps ages nothing. */
  readonly keptAt: number
}

interface KeptId {
  readonly key: string
  readonly seq: number
  readonly tag: string
  readonly textHash: string
  readonly at: number
}

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
}

/** One room's log. `bytes` counts its messages and its kept ids. */
class Log implements LogState {
  readonly epoch = drawEpoch()
  readonly watchers = new Set<Wake>()
  bytes = 0
  /** When the last message came, or the room appeared; when somebody last read it. In ms, monotonic. */
  lastAppend: number
  lastRead: number
  readonly #entries = new Queue<Entry>()
  readonly #ids = new Map<string, KeptId>()
  readonly #idQueue = new Queue<KeptId>()
  /** The tag of oldest - 1. */
  #floorTag = originTag
  #head = 0

  constructor(now: number) {
    this.lastAppend = now
    this.lastRead = now
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

  push(member: Member, { id, text }: Draft, now: number): Ack {
    const seq = ++this.#head
    const tag = drawTag()
    const message: Message = { seq, id, member: member.id, author: member.name, text, at: Date.now() }
    const entry: Entry = { message, tag, jsonBytes: Buffer.byteLength(JSON.stringify(message)), keptAt: now }
    this.#entries.push(entry)
    const kept: KeptId = { key: idKey(member, { id, text }), seq, tag, textHash: hash(text), at: now }
    this.#ids.set(kept.key, kept)
    this.#idQueue.push(kept)
    this.bytes += entryBytes(entry) + idBytes(kept)
    this.lastAppend = now
    return { id, seq, cursor: this.cursor, duplicate: false }
  }

  /** Lets go of what is over the room's limits by now. */
  trim(limits: StoreLimits, now: number): void {
    while (this.#entries.length > limits.keepMessages) this.dropMessage()
    const keptSince = now - limits.keepSeconds * 1000
    while ((this.#entries.at(0)?.keptAt ?? Infinity) <= keptSince) this.dropMessage()
    while (this.#idQueue.length > limits.dedupeIds) this.dropId()
    const oldestId = now - limits.dedupeSeconds * 1000
    while ((this.#idQueue.at(0)?.at ?? Infinity) <= oldestId) this.dropId()
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
    this.#ids.delete(kept.key)
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

const idKey = (member: Member, draft: Draft): string => `${member.id} ${draft.id}`
const hash = (text: string): string => createHash('sha256').update(text).digest('base64url')
const entryBytes = (entry: Entry): number => entry.jsonBytes + overheadBytes
const idBytes = (kept: KeptId): number => kept.key.length + kept.textHash.length + overheadBytes

/** A RoomStore in memory. Everything is gone with the process: a new one has new epochs, and says so as a gap. */
export class MemoryStore implements RoomStore {
  // In the order of their last message: the first is the longest idle.
  readonly #rooms = new Map<string, Log>()
  readonly #limits: StoreLimits
  readonly #sweep: NodeJS.Timeout
  #bytes = 0
  #closed = false

  constructor(limits: Partial<StoreLimits> = {}) {
    this.#limits = { ...defaultLimits, ...limits }
    this.#sweep = setInterval(() => this.sweep(), sweepMs).unref()
  }

  /** Bytes and rooms held now. */
  get size(): { readonly bytes: number; readonly rooms: number } {
    return { bytes: this.#bytes, rooms: this.#rooms.size }
  }

  async has(room: string): Promise<boolean> {
    if (this.#closed) throw new Error('the store is closed')
    return this.#rooms.has(room)
  }

  async append(room: string, member: Member, draft: Draft): Promise<Appended> {
    const now = performance.now()
    const log = this.#open(room, now)
    this.#trim(log, now)
    const found = log.find(member, draft)
    if (found !== undefined) return found
    const before = log.bytes
    const ack = log.push(member, draft, now)
    this.#bytes += log.bytes - before
    this.#rooms.delete(room)
    this.#rooms.set(room, log)
    this.#trim(log, now)
    this.#giveWay()
    for (const wake of log.watchers) wake(ack.cursor)
    return { outcome: 'appended', ack }
  }

  async read(room: string, since: Since, limit = this.#limits.batchMessages): Promise<Batch> {
    const now = performance.now()
    const log = this.#open(room, now)
    log.lastRead = now
    this.#trim(log, now)
    return log.batch(resume(since, log, this.#limits.history), Math.min(limit, this.#limits.batchMessages), this.#limits.batchBytes)
  }

  async watch(room: string, wake: Wake): Promise<Unwatch> {
    const log = this.#open(room, performance.now())
    // A function of its own: the same one may watch twice, and undo one of the two.
    const own: Wake = (head) => wake(head)
    log.watchers.add(own)
    return () => {
      log.watchers.delete(own)
      log.lastRead = performance.now()
    }
  }

  async close(): Promise<void> {
    this.#closed = true
    clearInterval(this.#sweep)
    this.#rooms.clear()
    this.#bytes = 0
  }

  /** Lets go of messages, ids and rooms whose time has passed. Runs by itself every few seconds. */
  sweep(): void {
    const now = performance.now()
    for (const [room, log] of this.#rooms) {
      this.#trim(log, now)
      if (log.watchers.size > 0) continue
      const empty = log.head === 0
      if (now - log.lastRead <= (empty ? this.#limits.emptySeconds * 1000 : readerMs)) continue
      if (!empty && now - log.lastAppend <= this.#limits.idleSeconds * 1000) continue
      this.#rooms.delete(room)
      this.#bytes -= log.bytes
    }
  }

  #open(room: string, now: number): Log {
    if (this.#closed) throw new Error('the store is closed')
    const known = this.#rooms.get(room)
    if (known !== undefined) return known
    if (this.#rooms.size >= this.#limits.rooms) throw new Problem('room-limit', undefined, { retryAfterMs: drawMs(5_000, 15_000) })
    const log = new Log(now)
    this.#rooms.set(room, log)
    return log
  }

  #trim(log: Log, now: number): void {
    const before = log.bytes
    log.trim(this.#limits, now)
    this.#bytes += log.bytes - before
  }

  /** Over the process's limit the longest idle room loses its oldest messages, then its ids, then the next room does. */
  #giveWay(): void {
    for (const log of this.#rooms.values()) {
      const before = log.bytes
      const total = (): number => this.#bytes + log.bytes - before
      while (total() > this.#limits.totalBytes && (log.dropMessage() || log.dropId()));
      this.#bytes = total()
      if (this.#bytes <= this.#limits.totalBytes) return
    }
  }
}
