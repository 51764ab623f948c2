/**
 * A store that is late and sometimes fails, as another process is: what a synchronous memory store hides (a broken join,
 * an answer that is stale by the time it comes, an acknowledgement that is lost) shows over this one.
 */
import type { Draft, Member, Since } from '../../src/protocol/message.ts'
import type { Appended, RoomStore, Unwatch, Wake } from '../../src/store/store.ts'

export interface LateOptions {
  /** Draws every delay and failure: the same seed gives the same ones, in the order of the calls. */
  readonly seed: number
  /** Before and after each call, and before each wake, at most so many ms. */
  readonly maxDelayMs: number
  /** The share of calls that fail, 0..1: half of the appends among them after they happened. */
  readonly failureRate: number
}

/** Numbers in [0, 1), always the same ones for a seed (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** How often a wake comes a second time, and how often there is no delay at all. */
const wakeAgainShare = 0.2
const promptShare = 0.2

export class LateStore implements RoomStore {
  /** Calls that have failed by now. */
  failures = 0
  readonly #store: RoomStore
  readonly #options: LateOptions
  readonly #random: () => number

  constructor(store: RoomStore, options: LateOptions) {
    this.#store = store
    this.#options = options
    this.#random = seeded(options.seed)
  }

  async has(room: string): Promise<boolean> {
    await this.#late()
    return this.#store.has(room)
  }

  /** Fails before it happens, or happens and then fails: the caller cannot know which. */
  async append(room: string, member: Member, draft: Draft): Promise<Appended> {
    const failsFirst = this.#fails(2)
    const failsThen = this.#fails(2)
    await this.#late()
    if (failsFirst) throw this.#failure('the message was not kept')
    const appended = await this.#store.append(room, member, draft)
    await this.#late()
    if (failsThen) throw this.#failure('the message was kept, its acknowledgement is lost')
    return appended
  }

  async find(room: string, member: Member, draft: Draft): Promise<Appended | undefined> {
    const fails = this.#fails()
    await this.#late()
    if (fails) throw this.#failure('nothing was looked up')
    return this.#store.find(room, member, draft)
  }

  /** What it answers was true when it read, and may not be any more. */
  async read(room: string, since: Since, limit?: number): ReturnType<RoomStore['read']> {
    const fails = this.#fails()
    await this.#late()
    if (fails) throw this.#failure('nothing was read')
    const batch = await this.#store.read(room, since, limit)
    await this.#late()
    return batch
  }

  /** Each wake comes late by a time of its own, some overtake others, some come twice; none is lost before `unwatch`. */
  async watch(room: string, wake: Wake): Promise<Unwatch> {
    const fails = this.#fails()
    await this.#late()
    if (fails) throw this.#failure('nothing is watched')
    const timers = new Set<NodeJS.Timeout>()
    const wakeLate: Wake = (head) => {
      const timer = setTimeout(() => {
        timers.delete(timer)
        wake(head)
      }, this.#random() * this.#options.maxDelayMs)
      timers.add(timer)
    }
    const unwatch = await this.#store.watch(room, (head) => {
      wakeLate(head)
      if (this.#random() < wakeAgainShare) wakeLate(head)
    })
    await this.#late()
    return () => {
      unwatch()
      for (const timer of timers) clearTimeout(timer)
    }
  }

  /** As an append: it may have happened all the same. */
  async clear(room: string): Promise<void> {
    const failsFirst = this.#fails(2)
    const failsThen = this.#fails(2)
    await this.#late()
    if (failsFirst) throw this.#failure('the room was not cleared')
    await this.#store.clear(room)
    await this.#late()
    if (failsThen) throw this.#failure('the room was cleared, and nobody hears of it')
  }

  close(): Promise<void> {
    return this.#store.close()
  }

  #fails(parts = 1): boolean {
    return this.#random() < this.#options.failureRate / parts
  }

  #failure(consequence: string): Error {
    this.failures++
    return new Error(`the store failed on purpose: ${consequence}`)
  }

  async #late(): Promise<void> {
    if (this.#random() < promptShare) return
    const ms = this.#random() * this.#options.maxDelayMs
    await new Promise<void>((resolve) => void setTimeout(resolve, ms))
  }
}
