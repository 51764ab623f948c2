import { describe, expect, it } from 'vitest'
import { type Constants, measured } from '../../src/model/constants.ts'
import { bytesPerMessage, type Cost, crossover, ipBytes, type Load, quantileMs } from '../../src/model/cost.ts'
import { longPoll, type LongPollOptions, missLatest, poll, type PollOptions, useless } from '../../src/model/pull.ts'
import { microBatch, sse, websocket } from '../../src/model/push.ts'
import { fanOutDelay, maxClients, serverShare } from '../../src/model/server.ts'

/** A linear congruential generator of 48 bits, `drand48`'s: the simulation owes nothing to the code that it checks. */
function drawing(seed: bigint): () => number {
  let state = (seed << 16n) | 0x330en
  return () => {
    state = (state * 0x5deece66dn + 11n) & ((1n << 48n) - 1n)
    return Number(state) / 2 ** 48
  }
}

/** The times at which messages come to the server, in ms. */
function* arriving({ rate, arrivals }: Load, random: () => number): Generator<number, never> {
  const periodMs = 1000 / rate
  for (let atMs = random() * periodMs; ; atMs += arrivals === 'periodic' ? periodMs : -Math.log(1 - random()) * periodMs) yield atMs
}

type Seen = Pick<
  Cost,
  'requestsPerSecond' | 'emptyShare' | 'messagesPerBatch' | 'lateShare' | 'minMs' | 'meanMs' | 'maxMs' | 'deviationMs'
> & {
  readonly bodyBytesPerSecond: number
  readonly sorted: readonly number[]
}

/** Runs until so many messages are delivered. `next` gives each question's time at the server, and until when it is held. */
function simulate(
  load: Load,
  next: (answeredMs: number) => { readonly atMs: number; readonly heldUntilMs: number },
  messages = 200_000,
): Seen {
  const random = drawing(42n)
  const times = arriving(load, random)
  const delays: number[] = []
  let [answers, empty, late, bytes, answeredMs] = [0, 0, 0, 0, 0]
  let arrival = times.next().value
  while (delays.length < messages) {
    const { atMs, heldUntilMs } = next(answeredMs)
    const before = delays.length
    for (; arrival <= atMs; arrival = times.next().value) {
      delays.push(atMs - arrival + load.roundTripMs / 2)
      late++
    }
    answeredMs = atMs
    if (delays.length === before) {
      answeredMs = Math.min(arrival, heldUntilMs)
      if (arrival <= heldUntilMs && heldUntilMs > atMs) {
        delays.push(load.roundTripMs / 2)
        arrival = times.next().value
      }
    }
    answers++
    const count = delays.length - before
    if (count === 0) empty++
    bytes += JSON.stringify({ messages: Array.from({ length: count }, () => 0), cursor: '' }).length + count * (load.payload - 1)
  }
  const meanMs = delays.reduce((sum, delay) => sum + delay) / delays.length
  const squares = delays.reduce((sum, delay) => sum + (delay - meanMs) ** 2, 0)
  const sorted = delays.toSorted((a, b) => a - b)
  return {
    requestsPerSecond: (answers * 1000) / answeredMs,
    emptyShare: empty / answers,
    messagesPerBatch: delays.length / (answers - empty),
    lateShare: late / delays.length,
    minMs: sorted[0] as number,
    meanMs,
    maxMs: sorted.at(-1) as number,
    deviationMs: Math.sqrt(squares / delays.length),
    bodyBytesPerSecond: (bytes * 1000) / answeredMs,
    sorted,
  }
}

function simulatePoll(load: Load, { intervalMs, fromAnswer }: PollOptions): Seen {
  const everyMs = intervalMs + (fromAnswer ? load.roundTripMs : 0)
  return simulate(load, (answeredMs) => ({ atMs: answeredMs + everyMs, heldUntilMs: answeredMs + everyMs }))
}

/** Half a round trip to the client, its pause, the round trips of a new connection, half a round trip back. */
function simulateLongPoll(load: Load, { holdMs, pauseMs = 0, extraRoundTrips = 0 }: LongPollOptions): Seen {
  const transitMs = load.roundTripMs / 2
  return simulate(load, (answeredMs) => {
    const atMs = answeredMs + transitMs + pauseMs + extraRoundTrips * load.roundTripMs + transitMs
    return { atMs, heldUntilMs: atMs + holdMs }
  })
}

/** Heads of nothing: what is left of the bytes down is bodies, `{"messages":[],"cursor":""}` of 27. */
const bodiesOnly: Constants = { ...measured, requestHead: 0, longPollHead: 0, responseHead: 0, emptyBatch: 27 }
/** Content-Length's digits are counted with every answer. */
const digits = (cost: Cost): number => {
  const full = 27 + cost.messagesPerBatch * 100 + cost.messagesPerBatch - 1
  return cost.requestsPerSecond * (cost.emptyShare * 2 + (1 - cost.emptyShare) * String(Math.round(full)).length)
}

/** Within 2 %, or 0.002 for a share that is close to none; of times a share of the longest. */
function expectAgreement(cost: Cost, seen: Seen): void {
  for (const name of ['requestsPerSecond', 'emptyShare', 'messagesPerBatch', 'lateShare'] as const) {
    expect(Math.abs(cost[name] - seen[name]), `${name}: ${cost[name]} and ${seen[name]}`).toBeLessThan(0.02 * seen[name] + 0.002)
  }
  for (const name of ['minMs', 'meanMs', 'maxMs', 'deviationMs'] as const) {
    expect(Math.abs(cost[name] - seen[name]), `${name}: ${cost[name]} and ${seen[name]}`).toBeLessThan(
      0.02 * seen[name] + 0.001 * seen.maxMs,
    )
  }
  const body = cost.bytesDown - digits(cost)
  expect(Math.abs(body / seen.bodyBytesPerSecond - 1), `${body} and ${seen.bodyBytesPerSecond} bytes`).toBeLessThan(0.02)
}

const quiet = { heartbeatMs: Number.POSITIVE_INFINITY, pingMs: Number.POSITIVE_INFINITY }
const far: Load = { rate: 2, payload: 100, roundTripMs: 100 }

describe('the model agrees with a simulation', () => {
  it.each([
    [0.3, false],
    [0.3, true],
    [1, false],
    [7, false],
    [30, true],
  ])('of polling every second at random arrivals, %d a second (from the answer: %s)', (rate, fromAnswer) => {
    const load = { ...far, rate }
    const options = { intervalMs: 1000, fromAnswer }
    const [cost, seen] = [poll(load, options, bodiesOnly), simulatePoll(load, options)]
    expectAgreement(cost, seen)
    for (const q of [0.1, 0.5, 0.99]) expect(quantileMs(cost, q) / (seen.sorted[q * 200_000] as number)).toBeCloseTo(1, 1)
  })

  // No two numbers of these intervals are in a small whole ratio: a phase that locks is not what the model is of.
  it.each([1 / 7.6180339887, 1 / 3.2360679775, 1 / 1.3027756377, 1.6180339887, 17.3205080757])(
    'of polling every second at periodic arrivals, %d a second',
    (rate) => {
      const load: Load = { ...far, rate, arrivals: 'periodic' }
      expectAgreement(poll(load, { intervalMs: 1000 }, bodiesOnly), simulatePoll(load, { intervalMs: 1000 }))
    },
  )

  it.each([
    ['quiet', 0.05, { holdMs: 25_000 }],
    ['quiet, with a short hold', 0.5, { holdMs: 300 }],
    ['moderate', 2, { holdMs: 25_000 }],
    ['at ten a second', 10, { holdMs: 25_000 }],
    ['at fifty a second', 50, { holdMs: 25_000 }],
    ['with a pause', 3, { holdMs: 25_000, pauseMs: 1000 }],
    ['with new connections over TLS', 3, { holdMs: 2000, extraRoundTrips: 2 }],
  ])('of long polling at random arrivals, %s', (_, rate, options: LongPollOptions) => {
    const load = { ...far, rate }
    const [cost, seen] = [longPoll(load, options, bodiesOnly), simulateLongPoll(load, options)]
    expectAgreement(cost, seen)
    for (const q of [0.1, 0.9, 0.99]) expect(quantileMs(cost, q) / (seen.sorted[q * 200_000] as number)).toBeCloseTo(1, 1)
  })

  it.each([
    ['slower than the gap', 3.7, { holdMs: 25_000 }],
    ['faster than the gap', 31.7, { holdMs: 25_000 }],
    ['slower than the hold', 0.0237, { holdMs: 25_000 }],
    ['just behind the end of a hold', 1 / 1.5607, { holdMs: 1200, pauseMs: 100 }],
    ['much slower than a hold that is shorter than the gap', 0.71, { holdMs: 40 }],
  ])('of long polling at periodic arrivals, %s', (_, rate, options: LongPollOptions) => {
    const load: Load = { ...far, rate, arrivals: 'periodic' }
    expectAgreement(longPoll(load, options, bodiesOnly), simulateLongPoll(load, options))
  })

  it.each(['poisson', 'periodic'] as const)('of gathering in a window (%s)', (arrivals) => {
    for (const [rate, windowMs] of [
      [3, 20],
      [17.3, 100],
      [400, 50],
    ] as const) {
      // prettier-ignore
      const load = { ...far, rate, arrivals }
      const times = arriving(load, drawing(1n))
      const waits: number[] = []
      let [batches, endMs] = [0, -1]
      while (waits.length < 200_000) {
        const { value: atMs } = times.next()
        if (atMs > endMs) {
          batches++
          endMs = atMs + windowMs
        }
        waits.push(endMs - atMs)
      }
      const meanMs = waits.reduce((sum, wait) => sum + wait) / waits.length
      const deviationMs = Math.sqrt(waits.reduce((sum, wait) => sum + (wait - meanMs) ** 2, 0) / waits.length)
      const gathered = microBatch(load, windowMs)
      expect(gathered.messagesPerBatch / (waits.length / batches)).toBeCloseTo(1, 1)
      expect(gathered.batchesPerSecond * gathered.messagesPerBatch).toBeCloseTo(rate, 9)
      expect(Math.abs(gathered.meanMs / meanMs - 1)).toBeLessThan(0.02)
      expect(Math.abs(gathered.deviationMs - deviationMs)).toBeLessThan(0.02 * windowMs)
      expect(sse(load, { windowMs }).meanMs).toBe(50 + gathered.meanMs)
      expect(websocket(load, { windowMs }).maxMs).toBe(50 + windowMs)
    }
  })

  it.each(['poisson', 'periodic'] as const)('of a store that keeps the latest only (%s)', (arrivals) => {
    for (const rate of [0.41, 1.618, 5.3]) {
      const load = { ...far, rate, arrivals }
      const times = arriving(load, drawing(2n))
      const inTurn = Array.from({ length: 100_000 }, () => Math.floor(times.next().value / 1000))
      const intervals = new Set(inTurn)
      expect(missLatest(load, 1000)).toBeCloseTo(1 - intervals.size / inTurn.length, 1.7)
      expect(useless(load, 1000)).toBeCloseTo(1 - intervals.size / ((inTurn.at(-1) as number) + 1), 1.7)
    }
  })
})

it('loses nothing where nothing is said, and nearly all of what is said far faster than it is asked for', () => {
  expect(missLatest({ ...far, rate: 0 }, 1000)).toBe(0)
  expect(missLatest({ ...far, rate: 1000 }, 1000)).toBeCloseTo(0.999, 9)
})

describe('long polling', () => {
  const options = { holdMs: 25_000 }
  const at = (rate: number): Cost => longPoll({ ...far, rate }, options)

  it('takes one network transit in a quiet room and three at the most (RFC 6202, 2.2)', () => {
    expect(at(0.001).meanMs / 50).toBeCloseTo(1, 2)
    expect(at(0.001).maxMs).toBe(150)
  })

  it('takes two transits on average in a loud one, and becomes polling every round trip', () => {
    expect(at(1e6).meanMs).toBeCloseTo(100, 6)
    expect(at(1e6).requestsPerSecond).toBeCloseTo(10, 6)
    expect(at(1e6).messagesPerBatch).toBeCloseTo(1e5, 3)
    expect(at(1e6).emptyShare).toBe(0)
  })

  it('in an empty room asks once a hold, and is answered with nothing', () => {
    expect(at(0).requestsPerSecond).toBeCloseTo(1 / 25.1, 12)
    expect([at(0).emptyShare, at(0).batchesPerSecond, at(0).messagesPerBatch]).toEqual([1, 0, 1])
    expect(longPoll({ ...far, rate: 0, arrivals: 'periodic' }, options)).toEqual(at(0))
    expect(at(1e-9).requestsPerSecond).toBeCloseTo(at(0).requestsPerSecond, 6)
  })

  it('is instant where the network is', () => {
    const { meanMs, maxMs, requestsPerSecond } = longPoll({ ...far, rate: 4, roundTripMs: 0 }, options)
    expect([meanMs, maxMs]).toEqual([0, 0])
    expect(requestsPerSecond).toBeCloseTo(4, 9)
  })

  it('asks more often than polling from about one message an interval on (High Performance Browser Networking)', () => {
    const requests = (wire: (load: Load) => Cost) => (rate: number) => wire({ ...far, rate, roundTripMs: 10 }).requestsPerSecond
    const rate = crossover(
      requests((load) => longPoll(load, options)),
      requests((load) => poll(load, { intervalMs: 1000 })),
      { from: 0.01, to: 100 },
    )
    expect(rate).toBeCloseTo(1, 1)
  })
})

describe('polling and pushing', () => {
  it('polls at its interval, however much there is to say', () => {
    const [none, much] = [0, 1e4].map((rate) => poll({ ...far, rate }, { intervalMs: 500 })) as [Cost, Cost]
    expect([none.requestsPerSecond, much.requestsPerSecond]).toEqual([2, 2])
    expect([none.emptyShare, none.messagesPerBatch, none.bytesUp]).toEqual([1, 1, 2 * measured.requestHead])
    expect(none.bytesDown).toBe(2 * (194 + 2 + 51))
    expect([much.emptyShare, much.messagesPerBatch]).toEqual([0, 5000])
    expect([none.minMs, none.meanMs, none.maxMs]).toEqual([50, 300, 550])
    expect(none.deviationMs).toBeCloseTo(500 / Math.sqrt(12), 9)
  })

  it('pushes each message at once, and in between what keeps the stream alive', () => {
    const load = { ...far, rate: 3 }
    const [events, socket] = [sse(load), websocket(load)]
    for (const { minMs, meanMs, maxMs, deviationMs, lateShare } of [events, socket]) {
      expect([minMs, meanMs, maxMs, deviationMs, lateShare]).toEqual([50, 50, 50, 0, 0])
    }
    // 51 + 100 in an event of 188 (`bc`) with 41 around it; the heartbeat's event has 88 (`58`).
    expect(events.bytesDown).toBeCloseTo(3 * (151 + 41 + 2) + (51 + 41 + 2) / 20, 9)
    expect(socket.bytesDown).toBeCloseTo(3 * (151 + 4) + (51 + 2) / 20 + 2 / 10, 9)
    expect([events.bytesUp, socket.bytesUp]).toEqual([0, expect.closeTo(0.6, 9)])
    expect(events.segmentsPerSecond).toBeCloseTo(2 * 3.05, 9)
    expect(socket.segmentsPerSecond).toBeCloseTo(2 * 3.05 + 3 / 10, 9)
    expect(events.emptyShare).toBeCloseTo(0.05 / 3.05, 12)
    const silent = sse({ ...far, rate: 0 }, { heartbeatMs: Number.POSITIVE_INFINITY })
    expect([silent.bytesDown, silent.segmentsPerSecond, silent.emptyShare]).toEqual([0, 0, 0])
  })

  it('says what a message costs, and that an empty room has none', () => {
    const load = { ...far, rate: 4 }
    const cost = poll(load, { intervalMs: 1000 })
    expect(bytesPerMessage(cost, load)).toBe((cost.bytesUp + cost.bytesDown) / 4)
    expect(bytesPerMessage(cost, { ...far, rate: 0 })).toBe(Number.POSITIVE_INFINITY)
  })
})

/**
 * The table of the notes' §4.2: T = 1 s, R = 50 ms, 109 bytes, Node's fetch. There a pushed message had no batch around it and an
 * empty poll 32 bytes, which are put into the head here; there were no pings' segments, and a comma was not counted.
 */
describe('the table of the notes', () => {
  const then: Constants = {
    ...measured,
    requestHead: 200,
    longPollHead: 200,
    responseHead: 171 + 32 - 2,
    emptyBatch: 0,
    eventFraming: 26 - 2,
    segment: 52,
  }

  it.each([
    [0.02, 561, 31, 5, 5],
    [0.2, 581, 134, 48, 43],
    [1, 668, 667, 239, 215],
    [5, 1100, 3260, 1200, 1080],
    [20, 2740, 10_400, 4780, 4300],
  ])('comes out again at %d messages a second', (rate, ...table) => {
    const load: Load = { rate, payload: 109, roundTripMs: 50 }
    const costs = [
      poll(load, { intervalMs: 1000 }, then),
      longPoll(load, { holdMs: 25_000 }, then),
      sse(load, quiet, then),
      websocket(load, quiet, then),
    ]
    for (const [index, cost] of costs.entries()) {
      const bytes = ipBytes(cost, then)
      expect(Math.abs(bytes - (table[index] as number)), String(bytes)).toBeLessThan(0.01 * (table[index] as number) + 1)
    }
  })
})

describe('a crossover', () => {
  it('is where polling’s batches have paid for its requests', () => {
    const bytes = (wire: (load: Load) => Cost) => (rate: number) => ipBytes(wire({ ...far, rate }), measured)
    const [polled, pushed] = [bytes((load) => poll(load, { intervalMs: 1000 })), bytes((load) => websocket(load, quiet))]
    const rate = crossover(polled, pushed, { from: 0.1, to: 100 }) as number
    // A request and an answer against each message's own envelope; commas stand in the batch: (Hq + Hs + e + 3h)/(e + f + 2h).
    const expected = (365 + 197 + 51 + 3 * 52 - 1) / (51 + 4 + 2 * 52 - 1)
    expect(Math.abs(rate / expected - 1)).toBeLessThan(0.005)
    expect(polled(rate * 0.99)).toBeGreaterThan(pushed(rate * 0.99))
    expect(polled(rate * 1.01)).toBeLessThan(pushed(rate * 1.01))
    expect(crossover(pushed, polled, { from: 0.1, to: 100 })).toBe(rate)
  })

  it('is at the end where it is met there, and nowhere where one is always cheaper', () => {
    const range = { from: 1, to: 100 }
    expect(crossover((rate) => rate, () => 10, range)).toBeCloseTo(10, 9) // prettier-ignore
    expect(crossover((rate) => rate, () => 1, range)).toBe(1) // prettier-ignore
    expect(crossover((rate) => rate, () => 100, range)).toBe(100) // prettier-ignore
    expect(crossover((rate) => rate, () => 200, range)).toBeUndefined() // prettier-ignore
  })
})

describe('a server', () => {
  const work = { requestMs: 0.1, sendMs: 0.01, idleMs: 0.001 }

  it('has a share of a core for each request, batch and idle client', () => {
    const asked = poll({ ...far, rate: 2 }, { intervalMs: 500 })
    expect(serverShare(1000, asked, work)).toBeCloseTo(2 * 0.1 + 2 * (1 - Math.exp(-1)) * 0.01 + 0.001, 9)
    expect(serverShare(1000, websocket({ ...far, rate: 2 }), work)).toBeCloseTo(2 * 0.01 + 0.001, 9)
  })

  it('bears as many clients as one core is made of', () => {
    const cost = websocket({ ...far, rate: 20 })
    const most = maxClients(cost, work)
    expect(serverShare(most, cost, work)).toBeLessThanOrEqual(1)
    expect(serverShare(most + 1, cost, work)).toBeGreaterThan(1)
  })

  it('lets the last of a broadcast wait for all, and the average one for half', () => {
    expect(fanOutDelay(1, 0.5)).toEqual({ meanMs: 0.5, maxMs: 0.5 })
    const waits = Array.from({ length: 1000 }, (_, before) => (before + 1) * 0.01)
    const { meanMs, maxMs } = fanOutDelay(1000, 0.01)
    expect(meanMs).toBeCloseTo(waits.reduce((sum, wait) => sum + wait) / 1000, 9)
    expect(maxMs).toBe(waits.at(-1))
  })
})
