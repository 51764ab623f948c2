/** The logs of all rooms of this process, bounded together: what the memory store and the file store share. */
import type { Ack, Batch, Draft, Member, Since } from '../protocol/message.ts'
import { Problem } from '../protocol/problem.ts'
import { drawMs } from '../protocol/random.ts'
import { type Line, Log } from './log.ts'
import { type Appended, defaultLimits, resume, type StoreLimits, type Unwatch, type Wake } from './store.ts'

/** How often rooms and messages whose time has passed are looked for, where nobody reads them anyway. */
export const sweepMs = 5_000

/** Who has read within this time is still in the room: a poller asks once a minute at least, and may miss one. */
const readerMs = 150_000

export class Logs {
  readonly limits: StoreLimits
  // In the order of their last message: the first is the longest idle. Undefined: it is there, and not in memory yet.
  readonly #rooms = new Map<string, Log | undefined>()
  #bytes = 0
  #closed = false

  constructor(limits: Partial<StoreLimits>) {
    this.limits = { ...defaultLimits, ...limits }
  }

  /** Bytes held now, and rooms that are there. */
  get size(): { readonly bytes: number; readonly rooms: number } {
    return { bytes: this.#bytes, rooms: this.#rooms.size }
  }

  has(room: string): boolean {
    this.refuseWhenClosed()
    return this.#rooms.has(room)
  }

  refuseWhenClosed(): void {
    if (this.#closed) throw new Error('the store is closed')
  }

  /** The room's log, made where there is none. @throws Problem `room-limit` */
  open(room: string): Log {
    this.refuseWhenClosed()
    const known = this.#rooms.get(room)
    if (known !== undefined) return known
    if (this.#rooms.size >= this.limits.rooms) throw new Problem('room-limit', undefined, { retryAfterMs: drawMs(5_000, 15_000) })
    const log = new Log(performance.now())
    this.#rooms.set(room, log)
    return log
  }

  get(room: string): Log | undefined {
    this.refuseWhenClosed()
    return this.#rooms.get(room)
  }

  /** There is such a room; its log comes when it is needed. */
  expect(room: string): void {
    this.#rooms.set(room, undefined)
  }

  /** The log of a room that was expected: it keeps its place among the others. */
  put(room: string, log: Log): void {
    this.#rooms.set(room, log)
    this.#bytes += log.bytes
    this.#trim(log, performance.now())
    this.#giveWay()
  }

  delete(room: string): void {
    this.#bytes -= this.#rooms.get(room)?.bytes ?? 0
    this.#rooms.delete(room)
  }

  find(log: Log, member: Member, draft: Draft): Appended | undefined {
    this.#trim(log, performance.now())
    return log.find(member, draft)
  }

  /** Keeps a line in memory, lets go of what is over the limits then, and tells who watches. */
  add(room: string, log: Log, line: Line): Ack {
    const now = performance.now()
    const before = log.bytes
    const ack = log.add(line, now)
    this.#bytes += log.bytes - before
    this.#rooms.delete(room)
    this.#rooms.set(room, log)
    this.#trim(log, now)
    this.#giveWay()
    for (const wake of log.watchers) wake(ack.cursor)
    return ack
  }

  read(log: Log, since: Since, limit = this.limits.batchMessages): Batch {
    const { history, batchMessages, batchBytes } = this.limits
    const now = performance.now()
    log.lastRead = now
    this.#trim(log, now)
    return log.batch(resume(since, log, history), Math.min(limit, batchMessages), batchBytes)
  }

  watch(log: Log, wake: Wake): Unwatch {
    // A function of its own: the same one may watch twice, and undo one of the two.
    const own: Wake = (head) => wake(head)
    log.watchers.add(own)
    return () => {
      log.watchers.delete(own)
      log.lastRead = performance.now()
    }
  }

  clear(log: Log, origin?: Log['floor']): void {
    this.#bytes -= log.bytes
    log.clear(performance.now(), origin)
    for (const wake of log.watchers) wake(log.cursor)
  }

  close(): void {
    this.#closed = true
    this.#rooms.clear()
    this.#bytes = 0
  }

  /** Lets go of messages, ids and rooms whose time has passed, but for rooms that are busy; tells which rooms are gone. */
  sweep(busy: (room: string) => boolean = () => false): string[] {
    const now = performance.now()
    const gone: string[] = []
    for (const [room, log] of this.#rooms) {
      if (log === undefined) continue
      this.#trim(log, now)
      if (log.watchers.size > 0 || busy(room)) continue
      const empty = log.head === 0
      if (now - log.lastRead <= (empty ? this.limits.emptySeconds * 1000 : readerMs)) continue
      if (!empty && now - log.lastAppend <= this.limits.idleSeconds * 1000) continue
      this.delete(room)
      gone.push(room)
    }
    return gone
  }

  /** This room loses its oldest messages, then its ids, until it has lost so many bytes or is empty. */
  shrink(log: Log, bytes: number): void {
    const before = log.bytes
    while (before - log.bytes < bytes && (log.dropMessage() || log.dropId()));
    this.#bytes += log.bytes - before
  }

  #trim(log: Log, now: number): void {
    const before = log.bytes
    log.trim(this.limits, now)
    this.#bytes += log.bytes - before
  }

  /** Over the process's limit the longest idle room loses its oldest messages, then its ids, then the next room does. */
  #giveWay(): void {
    for (const log of this.#rooms.values()) {
      if (log !== undefined) this.shrink(log, this.#bytes - this.limits.totalBytes)
      if (this.#bytes <= this.limits.totalBytes) return
    }
  }
}
