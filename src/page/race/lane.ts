/** One lane: a channel that stays on its wire. Where another wire would be opened in its place, the lane is closed and says so. */
import { type Channel, type ChannelState, connect, type Cursor, type TransportName } from '../../client/index.ts'
import { describe } from '../state-sentence.ts'
import { wires } from '../wires.ts'
import { LaneRecord } from './record.ts'

export interface LaneOptions {
  readonly url: string
  readonly room: string
  readonly pollMs: number
}

/** `not-this-wire`: the transport does not get through. It is tried again by itself. */
export type LaneStatus = 'closed' | 'opening' | 'live' | 'lost' | 'not-this-wire'

/** A wire that does not get through is tried again after so long. */
const againMs = 10_000

export class Lane {
  readonly name: TransportName
  readonly record = new LaneRecord()
  readonly #sentAt: (id: string) => number | undefined
  readonly #changed: () => void
  #options: LaneOptions | undefined
  #channel: Channel | undefined
  #cursor: Cursor | undefined
  #fallen: string | undefined
  #again: ReturnType<typeof setTimeout> | undefined
  /** Since when it was to be live and is not, on `performance.now()`, however often that was tried. */
  #heldSince: number | undefined

  /** `sentAt` knows when a message of ours left, on `performance.now()`; `changed` hears of another status. */
  constructor(name: TransportName, sentAt: (id: string) => number | undefined, changed: () => void) {
    this.name = name
    this.#sentAt = sentAt
    this.#changed = changed
  }

  get status(): LaneStatus {
    if (this.#fallen !== undefined) return 'not-this-wire'
    if (this.#channel === undefined) return 'closed'
    const { status, problem } = this.#channel.state
    if (status === 'live') return 'live'
    return status === 'connecting' && problem === undefined ? 'opening' : 'lost'
  }
  /** What there is to say while it is not live. */
  get sentence(): string {
    if (this.#fallen !== undefined)
      return `Not this wire: ${wires[this.name].word} does not get through (${this.#fallen}). Trying it again.`
    const account = { batches: 0, openMs: 0, quietMs: 0, pollMs: this.#options?.pollMs ?? 0 }
    return this.#channel === undefined ? 'Closed.' : describe(this.#channel.state, account, Date.now()).text
  }
  /** For how long it was to be live and is not, in ms. */
  get heldMs(): number {
    return this.#heldSince === undefined || this.status === 'closed' ? 0 : performance.now() - this.#heldSince
  }
  get cursor(): Cursor | undefined {
    return this.#channel?.cursor ?? this.#cursor
  }

  /** Opens it, or opens it anew where it was left, with other options. */
  open(options: LaneOptions): void {
    this.#heldSince = performance.now()
    this.#begin(options)
  }

  #begin(options: LaneOptions): void {
    this.close()
    this.#options = options
    const { url, room, pollMs } = options
    const since = this.#cursor
    const channel = connect({ url, room, transport: this.name, pollMs, ...(since !== undefined && { since }) })
    this.#channel = channel
    channel.on('state', (state) => this.#watch(state))
    channel.on('batch', ({ messages }) => {
      if (messages.length > 0) this.record.batch()
    })
    channel.on('message', ({ id }) => {
      const sentAt = this.#sentAt(id)
      if (sentAt === undefined) return
      const now = performance.now()
      this.record.deliver(now, now - sentAt)
    })
  }

  close(): void {
    clearTimeout(this.#again)
    this.#fallen = undefined
    this.#cursor = this.#channel?.cursor ?? this.#cursor
    this.#channel?.close()
    this.#channel = undefined
  }

  /** Closes it for good: opened again it begins in another room. */
  leave(): void {
    this.close()
    this.#cursor = undefined
  }

  /** A channel falls back to another wire, which is a virtue in a room. Here its bytes would be somebody else's. */
  #watch({ transport, opening, problem }: ChannelState): void {
    this.#heldSince = this.status === 'live' ? undefined : (this.#heldSince ?? performance.now())
    if ((opening ?? transport) === this.name) return this.#changed()
    const options = this.#options
    this.close()
    this.#fallen = /\((.*)\)$/.exec(problem?.message ?? '')?.[1] ?? 'another was opened'
    if (options !== undefined) this.#again = setTimeout(() => this.#begin(options), againMs)
    this.#changed()
  }
}
