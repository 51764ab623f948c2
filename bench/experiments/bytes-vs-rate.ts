/** Bytes against the rate of messages: where the lines of four wires cross. */
import { bytesPerMessage, type Cost, crossover, type Load } from '../../src/model/cost.ts'
import { longPoll, poll } from '../../src/model/pull.ts'
import { sse, websocket } from '../../src/model/push.ts'
import { type TransportName, transportNames } from '../../src/protocol/message.ts'
import type { Bench } from '../bench.ts'
import { bytesBothWays } from '../connection.ts'
import { type Carried, type Measured, measureConstants } from '../constants.ts'
import type { Experiment } from '../experiment.ts'
import { around, check } from '../relations.ts'
import { lasting } from './recorded.ts'
import { laneTitle } from '../report/lanes.ts'
import type { Chart, Table } from '../report/report.ts'
import { poissonSchedule } from '../statistics.ts'
import type { Group } from '../round.ts'

const rates = [0.1, 0.3, 1, 3, 10, 30, 100] as const
/** Messages a second that all rooms of a rate have together, at least: a low rate has many rooms. */
const perSecond = 10
const seconds = 5
/** A browser with its session cookie. */
const carried: Carried = { headers: 'chromium', cookie: true }
/** What a wire may be off the model: a message at the window's edge, a cursor one digit longer. */
const tolerance = 0.05

/** Model and measurement of one wire at one rate. */
interface Point {
  readonly wire: TransportName
  readonly rate: number
  readonly delivered: number
  readonly measured: number
  readonly predicted: number
}

const holdMs = 25_000

/** One client's cost at a rate, by the model, in a window in which no heartbeat comes. */
function costOf(wire: TransportName, rate: number, pollMs: number, constants: Measured, heartbeats = false): Cost {
  const load: Load = { rate, payload: constants.messageBytes, roundTripMs: 0 }
  if (wire === 'poll') return poll(load, { intervalMs: pollMs }, constants)
  if (wire === 'long-poll') return longPoll(load, { holdMs: heartbeats ? holdMs : Infinity }, constants)
  const quiet = heartbeats ? {} : { heartbeatMs: Infinity, pingMs: Infinity }
  return wire === 'sse' ? sse(load, quiet, constants) : websocket(load, quiet, constants)
}

export const bytesVsRate: Experiment = {
  name: 'bytes-vs-rate',
  question: 'How many bytes does a delivered message cost, and at which rates does another wire become the cheapest?',
  parameters: `Poisson messages at ${rates.join(', ')}/s in rooms of their own, all in one run, with what Chromium sends and the session cookie`,
  obeys: ['payload', 'poll-interval'],
  async run(bench) {
    const { pollMs, payload } = bench.options
    const constants = await measureConstants(bench, carried)
    const points = await measurePoints(bench, constants, lasting(bench, seconds))
    const scenario = `${payload} B, poll ${pollMs} ms, loopback, Chromium's headers and the session cookie, ${lasting(bench, seconds)} s`
    const crossings = crossingsOf(pollMs, constants)
    return {
      scenario,
      findings: crossings.flatMap(({ a, b, rate }) =>
        rate === undefined
          ? []
          : [
              `Above ${rate.toPrecision(2)} messages/s ${laneTitle(a)} moves fewer bytes per message than ${laneTitle(b)} (model with measured heads; ${scenario}).`,
            ],
      ),
      tables: [pointsTable(points), crossingsTable(crossings)],
      charts: [drawing(points, crossings, pollMs, constants)],
      checks: transportNames.map((wire) => {
        // Faster than that a long poll finds several, while its answers are on their way: its gap is no longer nothing.
        const own = points.filter((point) => point.wire === wire && (wire !== 'long-poll' || point.rate <= 10))
        const worst = own.reduce((a, b) => (off(a) > off(b) ? a : b))
        return check(
          `${laneTitle(wire)}: bytes per message are what the model says, at the rate where they differ most (${worst.rate}/s)`,
          worst.measured,
          {
            ...around(worst.predicted, tolerance),
            unit: 'B',
          },
        )
      }),
      notes: [
        `In ${lasting(bench, seconds)} s no heartbeat (20 s) and no end of a hold (25 s) comes; the dashed lines include them, which shows at the lowest rates.`,
      ],
    }
  },
}

const off = ({ measured, predicted }: Point): number => Math.abs(measured / predicted - 1)
const roomsFor = (rate: number): number => Math.max(1, Math.round(perSecond / rate))
const roomOf = (rate: number, index: number): string => `rate-${rate}-${index}`

/** Every rate in rooms of its own, each with a reader on every wire: one round for all. */
export async function measurePoints(
  bench: Bench,
  constants: Measured,
  measuredSeconds = seconds,
  some: readonly number[] = rates,
): Promise<Point[]> {
  const { pollMs, payload } = bench.options
  const rooms = some.flatMap((rate) => Array.from({ length: roomsFor(rate) }, (_, index) => ({ rate, room: roomOf(rate, index) })))
  const round = await bench.round({
    groups: rooms.flatMap(({ rate, room }) =>
      transportNames.map((wire) => ({ lane: `${wire} ${rate}/s`, wire, room, clients: 1, pollMs, ...carried })),
    ),
    schedules: Object.fromEntries(
      rooms.map(({ rate, room }) => [room, poissonSchedule(rate, pollMs / 1000 + measuredSeconds, bench.random)]),
    ),
    payload,
    // A poller that joins is not behind before a whole interval has passed.
    warmupMs: pollMs,
    measureMs: measuredSeconds * 1000,
  })
  return some.flatMap((rate) =>
    transportNames.map((wire) => {
      const groups = round.groups.filter(({ lane }) => lane === `${wire} ${rate}/s`)
      const sum = (pick: (group: Group) => number): number => groups.reduce((total, group) => total + pick(group), 0)
      const delivered = sum(({ window }) => window.delivered)
      // What Poisson gave, not what it was asked for.
      const load = { rate: delivered / groups.length / measuredSeconds, payload: constants.messageBytes, roundTripMs: 0 }
      return {
        wire,
        rate,
        delivered,
        measured: sum(({ window }) => bytesBothWays(window)) / delivered,
        predicted: bytesPerMessage(costOf(wire, load.rate, pollMs, constants), load),
      }
    }),
  )
}

interface Crossing {
  /** Cheaper above the rate, and below it. */
  readonly a: TransportName
  readonly b: TransportName
  /** Messages a second; undefined where the same one is cheaper everywhere. */
  readonly rate: number | undefined
}

function crossingsOf(pollMs: number, constants: Measured): Crossing[] {
  const pairs = [
    ['poll', 'long-poll'],
    ['poll', 'sse'],
    ['poll', 'websocket'],
    ['long-poll', 'sse'],
  ] as const
  const bytes = (wire: TransportName) => (rate: number) => {
    const { bytesUp: up, bytesDown: down } = costOf(wire, rate, pollMs, constants, true)
    return up + down
  }
  return pairs.map(([a, b]) => ({ a, b, rate: crossover(bytes(a), bytes(b), { from: 0.01, to: 10_000 }) }))
}

const pointsTable = (points: readonly Point[]): Table => ({
  title: 'Bytes per delivered message',
  columns: [
    { name: 'wire' },
    { name: 'rate', unit: '1/s', digits: 1, how: 'computed' },
    { name: 'measured', unit: 'B', how: 'counted' },
    { name: 'model', unit: 'B', how: 'computed' },
    { name: 'deliveries', how: 'counted' },
  ],
  rows: points.map(({ wire, rate, measured, predicted, delivered }) => [wire, rate, measured, predicted, delivered]),
  note: 'Both directions, heads included; the model has the heads that were measured, at the rate that came about. No interval: these are counts.',
})

const crossingsTable = (crossings: readonly Crossing[]): Table => ({
  title: 'Where the lines cross',
  columns: [{ name: 'cheaper above' }, { name: 'than' }, { name: 'messages', unit: '1/s', how: 'computed', digits: 1 }],
  rows: crossings.map(({ a, b, rate }) => [a, b, rate ?? null]),
  note: 'Bytes on the socket, without the heads of TCP and IP. Where there is no number they do not cross between 0.01 and 10,000 messages/s.',
})

function drawing(points: readonly Point[], crossings: readonly Crossing[], pollMs: number, constants: Measured): Chart {
  const [from, to] = [rates[0], rates.at(-1) as number]
  const fine = Array.from({ length: 41 }, (_, step) => from * (to / from) ** (step / 40))
  return {
    kind: 'lines',
    title: 'Bytes per delivered message against the rate of messages',
    note: 'Marks are counted, dashed lines are the model.',
    table: 0,
    x: { label: 'messages', unit: '1/s', scale: 'log' },
    y: { label: 'bytes per delivered message', unit: 'B', scale: 'log' },
    series: transportNames.flatMap((wire) => [
      {
        name: `${wire}, model`,
        lane: wire,
        kind: 'model' as const,
        points: fine.map((rate) => {
          const load = { rate, payload: constants.messageBytes, roundTripMs: 0 }
          return [rate, bytesPerMessage(costOf(wire, rate, pollMs, constants, true), load)] as const
        }),
      },
      {
        name: wire,
        lane: wire,
        points: points.filter((point) => point.wire === wire).map(({ rate, measured }) => [rate, measured] as const),
      },
    ]),
    marks: crossings.flatMap(({ a, b, rate }) =>
      rate !== undefined && rate >= from && rate <= to
        ? [{ x: rate, label: `${laneTitle(a)} = ${laneTitle(b)} at ${rate.toPrecision(2)}/s` }]
        : [],
    ),
  }
}
