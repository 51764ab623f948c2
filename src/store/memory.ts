/** The embedded default: every room in this process's memory, bounded by count, bytes and age. */
import type { Batch, Draft, Member, Since } from '../protocol/message.ts'
import { Logs, sweepMs } from './logs.ts'
import type { Appended, RoomStore, StoreLimits, Unwatch, Wake } from './store.ts'

/** A RoomStore in memory. Everything is gone with the process: a new one has new epochs, and says so as a gap. */
export class MemoryStore implements RoomStore {
  readonly #logs: Logs
  readonly #sweep: NodeJS.Timeout

  constructor(limits: Partial<StoreLimits> = {}) {
    this.#logs = new Logs(limits)
    this.#sweep = setInterval(() => this.sweep(), sweepMs).unref()
  }

  /** Bytes and rooms held now. */
  get size(): { readonly bytes: number; readonly rooms: number } {
    return this.#logs.size
  }

  async has(room: string): Promise<boolean> {
    return this.#logs.has(room)
  }

  async append(room: string, member: Member, draft: Draft): Promise<Appended> {
    const log = this.#logs.open(room)
    const found = this.#logs.find(log, member, draft)
    return found ?? { outcome: 'appended', ack: this.#logs.add(room, log, log.compose(member, draft)) }
  }

  async find(room: string, member: Member, draft: Draft): Promise<Appended | undefined> {
    const log = this.#logs.get(room)
    return log && this.#logs.find(log, member, draft)
  }

  async read(room: string, since: Since, limit?: number): Promise<Batch> {
    return this.#logs.read(this.#logs.open(room), since, limit)
  }

  async watch(room: string, wake: Wake): Promise<Unwatch> {
    return this.#logs.watch(this.#logs.open(room), wake)
  }

  async clear(room: string): Promise<void> {
    const log = this.#logs.get(room)
    if (log !== undefined) this.#logs.clear(log)
  }

  async close(): Promise<void> {
    clearInterval(this.#sweep)
    this.#logs.close()
  }

  /** Lets go of messages, ids and rooms whose time has passed. Runs by itself every few seconds. */
  sweep(): void {
    this.#logs.sweep()
  }
}
