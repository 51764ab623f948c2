/** What a delivery costs the server as a room grows, over each wire; and, with --peers, what it costs other servers. */
import { transportNames } from '../../src/protocol/message.ts'
import type { Bench } from '../bench.ts'
import type { Experiment, Findings } from '../experiment.ts'
import { laneTitle } from '../report/lanes.ts'
import type { Chart, Series, Table } from '../report/report.ts'
import { bootstrapDifference, isShown, leastRounds } from '../statistics.ts'
import * as summary from '../summary.ts'
import { again, type Sample } from '../summary.ts'
import { type Lane, oneRound, ourLanes, roundsText, scenarioOf } from './fan-out-lanes.ts'
import { againstPeers } from './fan-out-peers.ts'

const sizes = [100, 1_000, 5_000] as const
/** The size whose WebSocket lane is run twice, and that peers are compared at. */
const middle = 1_000

type Size = { readonly clients: number; readonly rounds: number }

export const fanOut: Experiment = {
  name: 'fan-out',
  question: 'What does one delivery cost the server as a room grows, and when does it come?',
  parameters: `${sizes.join(', ')} subscribers of one room, one publisher; a fresh server for each round; one round among the default questions, and where it is named as many as it is told, with WebSocket twice (A/A)`,
  obeys: ['clients', 'rate', 'payload', 'poll-interval', 'rounds', 'seconds', 'peers'],
  async run(bench) {
    const { clients, peers, experiments, quick } = bench.options
    if (peers.length > 0) return againstPeers(bench, clients ?? middle)
    // Among the other questions there is time for one round of each: numbers, and no claim.
    const named = experiments.length > 0
    const rounds = named ? bench.options.rounds : 1
    const of = clients === undefined ? sizes.filter((size) => !quick || size <= middle) : [clients]
    const chosen: readonly Size[] = of.map((size) => ({ clients: size, rounds }))
    const samples = new Map<Lane, Sample[]>()
    // The larger rooms last: each size is shuffled within itself.
    for (const size of chosen) {
      const lanes = ourLanes(size.clients, named && size.clients === (clients ?? middle))
      for (const [lane, own] of await bench.interleave(lanes, size.rounds, (each, round) => oneRound(bench, each, round)))
        samples.set(lane, own)
    }
    return found(bench, chosen, samples)
  },
}

type Samples = ReadonlyMap<Lane, readonly Sample[]>

const of = (samples: Samples, name: string, size: number): readonly Sample[] =>
  [...samples].find(([{ lane, clients }]) => lane === name && clients === size)?.[1] ?? []

function found(bench: Bench, chosen: readonly Size[], samples: Samples): Findings {
  const reference = chosen.find(({ clients }) => of(samples, again, clients).length > 0)?.clients ?? middle
  const busy = [...samples].filter(([, own]) => summary.withheld(own)).map(([{ lane, clients }]) => `${lane} at ${clients}`)
  return {
    scenario: chosen.map(({ clients, rounds }) => `${scenarioOf(bench, clients)}, ${roundsText(rounds)}`).join(' · '),
    findings: [
      ...costFinding(bench, samples, reference),
      ...lateFinding(bench, samples, Math.max(...chosen.map(({ clients }) => clients))),
    ],
    tables: [tableOf(bench, samples)],
    charts: chartsOf(bench, chosen, samples),
    checks: [],
    notes: [
      'A delay includes the time that one process with all subscribers takes to read what comes to each: with thousands, the last of them hears late for its own reasons, too.',
      ...(busy.length > 0 ? [`Delays are withheld where a generator was saturated: ${busy.join(', ')}. CPU is the server's own.`] : []),
    ],
  }
}

function tableOf(bench: Bench, samples: Samples): Table {
  return {
    title: 'Cost and delay of a delivery',
    columns: [
      { name: 'transport' },
      { name: 'subscribers', how: 'computed' },
      { name: 'CPU per 1,000', unit: 'ms', how: 'sampled', digits: 1 },
      { name: 'delay p50', unit: 'ms', how: 'sampled', digits: 1 },
      { name: 'p99', unit: 'ms', how: 'sampled', digits: 1 },
      { name: 'bytes/msg', unit: 'B', how: 'counted' },
      { name: 'memory at the end', unit: 'MB', how: 'sampled' },
      { name: 'deliveries', how: 'counted' },
      { name: 'rounds', how: 'counted' },
    ],
    rows: [...samples].map(([{ lane, clients }, own]) => [
      lane,
      clients,
      summary.cpu(own, bench.random),
      summary.delay(own, 0.5, bench.random),
      summary.delay(own, 0.99, bench.random),
      summary.bytesPerMessage(own),
      summary.memory(own),
      summary.tallyOf(own).delivered,
      own.length,
    ]),
    note: 'CPU: user and system time of the server process within the window per 1,000 deliveries, publishing included and joining not. Memory: RSS, garbage included. Intervals: 95 %, bootstrap over rounds; of one round they are a point and say nothing.',
  }
}

/** Long polling against WebSocket: the same message to the same subscribers, once by an answer each and once by a frame. */
function costFinding(bench: Bench, samples: Samples, clients: number): string[] {
  const [longPoll, websocket, second] = ['long-poll', 'websocket', again].map((lane) => of(samples, lane, clients)) as [
    Sample[],
    Sample[],
    Sample[],
  ]
  const cost = (own: readonly Sample[]): number => summary.cpuPerThousand(own) ?? Number.NaN
  const difference = bootstrapDifference(longPoll, websocket, cost, bench.random)
  const floor = Math.abs(cost(websocket) - cost(second))
  const { value, low, high } = difference
  const numbers = `difference ${value.toFixed(1)} ms per 1,000 deliveries, 95 % CI ${low.toFixed(1)} to ${high.toFixed(1)}, A/A noise floor ${floor.toFixed(1)}, ${roundsText(longPoll.length)}; ${scenarioOf(bench, clients)}`
  if (longPoll.length < leastRounds) return []
  if (!isShown({ difference, floor, base: cost(websocket), rounds: longPoll.length }))
    return [`Server CPU of long polling against WebSocket: no difference shown (${numbers}).`]
  return [
    `A delivery over long polling took ${value > 0 ? 'more' : 'less'} server CPU than one over WebSocket: ${cost(longPoll).toFixed(1)} against ${cost(websocket).toFixed(1)} ms per 1,000 (${numbers}).`,
  ]
}

/** How late the largest room hears. */
function lateFinding(bench: Bench, samples: Samples, clients: number): string[] {
  const parts = transportNames.flatMap((wire) => {
    const own = of(samples, wire, clients)
    const p99 = summary.delay(own, 0.99, bench.random)
    return p99 === null ? [] : [`${p99.value.toFixed(0)} ms over ${laneTitle(wire)} (n = ${summary.tripsOf(own).count})`]
  })
  return parts.length === 0 ? [] : [`99 of 100 deliveries had come within ${parts.join(', ')}; ${scenarioOf(bench, clients)}.`]
}

function chartsOf(bench: Bench, chosen: readonly Size[], samples: Samples): Chart[] {
  const label = ({ lane, clients }: Lane): string => (chosen.length > 1 ? `${lane}, ${clients}` : lane)
  const dots: Chart = {
    kind: 'dots',
    title: 'Server CPU per 1,000 deliveries',
    table: 0,
    unit: 'ms',
    dots: [...samples].flatMap(([lane, own]) => {
      const value = summary.cpu(own, bench.random)
      return value === null ? [] : [{ label: label(lane), lane: lane.lane, value }]
    }),
  }
  if (chosen.length === 1) return [dots]
  const late: Chart = {
    kind: 'lines',
    title: 'Delay as the room grows, 99th percentile',
    table: 0,
    x: { label: 'subscribers', scale: 'log' },
    y: { label: 'delay, p99', unit: 'ms', scale: 'log' },
    series: transportNames.map((wire): Series => ({
      name: wire,
      lane: wire,
      points: chosen.flatMap(({ clients }) => {
        const p99 = summary.delay(of(samples, wire, clients), 0.99, bench.random)
        return p99 === null ? [] : [[clients, p99.value] as const]
      }),
    })),
  }
  return [dots, late]
}
