/** Batching: where polling moves fewer bytes than push, because one answer brings many messages. */
import { answerBytes, batchBytes, eventBytes, exchangeSegments, frameBytes, pushSegments } from '../../src/model/constants.ts'
import { type Cost, crossover, ipBytes } from '../../src/model/cost.ts'
import { poll } from '../../src/model/pull.ts'
import { sse, websocket } from '../../src/model/push.ts'
import type { Bench } from '../bench.ts'
import { bytesBothWays, type Tally } from '../connection.ts'
import { measureConstants, type Measured } from '../constants.ts'
import type { Experiment } from '../experiment.ts'
import { around, check } from '../relations.ts'
import type { Series } from '../report/report.ts'
import { stratifiedSchedule } from '../statistics.ts'
import { groupOf } from './paper.ts'
import type { Group } from '../round.ts'

/** Messages in a poller's interval, λT. */
const perInterval = [1, 2, 3, 5, 10, 50] as const
const pollMs = 400
const clients = 2
const wires = ['poll', 'sse', 'websocket'] as const
type Wire = (typeof wires)[number]
/** What this room's own client sends: Node's `fetch`, signed in. */
const carried = { headers: 'fetch', cookie: true } as const

export interface Batched {
  readonly perInterval: number
  readonly groups: Readonly<Record<Wire, Group>>
  /** Per delivered message, heads of TCP and IP included: computed from counted bytes, requests and frames. */
  readonly ip: Readonly<Record<Wire, number>>
  /** Without those heads: counted. */
  readonly bytes: Readonly<Record<Wire, number>>
}

const perWire = <T>(value: (wire: Wire) => T): Readonly<Record<Wire, T>> => ({
  poll: value('poll'),
  sse: value('sse'),
  websocket: value('websocket'),
})

/** Three segments an exchange, two a push (the model's, measured with `ss`). */
const segments = (wire: Wire, { window }: Group): number =>
  wire === 'poll' ? window.requests * exchangeSegments : window.batches * pushSegments

export async function measureBatched(
  bench: Bench,
  constants: Measured,
  seconds: number,
  over: readonly number[] = perInterval,
): Promise<Batched[]> {
  const rate = (messages: number): number => (messages * 1000) / pollMs
  const round = await bench.round({
    groups: over.flatMap((messages) =>
      wires.map((wire) => ({ lane: `${wire} ${messages}`, wire, room: `interval-${messages}`, clients, pollMs, ...carried })),
    ),
    schedules: Object.fromEntries(
      over.map((messages) => [
        `interval-${messages}`,
        stratifiedSchedule(rate(messages), Math.round(rate(messages) * seconds), bench.random),
      ]),
    ),
    payload: bench.options.payload,
    warmupMs: 0,
    measureMs: seconds * 1000,
  })
  return over.map((messages): Batched => {
    const groups = perWire((wire) => groupOf(round, `${wire} ${messages}`))
    for (const wire of wires) bench.record(`T ${pollMs} ms, λT ${messages}`, 0, round, { ...groups[wire], lane: wire })
    const bytes = perWire((wire) => bytesBothWays(groups[wire].window) / groups[wire].window.delivered)
    const ip = perWire((wire) => bytes[wire] + (constants.segment * segments(wire, groups[wire])) / groups[wire].window.delivered)
    return { perInterval: messages, groups, bytes, ip }
  })
}

/** IP bytes per message by the model, and λT from where on polling moves fewer than a pushed wire. */
export function modelOf(constants: Measured) {
  const quiet = { heartbeatMs: Infinity, pingMs: Infinity }
  const cost = (wire: Wire, messages: number): Cost => {
    const load = { rate: (messages * 1000) / pollMs, payload: constants.messageBytes, roundTripMs: 0 }
    if (wire === 'poll') return poll(load, { intervalMs: pollMs }, constants)
    return wire === 'sse' ? sse(load, quiet, constants) : websocket(load, quiet, constants)
  }
  const ip = (wire: Wire, messages: number): number => (ipBytes(cost(wire, messages), constants) * pollMs) / 1000 / messages
  const even = (wire: Wire): number =>
    crossover(
      (x) => ip('poll', x),
      (x) => ip(wire, x),
      { from: 0.1, to: 100 },
    ) ?? Number.NaN
  return { ip, even }
}

/** λT at which the measured lines cross, between the two rates around it, in proportion on the logarithm; NaN where they do not. */
export function measuredEven(rows: readonly Batched[], wire: Wire): number {
  const difference = ({ ip }: Batched): number => Math.log(ip.poll / ip[wire])
  const after = rows.findIndex((row, index) => index > 0 && difference(row) <= 0 && difference(rows[index - 1] as Batched) > 0)
  const [low, high] = [rows[after - 1], rows[after]]
  if (low === undefined || high === undefined) return Number.NaN
  const share = difference(low) / (difference(low) - difference(high))
  return low.perInterval * (high.perInterval / low.perInterval) ** share
}

export const batchedChecks = (rows: readonly Batched[], constants: Measured) =>
  (['sse', 'websocket'] as const).map((wire) =>
    check(`polling moves fewer IP bytes than ${wire} from λT* on`, measuredEven(rows, wire), around(modelOf(constants).even(wire), 0.3)),
  )

/** Bytes that the model charges for what was counted: so many requests, batches and messages. */
function charged(wire: Wire, { requests, batches, empty, delivered }: Tally, constants: Measured): number {
  const batch = batches === 0 ? 0 : batchBytes(delivered / batches, constants.messageBytes, constants)
  if (wire === 'sse') return batches * eventBytes(batch, constants)
  if (wire === 'websocket') return batches * frameBytes(batch)
  return requests * constants.requestHead + batches * answerBytes(batch, constants) + empty * answerBytes(constants.emptyBatch, constants)
}

export const chargedChecks = (rows: readonly Batched[], constants: Measured) =>
  rows.flatMap(({ perInterval: messages, groups, bytes }) =>
    wires.map((wire) => {
      const { window } = groups[wire]
      const predicted = charged(wire, window, constants) / window.delivered
      return check(`${wire} moves the bytes of its requests, batches and messages at λT ${messages}`, bytes[wire], {
        ...around(predicted, 0.03),
        unit: 'B',
      })
    }),
  )

export const batchingBeatsPush: Experiment = {
  name: 'batching-beats-push',
  question: 'From how many messages an interval on does polling move fewer bytes than push?',
  parameters: `λT ${perInterval.join(', ')} at T ${pollMs} ms, Poisson messages, ${clients} clients a wire with the heads of Node's fetch and a session cookie, all rates at once`,
  obeys: ['payload'],
  async run(bench) {
    const seconds = bench.options.quick ? 4 : 10
    const constants = await measureConstants(bench, carried)
    const rows = await measureBatched(bench, constants, seconds)
    const model = modelOf(constants)
    const scenario = `T ${pollMs} ms, λT ${perInterval.join(', ')}, ${clients} clients a wire, fetch's heads and a cookie, ${bench.options.payload} B, loopback, ${seconds} s`
    const last = rows.at(-1) as Batched
    const even = perWire((wire) => (wire === 'poll' ? 1 : measuredEven(rows, wire)))
    const series = wires.flatMap((wire): Series[] => [
      { name: wire, lane: wire, points: rows.map((row) => [row.perInterval, row.ip[wire]] as const) },
      {
        name: `${wire}, model`,
        lane: wire,
        kind: 'model',
        points: rows.map((row) => [row.perInterval, model.ip(wire, row.perInterval)] as const),
      },
    ])
    return {
      scenario,
      findings: [
        `Polling moved fewer bytes than WebSocket from ${even.websocket.toFixed(1)} messages an interval on, and than SSE from ${even.sse.toFixed(1)} (model ${model.even('websocket').toFixed(1)} and ${model.even('sse').toFixed(1)}; computed from counted bytes, requests and frames, heads of TCP and IP included; ${scenario}).`,
        `At ${last.perInterval} messages an interval polling used ${last.bytes.poll.toFixed(0)} B per delivered message, SSE ${last.bytes.sse.toFixed(0)} and WebSocket ${last.bytes.websocket.toFixed(0)} (counted, without heads of TCP and IP, n = ${last.groups.poll.window.delivered}; ${scenario}).`,
      ],
      tables: [
        {
          title: 'Bytes per delivered message, with heads of TCP and IP',
          columns: [
            { name: 'messages an interval' },
            ...wires.flatMap((wire) => [
              { name: wire, unit: 'B', how: 'counted' as const },
              { name: `${wire}, with TCP/IP`, unit: 'B', how: 'computed' as const },
              { name: 'model', unit: 'B', how: 'computed' as const },
            ]),
            { name: 'n', how: 'counted' },
          ],
          rows: rows.map((row) => [
            String(row.perInterval),
            ...wires.flatMap((wire) => [row.bytes[wire], row.ip[wire], model.ip(wire, row.perInterval)]),
            row.groups.poll.window.delivered,
          ]),
          note: `TCP/IP: ${constants.segment} B a segment, ${exchangeSegments} segments an exchange and ${pushSegments} a push, acknowledgements included; not captured here.`,
        },
      ],
      charts: [
        {
          kind: 'lines',
          title: 'Bytes per delivered message, with heads of TCP and IP',
          table: 0,
          x: { label: "messages in a poller's interval", scale: 'log' },
          y: { label: 'bytes per message', unit: 'B', scale: 'log' },
          series,
          marks: (['sse', 'websocket'] as const).map((wire) => ({ x: model.even(wire), label: `even with ${wire}` })),
        },
      ],
      checks: [...batchedChecks(rows, constants), ...chargedChecks(rows, constants)],
      notes: [
        'What polling saves in bytes it costs in delay, half an interval on average; a server that gathers messages before it pushes would batch as well.',
        'An answer is taken to fit one segment. Above 1,400 bytes it needs more on Ethernet, which moves no crossing here: there a batch is shorter.',
      ],
    }
  },
}
