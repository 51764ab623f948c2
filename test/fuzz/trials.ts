/** One input against a running server: what is sent, what must come of it, and what is wrong with what came. */
import { handshake } from '../support/raw-websocket.ts'
import { Exchange, type Fence } from './exchange.ts'
import { httpInput, type Known } from './http-inputs.ts'
import { judgeHttp } from './http-verdict.ts'
import { segmented } from './mutation.ts'
import { Random } from './random.ts'
import type { Tally } from './verdict.ts'
import { expectedOf, type Expected } from './websocket-model.ts'
import { Reader } from './websocket-verdict.ts'
import { webSocketInput } from './websocket-inputs.ts'

export interface Trial {
  readonly kind: string
  /** All that was sent. */
  readonly sent: Buffer
  readonly fault?: string
}

export interface Subject {
  readonly port: number
  readonly known: Known
  readonly tally: Tally
  readonly fence: Fence
}

export type Run = (seed: number, number: number, subject: Subject) => Promise<Trial>

/** Sends a raw request, then a right one that ends the connection; and reads all answers. */
export const runHttp: Run = async (seed, number, { port, known, tally, fence }) => {
  const random = new Random(seed, 'http', number)
  const { kind, bytes, refused } = httpInput(random, known)
  const last = Buffer.from(`GET /healthz HTTP/1.1\r\nhost: ${known.host}\r\nconnection: close\r\n\r\n`)
  const sent = refused || random.chance(0.3) ? bytes : Buffer.concat([bytes, last])
  const exchange = await Exchange.open(port)
  try {
    await exchange.send(segmented(sent, random))
    const finished = refused ? await exchange.ended() : await exchange.quiet(fence)
    const answers: Buffer[] = [exchange.taken()]
    const judged = (): ReturnType<typeof judgeHttp> =>
      judgeHttp(Buffer.concat(answers), tally.silent, /HEAD/i.test(sent.toString('latin1')))
    if (!finished) {
      // Who has said that the connection ends has to end it.
      const stays = judged().saidClose && judged().cut === undefined && judged().lastStatus !== 101
      if (stays && !(await exchange.ended())) return { kind, sent, fault: 'an answer said close, and the connection stayed open' }
      exchange.halfClose()
      await exchange.quiet(fence)
      answers.push(exchange.taken())
    }
    const { fault, cut, lastStatus } = judgeHttp(Buffer.concat(answers), tally, /HEAD/i.test(sent.toString('latin1')))
    if (fault !== undefined) return { kind, sent, fault }
    if (finished && cut === 'answer') return { kind, sent, fault: 'the connection ended within an answer' }
    if (refused && (!finished || judged().answers !== 1 || lastStatus !== 400))
      return {
        kind,
        sent,
        fault: `a request of two readings: ${judged().answers} answers, the last ${lastStatus}, ${finished ? '' : 'not '}ended`,
      }
    return { kind, sent }
  } finally {
    exchange.destroy()
  }
}

const sentinel = 'the end of this input'

/** Shakes hands, sends the frames, and holds what comes against what RFC 6455 says must come. */
export const runWebSocket: Run = async (seed, number, { port, known, tally, fence }) => {
  const random = new Random(seed, 'websocket', number)
  const { kind, path, cookie, bytes, early } = webSocketInput(random, known)
  const hands = Buffer.from(handshake(port, path, cookie ? { cookie: known.cookie } : {}))
  const expected = expectedOf(bytes)
  // Within a frame a ping would be a part of it.
  const ping =
    expected.end === 'open' ? [Buffer.concat([Buffer.from([0x89, 0x80 | sentinel.length, 0, 0, 0, 0]), Buffer.from(sentinel)])] : []
  const pieces = [...segmented(bytes, random), ...ping]
  const sent = Buffer.concat([hands, ...pieces])
  const exchange = await Exchange.open(port)
  try {
    const reader = new Reader(tally)
    await exchange.send(early ? [Buffer.concat([hands, pieces[0] ?? Buffer.alloc(0)])] : [hands])
    const head = await upgraded(exchange, tally)
    if (typeof head === 'string') return { kind, sent, fault: head }
    reader.push(head)
    await exchange.send(early ? pieces.slice(1) : pieces)
    const fault = await watch(exchange, reader, expected, path.includes('?'), fence)
    return { kind, sent, ...(fault !== undefined && { fault }) }
  } finally {
    exchange.destroy()
  }
}

/** What came behind the head of the 101; a string is what is wrong with it. */
async function upgraded(exchange: Exchange, tally: Tally): Promise<Buffer | string> {
  let all = Buffer.alloc(0)
  const whole = (): boolean => {
    all = Buffer.concat([all, exchange.taken()])
    return all.includes('\r\n\r\n')
  }
  await exchange.until(whole)
  whole()
  const { fault, lastStatus } = judgeHttp(all, tally, false)
  if (fault !== undefined || lastStatus !== 101) return fault ?? `no upgrade: ${all.toString('latin1', 0, 200)}`
  return all.subarray(all.indexOf('\r\n\r\n') + 4)
}

/** Any of these the server may say at any time, to anybody. */
const anyTime = new Set([1012, 1013])

async function watch(
  exchange: Exchange,
  reader: Reader,
  { end, codes, messages }: Expected,
  asked: boolean,
  fence: Fence,
): Promise<string | undefined> {
  const read = (): Reader => {
    reader.push(exchange.taken())
    return reader
  }
  const settled = (): boolean => read().fault !== undefined || reader.closed !== undefined || (end === 'open' && reader.pong === sentinel)
  const inTime = end === 'waiting' ? await exchange.quiet(fence) : await exchange.until(settled)
  settled()
  if (reader.fault !== undefined) return reader.fault
  if (!inTime && end !== 'waiting') return end === 'open' ? 'no pong' : `no close with ${[...codes].join(' or ')}`
  if (reader.closed === undefined && exchange.over) return 'the connection ended without a close'
  // Refused by the application: three bad messages, or a bad question at the handshake.
  const may = (code: number): boolean =>
    codes.has(code) ||
    anyTime.has(code) ||
    (code === 4500 && (asked || (messages >= 3 && reader.badRequests >= 3))) ||
    (code === 4504 && asked)
  if (reader.closed !== undefined && !may(reader.closed))
    return `closed with ${reader.closed}, where ${end} ${[...codes].join(' or ')} was due`
  if (reader.closed !== undefined && !codes.has(reader.closed) && reader.reason === undefined)
    return `closed with ${reader.closed} for no reason`
  if (reader.closed === undefined && end === 'open') return leave(exchange, read)
  exchange.halfClose()
  if (!(await exchange.ended())) return 'the connection stayed open behind its end'
  return read().fault
}

/** A polite close is answered with the same code, and ends the connection. */
async function leave(exchange: Exchange, read: () => Reader): Promise<string | undefined> {
  await exchange.send([Buffer.from([0x88, 0x82, 0, 0, 0, 0, 0x03, 0xe8])])
  if (!(await exchange.ended())) return 'a close, and the connection stayed open'
  const { closed, fault } = read()
  return fault ?? (closed === 1000 || closed === 4500 ? undefined : `a close with 1000 was answered with ${closed}`)
}
