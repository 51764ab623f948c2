/** The two wires on which the server speaks unasked, server-sent events and WebSocket, and gathering messages before it does. */
import { batchBytes, type Constants, eventBytes, exchangeSegments, frameBytes, measured, ping, pong, pushSegments } from './constants.ts'
import type { Cost, Load } from './cost.ts'

export interface SseOptions {
  /** From one empty batch to the next, in ms, whatever else is sent; Infinity for none. */
  readonly heartbeatMs?: number
  /** w: how long the first message of a batch waits for others, in ms. This server does not wait. */
  readonly windowMs?: number
}

export interface WebSocketOptions extends SseOptions {
  /** From one ping to the next, in ms; Infinity for none. */
  readonly pingMs?: number
}

/** The server's defaults. */
const standardHeartbeatMs = 20_000
const standardPingMs = 10_000

/**
 * Server-sent events: down λ (p + e + framing) and heartbeats, nothing up; R/2, for every message. Opening (every 15 minutes
 * here) is not counted, and a message that comes in between takes `retry` + R (1 + a) + R/2. Publishes are POSTs.
 * WHATWG HTML, 9.2; High Performance Browser Networking, ch. 16.
 */
export function sse(load: Load, { heartbeatMs = standardHeartbeatMs, windowMs = 0 }: SseOptions = {}, constants = measured): Cost {
  return pushed(load, windowMs, heartbeatMs, (batch) => eventBytes(batch, constants), constants)
}

/**
 * WebSocket: down λ (p + e + 2, 4 or 10), heartbeats and pings of 2 bytes, up a pong of 6 bytes to each; R/2, for every message.
 * RFC 6455, 5; High Performance Browser Networking, ch. 17.
 */
export function websocket(load: Load, options: WebSocketOptions = {}, constants = measured): Cost {
  const { heartbeatMs = standardHeartbeatMs, pingMs = standardPingMs, windowMs = 0 } = options
  const cost = pushed(load, windowMs, heartbeatMs, frameBytes, constants)
  const pingsPerSecond = 1000 / pingMs
  return {
    ...cost,
    bytesUp: pingsPerSecond * pong,
    bytesDown: cost.bytesDown + pingsPerSecond * ping,
    segmentsPerSecond: cost.segmentsPerSecond + pingsPerSecond * exchangeSegments,
  }
}

function pushed(load: Load, windowMs: number, heartbeatMs: number, framed: (batch: number) => number, constants: Constants): Cost {
  const heartbeatsPerSecond = 1000 / heartbeatMs
  const { batchesPerSecond, messagesPerBatch, meanMs, deviationMs } = microBatch(load, windowMs)
  const frames = batchesPerSecond + heartbeatsPerSecond
  const transitMs = load.roundTripMs / 2
  return {
    requestsPerSecond: 0,
    batchesPerSecond,
    bytesUp: 0,
    bytesDown:
      batchesPerSecond * framed(batchBytes(messagesPerBatch, load.payload, constants)) + heartbeatsPerSecond * framed(constants.emptyBatch),
    segmentsPerSecond: frames * pushSegments,
    emptyShare: frames === 0 ? 0 : heartbeatsPerSecond / frames,
    messagesPerBatch,
    lateShare: windowMs === 0 ? 0 : 1,
    minMs: transitMs,
    meanMs: transitMs + meanMs,
    maxMs: transitMs + windowMs,
    deviationMs,
  }
}

export interface MicroBatch {
  readonly batchesPerSecond: number
  readonly messagesPerBatch: number
  /** What the window adds to a message's delay, on average; windowMs at the most, which is what the first of a batch waits. */
  readonly meanMs: number
  readonly deviationMs: number
}

/**
 * Gathering: a message that finds no window open opens one of w, and all are sent at its end. With x = λw:
 *
 *     batches = λ/(1 + x)      mean = w (1 + x/2)/(1 + x)      mean square = w² (1 + x/3)/(1 + x)
 *
 * Periodic, k = 1 + ⌊x⌋ messages share a window and wait w, w − 1/λ, w − 2/λ …  Derived here: the first waits w, those that come
 * within are spread evenly over it.
 */
export function microBatch({ rate, arrivals }: Load, windowMs: number): MicroBatch {
  const within = (rate * windowMs) / 1000
  if (arrivals === 'periodic' && rate > 0) {
    const periodMs = 1000 / rate
    const count = 1 + Math.floor(within)
    const meanMs = windowMs - ((count - 1) * periodMs) / 2
    const deviationMs = periodMs * Math.sqrt((count ** 2 - 1) / 12)
    return { batchesPerSecond: rate / count, messagesPerBatch: count, meanMs, deviationMs }
  }
  const meanMs = (windowMs * (1 + within / 2)) / (1 + within)
  const squareMs = (windowMs ** 2 * (1 + within / 3)) / (1 + within)
  const deviationMs = Math.sqrt(Math.max(0, squareMs - meanMs ** 2))
  return { batchesPerSecond: rate / (1 + within), messagesPerBatch: 1 + within, meanMs, deviationMs }
}
