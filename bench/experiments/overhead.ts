/** What surrounds a message on its way: every byte of both directions, by what it is. */
import { frameHead } from '../../src/model/constants.ts'
import { type TransportName, transportNames } from '../../src/protocol/message.ts'
import type { Bench } from '../bench.ts'
import { bytesBothWays, bytesDown, bytesUp } from '../connection.ts'
import type { Carried } from '../constants.ts'
import type { Experiment } from '../experiment.ts'
import { around, check, exactly } from '../relations.ts'
import type { Chart, Table } from '../report/report.ts'
import { periodicSchedule } from '../statistics.ts'
import type { Group } from '../round.ts'

/** What a client sends with every question. */
const carried: Readonly<Record<string, Carried>> = {
  'no cookie': {},
  cookie: { cookie: true },
  'Chromium, cookie': { cookie: true, headers: 'chromium' },
}

/** Each message comes alone: one in every interval of the poller. */
const everyMs = 50
const seconds = 1

/** The parts of a delivery, in the order in which they are drawn. */
const parts = ['request', 'headers', 'answer', 'framing', 'payload'] as const

export const overhead: Experiment = {
  name: 'overhead',
  question: 'How many bytes does one delivered message cost, and what are they?',
  parameters:
    'one message in every interval of the poller, so that each comes alone; without a cookie, with one, and with all that Chromium sends',
  obeys: ['payload', 'via'],
  async run(bench) {
    const groups = await measureLanes(bench)
    const sending = await measureSending(bench)
    const scenario = `1 client a lane, one message every ${everyMs} ms, poll ${everyMs} ms, ${bench.options.payload} B, ${bench.options.via === undefined ? 'loopback' : `via ${bench.options.via}`}, ${seconds} s`
    const cursorAndFields = cursorBytes + 19
    const last = Object.keys(carried).at(-1) as string
    const of = (wire: TransportName): Group => groups.find(({ lane }) => lane === laneOf(wire, last)) as Group
    const [most, least] = [of('long-poll'), of('websocket')]
    return {
      scenario,
      findings: [
        `With what Chromium sends, a message that comes alone moved ${perMessage(most).toFixed(0)} B over long polling and ${perMessage(least).toFixed(0)} B over WebSocket, ${(least.window.payload / least.window.delivered).toFixed(0)} B of each the payload (counted, n = ${least.window.delivered}; ${scenario}).`,
        `Sending one moved ${sum(sending.post).toFixed(0)} B by POST and ${sum(sending.websocket).toFixed(0)} B up a WebSocket, answers included (counted, n = ${sending.count}; session cookie, no other header, ${bench.options.payload} B).`,
      ],
      tables: [deliveries(groups), sendings(sending)],
      charts: [drawing(groups)],
      checks: checksOf(of('sse'), least, cursorAndFields),
      notes: ['Connecting is not counted here: heads of a stream and handshakes are paid once.'],
    }
  },
}

/** `epoch.seq.tag` with a seq of one or two digits. */
const cursorBytes = 22
const sum = ([up, down]: readonly [number, number]): number => up + down

const laneOf = (wire: TransportName, set: string): string => `${wire}, ${set}`
const perMessage = ({ window }: Group): number => bytesBothWays(window) / window.delivered

/** All lanes in one round: what is counted is not disturbed by company. */
export async function measureLanes(bench: Bench, measuredSeconds = seconds): Promise<readonly Group[]> {
  const round = await bench.round({
    groups: transportNames.flatMap((wire) =>
      Object.entries(carried).map(([set, carries]) => ({
        lane: laneOf(wire, set),
        wire,
        room: 'bench',
        clients: 1,
        pollMs: everyMs,
        ...carries,
      })),
    ),
    schedules: { bench: periodicSchedule(1000 / everyMs, measuredSeconds + 0.4) },
    payload: bench.options.payload,
    warmupMs: 200,
    measureMs: measuredSeconds * 1000,
  })
  for (const group of round.groups) bench.record(`one message every ${everyMs} ms, each alone`, 0, round, group)
  return round.groups
}

interface Sending {
  /** Bytes both ways per message. */
  readonly post: readonly [up: number, down: number]
  readonly websocket: readonly [up: number, down: number]
  readonly count: number
}

/** Publishing, by POST and up a socket. */
export async function measureSending(bench: Bench): Promise<Sending> {
  const run = async (by: 'post' | 'websocket') => {
    const { published } = await bench.round({
      groups: [],
      schedules: { bench: periodicSchedule(40, 0.5) },
      payload: bench.options.payload,
      warmupMs: 0,
      measureMs: 500,
      by,
    })
    return published
  }
  const post = await run('post')
  const { window: socket, accepted } = await run('websocket')
  const ack = socket.emptyPayload / socket.empty
  return {
    post: [bytesUp(post.window) / post.accepted, bytesDown(post.window) / post.accepted],
    websocket: [socket.framingUp / accepted, frameHead(ack) + ack],
    count: accepted,
  }
}

/** Bytes per delivered message, part by part. */
const partsOf = ({ window }: Group): number[] =>
  [
    window.requestLine,
    window.requestHeaders,
    window.responseHead,
    window.framing + window.framingUp + window.emptyPayload,
    window.payload,
  ].map((bytes) => bytes / window.delivered)

function deliveries(groups: readonly Group[]): Table {
  return {
    title: 'Bytes per delivered message that comes alone',
    columns: [
      { name: 'wire' },
      ...parts.map((name) => ({ name, unit: 'B', how: 'counted' as const })),
      { name: 'up', unit: 'B', how: 'counted' },
      { name: 'down', unit: 'B', how: 'counted' },
      { name: 'both', unit: 'B', how: 'counted' },
      { name: 'overhead', unit: '%', how: 'counted' },
    ],
    rows: groups.map((group) => {
      const { window, lane } = group
      const both = perMessage(group)
      const share = (1 - window.payload / window.delivered / both) * 100
      return [lane, ...partsOf(group), bytesUp(window) / window.delivered, bytesDown(window) / window.delivered, both, share]
    }),
    note: `Request: its first line. Headers: its header lines. Answer: its head. The payload is the JSON of the batch, the same on all four wires. Framing: sizes of chunks, fields of events, heads of frames, and batches without a message. n = ${Math.min(...groups.map(({ window }) => window.delivered))} messages a lane.`,
  }
}

function sendings({ post, websocket, count }: Sending): Table {
  const row = (name: string, [up, down]: readonly [number, number]) => [name, up, down, up + down, count]
  return {
    title: 'Bytes per sent message',
    columns: [
      { name: 'way' },
      { name: 'up', unit: 'B', how: 'counted' },
      { name: 'down', unit: 'B', how: 'counted' },
      { name: 'both', unit: 'B', how: 'counted' },
      { name: 'n', how: 'counted' },
    ],
    rows: [row('POST (poll, long-poll, sse)', post), row('frame (websocket)', websocket)],
    note: 'Session cookie, no other header; the answer or acknowledgement is what comes down.',
  }
}

const drawing = (groups: readonly Group[]): Chart => ({
  kind: 'stack',
  title: 'Bytes per delivered message that comes alone',
  table: 0,
  unit: 'B',
  parts,
  bars: groups.map((group) => ({ label: group.lane, lane: group.lane, values: partsOf(group) })),
})

/** What RFC 6455 and WHATWG HTML promise to the byte. */
function checksOf(sse: Group, websocket: Group, cursorAndFields: number) {
  const payload = websocket.window.payload / websocket.window.batches
  return [
    check('a WebSocket frame from the server has a head of 2, 4 or 10 bytes', websocket.window.framing / websocket.window.batches, {
      ...exactly(frameHead(payload)),
      unit: 'B',
    }),
    check('an event has its cursor, two field names, two line ends and a chunk around it', sse.window.framing / sse.window.batches, {
      ...around(cursorAndFields, 0, 2),
      unit: 'B',
    }),
  ]
}
