/** The embedded default: every room in this process's memory, bounded by count, bytes and age. */
import type { Batch, Draft, Member, Since } from '../protocol/message.ts'
import { Problem } from '../protocol/problem.ts'
import { drawMs } from '../protocol/random.ts'
import { Log } from './log.ts'
import { type Appended, defaultLimits, resume, type RoomStore, type StoreLimits, type Unwatch, type Wake } from './store.ts'

/** How often rooms and messages whose time has passed are looked for, where nobody reads them anyway. */
const sweepMs = 5_000

/** Who has read within this time is still in the room: a poller asks once a minute at least, and may miss one. */
const readerMs = 150_000

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

  async find(room: string, member: Member, draft: Draft): Promise<Appended | undefined> {
    if (this.#closed) throw new Error('the store is closed')
    const log = this.#rooms.get(room)
    if (log !== undefined) this.#trim(log, performance.now())
    return log?.find(member, draft)
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

  async clear(room: string): Promise<void> {
    if (this.#closed) throw new Error('the store is closed')
    const log = this.#rooms.get(room)
    if (log === undefined) return
    this.#bytes -= log.bytes
    log.clear(performance.now())
    for (const wake of log.watchers) wake(log.cursor)
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
