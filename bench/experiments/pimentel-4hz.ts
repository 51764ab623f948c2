/** Pimentel and Nickerson 2012: a sensor at 4 Hz, its one-way latency over polling, long polling and WebSocket at several distances. */
import { longPoll, poll } from '../../src/model/pull.ts'
import { websocket } from '../../src/model/push.ts'
import type { TransportName } from '../../src/protocol/message.ts'
import type { Experiment } from '../experiment.ts'
import type { Load } from '../../src/model/cost.ts'
import { around, check, exactly } from '../relations.ts'
import type { Check } from '../report/report.ts'
import { periodicSchedule } from '../statistics.ts'
import { withheldNotes } from './paper.ts'
import { computed, counted, inTurn, label, record, type Recorded, said, sampled } from './recorded.ts'
import type { RoundGroup } from '../round.ts'

const rate = 4
const periodMs = 1000 / rate
/** So many messages meet as many phases of a poller: each interval it is a 20th of a period earlier. T = P would keep one phase. */
const messages = 19
const pollMs = (periodMs * messages) / (messages + 1)
const clients = 4
const warmupMs = 500
const distances = [5, 50, 100, 300, 600] as const
const near = 100
const far = 300

interface Lane {
  readonly name: string
  readonly wire: TransportName
  readonly setup?: Pick<RoundGroup, 'keepAlive' | 'overlap'>
  /** By the model, in ms. */
  readonly mean: (load: Load) => number
}

/** A question that is not answered yet delays the next one; a new connection is a round trip more. */
const polled = (load: Load, trips: number): number => poll(load, { intervalMs: Math.max(pollMs, trips * load.roundTripMs) }).meanMs
const held = (load: Load, extraRoundTrips: number): number => longPoll(load, { holdMs: 25_000, extraRoundTrips }).meanMs

const lanes: readonly Lane[] = [
  { name: 'websocket', wire: 'websocket', mean: (load) => websocket(load).meanMs },
  { name: 'long-poll', wire: 'long-poll', mean: (load) => held(load, 0) },
  { name: 'long-poll, close', wire: 'long-poll', setup: { keepAlive: false }, mean: (load) => held(load, 1) },
  { name: 'poll', wire: 'poll', mean: (load) => polled(load, 1) },
  { name: 'poll, overlapping', wire: 'poll', setup: { overlap: true }, mean: (load) => poll(load, { intervalMs: pollMs }).meanMs },
  { name: 'poll, close', wire: 'poll', setup: { keepAlive: false }, mean: (load) => polled(load, 2) },
]

export const pimentel4hz: Experiment = {
  name: 'pimentel-4hz',
  question: 'From which distance on is long polling later than WebSocket for a sensor at 4 Hz?',
  source:
    'Pimentel and Nickerson, Communicating and Displaying Real-Time Data with WebSocket, IEEE Internet Computing 16(4), 2012 (abstract)',
  published: 'one-way latency of a wind sensor at 4 Hz from clients in several countries; the figures are not readable',
  parameters: `4 Hz, clients abroad → a message every ${periodMs} ms, T ${pollMs} ms, R ${distances.join(', ')} ms by a relay that delays new connections too, ${clients} clients a lane`,
  obeys: ['payload'],
  async run(bench) {
    const rounds = await inTurn(distances, async (rttMs) => {
      bench.say(`R ${rttMs} ms`)
      const recorded = await record(bench, `R ${rttMs} ms`, {
        relay: { rttMs, handshake: true },
        groups: lanes.map(({ name, wire, setup }) => ({ lane: name, wire, room: 'wind', clients, pollMs, ...setup })),
        schedules: { wind: periodicSchedule(rate, (warmupMs + messages * periodMs) / 1000) },
        payload: bench.options.payload,
        warmupMs,
        measureMs: messages * periodMs,
        // Two questions under way at once have the same cursor, and both bring what follows it.
        mayLose: true,
      })
      return { rttMs, recorded }
    })
    const scenario = `a message every ${periodMs} ms, T ${pollMs} ms, ${clients} clients a lane, ${messages} messages at each distance`
    const loadAt = (roundTripMs: number): Load => ({ rate, payload: 150, roundTripMs, arrivals: 'periodic' })
    const mean = (rttMs: number, lane: string): number =>
      rounds.find((each) => each.rttMs === rttMs)?.recorded.lane(lane).trips.mean ?? Number.NaN
    return {
      scenario,
      findings: rounds
        .filter(({ rttMs }) => rttMs === near || rttMs === far)
        .flatMap(({ rttMs, recorded }) =>
          recorded.timed(
            `At R ${rttMs} ms a message took ${lanes.map(({ name }) => `${said(mean(rttMs, name))} ms over ${name}`).join(', ')} on average (${scenario}, n = ${recorded.lane('websocket').trips.count} a lane).`,
          ),
        ),
      tables: [
        {
          title: 'One-way latency at 4 Hz, mean',
          columns: [label('R and lane'), computed('model', 'ms', 1), sampled('mean', 'ms', 1), sampled('longest', 'ms', 1), counted('n')],
          rows: rounds.flatMap(({ rttMs, recorded }) =>
            lanes.map(({ name, mean: model }) => {
              const { trips } = recorded.lane(name)
              return [`${rttMs} ms, ${name}`, model(loadAt(rttMs)), recorded.time(trips.mean), recorded.time(trips.max), trips.count]
            }),
          ),
          note: `"close" opens a connection for each request, a round trip each. ${scenario}.`,
        },
      ],
      charts: [
        {
          kind: 'lines',
          title: 'Latency over distance',
          note: 'Dashed: the model.',
          table: 0,
          x: { label: 'R', unit: 'ms', scale: 'linear' },
          y: { label: 'mean delay', unit: 'ms', scale: 'linear' },
          series: lanes.flatMap(({ name, mean: model }) => [
            {
              name,
              lane: name,
              points: rounds.filter(({ recorded }) => !recorded.round.saturated).map(({ rttMs }) => [rttMs, mean(rttMs, name)] as const),
            },
            {
              name: `${name}, model`,
              lane: name,
              kind: 'model' as const,
              points: distances.map((rttMs) => [rttMs, model(loadAt(rttMs))] as const),
            },
          ]),
        },
      ],
      checks: rounds.flatMap(({ rttMs, recorded }) => recorded.timed(...relations(rttMs, recorded, loadAt(rttMs)))),
      notes: [
        'T is a 20th shorter than the period, so that each poller meets every phase once; at T = P each would keep one.',
        ...withheldNotes(rounds.map(({ recorded }) => recorded)),
      ],
    }
  },
}

function relations(rttMs: number, recorded: Recorded, load: Load): Check[] {
  const mean = (lane: string): number => recorded.lane(lane).trips.mean
  const at = `at R ${rttMs} ms`
  const ratio = mean('long-poll') / mean('websocket')
  // In a period of the gap and the sensor a few phases stand for all: half of their distance is the error.
  const models = lanes.map(({ name, mean: model }) =>
    check(`${at} the mean of ${name} is the model's`, mean(name), { ...around(model(load), 0.1, 25), unit: 'ms' }),
  )
  return [
    ...models,
    check(
      `${at} messages lost`,
      lanes.reduce((sum, { name }) => sum + recorded.lane(name).lost, 0),
      exactly(0),
    ),
    check(`${at} a connection for each request makes long polling later by`, mean('long-poll, close') - mean('long-poll'), {
      low: -8,
      unit: 'ms',
    }),
    ...(rttMs <= near
      ? [
          check(`${at} long polling over WebSocket`, ratio, { high: 1.15, predicted: 1, asserted: rttMs >= 50 }),
          check(`${at} long polling over polling`, mean('long-poll') / mean('poll'), { high: 1 }),
        ]
      : []),
    ...(rttMs >= far
      ? [
          check(`${at} long polling over WebSocket`, ratio, { low: 1.3, predicted: 2 }),
          check(`${at} long polling over overlapping polls`, mean('long-poll') / mean('poll, overlapping'), { low: 1 }),
        ]
      : []),
  ]
}
