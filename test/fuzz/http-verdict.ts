/** Is this, byte for byte, a sequence of HTTP/1.1 answers, and each of them one that may be? Read here, without `http`. */
import { faultOfProblem, type Tally } from './verdict.ts'

/** RFC 9112, 4 and RFC 9110, 5: a status line, then header lines of a token and visible text. */
const statusLine = /^HTTP\/1\.1 ([1-5][0-9]{2}) [\t\x20-\x7e]*$/
const headerLine = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[\t ]*([\t\x20-\x7e\x80-\xff]*)$/

interface Head {
  readonly status: number
  readonly header: ReadonlyMap<string, string>
  /** Where the body begins. */
  readonly end: number
}

export interface HttpVerdict {
  readonly fault?: string
  /** Answers that were whole, interim ones not counted. */
  readonly answers: number
  readonly lastStatus?: number
  /** The last head said that the connection ends. */
  readonly saidClose: boolean
  /** The bytes stop within an answer. */
  readonly cut?: 'stream' | 'answer'
}

/** `mayBeHead`: some answer may have the length of a body that it leaves out. */
export function judgeHttp(bytes: Buffer, tally: Tally, mayBeHead: boolean): HttpVerdict {
  const inBand = faultWithin(bytes, tally)
  if (inBand !== undefined) return { fault: inBand, answers: 0, saidClose: false }
  let at = 0
  let answers = 0
  let saidClose = false
  let lastStatus: number | undefined
  const verdict = (more: Partial<HttpVerdict>): HttpVerdict => ({
    answers,
    saidClose,
    ...(lastStatus !== undefined && { lastStatus }),
    ...more,
  })
  while (at < bytes.length) {
    const head = parseHead(bytes, at)
    if (typeof head === 'string') return verdict({ fault: head })
    if (head === undefined) return verdict({ cut: 'answer' })
    lastStatus = head.status
    tally.status(head.status)
    saidClose = /(?:^|[, ])close(?:$|[, ])/i.test(head.header.get('connection') ?? '')
    if (head.status === 101) return verdict({})
    if (head.status === 100) {
      at = head.end
      continue
    }
    const stream = head.header.get('content-type') === 'text/event-stream'
    const body = bodyOf(bytes, head, mayBeHead)
    if (typeof body === 'string') return verdict({ fault: body })
    const fault = head.status >= 400 && (body?.text ?? '') !== '' ? faultOfAnswer(head, body?.text ?? '', tally) : undefined
    if (fault !== undefined) return verdict({ fault })
    // To who is told no lengths a stream is all that comes until its connection ends.
    const open = stream && !head.header.has('transfer-encoding') && !head.header.has('content-length')
    if (body === undefined || open) return verdict({ cut: stream ? 'stream' : 'answer' })
    if (head.status === 500) return verdict({ fault: 'a 500' })
    answers++
    at = body.end
  }
  return verdict({})
}

/** A string is a fault, undefined an end that has not come. */
function parseHead(bytes: Buffer, at: number): Head | string | undefined {
  const end = bytes.indexOf('\r\n\r\n', at)
  if (end === -1)
    return bytes.subarray(at, at + 9).equals(Buffer.from('HTTP/1.1 ').subarray(0, bytes.length - at))
      ? undefined
      : `no answer: ${shown(bytes, at)}`
  const [first = '', ...lines] = bytes.toString('latin1', at, end).split('\r\n')
  const status = statusLine.exec(first)?.[1]
  if (status === undefined) return `no status line: ${shown(bytes, at)}`
  const header = new Map<string, string>()
  for (const each of lines) {
    const [, name, value] = headerLine.exec(each) ?? []
    if (name === undefined || value === undefined) return `no header line: ${JSON.stringify(each)}`
    if (name.toLowerCase() === 'x-injected') return 'a header that somebody injected'
    if (header.has(name.toLowerCase()) && name.toLowerCase() !== 'set-cookie') return `a header twice: ${name}`
    header.set(name.toLowerCase(), value)
  }
  return { status: Number(status), header, end: end + 4 }
}

interface Body {
  readonly text: string
  readonly end: number
}

function bodyOf(bytes: Buffer, { status, header, end }: Head, mayBeHead: boolean): Body | string | undefined {
  const none: Body = { text: '', end }
  if (status === 204 || status === 304) return none
  const left = bytes.length - end
  if (mayBeHead && (left === 0 || bytes.subarray(end, end + 9).toString('latin1') === 'HTTP/1.1 ')) return none
  if (header.get('transfer-encoding') === 'chunked') return chunks(bytes, end)
  const length = header.get('content-length')
  if (length === undefined) return { text: bytes.toString('utf8', end), end: bytes.length }
  if (!/^[0-9]{1,15}$/.test(length)) return `no length: ${length}`
  return left < Number(length) ? undefined : { text: bytes.toString('utf8', end, end + Number(length)), end: end + Number(length) }
}

function chunks(bytes: Buffer, from: number): Body | string | undefined {
  const parts: Buffer[] = []
  for (let at = from; ;) {
    const line = bytes.indexOf('\r\n', at)
    if (line === -1) return undefined
    const size = bytes.toString('latin1', at, line)
    if (!/^[0-9a-f]{1,8}$/i.test(size)) return `no size of a chunk: ${shown(bytes, at)}`
    const [begin, length] = [line + 2, Number.parseInt(size, 16)]
    if (bytes.length < begin + length + 2) return undefined
    if (bytes.toString('latin1', begin + length, begin + length + 2) !== '\r\n') return `no end of a chunk: ${shown(bytes, begin + length)}`
    if (length === 0) return { text: Buffer.concat(parts).toString(), end: begin + 2 }
    parts.push(bytes.subarray(begin, begin + length))
    at = begin + length + 2
  }
}

function faultOfAnswer({ status, header }: Head, text: string, tally: Tally): string | undefined {
  if (!(header.get('content-type') ?? '').startsWith('application/problem+json'))
    return `a ${status} that is no problem: ${text.slice(0, 200)}`
  return faultOfProblem(text, tally, status)
}

/** A temporary refusal within a stream (contract §11). */
function faultWithin(bytes: Buffer, tally: Tally): string | undefined {
  if (!bytes.includes('event: problem\n')) return undefined
  for (const [, json = ''] of bytes.toString().matchAll(/event: problem\ndata: (.*)\n/g)) {
    const fault = faultOfProblem(json, tally)
    if (fault !== undefined) return fault
  }
  return undefined
}

const shown = (bytes: Buffer, at: number): string => JSON.stringify(bytes.toString('latin1', at, at + 120))
