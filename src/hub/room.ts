/** Those who read one room: watched while there are any, read for together, woken once per turn. */
import { type Aside, asides, type Change, type Cursor, type Since, type Told } from '../protocol/message.ts'
import { Problem } from '../protocol/problem.ts'
import type { RoomStore, Unwatch } from '../store/store.ts'
import { Delivery, goesFirst } from './delivery.ts'
import type { Reading, Subscription } from './subscription.ts'
import type { Wheel } from './wheel.ts'

export interface RoomOptions {
  readonly highWaterBytes: number
  readonly stallMs: number
  /** How long subscribers stay where the store fails, in ms; then they are sent away to come back. */
  readonly storeAwayMs: number
  /** How long an empty room is still watched: a long poll leaves and comes back. */
  readonly lingerMs: number
}

/** A delivery to thousands pauses after so many ms for the rest of the process; looked at every so many readers. */
const turnMs = 5
const readersPerLook = 16

/** So many deliveries of an aside are kept to be shared: readers of a room mostly know the same, and stand at the same cursor. */
const toldAtMost = 16

/** How soon a read that failed is tried again, in ms. */
const readAgainMs = 250

/** What a room tells its hub, and asks of it. */
export interface RoomEvents {
  readonly since: (aside: Aside, known: string) => Change<Told[Aside]> | undefined
  readonly woken: (room: Room) => void
  readonly joined: () => void
  readonly left: () => void
  readonly emptied: (room: Room) => void
}

export class Room implements Reading {
  readonly wheel: Wheel
  readonly subscriptions = new Set<Subscription>()
  readonly #name: string
  readonly #store: RoomStore
  readonly #options: RoomOptions
  readonly #events: RoomEvents
  /** Those who wait for a read, by where it begins: they will share its delivery. */
  readonly #reads = new Map<Since, Subscription[]>()
  /** Who came since the last turn and asks for more than the log. */
  readonly #fresh: Subscription[] = []
  /** What is told beside the log now, by what is known and where its reader stands. */
  readonly #told = { members: new Map<string, Delivery>(), states: new Map<string, Delivery>() }
  #watch: Promise<Unwatch> | undefined
  /** The head as last read, undefined after a wake. Who stands elsewhere may have something to read. */
  #head: Cursor | undefined
  #wakes = 0
  #heartbeat: Delivery | undefined
  #failingSince: number | undefined
  #cancelLinger: (() => void) | undefined

  constructor(name: string, store: RoomStore, wheel: Wheel, options: RoomOptions, events: RoomEvents) {
    this.#name = name
    this.#store = store
    this.wheel = wheel
    this.#options = options
    this.#events = events
  }

  join(subscription: Subscription): void {
    this.subscriptions.add(subscription)
    this.#events.joined()
    if (asides.some((aside) => subscription.asksFor(aside))) this.#fresh.push(subscription)
    // With all who come in this turn of the event loop; who stands at the head already waits without a read.
    this.#events.woken(this)
  }

  leave(subscription: Subscription): void {
    if (!this.subscriptions.delete(subscription)) return
    this.#events.left()
    if (this.subscriptions.size > 0) return
    this.#cancelLinger?.()
    this.#cancelLinger = this.wheel.after(this.#options.lingerMs, () => {
      if (this.subscriptions.size > 0) return
      this.#events.emptied(this)
      this.#watch?.then(
        (unwatch) => unwatch(),
        () => {},
      )
    })
  }

  /** One read for all who stand at the same cursor; who comes while it is under way shares it. */
  read(subscription: Subscription): void {
    subscription.reading()
    const since = subscription.cursor
    const together = this.#reads.get(since)
    if (together !== undefined) {
      together.push(subscription)
      return
    }
    this.#reads.set(since, [subscription])
    void this.#read(since)
  }

  heartbeat(cursor: Cursor): Delivery {
    if (this.#heartbeat?.batch.cursor !== cursor) this.#heartbeat = new Delivery({ messages: [], cursor })
    return this.#heartbeat
  }

  told(aside: Aside, known: string, cursor: Cursor): Delivery | undefined {
    const key = `${known} ${cursor}`
    const shared = this.#told[aside]
    const told = shared.get(key)
    if (told !== undefined) return told
    const change = this.#events.since(aside, known)
    if (change === undefined) return undefined
    // In a batch of its own: those with messages stay the same for everybody.
    const delivery = new Delivery({ messages: [], cursor, [aside]: change })
    if (shared.size >= toldAtMost) shared.clear()
    shared.set(key, delivery)
    return delivery
  }

  /** The members have changed, or their states: whoever asks is told, or is when it has read. */
  tell(aside: Aside): void {
    this.#told[aside].clear()
    this.#inTurns(
      [...this.subscriptions].filter((subscription) => subscription.asksFor(aside)),
      (subscription) => subscription.tell(aside),
    )
  }

  /** Once per turn: everybody who is live and not at the head reads on. */
  flush(): void {
    const fresh = this.#fresh.splice(0)
    // Before it reads: in a room where there is always something to read a long poll would never hear of its members.
    this.#inTurns(fresh, (subscription) => {
      for (const aside of asides) if (goesFirst(aside)) subscription.tell(aside)
    })
    const head = this.#head
    for (const subscription of this.subscriptions) {
      if (subscription.wants(head)) this.read(subscription)
    }
    this.#inTurns(fresh, (subscription) => subscription.tellAll())
  }

  async #read(since: Since): Promise<void> {
    try {
      // Watch before reading: what is appended in between arrives twice, and is dropped, never not at all.
      this.#watch ??= this.#store.watch(this.#name, this.#wake)
      await this.#watch
      const wakes = this.#wakes
      const batch = await this.#store.read(this.#name, since)
      this.#failingSince = undefined
      this.#hand(new Delivery(batch), this.#takeReaders(since), wakes)
    } catch (error) {
      this.#failed(since, error)
    }
  }

  #hand(delivery: Delivery, readers: readonly Subscription[], wakes: number): void {
    this.#inTurns(
      readers,
      (subscription) => subscription.take(delivery),
      () => {
        // Nothing new meanwhile: this is the head. Otherwise the next turn looks who has something to read.
        if (delivery.batch.more === undefined && wakes === this.#wakes) this.#head = delivery.batch.cursor
        else this.#events.woken(this)
      },
    )
  }

  /** One after the other, in turns short enough that what else the process does is not held up. */
  #inTurns(readers: readonly Subscription[], each: (subscription: Subscription) => void, then = (): void => {}, from = 0): void {
    const until = performance.now() + turnMs
    for (let index = from; index < readers.length; index++) {
      const subscription = readers[index] as Subscription
      try {
        each(subscription)
      } catch {
        // One wire's fault is nobody else's.
        subscription.close(new Problem('internal'))
      }
      if (index % readersPerLook === 0 && performance.now() > until) {
        setImmediate(() => this.#inTurns(readers, each, then, index + 1))
        return
      }
    }
    then()
  }

  #failed(since: Since, error: unknown): void {
    const problem = error instanceof Problem ? error : new Problem('internal')
    const now = performance.now()
    this.#failingSince ??= now
    const away = problem.code === 'store-unavailable'
    if (away && now - this.#failingSince < this.#options.storeAwayMs) {
      // A watch that failed is asked for again.
      this.#watch?.catch(() => (this.#watch = undefined))
      // They stay among the readers: who comes meanwhile joins them.
      this.wheel.after(readAgainMs, () => {
        if (this.subscriptions.size > 0) void this.#read(since)
        else this.#reads.delete(since)
      })
      return
    }
    this.#failingSince = undefined
    this.#watch?.catch(() => (this.#watch = undefined))
    // The store is away for everybody: those who wait at other cursors are not left to a time of their own.
    const expired = away ? [...this.#reads.keys()] : [since]
    for (const readers of expired.map((each) => this.#takeReaders(each))) for (const subscription of readers) subscription.close(problem)
  }

  #takeReaders(since: Since): Subscription[] {
    const readers = this.#reads.get(since) ?? []
    this.#reads.delete(since)
    return readers
  }

  /** Wakes may come late, twice and out of order: what is the head now only a read can say. */
  readonly #wake = (): void => {
    this.#head = undefined
    this.#wakes++
    this.#events.woken(this)
  }
}
