/** What src/model predicts for parameters that no experiment has, and what a short run counts. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Bench } from '../../bench/bench.ts'
import { bytesDown, bytesUp, plus, type Tally } from '../../bench/connection.ts'
import { type Measured, measureConstants } from '../../bench/constants.ts'
import { parseOptions } from '../../bench/options.ts'
import { seededRandom, stratifiedSchedule } from '../../bench/statistics.ts'
import type { Cost, Load } from '../../src/model/cost.ts'
import { publish } from '../../src/model/publish.ts'
import { longPoll, poll } from '../../src/model/pull.ts'
import { sse, websocket } from '../../src/model/push.ts'
import { type TransportName, transportNames } from '../../src/protocol/message.ts'
import type { Group } from '../../bench/round.ts'

const payload = 100
/** A hold long: by then questions have come out of step. */
const warmupMs = 1_000
const seconds = 3
const pollMs = 200
const holdSeconds = 1
/** On a busy machine messages come in one breath: such a round is run again, so often at the most. */
const mostRounds = 3
/** Of what is predicted. */
const tolerance = 0.05

/** Rooms are independent of each other. In slow ones polls bring nothing, and holds run out. */
const feeds = { fast: { rate: 5, rooms: 14 }, slow: { rate: 1.5, rooms: 30 } } as const
type Feed = keyof typeof feeds

/** As long as those in which the constants are weighed: an address is part of a question. */
const nameOf = (feed: Feed, index: number): string => `${feed.slice(0, 1)}${String(index).padStart(4, '0')}`

/** One long Poisson process with as many short gaps as it should have, cut into rooms: so is each of them one, and chance has little to say. */
function schedulesOf(feed: Feed, random: () => number): Record<string, Float64Array> {
  const { rate, rooms } = feeds[feed]
  const roomMs = warmupMs + seconds * 1000
  const all = stratifiedSchedule(rate, Math.round((rate * rooms * roomMs) / 1000), random)
  const cut = (index: number): Float64Array =>
    all.filter((time) => Math.floor(time / roomMs) === index).map((time) => time - index * roomMs)
  return Object.fromEntries(Array.from({ length: rooms }, (_, index) => [nameOf(feed, index), cut(index)]))
}

/** Neither a heartbeat nor a ping is due within these seconds. */
const quiet = { heartbeatMs: Infinity, pingMs: Infinity } as const
const costs: Readonly<Record<(typeof transportNames)[number], (load: Load, constants: Measured) => Cost>> = {
  poll: (load, constants) => poll(load, { intervalMs: pollMs }, constants),
  // `wait=1` is a digit shorter than the 25 s that were weighed; and the server looks at its clock every 50 ms.
  'long-poll': (load, constants) =>
    longPoll(load, { holdMs: holdSeconds * 1000 + 25 }, { ...constants, longPollHead: constants.longPollHead - 1 }),
  sse: (load, constants) => sse(load, quiet, constants),
  websocket: (load, constants) => websocket(load, quiet, constants),
}

const cases = transportNames.flatMap((wire) => (['fast', 'slow'] as const).map((feed) => [wire, feed] as const))

describe('the model, against a run', () => {
  let bench: Bench
  let constants: Measured
  let groups: readonly Group[]
  let published: { readonly accepted: number; readonly window: Tally }
  beforeAll(async () => {
    bench = new Bench(parseOptions(['--seed', '20', '--payload', String(payload)]), new AbortController().signal, () => {})
    constants = await measureConstants(bench)
    const random = seededRandom(48)
    const schedules = { fast: schedulesOf('fast', random), slow: schedulesOf('slow', random) }
    const setup = {
      groups: Object.entries(schedules).flatMap(([feed, rooms]) =>
        Object.keys(rooms).flatMap((room) =>
          transportNames.map((wire) => ({ lane: `${wire} ${feed}`, wire, room, clients: 1, pollMs, holdSeconds })),
        ),
      ),
      schedules: { ...schedules.fast, ...schedules.slow },
      payload,
      warmupMs,
      measureMs: seconds * 1000,
    }
    for (let round = 1; round <= mostRounds; round++) {
      ;({ groups, published } = await bench.round(setup))
      if (cases.every(keptUp)) break
    }
  }, 120_000)
  afterAll(() => bench.close())

  /** At the rate that came about, which is chance. What a busy machine has published in one breath arrives as one where nobody waits. */
  const loadOf = ({ delivered }: Tally, arrivals: number, clientSeconds: number): Load => ({
    rate: arrivals / clientSeconds,
    payload: ((constants.messageBytes + 1) * delivered) / arrivals - 1,
    roundTripMs: 0,
  })

  const countedBy = (wire: TransportName, feed: Feed): Tally =>
    groups
      .filter(({ lane }) => lane === `${wire} ${feed}`)
      .map(({ window }) => window)
      .reduce(plus)

  const keptUp = ([wire, feed]: readonly [TransportName, Feed]): boolean => {
    const { batches, delivered } = countedBy(wire, feed)
    return batches > delivered * leastShare(wire)
  }

  it.each(cases)('tells the requests and bytes of %s in %s rooms', (wire, feed: Feed) => {
    const counted = countedBy(wire, feed)
    const clientSeconds = feeds[feed].rooms * seconds
    const cost = costs[wire](loadOf(counted, wire === 'poll' ? counted.delivered : counted.batches, clientSeconds), constants)
    expect(counted.delivered).toBeGreaterThan(100)
    expect(counted.batches).toBeGreaterThan(counted.delivered * leastShare(wire))
    // Who polls waits an interval after each answer: where answers are late, they ask less often.
    const near = wire === 'poll' ? 2 * tolerance : tolerance
    expectNear(counted.requests, cost.requestsPerSecond * clientSeconds, near)
    expectNear(bytesUp(counted), cost.bytesUp * clientSeconds, near)
    expectNear(bytesDown(counted), cost.bytesDown * clientSeconds, near)
  })

  it('tells the bytes of publishing', () => {
    const draft = JSON.stringify({ id: '00000000', text: 'x'.repeat(payload) }).length
    const { bytesUp: up, bytesDown: down } = publish('poll', draft, constants)
    expect(published.accepted).toBeGreaterThan(200)
    expectNear(bytesUp(published.window), up * published.accepted)
    expectNear(bytesDown(published.window), down * published.accepted)
  })
})

/** Of messages that come by themselves: nearly all; to who polls, every third. */
const leastShare = (wire: TransportName): number => (wire === 'poll' ? 0.3 : 0.8)

function expectNear(counted: number, predicted: number, near = tolerance): void {
  expect(counted).toBeGreaterThanOrEqual(predicted * (1 - near))
  expect(counted).toBeLessThanOrEqual(predicted * (1 + near))
}
