/** A bare TCP connection of a subscriber or publisher: it counts every byte, and takes answers, events and frames apart. */
import { connect, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'

/** What went over the connections of a group, in bytes and pieces. The parts of each direction sum up to its bytes, exactly. */
export interface Tally {
  connects: number
  requests: number
  /** `GET /… HTTP/1.1` with its line end, and the header lines with the blank one. */
  requestLine: number
  requestHeaders: number
  requestBody: number
  responseHead: number
  responses: number
  /** Chunk sizes, SSE fields, frame headers, pings: what surrounds a payload on its wire. Down, and up. */
  framing: number
  framingUp: number
  /** Payloads that brought messages, and those that did not. */
  payload: number
  batches: number
  emptyPayload: number
  empty: number
  /** Messages, each counted once for each subscriber, however often it came; and those that came again. */
  delivered: number
  repeated: number
}

export const newTally = (): Tally => ({
  connects: 0,
  requests: 0,
  requestLine: 0,
  requestHeaders: 0,
  requestBody: 0,
  responseHead: 0,
  responses: 0,
  framing: 0,
  framingUp: 0,
  payload: 0,
  batches: 0,
  emptyPayload: 0,
  empty: 0,
  delivered: 0,
  repeated: 0,
})

export const bytesUp = (tally: Tally): number => tally.requestLine + tally.requestHeaders + tally.requestBody + tally.framingUp
export const bytesDown = (tally: Tally): number => tally.responseHead + tally.framing + tally.payload + tally.emptyPayload
/** Both ways. */
export const bytesBothWays = (tally: Tally): number => bytesUp(tally) + bytesDown(tally)

/** `later - earlier`, field by field. */
export function since(earlier: Tally, later: Tally): Tally {
  const difference = { ...later }
  for (const key of Object.keys(later) as (keyof Tally)[]) difference[key] -= earlier[key]
  return difference
}

/** `a + b`, field by field. */
export function plus(a: Tally, b: Tally): Tally {
  const sum = { ...a }
  for (const key of Object.keys(a) as (keyof Tally)[]) sum[key] += b[key]
  return sum
}

export interface Head {
  readonly status: number
  readonly text: string
}

/** Who owns a connection. */
export interface Owner {
  readonly tally: Tally
  /** A whole body, the data of an event, or the payload of a text frame; `head` is the answer's. Returns whether it brought messages. */
  hear(payload: Buffer, head: Head, connection: Connection): boolean
  /** The head of an answer that goes on has come: of a stream, or of a WebSocket. */
  opened?(head: Head, connection: Connection): void
  /** The answer is whole: the connection is free for another question. */
  answered?(connection: Connection): void
  /** The peer is gone, or the connection was refused. */
  lost(connection: Connection, error?: Error): void
}

/** Reads a header's value, in lower case. */
export const headerOf = ({ text }: Head, name: string): string | undefined => new RegExp(`^${name}: *(.*?) *\\r$`, 'im').exec(text)?.[1]

const headEnd = Buffer.from('\r\n\r\n')
const lineEnd = Buffer.from('\r\n')
const eventEnd = Buffer.from('\n\n')
const none: Buffer = Buffer.alloc(0)

type Mode = 'head' | 'body' | 'chunks' | 'stream' | 'lines' | 'frames'

export class Connection {
  readonly socket: Socket
  readonly #owner: Owner
  #mode: Mode = 'head'
  #left: Buffer = none
  #head: Head = { status: 0, text: '' }
  #bodyLength = 0
  #event: Buffer = none

  constructor(to: URL, owner: Owner) {
    this.#owner = owner
    owner.tally.connects++
    const port = Number(to.port || (to.protocol === 'https:' ? 443 : 80))
    const options = { host: to.hostname.replace(/^\[|\]$/g, ''), port, noDelay: true }
    this.socket = to.protocol === 'https:' ? connectTls({ ...options, servername: to.hostname }) : connect(options)
    this.socket.on('data', (bytes) => this.#read(bytes))
    let failure: Error | undefined
    this.socket.on('error', (error) => (failure = error))
    this.socket.on('close', () => owner.lost(this, failure))
  }

  /** Writes a request: `head` without its blank line, lines ended by CR LF. */
  ask(head: string, body = ''): void {
    const { tally } = this.#owner
    const line = head.indexOf('\r\n') + 2
    tally.requests++
    tally.requestLine += line
    tally.requestHeaders += Buffer.byteLength(head) + 2 - line
    tally.requestBody += Buffer.byteLength(body)
    this.socket.write(`${head}\r\n${body}`)
  }

  /** Writes a masked frame (RFC 6455, 5.2), less than 64 KiB long. With a mask of zeros its payload is itself. */
  frame(opcode: number, payload: Buffer): void {
    const { length } = payload
    const size = length < 126 ? [0x80 | length] : [0x80 | 126, length >> 8, length & 0xff]
    const frame = Buffer.concat([Buffer.from([0x80 | opcode, ...size, 0, 0, 0, 0]), payload])
    this.#owner.tally.framingUp += frame.length
    this.socket.write(frame)
  }

  destroy(): void {
    this.socket.destroy()
  }

  #read(bytes: Buffer): void {
    let rest = this.#left.length === 0 ? bytes : Buffer.concat([this.#left, bytes])
    for (let used = this.#step(rest); used > 0; used = rest.length === 0 ? 0 : this.#step(rest)) rest = rest.subarray(used)
    this.#left = rest
  }

  /** Takes one piece off the front; 0 where it is not whole yet. */
  #step(bytes: Buffer): number {
    if (this.#mode === 'head') return this.#readHead(bytes)
    if (this.#mode === 'body') return this.#readBody(bytes)
    if (this.#mode === 'chunks') return this.#readChunk(bytes)
    if (this.#mode === 'frames') return this.#readFrame(bytes)
    if (this.#mode === 'lines') return this.#readLine(bytes)
    this.#readEvents(bytes)
    return bytes.length
  }

  #readHead(bytes: Buffer): number {
    const end = bytes.indexOf(headEnd)
    if (end === -1) return 0
    const length = end + headEnd.length
    const text = bytes.toString('latin1', 0, length)
    this.#head = { status: Number(text.slice(9, 12)), text }
    const { tally } = this.#owner
    tally.responseHead += length
    tally.responses++
    const contentLength = /\r\ncontent-length: *(\d+)/i.exec(text)?.[1]
    if (this.#head.status === 101) this.#mode = 'frames'
    else if (/\r\ntransfer-encoding: *chunked/i.test(text)) this.#mode = 'chunks'
    else if (contentLength !== undefined || this.#head.status === 204 || this.#head.status === 304) {
      this.#bodyLength = Number(contentLength ?? 0)
      this.#mode = 'body'
      if (this.#bodyLength === 0) this.#finish(none)
      return length
    } else this.#mode = /\r\ncontent-type: application\/x-ndjson/i.test(text) ? 'lines' : 'stream'
    this.#owner.opened?.(this.#head, this)
    return length
  }

  #readBody(bytes: Buffer): number {
    if (bytes.length < this.#bodyLength) return 0
    this.#finish(bytes.subarray(0, this.#bodyLength))
    return this.#bodyLength
  }

  #finish(body: Buffer): void {
    this.#mode = 'head'
    this.#hear(body)
    this.#owner.answered?.(this)
  }

  /** RFC 9112, 7.1. */
  #readChunk(bytes: Buffer): number {
    const start = bytes.indexOf(lineEnd) + lineEnd.length
    if (start < lineEnd.length) return 0
    const size = Number.parseInt(bytes.toString('latin1', 0, start), 16)
    const length = start + size + lineEnd.length
    if (bytes.length < length) return 0
    this.#owner.tally.framing += length - size
    if (size === 0) {
      this.#mode = 'head'
      this.#owner.answered?.(this)
    } else this.#readEvents(bytes.subarray(start, start + size))
    return length
  }

  /** WHATWG HTML, 9.2.5, as far as servers here write it: a field a line, LF at its end, data on one line. */
  #readEvents(bytes: Buffer): void {
    let rest = this.#event.length === 0 ? bytes : Buffer.concat([this.#event, bytes])
    for (let end = rest.indexOf(eventEnd); end !== -1; end = rest.indexOf(eventEnd)) {
      const event = rest.subarray(0, end + eventEnd.length)
      rest = rest.subarray(event.length)
      const from = event.indexOf('data: ')
      const data = from === -1 ? none : event.subarray(from + 6, event.indexOf('\n', from))
      this.#owner.tally.framing += event.length - data.length
      if (from !== -1) this.#hear(data)
    }
    this.#event = rest
  }

  /** A payload and its line feed, with nothing around them. */
  #readLine(bytes: Buffer): number {
    const end = bytes.indexOf('\n')
    if (end === -1) return 0
    this.#owner.tally.framing += 1
    this.#hear(bytes.subarray(0, end))
    return end + 1
  }

  #readFrame(bytes: Buffer): number {
    if (bytes.length < 2) return 0
    const short = (bytes[1] as number) & 0x7f
    const header = short < 126 ? 2 : short === 126 ? 4 : 10
    if (bytes.length < header) return 0
    const size = short < 126 ? short : short === 126 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2))
    if (bytes.length < header + size) return 0
    const payload = bytes.subarray(header, header + size)
    const opcode = (bytes[0] as number) & 0x0f
    this.#owner.tally.framing += header
    if (opcode === 1) this.#hear(payload)
    else {
      this.#owner.tally.framing += size
      if (opcode === 9) this.frame(10, payload)
    }
    return header + size
  }

  #hear(payload: Buffer): void {
    const { tally } = this.#owner
    if (this.#owner.hear(payload, this.#head, this)) {
      tally.batches++
      tally.payload += payload.length
    } else {
      if (payload.length > 0 || this.#mode === 'head') tally.empty++
      tally.emptyPayload += payload.length
    }
  }
}
