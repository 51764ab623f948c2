/** The two wires on which the client asks: polling and long polling. */
import { answerBytes, batchBytes, type Constants, exchangeSegments, measured } from './constants.ts'
import type { Cost, Load } from './cost.ts'

export interface PollOptions {
  /** T: from one question to the next, in ms. */
  readonly intervalMs: number
  /** T is counted from the answer, as this client does it: the next question is a round trip later. */
  readonly fromAnswer?: boolean
}

/**
 * Polling, the question asked every T.
 *
 *     requests = 1/T      empty = e^(−λT), or max(0, 1 − λT) where arrivals are periodic
 *     up = Hq/T           down = (Hs + e)/T + λp
 *     delay: even on [R/2, T + R/2], so mean T/2 + R/2, deviation T/√12
 *
 * RFC 6202, 2.1, states the trade-off; High Performance Browser Networking, ch. 15, the cost.
 */
export function poll(load: Load, { intervalMs, fromAnswer = false }: PollOptions, constants = measured): Cost {
  const everyMs = intervalMs + (fromAnswer ? load.roundTripMs : 0)
  return {
    ...asked(load, { perSecond: 1000 / everyMs, emptyShare: useless(load, everyMs), head: constants.requestHead }, constants),
    ...wait(load, { late: 1, meanMs: everyMs / 2, squareMs: everyMs ** 2 / 3, maxMs: everyMs }),
  }
}

/** Share of the polls that bring nothing: e^(−λT), or max(0, 1 − λT) where arrivals are periodic (Bozdag et al. 2009). */
export function useless({ rate, arrivals }: Load, intervalMs: number): number {
  const expected = (rate * intervalMs) / 1000
  return arrivals === 'periodic' ? Math.max(0, 1 - expected) : Math.exp(-expected)
}

/**
 * Share of the messages that a poller never sees where the server keeps the latest only: one survives an interval with any.
 * 1 − (1 − e^(−x))/x with x = λT, or max(0, 1 − 1/x) where arrivals are periodic. (Bozdag et al. 2007 count them; derived here.)
 * A server with a cursor loses none.
 */
export function missLatest(load: Load, intervalMs: number): number {
  const expected = (load.rate * intervalMs) / 1000
  return expected === 0 ? 0 : 1 - (1 - useless(load, intervalMs)) / expected
}

export interface LongPollOptions {
  /** W: how long the server holds a question, in ms. */
  readonly holdMs: number
  /** D: how long the client waits behind an answer, in ms. */
  readonly pauseMs?: number
  /** a: round trips before a question: 0 on a kept connection, 1 for a new TCP one, 2 for TCP and TLS 1.3. */
  readonly extraRoundTrips?: number
}

/**
 * Long polling. G = R (1 + a) + D is the time behind an answer in which no question is held.
 *
 *     cycle C = G + e^(−λG) (1 − e^(−λW))/λ       requests = 1/C ≤ 1/G: under load it is polling with T = G
 *     late = G/C                                  empty = e^(−λ(G + W))
 *     delay: R/2, and for the late ones evenly up to G more; mean R/2 + late G/2, most R/2 + G
 *
 * Renewal argument, derived here: each answer begins a cycle anew. With a = D = 0 the most is 3R/2, RFC 6202's three transits
 * (2.2, Maximal Latency), and many messages in an answer are its graceful degradation.
 */
export function longPoll(load: Load, options: LongPollOptions, constants = measured): Cost {
  const { holdMs, pauseMs = 0, extraRoundTrips = 0 } = options
  const gapMs = load.roundTripMs * (1 + extraRoundTrips) + pauseMs
  const cycles = load.arrivals === 'periodic' && load.rate > 0 ? periodicCycles : poissonCycles
  const { cycleMs, empty, ...waited } = cycles(load.rate / 1000, gapMs, holdMs)
  return {
    ...asked(load, { perSecond: 1000 / cycleMs, emptyShare: empty, head: constants.longPollHead }, constants),
    ...wait(load, waited),
  }
}

/** How long messages wait at the server: the share that does, mean and mean square over all, and the most. */
interface Wait {
  readonly late: number
  readonly meanMs: number
  readonly squareMs: number
  readonly maxMs: number
}

interface Cycles extends Wait {
  /** From one answer to the next, on average. */
  readonly cycleMs: number
  /** Share of the answers that are empty. */
  readonly empty: number
}

function poissonCycles(ratePerMs: number, gapMs: number, holdMs: number): Cycles {
  const noneInGap = Math.exp(-ratePerMs * gapMs)
  const heldMs = ratePerMs === 0 ? holdMs : -Math.expm1(-ratePerMs * holdMs) / ratePerMs
  const cycleMs = gapMs + noneInGap * heldMs
  const late = gapMs === 0 ? 0 : gapMs / cycleMs
  const empty = noneInGap * Math.exp(-ratePerMs * holdMs)
  return { cycleMs, empty, late, meanMs: (late * gapMs) / 2, squareMs: (late * gapMs ** 2) / 3, maxMs: gapMs }
}

/** A pattern that has not come round after so many messages is taken as it is. */
const patternMessages = 10_000

/**
 * Every 1/λ a message. Faster than the gap, each question finds some and is answered at once; their phase is taken to drift.
 * Slower, they are followed one by one until one finds a question held again, which is where the pattern began.
 */
function periodicCycles(ratePerMs: number, gapMs: number, holdMs: number): Cycles {
  const periodMs = 1 / ratePerMs
  if (periodMs < gapMs) return { cycleMs: gapMs, empty: 0, late: 1, meanMs: gapMs / 2, squareMs: gapMs ** 2 / 3, maxMs: gapMs }
  let [messages, answers, late, sum, squares, maxMs] = [0, 0, 0, 0, 0, 0]
  let waitedMs = 0
  do {
    const sinceAnswerMs = periodMs - waitedMs
    const timeouts = Math.floor(sinceAnswerMs / (gapMs + holdMs))
    waitedMs = Math.max(0, gapMs - (sinceAnswerMs - timeouts * (gapMs + holdMs)))
    messages++
    answers += timeouts + 1
    late += waitedMs > 0 ? 1 : 0
    sum += waitedMs
    squares += waitedMs ** 2
    maxMs = Math.max(maxMs, waitedMs)
  } while (waitedMs > 0 && messages < patternMessages)
  return {
    cycleMs: (periodMs * messages) / answers,
    empty: 1 - messages / answers,
    late: late / messages,
    meanMs: sum / messages,
    squareMs: squares / messages,
    maxMs,
  }
}

/** What is asked: how often, with how long a head, and which share of it in vain. */
interface Questions {
  readonly perSecond: number
  readonly emptyShare: number
  readonly head: number
}

/** What is paid for questions and their answers, of which a share is empty. */
function asked({ rate, payload }: Load, { perSecond: requestsPerSecond, emptyShare, head }: Questions, constants: Constants) {
  const batchesPerSecond = requestsPerSecond * (1 - emptyShare)
  const messagesPerBatch = batchesPerSecond === 0 ? 1 : rate / batchesPerSecond
  const full = answerBytes(batchBytes(messagesPerBatch, payload, constants), constants)
  const empty = answerBytes(constants.emptyBatch, constants)
  return {
    requestsPerSecond,
    batchesPerSecond,
    bytesUp: requestsPerSecond * head,
    bytesDown: batchesPerSecond * full + (requestsPerSecond - batchesPerSecond) * empty,
    segmentsPerSecond: requestsPerSecond * exchangeSegments,
    emptyShare,
    messagesPerBatch,
  }
}

/** What waits is then one transit away. */
function wait({ roundTripMs }: Load, { late, meanMs, squareMs, maxMs }: Wait) {
  const transitMs = roundTripMs / 2
  return {
    lateShare: late,
    minMs: transitMs,
    meanMs: transitMs + meanMs,
    maxMs: transitMs + maxMs,
    deviationMs: Math.sqrt(Math.max(0, squareMs - meanMs ** 2)),
  }
}
