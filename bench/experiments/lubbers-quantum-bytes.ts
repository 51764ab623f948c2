/** Lubbers and Greco 2010, "A Quantum Leap in Scalability": what surrounds a short message over polling and over WebSocket. */
import { exchangeSegments, frameHead, measured as standard, pushSegments } from '../../src/model/constants.ts'
import type { Bench } from '../bench.ts'
import { bytesBothWays } from '../connection.ts'
import { type Measured, measureConstants } from '../constants.ts'
import type { Experiment } from '../experiment.ts'
import { type HeaderSet, headerSets } from '../headers.ts'
import { around, check, exactly } from '../relations.ts'
import type { Table } from '../report/report.ts'
import { periodicSchedule } from '../statistics.ts'
import { groupOf } from './paper.ts'
import type { Group } from '../round.ts'

/** A message in each interval of the poller, as theirs; a tenth of their second. */
const everyMs = 100
/** "~20 characters" */
const payload = 21
/** What their browser and servlet sent for each poll, and their frame: `0x00 … 0xff` of a draft. */
const theirs = { heads: 871, frame: 2 } as const
const cases = [1_000, 10_000, 100_000] as const
const heartbeatMs = 200

export interface Surrounded {
  readonly set: HeaderSet
  readonly poll: Group
  readonly websocket: Group
  /** B around a message: heads of request and answer; all that is not the message; and that with TCP and IP, computed. */
  readonly heads: number
  readonly overhead: Readonly<Record<'poll' | 'websocket', number>>
  readonly ip: Readonly<Record<'poll' | 'websocket', number>>
  /** Heads by the model, for these constants. */
  readonly predicted: number
}

/** A member's cookie goes with what browsers send. */
const carried = (set: HeaderSet) => ({ headers: set, cookie: set !== 'minimal' })

export async function measureSurrounded(bench: Bench, seconds: number, sets: readonly HeaderSet[] = headerSets): Promise<Surrounded[]> {
  const weighed: Measured[] = []
  for (const set of sets) weighed.push(await measureConstants(bench, carried(set), payload))
  const round = await bench.round({
    groups: sets.flatMap((set) =>
      (['poll', 'websocket'] as const).map((wire) => ({
        lane: `${wire}, ${set}`,
        wire,
        room: 'ticker',
        clients: 2,
        pollMs: everyMs,
        ...carried(set),
      })),
    ),
    schedules: { ticker: periodicSchedule(1000 / everyMs, seconds + 0.3, everyMs / 2) },
    payload,
    warmupMs: 200,
    measureMs: seconds * 1000,
  })
  return sets.map((set, index): Surrounded => {
    const { messageBytes, requestHead, responseHead, segment } = weighed[index] as Measured
    const [poll, websocket] = (['poll', 'websocket'] as const).map((wire) => groupOf(round, `${wire}, ${set}`)) as [Group, Group]
    for (const group of [poll, websocket]) bench.record(`a message and a question every ${everyMs} ms, ${payload} B`, 0, round, group)
    const surrounding = ({ window }: Group): number => bytesBothWays(window) / window.delivered - messageBytes
    const { requestLine, requestHeaders, requests, responseHead: answers, responses } = poll.window
    const overhead = { poll: surrounding(poll), websocket: surrounding(websocket) }
    return {
      set,
      poll,
      websocket,
      overhead,
      heads: (requestLine + requestHeaders) / requests + answers / responses,
      ip: { poll: overhead.poll + exchangeSegments * segment, websocket: overhead.websocket + pushSegments * segment },
      predicted: requestHead + responseHead + 3,
    }
  })
}

/** Heads of short frames, B each: around a heartbeat, which is as short as a message of their ticker, and up, masked. */
export async function measureFrames(bench: Bench) {
  const { groups, published } = await bench.round({
    subject: { options: { heartbeatMs } },
    groups: [{ lane: 'websocket, heartbeats', wire: 'websocket', room: 'quiet', clients: 1 }],
    schedules: { ticker: periodicSchedule(1000 / everyMs, 1) },
    payload,
    warmupMs: 0,
    measureMs: 1_000,
    by: 'websocket',
  })
  const { window } = groups[0] as Group
  const draft = JSON.stringify({ type: 'publish', id: '0'.repeat(8), text: '.'.repeat(payload) }).length
  return {
    heartbeat: window.framing / window.empty,
    up: published.total.framingUp / published.accepted - draft,
    heartbeats: window.empty,
    sent: published.accepted,
  }
}

export const surroundedChecks = (rows: readonly Surrounded[], frames: Awaited<ReturnType<typeof measureFrames>>) => [
  check('a short frame from the server has a head of 2 B', frames.heartbeat, { ...exactly(2), unit: 'B' }),
  check('a short frame from a client has 6 B', frames.up, { ...exactly(6), unit: 'B' }),
  ...rows.flatMap(({ set, heads, overhead, ip, predicted, websocket: { window } }) => [
    check(`a frame above 125 B has a head of 4 B: ${set}`, window.framing / window.batches, {
      ...exactly(frameHead(window.payload / window.batches)),
      unit: 'B',
    }),
    check(`the heads of a poll and its answer weigh what the model says: ${set}`, heads, { ...around(predicted, 0, 8), unit: 'B' }),
    check(`polling has at least 200 B around a message: ${set}`, overhead.poll, { low: 200, unit: 'B' }),
    check(`heads are at least 100 times those of a short frame: ${set}`, heads / theirs.frame, { low: 100 }),
    check(`with TCP and IP polling has 3 to 20 times as much around a message: ${set}`, ip.poll / ip.websocket, { low: 3, high: 20 }),
  ]),
]

/** As they count: 2^20 bits. */
const megabits = (bytes: number, clients: number): number => (bytes * clients * 8) / 2 ** 20

const traffic = (rows: readonly Surrounded[]): Table => ({
  title: 'Traffic of heads at one message a second and client',
  columns: [
    { name: 'clients', how: 'computed' },
    ...rows.map(({ set }) => ({ name: `poll, ${set}`, unit: 'Mbit/s', how: 'computed' as const, digits: 3 })),
    { name: 'frame of 4 B', unit: 'Mbit/s', how: 'computed', digits: 3 },
    { name: 'poll, paper', unit: 'Mbit/s', how: 'published', digits: 3 },
    { name: 'frame of 2 B, paper', unit: 'Mbit/s', how: 'published', digits: 3 },
  ],
  rows: cases.map((clients, index) => [
    clients,
    ...rows.map(({ heads }) => megabits(heads, clients)),
    megabits(4, clients),
    [6.6, 66, 665][index] as number,
    [0.015, 0.153, 1.526][index] as number,
  ]),
  note: 'Their use cases A, B and C, computed from what was counted of one client; no such crowd was run. A Mbit is 2^20 bits, as in their figures.',
})

export const lubbersQuantumBytes: Experiment = {
  name: 'lubbers-quantum-bytes',
  question: 'How much is around a short message, over polling and over WebSocket?',
  source: 'Lubbers and Greco, HTML5 Web Sockets: A Quantum Leap in Scalability for the Web (2010)',
  published: '871 B of heads for each poll against 2 B for a frame: 500:1, depending on the heads even 1000:1',
  parameters: `one message and one poll a second, about 20 characters → one each ${everyMs} ms, ${payload} B, with the heads of ${headerSets.join(', ')}`,

  async run(bench) {
    const seconds = bench.options.quick ? 1 : 4
    const rows = await measureSurrounded(bench, seconds)
    const frames = await measureFrames(bench)
    const scenario = `a message and a question every ${everyMs} ms, ${payload} B, 2 clients a wire, loopback, ${seconds} s`
    const last = rows.at(-1) as Surrounded
    return {
      scenario,
      findings: [
        `With the heads of ${last.set} a poll and its answer had ${last.heads.toFixed(0)} B of heads, ${(last.heads / theirs.frame).toFixed(0)} times the 2 B of a short frame (published ${theirs.heads}, ${Math.round(theirs.heads / theirs.frame)} times; counted, n = ${last.poll.window.requests} polls; ${scenario}).`,
        `With all that surrounds a message, JSON of the batch, TCP and IP included, polling used ${last.ip.poll.toFixed(0)} B and WebSocket ${last.ip.websocket.toFixed(0)}: ${(last.ip.poll / last.ip.websocket).toFixed(1)} times as much (computed from counted bytes, n = ${last.poll.window.delivered} and ${last.websocket.window.delivered} messages; ${scenario}).`,
      ],
      tables: [
        {
          title: 'Bytes around a message',
          columns: [
            { name: 'client' },
            { name: 'heads of a poll', unit: 'B', how: 'counted', digits: 1 },
            { name: 'model', unit: 'B', how: 'computed', digits: 1 },
            { name: 'over a head of 2 B', how: 'counted' },
            { name: 'all of poll', unit: 'B', how: 'counted', digits: 1 },
            { name: 'all of websocket', unit: 'B', how: 'counted', digits: 1 },
            { name: 'poll, with TCP/IP', unit: 'B', how: 'computed', digits: 1 },
            { name: 'websocket, with TCP/IP', unit: 'B', how: 'computed', digits: 1 },
            { name: 'ratio', how: 'computed', digits: 1 },
            { name: 'n', how: 'counted' },
          ],
          rows: [
            ...rows.map(({ set, heads, predicted, overhead, ip, poll }) => [
              set,
              heads,
              predicted,
              heads / theirs.frame,
              overhead.poll,
              overhead.websocket,
              ip.poll,
              ip.websocket,
              ip.poll / ip.websocket,
              poll.window.delivered,
            ]),
            ['paper (Firefox 3.5, 2010)', theirs.heads, null, theirs.heads / theirs.frame, null, null, null, null, null, null],
          ],
          note: `All: what is not the message's own JSON. TCP/IP: ${standard.segment} B a segment, ${exchangeSegments} an exchange and ${pushSegments} a push. Heads of frames: ${frames.heartbeat} B around a heartbeat (n = ${frames.heartbeats}), 4 B around a batch, ${frames.up} B up (n = ${frames.sent}). The paper's 871 B are counted where they are published.`,
        },
        traffic(rows),
      ],
      charts: [
        {
          kind: 'stack',
          title: 'Around a message of 21 characters',
          table: 0,
          unit: 'B',
          parts: ['heads or frame', 'JSON of the batch', 'TCP and IP (computed)'],
          bars: rows.flatMap(({ set, heads, overhead, ip }) => [
            { label: `poll, ${set}`, lane: 'poll', values: [heads, overhead.poll - heads, ip.poll - overhead.poll] },
            { label: `websocket, ${set}`, lane: 'websocket', values: [4, overhead.websocket - 4, ip.websocket - overhead.websocket] },
          ]),
        },
      ],
      checks: surroundedChecks(rows, frames),
      notes: [
        'Their frame carried 20 characters alone. Ours carries the JSON of a batch, more than 125 bytes, so that its head is 4 B; the 2 B are those of its heartbeats.',
        'Theirs is a ratio of heads: the message, TCP and IP are on neither side. The last columns have them.',
      ],
    }
  },
}
