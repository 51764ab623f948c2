/** A report that nobody measured: every kind of chart and cell, made up for the tests of what prints them. */
import type { Chart, Check, Interval, Report, Result, RoundRecord, Series, Table } from '../../bench/report/report.ts'
import { Trips } from '../../bench/trips.ts'
import { seededRandom } from '../../bench/statistics.ts'

const within = (value: number, spread: number): Interval => ({ value, low: value - spread, high: value + spread })

const lanes = ['poll', 'long-poll', 'sse', 'websocket'] as const
const medians = { poll: 501, 'long-poll': 0.92, sse: 0.71, websocket: 0.67 }
const bytes = { poll: 127.25, 'long-poll': 757.5, sse: 64.125, websocket: 44.0625 }

function tripsAround(medianMs: number, random: () => number): string {
  const trips = new Trips()
  for (let trip = 0; trip < 200; trip++) trips.record(medianMs * (0.5 + random()))
  return trips.encode()
}

/** Ten rounds of four lanes, in an order that a seed has shuffled. */
export function exampleRounds(seed = 7, slower = 1, dearer = 0): RoundRecord[] {
  const random = seededRandom(seed)
  return Array.from({ length: 10 }, (_, round) =>
    lanes.map((lane, order) => ({
      scenario: '50 clients, 10 msg/s',
      lane,
      round,
      order: round * 4 + order,
      metrics: {
        clients: 50,
        seconds: 10 + random() / 1000,
        published: 100,
        delivered: 5000,
        lost: 0,
        bytesPerMessage: bytes[lane] * (1 + dearer),
        p50: medians[lane] * slower * (1 + random() / 50),
        p99: medians[lane] * 2 * (1 + random() / 20),
        ...(lane !== 'poll' && { cpuPerThousand: 20 + random() }),
      },
      trips: tripsAround(medians[lane] * slower, random),
    })),
  ).flat()
}

const wires: Table = {
  title: 'What each wire costs, 50 clients at 10 messages a second',
  columns: [
    { name: 'transport' },
    { name: 'delivered', how: 'counted' },
    { name: 'lost', how: 'counted' },
    { name: 'bytes/msg', unit: 'B', how: 'counted' },
    { name: 'overhead', unit: '%', how: 'computed' },
    { name: 'delay p50', unit: 'ms', how: 'sampled', digits: 2 },
    { name: 'delay p99', unit: 'ms', how: 'sampled' },
    { name: 'paper', unit: 'ms', how: 'published' },
  ],
  rows: [
    ['poll', '30 000/30 000', 0, 127, 67, within(501, 7.25), within(994, 3), 500],
    ['long-poll', 30_000, 0, 757, 94, within(0.92, 0.04), null, null],
    ['sse', 30_000, 0, 64, 34, within(0.71, 0.03), within(3, 1), null],
    ['websocket', 1_234_567, 0, 44, 5, within(0.67, 0.03), within(3, 1), null],
    ['naive websocket', 29_999, 1, 61, 31, within(-0.67, 0.03), null, null],
    ['long-poll, cookie, behind a relay of 100 ms', 30_000, 0, 891, 95, within(101.5, 0.5), within(203, 2), null],
    ['socket.io', 30_000, 0, 71, 40, within(0.83, 0.05), within(4, 1), null],
  ],
  note: 'Deliveries by our own subscribers, POST by autocannon; 10 rounds of 10 s; the delay of <script>alert("lane")</script> is withheld.',
}

const rates = [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100]
const curve = (fixed: number, each: number): Series['points'] => rates.map((rate) => [rate, each + fixed / rate])

const bytesOverRate: Chart = {
  kind: 'lines',
  title: 'Bytes per delivered message over the rate',
  note: 'Counted, 50 clients; both scales are logarithmic.',
  table: 0,
  x: { label: 'messages a second', unit: '1/s', scale: 'log' },
  y: { label: 'bytes per delivered message', unit: 'B', scale: 'log' },
  series: [
    { name: 'poll', lane: 'poll', points: curve(640, 60) },
    { name: 'long-poll', lane: 'long-poll', points: rates.map((rate) => [rate, 757 - Math.log10(rate) * 40]) },
    { name: 'sse', lane: 'sse', points: curve(2, 64) },
    { name: 'websocket', lane: 'websocket', points: curve(1, 44) },
    { name: 'naive websocket', lane: 'naive websocket', points: curve(1.5, 61) },
    { name: 'socket.io', lane: 'socket.io', points: curve(3, 66) },
    { name: 'poll', lane: 'poll', kind: 'model', points: curve(610, 62) },
    { name: 'sse', lane: 'sse', kind: 'model', points: [[0, 64], ...curve(2, 61)] },
  ],
  marks: [
    { x: 0.92, label: 'poll costs what long poll does at 0.92/s' },
    { x: 1.1, label: 'the model says 1.1/s' },
    { x: 62, label: 'poll under SSE from 62/s on' },
  ],
}

const percentiles = [0, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.995, 0.999]

function delays(): Chart {
  const random = seededRandom(3)
  const delay = (base: number, wander: number): Series['points'] => percentiles.map((p) => [p, base * wander * (1 / (1 - p)) ** 0.35])
  const rounds = (lane: string, base: number): Series[] =>
    Array.from({ length: 5 }, () => ({ name: lane, lane, kind: 'round', points: delay(base, 0.8 + random() * 0.4) }))
  return {
    kind: 'lines',
    title: 'Delay by percentile',
    table: 0,
    x: { label: 'share of trips', scale: 'percentile' },
    y: { label: 'delay', unit: 'ms', scale: 'log' },
    series: [
      ...rounds('sse', 0.5),
      ...rounds('poll', 100),
      { name: 'sse', lane: 'sse', points: delay(0.5, 1) },
      { name: 'websocket', lane: 'websocket', points: delay(0.47, 1) },
      { name: 'poll', lane: 'poll', points: [...delay(100, 1), [1, 1000]] },
    ],
  }
}

const parts: Chart = {
  kind: 'stack',
  title: 'Bytes per delivered message, by part',
  table: 0,
  unit: 'B',
  parts: ['headers up', 'headers down', 'framing', 'payload'],
  bars: [
    { label: 'poll', lane: 'poll', values: [40, 43, 2, 42] },
    { label: 'long-poll', lane: 'long-poll', values: [312, 401, 2, 42] },
    { label: 'sse', lane: 'sse', values: [0.2, 0.3, 21.5, 42] },
    { label: 'websocket', lane: 'websocket', values: [0, 0, 2, 42] },
    { label: 'long-poll, cookie, behind a relay of 100 ms', lane: 'long-poll, cookie', values: [446, 401, 2, 42] },
  ],
}

const cpu: Chart = {
  kind: 'dots',
  title: 'Server CPU per 1,000 deliveries',
  table: 1,
  unit: 'ms',
  dots: [
    { label: 'long-poll', lane: 'long-poll', value: within(41.2, 3.1) },
    { label: 'sse', lane: 'sse', value: within(12.5, 0.8) },
    { label: 'websocket', lane: 'websocket', value: within(11.9, 0.7) },
    { label: 'naive websocket', lane: 'naive websocket', value: within(14.3, 2.9) },
  ],
}

const tradeOff: Chart = {
  kind: 'scatter',
  title: 'Delay over bytes',
  table: 0,
  x: { label: 'bytes per delivered message', unit: 'B', scale: 'log' },
  y: { label: 'delay, median', unit: 'ms', scale: 'log' },
  marks: [
    { label: 'poll', lane: 'poll', x: within(127, 0), y: within(501, 7) },
    { label: 'long-poll', lane: 'long-poll', x: within(757, 0), y: within(0.92, 0.04) },
    { label: 'sse', lane: 'sse', x: within(64, 0), y: within(0.71, 0.03) },
    { label: 'websocket', lane: 'websocket', x: within(44, 0), y: within(0.67, 0.03) },
    { label: 'naive websocket', lane: 'naive websocket', x: within(61, 4), y: within(0.67, 0.2) },
  ],
}

const connections: Chart = {
  kind: 'lines',
  title: 'Server memory over connections',
  table: 1,
  x: { label: 'clients', scale: 'linear' },
  y: { label: 'RSS', unit: 'MB', scale: 'linear' },
  series: lanes.slice(1).map((lane, index) => ({
    name: lane,
    lane,
    points: [100, 500, 1000, 5000].map((clients) => [clients, 60 + (clients / 1000) * (9 + index / 2)]),
  })),
}

/** More ticks than there is room for. */
const crowded: Chart = {
  kind: 'lines',
  title: 'Deliveries a second over deliveries',
  table: 1,
  x: { label: 'deliveries', scale: 'log' },
  y: { label: 'deliveries a second', unit: '1/s', scale: 'log' },
  series: [
    { name: 'sse', lane: 'sse', points: [10_000, 100_000, 1_000_000, 10_000_000].map((count) => [count, 0.0001 * count ** 1.4]) },
    { name: 'websocket', lane: 'websocket', points: [10_000, 10_000_000].map((count) => [count, 0.00011 * count ** 1.4]) },
  ],
}

const checks: readonly Check[] = [
  {
    relation: "poll's mean trip is T/2 + R/2, ± 10 %",
    measured: 503.2,
    unit: 'ms',
    predicted: 500.5,
    low: 450,
    high: 550,
    holds: true,
    asserted: true,
  },
  {
    relation: 'long poll moves more than 5 times the bytes of WebSocket',
    measured: 17.2,
    low: 5,
    holds: true,
    asserted: true,
  },
  {
    relation: 'SSE is within 30 % of WebSocket at the median',
    measured: 1.41,
    predicted: 1,
    low: 0.7,
    high: 1.3,
    holds: false,
    asserted: false,
  },
]

const costs: Result = {
  name: 'what-each-wire-costs',
  question: 'What does a delivered message cost on each wire?',
  scenario: '50 clients, 1 publisher, 10 msg/s, 40 B, poll 1000 ms, loopback',
  findings: [
    'Long polling moved 17 times the bytes of WebSocket per delivered message (757 and 44 B, counted, 50 clients, 10 msg/s).',
    'SSE and WebSocket: no difference shown in the median delay (0.04 ms, 95 % CI −0.06 to 0.13, floor 0.11 ms, 10 rounds).',
  ],
  tables: [wires],
  charts: [bytesOverRate, parts, delays(), tradeOff],
  checks: [],
  rounds: exampleRounds(),
  notes: ['p99 of long poll is withheld: its generator was saturated (loop p99 31 ms).'],
  seconds: 412.7,
}

const paper: Result = {
  name: 'rfc6202-transits',
  question: 'Does a long poll cost up to three transits & SSE one?',
  source: 'RFC 6202, section 2.2; <script>alert("source")</script>',
  published: 'The maximal latency of a long poll is over 3 network transits, its mean between 1 and 3.',
  scenario: '10 clients, 100 ms round trip, rates 0.5 to 50 msg/s, 10 rounds',
  findings: ['Long polling took 1.9 transits in the mean at 5 msg/s ("<b>not bold</b>", 10 clients, 10 rounds).'],
  tables: [
    {
      title: 'CPU | memory',
      columns: [
        { name: 'lane' },
        { name: 'CPU', unit: 'ms/1k', how: 'sampled', digits: 1 },
        { name: 'memory slope', unit: 'B', how: 'sampled' },
      ],
      rows: [
        ['long-poll', within(41.2, 3.1), 9_120],
        ['sse', within(12.5, 0.8), 8_736],
        ['websocket', within(11.9, 0.7), 10_344],
      ],
    },
    { title: 'No lanes here', columns: [{ name: 'rate' }, { name: 'trips', how: 'counted' }], rows: [['0.5/s', 4_321]] },
  ],
  charts: [{ ...cpu, table: 0 }, { ...connections, table: 0 }, crowded],
  checks,
  rounds: exampleRounds(8).map((round) => ({ ...round, lane: `${round.lane}, "quoted"\nand broken` })),
  notes: [],
  seconds: 9.4,
}

export const exampleReport: Report = {
  schema: 1,
  made: '2025-06-01T12:00:00.000Z',
  command: 'npm run bench -- --rounds 10 --seed 7 --out "<out>"',
  environment: {
    version: '0.1.0',
    commit: 'abc1234',
    node: '20.20.2',
    os: 'Linux 6.8.0',
    cpu: 'Example Processor 9000 @ 3.00GHz',
    cores: 2,
    memoryBytes: 8_232_452_096,
    pinned: false,
  },
  options: { experiments: [], rounds: 10, seconds: 10, payload: 40, rttMs: [0, 50], literature: true, peers: ['naive', 'socket.io'] },
  seed: 7,
  quick: true,
  interrupted: true,
  results: [costs, paper],
}
