/** The model's constants, measured: what heads, frames and batches weigh for clients that send this much with every question. */
import { type Constants, measured } from '../src/model/constants.ts'
import { transportNames } from '../src/protocol/message.ts'
import type { Bench } from './bench.ts'
import type { Tally } from './connection.ts'
import { periodicSchedule } from './statistics.ts'
import type { Group, RoundGroup } from './round.ts'

export interface Measured extends Constants {
  /** p: bytes of one message's JSON within a batch, for the payload of this run. */
  readonly messageBytes: number
}

/** What of a group's setup changes what its questions weigh. */
export type Carried = Pick<RoundGroup, 'headers' | 'cookie'>

/** So many messages, so fast: a second is enough to weigh what does not vary. */
const rate = 20

/** One second on all four wires, and what each head, event and frame weighed on average. */
export async function measureConstants(bench: Bench, carried: Carried = {}, payload = bench.options.payload): Promise<Measured> {
  bench.say('weighing heads and frames')
  const { groups, published } = await bench.round({
    groups: transportNames.map((wire) => ({ lane: wire, wire, room: 'weigh', clients: 1, pollMs: 100, ...carried })),
    schedules: { weigh: periodicSchedule(rate, 1) },
    payload,
    warmupMs: 0,
    measureMs: 1_000,
  })
  const [poll, held, sse, websocket] = groups as [Group, Group, Group, Group]
  const { batches, delivered, payload: bytes } = websocket.window
  const emptyBatch = 27 + cursorBytes
  const messageBytes = (bytes - batches * emptyBatch - (delivered - batches)) / delivered
  return {
    ...measured,
    requestHead: headOf(poll.window),
    longPollHead: headOf(held.window),
    responseHead: (poll.window.responseHead - lengthDigits(poll.window)) / poll.window.responses,
    emptyBatch,
    // Without the digits of a chunk's size: two in hexadecimal, up to 255 bytes.
    eventFraming: (sse.window.framing - chunkDigits(sse.window)) / sse.window.batches,
    postHead: headOf(published.window),
    postAnswer: bytesOfAnswer(published.window),
    messageBytes,
  }
}

const headOf = ({ requestLine, requestHeaders, requests }: Tally): number => (requestLine + requestHeaders) / requests

/** `epoch.seq.tag` with a seq of two digits. */
const cursorBytes = 22

/** Digits of Content-Length: empty batches have two, others three up to 999 bytes. */
const lengthDigits = ({ empty, batches, payload }: Tally): number =>
  empty * 2 + batches * (batches === 0 ? 0 : String(Math.round(payload / batches)).length)

const chunkDigits = ({ batches, payload }: Tally): number => batches * Math.round(payload / batches + 60).toString(16).length

const bytesOfAnswer = ({ responseHead, emptyPayload, responses }: Tally): number => (responseHead + emptyPayload) / responses
