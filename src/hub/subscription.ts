/** A cursor that reads: catching up, live, or waiting for its wire to drain. There is no queue: the log is the queue. */
import { type Aside, asides, type Cursor, type Known, type Since } from '../protocol/message.ts'
import type { Problem } from '../protocol/problem.ts'
import { Delivery } from './delivery.ts'
import type { Wheel } from './wheel.ts'

/** What a transport hands to the hub: the end of a wire. */
export interface Subscriber {
  /** Bytes accepted and not yet taken by the network. */
  readonly waiting: number
  /** Writes the delivery in its envelope and returns its bytes. Synchronous: called in a loop over thousands. */
  deliver(delivery: Delivery): number
  /** Calls `then` once the network has taken all that was accepted so far. */
  taken(then: () => void): void
  /** Ends the wire politely and says why; `last` is an empty batch with the time to come back, where it stood anywhere yet. */
  close(problem: Problem, last: Delivery | undefined): void
  /** Ends the wire at once: its peer takes nothing any more. */
  cut(): void
}

export interface SubscriptionOptions {
  /** Deliver the first batch even if it is empty: where the reader stands. */
  readonly greet: boolean
  /** An empty batch every so many ms, however busy the wire is. */
  readonly heartbeatMs: number
  /** What the reader knows of members and states, as far as it asks for them. */
  readonly known?: Known
  /** With so many bytes waiting the log is not read on. */
  readonly highWaterBytes: number
  /** Without progress of what waits for so many ms the wire is cut. */
  readonly stallMs: number
}

/** What a subscription asks of its room. */
export interface Reading {
  readonly wheel: Wheel
  /** Reads on from the subscription's cursor, and hands it what there is by `take`. */
  read(subscription: Subscription): void
  /** An empty batch at this cursor, shared. */
  heartbeat(cursor: Cursor): Delivery
  /** What changed of an aside since this version, at this cursor; undefined for nothing. Shared. */
  told(aside: Aside, known: string, cursor: Cursor): Delivery | undefined
  leave(subscription: Subscription): void
}

/** `reading`: a read is under way. `live`: at the head, as far as it knows. `waiting`: its wire is full. */
type State = 'reading' | 'live' | 'waiting' | 'closed'

/** How many times within its limit a stall is looked for. */
const stallChecks = 6

/** How soon a heartbeat is tried again that found the wire or the log busy. */
const heartbeatAgainMs = 1_000

export class Subscription {
  readonly #room: Reading
  readonly #subscriber: Subscriber
  readonly #options: SubscriptionOptions
  #cursor: Since
  #state: State = 'live'
  #greet: boolean
  readonly #known: { -readonly [Name in keyof Known]: Known[Name] }
  #accepted = 0
  #taken = 0
  #progressAt = 0
  #cancelHeartbeat: () => void
  #cancelStall: (() => void) | undefined
  /** It waits to hear that its wire has drained. */
  #draining = false

  constructor(room: Reading, since: Since, subscriber: Subscriber, options: SubscriptionOptions) {
    this.#room = room
    this.#cursor = since
    this.#subscriber = subscriber
    this.#options = options
    this.#greet = options.greet
    this.#known = { ...options.known }
    this.#cancelHeartbeat = room.wheel.after(options.heartbeatMs, this.#beat)
  }

  get cursor(): Since {
    return this.#cursor
  }
  /** Its cursor, once it has one of this log. */
  get #stands(): Cursor | undefined {
    return this.#cursor === 'earliest' ? undefined : this.#cursor
  }
  /** May it have something to read, where the head is at `head`? Not while it reads already, or its wire is full. */
  wants(head: Cursor | undefined): boolean {
    return this.#state === 'live' && (this.#greet || this.#cursor !== head)
  }
  get closed(): boolean {
    return this.#state === 'closed'
  }
  asksFor(aside: Aside): boolean {
    return this.#known[aside] !== undefined
  }

  /** The room began to read for it. */
  reading(): void {
    this.#state = 'reading'
  }

  /** What was read from its cursor. An empty batch moves nothing and is not written, but for the first. */
  take(delivery: Delivery): void {
    if (this.closed) return
    const { messages, gap, cursor } = delivery.batch
    this.#cursor = cursor
    this.#state = 'live'
    if (messages.length > 0 || gap !== undefined || this.#greet) {
      this.#greet = false
      this.#write(delivery)
    }
    this.tellAll()
  }

  /** Tells of members, or of states, where it asks: once it stands somewhere, and not while it reads or its wire is full. */
  tell(aside: Aside): void {
    for (let known = this.#known[aside]; known !== undefined && this.#state === 'live' && !this.#greet; known = this.#known[aside]) {
      const delivery = this.#stands === undefined ? undefined : this.#room.told(aside, known, this.#stands)
      if (delivery === undefined) return
      // Behind waiting bytes a state would be old when it comes. What is told later is the newest: ticks are skipped, not saved.
      if (aside === 'states' && this.#subscriber.waiting > 0) return this.#awaitDrain()
      this.#known[aside] = delivery.batch[aside]?.version
      this.#write(delivery)
    }
  }

  /** Tells of all that it asks for. */
  tellAll(): void {
    for (const aside of asides) this.tell(aside)
  }

  /** The wire has drained: reads on from where it stopped, and is told what it has skipped. */
  readonly resume = (): void => {
    this.#draining = false
    if (this.#state === 'waiting') this.#room.read(this)
    else this.tell('states')
  }

  /** The reader is gone, or has all it came for. */
  readonly leave = (): void => {
    if (this.closed) return
    this.#state = 'closed'
    this.#cancelHeartbeat()
    this.#cancelStall?.()
    this.#room.leave(this)
  }

  /** Ends the wire and says why. */
  close(problem: Problem): void {
    if (this.closed) return
    this.leave()
    const { retryAfterMs: retryMs } = problem
    const cursor = this.#stands
    const last = cursor === undefined ? undefined : new Delivery({ messages: [], cursor, ...(retryMs !== undefined && { retryMs }) })
    this.#subscriber.close(problem, last)
  }

  #write(delivery: Delivery): void {
    this.#accepted += this.#subscriber.deliver(delivery)
    if (this.closed) return
    const { waiting } = this.#subscriber
    if (waiting === 0) return
    if (waiting >= this.#options.highWaterBytes) {
      this.#state = 'waiting'
      this.#awaitDrain()
    }
    if (this.#cancelStall === undefined) {
      this.#progressAt = performance.now()
      this.#taken = this.#accepted - waiting
      this.#watchStall()
    }
  }

  #awaitDrain(): void {
    if (this.#draining) return
    this.#draining = true
    this.#subscriber.taken(this.resume)
  }

  #watchStall(): void {
    this.#cancelStall = this.#room.wheel.after(this.#options.stallMs / stallChecks, () => {
      this.#cancelStall = undefined
      const { waiting } = this.#subscriber
      if (waiting === 0) return
      const now = performance.now()
      const taken = this.#accepted - waiting
      if (taken > this.#taken) this.#progressAt = now
      this.#taken = Math.max(taken, this.#taken)
      if (now - this.#progressAt < this.#options.stallMs) return this.#watchStall()
      this.leave()
      // Hard: a polite close would queue behind the bytes that nobody reads.
      this.#subscriber.cut()
    })
  }

  readonly #beat = (): void => {
    // Behind waiting bytes a heartbeat would prove nothing; within a read its cursor would be yesterday's.
    const free = this.#state === 'live' && this.#subscriber.waiting === 0
    const cursor = this.#stands
    this.#cancelHeartbeat = this.#room.wheel.after(free ? this.#options.heartbeatMs : heartbeatAgainMs, this.#beat)
    if (free && cursor !== undefined) this.#write(this.#room.heartbeat(cursor))
  }
}
