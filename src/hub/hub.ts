/** Who is listening: rooms → subscriptions. Hears of messages only from the store, and wakes once per turn of the event loop. */
import type { Since } from '../protocol/message.ts'
import type { Problem } from '../protocol/problem.ts'
import type { Attendance } from '../store/attendance.ts'
import type { RoomStore } from '../store/store.ts'
import { Members, type MembersOptions } from './members.ts'
import { Room, type RoomOptions } from './room.ts'
import { type Subscriber, Subscription, type SubscriptionOptions } from './subscription.ts'
import type { Wheel } from './wheel.ts'

export class Hub {
  readonly wheel: Wheel
  readonly members: Members
  readonly #store: RoomStore
  readonly #options: RoomOptions
  readonly #rooms = new Map<string, Room>()
  readonly #woken = new Set<Room>()
  #size = 0

  /** `attendance`: where other nodes serve the same rooms, what they tell each other of who is here. */
  constructor(store: RoomStore, wheel: Wheel, options: RoomOptions & MembersOptions, attendance?: Attendance) {
    this.#store = store
    this.wheel = wheel
    this.#options = options
    const nodes = attendance && { attendance, lingerMs: options.lingerMs, read: (room: string) => this.#rooms.has(room) }
    this.members = new Members(wheel, options, (room, aside) => this.#rooms.get(room)?.tell(aside), nodes)
  }

  /** Subscriptions open now. */
  get size(): number {
    return this.#size
  }
  /** Rooms watched now. */
  get rooms(): number {
    return this.#rooms.size
  }
  has(room: string): boolean {
    return this.#rooms.has(room)
  }

  /** Reads `room` from `since` into the subscriber, until it leaves: `leave()` of what is returned is the undo. */
  subscribe(
    name: string,
    since: Since,
    subscriber: Subscriber,
    options: Pick<SubscriptionOptions, 'greet' | 'heartbeatMs' | 'known'>,
  ): Subscription {
    let room = this.#rooms.get(name)
    if (room === undefined) {
      room = new Room(name, this.#store, this.wheel, this.#options, {
        since: (aside, known) => this.members.since(name, aside, known),
        woken: (self) => this.#wake(self),
        joined: () => this.#size++,
        left: () => this.#size--,
        emptied: (self) => {
          if (this.#rooms.get(name) === self) this.#rooms.delete(name)
        },
      })
      this.#rooms.set(name, room)
    }
    const { highWaterBytes, stallMs } = this.#options
    const subscription = new Subscription(room, since, subscriber, { ...options, highWaterBytes, stallMs })
    room.join(subscription)
    return subscription
  }

  /** Sends everybody away, evenly over `spreadMs`. `problem` is made for each, with a time to come back of its own. */
  async drain(spreadMs: number, problem: () => Problem): Promise<void> {
    const everybody = [...this.#rooms.values()].flatMap((room) => [...room.subscriptions])
    const steps = Math.max(1, Math.min(everybody.length, Math.floor(spreadMs / 100)))
    const begun = performance.now()
    for (let step = 0; step < steps; step++) {
      const from = Math.floor((everybody.length * step) / steps)
      const to = Math.floor((everybody.length * (step + 1)) / steps)
      for (const subscription of everybody.slice(from, to)) subscription.close(problem())
      // Against the beginning: lateness does not add up.
      const dueMs = begun + (spreadMs * (step + 1)) / steps - performance.now()
      if (step + 1 < steps && dueMs > 0) await new Promise<void>((resolve) => this.wheel.after(dueMs, resolve))
    }
    // Who came in between goes at once.
    for (const room of this.#rooms.values()) for (const subscription of room.subscriptions) subscription.close(problem())
  }

  #wake(room: Room): void {
    if (this.#woken.size === 0) setImmediate(this.#flush)
    this.#woken.add(room)
  }

  readonly #flush = (): void => {
    const woken = [...this.#woken]
    this.#woken.clear()
    for (const room of woken) room.flush()
  }
}
