/** What the four siblings have in common, and what the channel knows of them. */
import type { Ack, Batch, Draft, Known, Since, TransportName } from '../../protocol/message.ts'
import type { Http } from '../http.ts'

/** One wire to a room. Ends by return, fails by throw, is cancelled by the signal. */
export interface Transport {
  readonly name: TransportName
  /** Batches from `since` on. `expect` says within how many ms the next byte is due: without one the wire is given up. */
  receive(since: Since, signal: AbortSignal, expect: (ms: number) => void): AsyncGenerator<Batch, void, void>
  /** Publishes. Only while it receives. */
  send(draft: Draft, signal: AbortSignal): Promise<Ack>
  /** Carries a state from now on, null for none. Only while it receives. Resolves when the wire has nothing more to say of it. */
  state(state: unknown, signal: AbortSignal): Promise<void>
}

export interface TransportOptions {
  /** Between two polls, in ms. */
  readonly pollMs: number
  /** Reads without being a member: it has no lease to renew. */
  readonly observe: boolean
  /** What we know by now of members and states, as far as we ask for them. */
  readonly known: () => Known
}

export type OpenTransport = (http: Http, options: TransportOptions) => Transport

/** A stream that shows no first batch for so long does not get through (a proxy holds it back). */
export const firstBatchMs = 5_000

/** A stream without a byte for so long is dead: two heartbeats and a quarter. */
export const silentMs = 45_000
