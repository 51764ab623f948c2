/** What a wire costs a client that follows a room, and how long its messages take. */
import type { Constants } from './constants.ts'

/** What one client receives, and from how far away. */
export interface Load {
  /** λ: messages a second for this client. In a room it is the sum of all its senders' rates. */
  readonly rate: number
  /** p: bytes of one message's JSON within a batch. */
  readonly payload: number
  /** R: there and back, in ms. One way is taken to be half of it; the server's own time is none (see server.ts). */
  readonly roundTripMs: number
  /** At random and independent of each other (the default), or every 1/λ. */
  readonly arrivals?: 'poisson' | 'periodic'
}

/**
 * The cost of one receiving client in the long run; n clients cost n times as much. What is paid once is not in it: TCP, TLS, a
 * stream's opening. An answer is taken to fit one segment, and a batch to have room for all that waits.
 * Times are from the moment the server has the message to the moment the client has it.
 */
export interface Cost {
  readonly requestsPerSecond: number
  /** Batches with messages, a second. */
  readonly batchesPerSecond: number
  /** Application bytes a second, from the client. */
  readonly bytesUp: number
  /** Application bytes a second, to the client. */
  readonly bytesDown: number
  /** TCP segments a second, both ways, acknowledgements included. */
  readonly segmentsPerSecond: number
  /** Share of the batches that carry no message: useless answers, heartbeats. */
  readonly emptyShare: number
  /** Messages in a batch that has any. In an answer, the empty ones counted, there are (1 − emptyShare) times as many. */
  readonly messagesPerBatch: number
  /** Share of the messages that wait at the server for a request (or a window's end): 1 when polled, 0 when pushed. */
  readonly lateShare: number
  readonly minMs: number
  readonly meanMs: number
  /** A bound: no message takes longer, as long as nothing is lost on the way. */
  readonly maxMs: number
  readonly deviationMs: number
}

/** Bytes a second with the heads of TCP and IP: up + down + h × segments. */
export const ipBytes = ({ bytesUp, bytesDown, segmentsPerSecond }: Cost, { segment }: Constants): number =>
  bytesUp + bytesDown + segment * segmentsPerSecond

/** Application bytes, both ways, per delivered message. Without messages it is Infinity. */
export const bytesPerMessage = ({ bytesUp, bytesDown }: Cost, { rate }: Load): number => (bytesUp + bytesDown) / rate

/**
 * The delay that a share q of the messages does not exceed, in ms: 1 − late of them take the least, the late ones are spread
 * evenly up to the most. For polling q T + R/2. Not for windows, nor for periodic long polling: their waits are not spread evenly.
 */
export function quantileMs({ minMs, maxMs, lateShare }: Cost, q: number): number {
  const beyond = q - (1 - lateShare)
  return beyond <= 0 ? minMs : minMs + ((maxMs - minMs) * beyond) / lateShare
}

/**
 * The rate between `from` and `to` at which two costs are the same, each a function of the rate: bisection on its logarithm.
 * Undefined where the same one is cheaper at both ends.
 */
export function crossover(
  a: (rate: number) => number,
  b: (rate: number) => number,
  { from, to }: { readonly from: number; readonly to: number },
): number | undefined {
  const sign = (rate: number): number => Math.sign(a(rate) - b(rate))
  const atFrom = sign(from)
  if (atFrom === 0) return from
  if (sign(to) === 0) return to
  if (atFrom === sign(to)) return undefined
  let low = Math.log(from)
  let high = Math.log(to)
  for (let step = 0; step < 60; step++) {
    const middle = (low + high) / 2
    if (sign(Math.exp(middle)) === atFrom) low = middle
    else high = middle
  }
  return Math.exp((low + high) / 2)
}
