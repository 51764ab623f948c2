/** RFC 6202, 2.2: how many network transits a message takes over long polling, and how many share an answer. */
import type { Cost } from '../../src/model/cost.ts'
import { longPoll } from '../../src/model/pull.ts'
import { sse } from '../../src/model/push.ts'
import type { Bench } from '../bench.ts'
import type { Experiment } from '../experiment.ts'
import { around, check } from '../relations.ts'
import type { Check, Table } from '../report/report.ts'
import { stratifiedSchedule } from '../statistics.ts'
import { groupOf, timed, withheldNotes } from './paper.ts'
import type { Group, Round } from '../round.ts'

/** A round trip of 100 ms: a transit is 50. */
const rttMs = 100
const transits = (ms: number): number => ms / (rttMs / 2)
/** Messages a second, from always a question held to several in a gap; slow feeds in many rooms at once, for enough messages. */
const feeds = [
  { rate: 0.1, rooms: 40 },
  { rate: 0.5, rooms: 12 },
  { rate: 2, rooms: 4 },
  { rate: 5, rooms: 2 },
  { rate: 10, rooms: 1 },
  { rate: 20, rooms: 1 },
  { rate: 50, rooms: 1 },
] as const
const wires = ['long-poll', 'sse'] as const
/** What a shared core may be late. */
const slackMs = 20

interface Feed {
  /** Messages a second in each of so many rooms. */
  readonly rate: number
  readonly rooms: number
}
const roomsOf = ({ rate, rooms }: Feed): string[] => Array.from({ length: rooms }, (_, index) => `rate-${rate}-${index}`)

/** One Poisson process for all rooms of a rate, each message dealt to one of them at random: a Poisson process in each. */
function dealt(feed: Feed, seconds: number, random: () => number): [room: string, times: Float64Array][] {
  const rate = feed.rate * feed.rooms
  const messages = Array.from(stratifiedSchedule(rate, Math.round(rate * seconds), random), (time) => ({
    time,
    to: Math.floor(random() * feed.rooms),
  }))
  return roomsOf(feed).map((name, index) => [
    name,
    Float64Array.from(
      messages.filter(({ to }) => to === index),
      ({ time }) => time,
    ),
  ])
}

export interface Transits {
  readonly wire: (typeof wires)[number]
  readonly rate: number
  readonly group: Group
  readonly predicted: Cost
}

export async function measureTransits(bench: Bench, seconds: number, over: readonly Feed[] = feeds) {
  const rooms = over.flatMap((feed) => roomsOf(feed).map((room) => ({ rate: feed.rate, room })))
  const { payload } = bench.options
  const round = await bench.round({
    relay: { rttMs },
    groups: rooms.flatMap(({ rate, room }) => wires.map((wire) => ({ lane: `${wire} ${rate}/s`, wire, room, clients: 2 }))),
    schedules: Object.fromEntries(over.flatMap((feed) => dealt(feed, seconds, bench.random))),
    payload,
    warmupMs: 0,
    measureMs: seconds * 1000,
  })
  const rows = over.flatMap(({ rate }) =>
    wires.map((wire): Transits => {
      const group = groupOf(round, `${wire} ${rate}/s`)
      bench.record(`R ${rttMs} ms, ${rate}/s`, 0, round, { ...group, lane: wire })
      const load = { rate, payload, roundTripMs: rttMs }
      return { wire, rate, group, predicted: wire === 'sse' ? sse(load) : longPoll(load, { holdMs: 25_000 }) }
    }),
  )
  return { round, rows }
}

export const batchOf = ({ group }: Transits): number => group.total.delivered / group.total.batches

function tableOf(round: Round, rows: readonly Transits[]): Table {
  return {
    title: 'Transits a message takes',
    columns: [
      { name: 'wire' },
      { name: 'rate', unit: '1/s', how: 'computed', digits: 1 },
      { name: 'mean', unit: 'ms', how: 'sampled', digits: 1 },
      { name: 'model', unit: 'ms', how: 'computed', digits: 1 },
      { name: 'longest', unit: 'ms', how: 'sampled', digits: 1 },
      { name: 'bound', unit: 'ms', how: 'computed' },
      { name: 'mean', unit: 'transits', how: 'sampled', digits: 2 },
      { name: 'longest', unit: 'transits', how: 'sampled', digits: 2 },
      { name: 'messages a batch', how: 'counted', digits: 2 },
      { name: 'model', how: 'computed', digits: 2 },
      { name: 'n', how: 'counted' },
    ],
    rows: rows.map((row) => {
      const { mean, max, count } = row.group.trips
      const { meanMs, maxMs, messagesPerBatch } = row.predicted
      const times = [mean, meanMs, max, maxMs, transits(mean), transits(max)].map((value, index) =>
        index % 2 === 1 && index < 4 ? value : timed(round, value),
      )
      return [row.wire, row.rate, ...times, batchOf(row), messagesPerBatch, count]
    }),
    note: `A transit is ${rttMs / 2} ms, made by a relay. Trips by our own subscribers, from when a message was meant to be sent. The RFC says of long polling: average close to one transit, at most over three; of streaming: one.`,
  }
}

function checksOf(rows: readonly Transits[]): Check[] {
  const longPolls = rows.filter(({ wire }) => wire === 'long-poll')
  const busiest = longPolls.at(-1) as Transits
  const streamed = Math.max(...rows.filter(({ wire }) => wire === 'sse').map(({ group }) => group.trips.max))
  return [
    ...longPolls.map(({ rate, group, predicted }) =>
      check(`at ${rate}/s the mean trip of long polling is R/2 + late · G/2`, group.trips.mean, {
        ...around(predicted.meanMs, 0.1, 8),
        unit: 'ms',
      }),
    ),
    check('the longest trip of long polling is three transits', busiest.group.trips.max, {
      predicted: busiest.predicted.maxMs,
      low: 0.95 * busiest.predicted.maxMs,
      high: busiest.predicted.maxMs + slackMs,
      unit: 'ms',
    }),
    check('the longest trip over SSE is under two transits', streamed, { predicted: rttMs / 2, high: rttMs, unit: 'ms' }),
  ]
}

/** Messages in an answer, counted: λ C, from one to λ G. */
export const batchChecks = (rows: readonly Transits[]): Check[] =>
  rows
    .filter(({ wire }) => wire === 'long-poll')
    .map((row) => check(`at ${row.rate}/s a long poll brings λ C messages`, batchOf(row), around(row.predicted.messagesPerBatch, 0.1)))

export const rfc6202Transits: Experiment = {
  name: 'rfc6202-transits',
  question: 'How many network transits does a message take over long polling?',
  source: 'RFC 6202 (2011), 2.2 and 3.2',
  published: 'average latency close to one transit, maximal latency over three; HTTP streaming one',
  parameters: `no figures of a network → R ${rttMs} ms by a relay, ${feeds.map(({ rate }) => rate).join(', ')} messages a second at Poisson times, long poll and SSE side by side`,
  obeys: ['payload'],
  async run(bench) {
    const seconds = bench.options.quick ? 6 : 15
    const { round, rows } = await measureTransits(bench, seconds)
    const scenario = `R ${rttMs} ms, ${feeds.map(({ rate }) => rate).join(', ')} msg/s in ${feeds.map(({ rooms }) => rooms).join(', ')} rooms, 2 clients a room and wire, ${bench.options.payload} B, ${seconds} s`
    const [slowest, busiest] = [rows[0], rows.at(-2)] as [Transits, Transits]
    const told = ({ group }: Transits, pick: 'mean' | 'max'): string => `${transits(group.trips[pick]).toFixed(1)} transits`
    return {
      scenario,
      findings: [
        ...(round.saturated
          ? []
          : [
              `Over long polling a message took ${told(slowest, 'mean')} on average at ${slowest.rate} msg/s (n = ${slowest.group.trips.count}) and ${told(busiest, 'mean')} at ${busiest.rate} msg/s, at most ${told(busiest, 'max')} (n = ${busiest.group.trips.count}); over SSE ${told(rows.at(-1) as Transits, 'mean')} (sampled; ${scenario}).`,
            ]),
        `At ${busiest.rate} msg/s an answer of a long poll brought ${batchOf(busiest).toFixed(1)} messages (model ${busiest.predicted.messagesPerBatch.toFixed(1)}; counted, n = ${busiest.group.total.batches} answers; ${scenario}).`,
      ],
      tables: [tableOf(round, rows)],
      charts: round.saturated
        ? []
        : [
            {
              kind: 'lines',
              title: 'Transits a message takes, by rate',
              table: 0,
              x: { label: 'messages a second', unit: '1/s', scale: 'log' },
              y: { label: 'transits', scale: 'linear' },
              series: wires.flatMap((wire) => {
                const own = rows.filter((row) => row.wire === wire)
                const points = (pick: (row: Transits) => number) => own.map((row) => [row.rate, transits(pick(row))] as const)
                return [
                  { name: `${wire}, mean`, lane: wire, points: points(({ group }) => group.trips.mean) },
                  { name: `${wire}, longest`, lane: wire, points: points(({ group }) => group.trips.max) },
                  {
                    name: `${wire}, model of the mean`,
                    lane: wire,
                    kind: 'model' as const,
                    points: points(({ predicted }) => predicted.meanMs),
                  },
                ]
              }),
            },
          ],
      checks: [...(round.saturated ? [] : checksOf(rows)), ...batchChecks(rows)],
      notes: [
        'The third transit of the RFC is the answer that a message just missed, and the next question: it is met only where messages come faster than one in a round trip.',
        'Nothing is lost on the way here: with loss any protocol over TCP takes more than three, as the RFC says.',
        ...withheldNotes([round]),
      ],
    }
  },
}
