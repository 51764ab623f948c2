/** The table two play at: a room beside the room, a channel of its own, and how long its moves were on their way. */
import { type Ack, type Channel, connect, type Gap, type Message, type PresentMember, type TransportName } from '../../client/index.ts'
import { parseCursor } from '../../protocol/cursor.ts'
import { parseRoom } from '../../protocol/draft.ts'
import type { Clock } from '../lab-link.ts'
import { announcement } from './game-words.ts'
import { type Board, emptyBoard, lostBoard, type Order, spell, take } from './board.ts'

const suffix = '~four'

/** More than a game has moves, and a board refusals. */
const mostArrivals = 200

/** The room of the game beside a room; undefined where its name would be too long. */
export function gameRoomOf(room: string): string | undefined {
  try {
    return parseRoom(room + suffix)
  } catch {
    return undefined
  }
}

/** How a message came. */
export interface Arrival {
  readonly transport: TransportName
  /** From the log to here, in ms, give or take `errorMs`; undefined where it was there before us, or no clock is known. */
  readonly delay: { readonly ms: number; readonly errorMs: number } | undefined
}

/** One's own order: from the click to the log, and to one's own wire. */
export interface Trip {
  readonly order: Order
  /** On `performance.now()`. */
  readonly sentAt: number
  readonly seq?: number
  readonly ackMs?: number
  readonly backMs?: number
  readonly transport?: TransportName
}

export interface TableOptions {
  readonly url: string
  readonly room: string
  readonly transport: TransportName
  readonly pollMs: number
  readonly clock: () => Clock | undefined
  /** Something is different now. */
  readonly changed: () => void
}

export class Table {
  readonly channel: Channel
  readonly #options: TableOptions
  #board: Board = emptyBoard
  #trip: Trip | undefined
  #arrivals = new Map<number, Arrival>()
  /** Ours that came back before they were acknowledged: when, on `performance.now()`. */
  readonly #back = new Map<number, number>()
  #gap: Gap | undefined
  /** What came before we were there has come: what comes now, comes now. */
  #caughtUp = false
  #live = false
  #news = ''
  #refused = ''

  /** The session has to be there: two that begin at once would be two members. */
  constructor(options: TableOptions) {
    this.#options = options
    const { url, room, transport, pollMs, changed } = options
    this.channel = connect({ url, room, transport, pollMs, since: 'earliest', members: true })
    this.channel.on('batch', ({ gap, more, messages, cursor }) => {
      if (gap !== undefined) this.#caughtUp = false
      this.#live = this.#caughtUp
      if (!more) this.#caughtUp = true
      const head = parseCursor(cursor)?.seq ?? 0
      // A log of which nothing is left did not begin here.
      if (this.#caughtUp && messages.length === 0 && this.#board.from === undefined && head > 0) this.#board = lostBoard(head + 1)
      changed()
    })
    this.channel.on('gap', (gap) => this.#begin(gap))
    this.channel.on('message', (message, wire) => this.#take(message, wire))
    this.channel.on('state', changed)
    this.channel.on('members', changed)
  }

  get board(): Board {
    return this.#board
  }
  /** Our last order; without `backMs` it is on its way. */
  get trip(): Trip | undefined {
    return this.#trip
  }
  /** Why the board began anew, if it did. */
  get gap(): Gap | undefined {
    return this.#gap
  }
  /** The last step, to be said aloud. */
  get news(): string {
    return this.#news
  }
  /** Why our last order did not reach the log. */
  get refused(): string {
    return this.#refused
  }
  get me(): string | undefined {
    return this.channel.state.member?.id
  }
  get here(): readonly PresentMember[] {
    return this.channel.members
  }
  /** The server's time of day as far as we know it, in ms since 1970. */
  get now(): number {
    const clock = this.#options.clock()
    return clock === undefined ? Date.now() : performance.now() + clock.dateOffsetMs
  }
  /** Is an order of ours on its way, and may yet come to the board? */
  get busy(): boolean {
    return this.#trip !== undefined && this.#trip.backMs === undefined
  }

  readonly arrivalOf = (seq: number): Arrival | undefined => this.#arrivals.get(seq)

  /** Sends an order. What becomes of it only the log says: one that was allowed here may come second there. */
  async order(order: Order): Promise<void> {
    if (this.busy) return
    const trip: Trip = { order, sentAt: performance.now() }
    this.#trip = trip
    this.#refused = ''
    this.#back.clear()
    this.#options.changed()
    try {
      this.#acknowledged(trip, await this.channel.send(spell(order)))
    } catch (error) {
      if (this.channel.closed.aborted) return
      this.#trip = undefined
      this.#refused = `It was not sent: ${(error as Error).message}`
    }
    this.#options.changed()
  }

  close(): void {
    this.channel.close()
  }

  #acknowledged(trip: Trip, { seq }: Ack): void {
    // The room was cleared meanwhile, and the order with it.
    if (this.#trip !== trip) return
    this.#trip = { ...trip, seq, ackMs: performance.now() - trip.sentAt }
    const back = this.#back.get(seq)
    const arrival = this.#arrivals.get(seq)
    if (back !== undefined && arrival !== undefined) this.#cameBack(back, arrival.transport)
  }

  #cameBack(at: number, transport: TransportName): void {
    if (this.#trip !== undefined) this.#trip = { ...this.#trip, backMs: at - this.#trip.sentAt, transport }
  }

  #begin(gap: Gap): void {
    this.#gap = gap
    this.#board = emptyBoard
    this.#trip = undefined
    this.#arrivals.clear()
    this.#options.changed()
  }

  #take(message: Message, transport: TransportName): void {
    const at = performance.now()
    const clock = this.#live ? this.#options.clock() : undefined
    const delay = clock && { ms: Math.max(0, at + clock.dateOffsetMs - message.at), errorMs: clock.roundTripMs / 2 + 1 }
    const before = this.#board
    this.#board = take(before, message)
    // A game's own, and not those of the games before.
    if (this.#board.since !== before.since) this.#arrivals.clear()
    this.#arrivals.set(message.seq, { transport, delay })
    if (this.#arrivals.size > mostArrivals) this.#arrivals.delete(this.#arrivals.keys().next().value ?? 0)
    if (this.busy && message.member === this.me) this.#back.set(message.seq, at)
    if (message.seq === this.#trip?.seq) this.#cameBack(at, transport)
    if (this.#live) this.#news = announcement(before, this.#board, this.me) || this.#news
    this.#options.changed()
  }
}
