/** The scenario: the same room over four wires, one at a time, and an A/A pair that says how much of a difference is noise. */
import type { TransportName } from '../../src/protocol/message.ts'
import { transportNames } from '../../src/protocol/message.ts'
import type { Bench } from '../bench.ts'
import { around, check } from '../relations.ts'
import type { Experiment, Findings } from '../experiment.ts'
import { laneTitle } from '../report/lanes.ts'
import type { Chart, Series, Table } from '../report/report.ts'
import { bootstrapDifference, isShown, stratifiedSchedule } from '../statistics.ts'
import * as summary from '../summary.ts'
import { again, type Sample } from '../summary.ts'

interface Lane {
  readonly lane: string
  readonly wire: TransportName
  readonly rttMs: number
}
type Lanes = ReadonlyMap<string, readonly Sample[]>

/** For the compiler that a server runs; and a poller that joins is not behind before a whole interval has passed. */
const leastWarmupMs = 1_000

export const latency: Experiment = {
  name: 'latency',
  question: 'What do the four wires cost for the same room, and how late are its messages?',
  parameters:
    'subscribers of one lane at a time, one publisher at Poisson times, rounds of all lanes in random order with WebSocket twice (A/A)',
  obeys: ['clients', 'rate', 'payload', 'poll-interval', 'rounds', 'seconds', 'rtt', 'via'],
  async run(bench) {
    const { rttMs, rounds } = bench.options
    const lanes = rttMs.flatMap((rtt) => [
      ...transportNames.map((wire): Lane => ({ lane: wire, wire, rttMs: rtt })),
      { lane: again, wire: 'websocket', rttMs: rtt } as const,
    ])
    // All lanes of a round get the same messages at the same times: what differs is the wire.
    const schedules = Array.from({ length: rounds }, () => scheduleOf(bench))
    const samples = await bench.interleave(lanes, rounds, (lane, round) =>
      oneRound(bench, lane, round, schedules[round] ?? scheduleOf(bench)),
    )
    const perRtt = rttMs.map((rtt) => {
      const own = lanes.filter((lane) => lane.rttMs === rtt)
      return found(bench, rtt, new Map(own.map((lane) => [lane.lane, samples.get(lane) ?? []])))
    })
    return {
      scenario: `${perRtt.map(({ scenario }) => scenario).join(' · ')}; 1 publisher, ${rounds} rounds of ${bench.options.seconds} s a lane, after ${warmupOf(bench) / 1000} s of the same${bench.options.via === undefined ? ' on a fresh server' : ''}`,
      findings: perRtt.flatMap(({ findings }) => findings),
      tables: perRtt.flatMap(({ tables }) => tables),
      charts: perRtt.flatMap(({ charts }, index) => charts.map((chart) => ({ ...chart, table: index }))),
      checks: perRtt.flatMap(({ checks }) => checks),
      notes: perRtt.flatMap(({ notes }) => notes),
    }
  },
}

const scenarioOf = ({ options }: Bench, rttMs: number): string => {
  const { clients = 50, rate = 10, payload, pollMs, via } = options
  const distance = rttMs > 0 ? `round trip ${rttMs} ms` : via === undefined ? 'loopback' : `via ${via}`
  return `${clients} clients, ${rate} msg/s, ${payload} B, poll ${pollMs} ms, ${distance}`
}

const warmupOf = ({ options }: Bench): number => Math.max(leastWarmupMs, options.pollMs)

/** As many messages each round: counts do not differ by chance. */
const scheduleOf = (bench: Bench): Float64Array => {
  const { rate = 10, seconds } = bench.options
  return stratifiedSchedule(rate, Math.max(1, Math.round(rate * (warmupOf(bench) / 1000 + seconds))), bench.random)
}

async function oneRound(bench: Bench, { lane, wire, rttMs }: Lane, number: number, schedule: Float64Array): Promise<Sample> {
  const { clients = 50, payload, pollMs, seconds } = bench.options
  const round = await bench.round({
    ...(rttMs > 0 && { relay: { rttMs } }),
    groups: [{ lane, wire, room: 'bench', clients, pollMs, cookie: true }],
    schedules: { bench: schedule },
    payload,
    warmupMs: warmupOf(bench),
    measureMs: seconds * 1000,
  })
  const [group] = round.groups
  if (group === undefined) throw new Error('a round without a group')
  bench.record(scenarioOf(bench, rttMs), number, round, group)
  return { round, group }
}

function found(bench: Bench, rttMs: number, lanes: Lanes): Findings {
  const scenario = scenarioOf(bench, rttMs)
  const poll = lanes.get('poll') ?? []
  const predicted = bench.options.pollMs / 2 + rttMs / 2
  const busy = [...lanes].filter(([, samples]) => summary.withheld(samples)).map(([lane]) => lane)
  return {
    scenario,
    findings: [bytesFinding(scenario, lanes), delayFinding(bench, scenario, lanes), pollFinding(bench, scenario, poll)].filter(
      (finding) => finding !== undefined,
    ),
    tables: [tableOf(bench, scenario, lanes)],
    charts: chartsOf(bench, lanes),
    checks:
      summary.withheld(poll) || summary.tripsOf(poll).count === 0
        ? []
        : [
            check(`polling is late by half its interval and a transit, T/2 + R/2 (${scenario})`, summary.tripsOf(poll).mean, {
              ...around(predicted, 0.1, 8),
              unit: 'ms',
            }),
          ],
    notes: busy.map((lane) => `Times of ${lane} are withheld: a generator was saturated (${scenario}).`),
  }
}

function tableOf(bench: Bench, scenario: string, lanes: Lanes): Table {
  return {
    title: scenario,
    columns: [
      { name: 'transport' },
      { name: 'delivered', how: 'counted' },
      { name: 'expected', how: 'counted' },
      { name: 'lost', how: 'counted' },
      { name: 'rep', how: 'counted' },
      { name: 'bytes/msg', unit: 'B', how: 'counted' },
      { name: 'overhead', unit: '%', how: 'counted' },
      { name: 'req', unit: '1/s', how: 'counted' },
      { name: 'delay p50', unit: 'ms', how: 'sampled', digits: 1 },
      { name: 'p99', unit: 'ms', how: 'sampled', digits: 1 },
      { name: 'CPU/1k', unit: 'ms', how: 'sampled', digits: 1 },
    ],
    rows: [...lanes].map(([lane, samples]) => {
      const total = (pick: (sample: Sample) => number): number => samples.reduce((sum, sample) => sum + pick(sample), 0)
      return [
        lane,
        total(({ group }) => group.total.delivered),
        total(({ round, group }) => round.published.accepted * group.clients),
        total(({ group }) => group.lost),
        total(({ group }) => group.total.repeated),
        summary.bytesPerMessage(samples),
        summary.overheadShare(samples) * 100,
        summary.requestsPerSecond(samples),
        summary.delay(samples, 0.5, bench.random),
        summary.delay(samples, 0.99, bench.random),
        summary.cpu(samples, bench.random),
      ]
    }),
    note: 'Bytes, requests and losses: counted on the sockets of both ends, which agree to the byte (with --via on those of the clients alone); session cookie, no other header. Delay from the time a message was meant to be sent, by our own subscribers; CPU of the server process per 1,000 deliveries, publishing included. Intervals: 95 %, bootstrap over rounds.',
  }
}

const sentenceOf = (wire: TransportName): string => laneTitle(wire).replace(/^./, (letter) => letter.toUpperCase())

function bytesFinding(scenario: string, lanes: Lanes): string | undefined {
  const costs = transportNames
    .map((wire) => ({ wire, bytes: summary.bytesPerMessage(lanes.get(wire) ?? []) }))
    .toSorted((a, b) => b.bytes - a.bytes)
  const [most, least] = [costs[0], costs.at(-1)] as [(typeof costs)[0], (typeof costs)[0]]
  if (!Number.isFinite(most.bytes)) return undefined
  const n = summary.tallyOf(lanes.get(most.wire) ?? []).delivered
  const times = (most.bytes / least.bytes).toFixed(1)
  return `${sentenceOf(most.wire)} moved ${times} times the bytes of ${laneTitle(least.wire)} per delivered message (${most.bytes.toFixed(0)} against ${least.bytes.toFixed(0)} B, counted, n = ${n}; ${scenario}).`
}

/** SSE against WebSocket: the question most people have. */
function delayFinding(bench: Bench, scenario: string, lanes: Lanes): string | undefined {
  const [sse, websocket, second] = ['sse', 'websocket', again].map((lane) => lanes.get(lane) ?? []) as [Sample[], Sample[], Sample[]]
  if ([sse, websocket, second].some((samples) => summary.withheld(samples) || summary.tripsOf(samples).count === 0)) return undefined
  const difference = bootstrapDifference(sse, websocket, summary.medianMs, bench.random)
  const floor = Math.abs(summary.medianMs(websocket) - summary.medianMs(second))
  const rounds = sse.length
  const { value, low, high } = difference
  const numbers = `median difference ${value.toFixed(2)} ms, 95 % CI ${low.toFixed(2)} to ${high.toFixed(2)}, A/A noise floor ${floor.toFixed(2)} ms, ${rounds} ${rounds === 1 ? 'round' : 'rounds'}; ${scenario}`
  if (!isShown({ difference, floor, base: summary.medianMs(websocket), rounds }))
    return `SSE against WebSocket, delay: no difference shown (${numbers}).`
  return `SSE was ${value > 0 ? 'later' : 'earlier'} than WebSocket (${numbers}).`
}

function pollFinding({ options }: Bench, scenario: string, poll: readonly Sample[]): string | undefined {
  const trips = summary.tripsOf(poll)
  if (summary.withheld(poll) || trips.count === 0) return undefined
  return `Polling every ${options.pollMs} ms was late by ${summary.medianMs(poll).toFixed(0)} ms at the median: its interval, not the server (n = ${trips.count}; ${scenario}).`
}

function chartsOf(bench: Bench, lanes: Lanes): Chart[] {
  const timed = [...lanes].filter(([lane, samples]) => lane !== again && !summary.withheld(samples))
  const curves = timed.flatMap(([lane, samples]): Series[] => [
    ...samples.map(({ group }, index): Series => ({
      name: `${lane}, round ${index + 1}`,
      lane,
      points: group.trips.curve(),
      kind: 'round',
    })),
    { name: lane, lane, points: summary.tripsOf(samples).curve() },
  ])
  const medians = timed.flatMap(([lane, samples]) => {
    const y = summary.delay(samples, 0.5, bench.random)
    const bytes = summary.bytesPerMessage(samples)
    return y === null ? [] : [{ label: lane, lane, x: { value: bytes, low: bytes, high: bytes }, y }]
  })
  return [
    {
      kind: 'lines',
      title: 'Delay by percentile',
      note: 'Thin lines are rounds, the thick one all of them merged; a line ends where fewer than 10 samples remain.',
      table: 0,
      x: { label: 'percentile', scale: 'percentile' },
      y: { label: 'delay', unit: 'ms', scale: 'log' },
      series: curves,
    },
    {
      kind: 'scatter',
      title: 'Delay and bytes: the trade on one picture',
      table: 0,
      x: { label: 'bytes per delivered message', unit: 'B', scale: 'log' },
      y: { label: 'delay, median', unit: 'ms', scale: 'log' },
      marks: medians,
    },
  ]
}
