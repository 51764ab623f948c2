/** Is this, byte for byte, what a WebSocket server may send? Frames are read as they come. */
import { isUtf8 } from 'node:buffer'
import { problems, type ProblemCode } from '../../src/protocol/problem.ts'
import { faultOfProblem, type Tally } from './verdict.ts'

/** What the server itself may close with: those of the protocol, and those of the table. */
const ours = new Set([
  1000,
  1001,
  1002,
  1003,
  1007,
  1008,
  1009,
  ...Object.values(problems).map((row) => ('close' in row ? row.close : 1002)),
])

/** Reads frames of a server, and says what is wrong with the first that may not be. */
export class Reader {
  readonly #tally: Tally
  #rest: Buffer = Buffer.alloc(0)
  fault: string | undefined
  /** The code of its close frame, 1005 where there was none in it. */
  closed: number | undefined
  /** The code of the table that it gave as its reason. */
  reason: string | undefined
  /** The last pong, and problems of status 400. */
  pong: string | undefined
  badRequests = 0

  constructor(tally: Tally) {
    this.#tally = tally
  }

  push(data: Buffer): void {
    this.#rest = this.#rest.length === 0 ? data : Buffer.concat([this.#rest, data])
    for (let frame = this.#next(); frame !== undefined && this.fault === undefined; frame = this.#next()) {
      this.fault = this.closed === undefined ? this.#look(frame) : 'a frame behind the close'
    }
  }

  get unread(): number {
    return this.#rest.length
  }

  #next(): { readonly first: number; readonly second: number; readonly payload: Buffer } | undefined {
    const [first = 0, second = 0] = this.#rest
    const short = second & 0x7f
    const extra = short < 126 ? 0 : short === 126 ? 2 : 8
    if (this.#rest.length < 2 + extra) return undefined
    const length = extra === 0 ? short : extra === 2 ? this.#rest.readUInt16BE(2) : Number(this.#rest.readBigUInt64BE(2))
    if (this.#rest.length < 2 + extra + length) return undefined
    const payload = this.#rest.subarray(2 + extra, 2 + extra + length)
    this.#rest = this.#rest.subarray(2 + extra + length)
    return { first, second, payload }
  }

  #look({ first, second, payload }: { readonly first: number; readonly second: number; readonly payload: Buffer }): string | undefined {
    const opcode = first & 15
    if (first < 0x80 || (first & 0x70) !== 0 || second >= 0x80)
      return `a frame that begins with ${first.toString(16)} ${second.toString(16)}`
    if (opcode > 8 && opcode < 11 && payload.length <= 125) {
      if (opcode === 10) this.pong = payload.toString('latin1')
      return undefined
    }
    if (opcode === 8 && payload.length <= 125) return this.#close(payload)
    if (opcode !== 1) return `a frame of opcode ${opcode} and ${payload.length} bytes`
    return isUtf8(payload) ? this.#text(payload.toString()) : 'a text that is no UTF-8'
  }

  #close(payload: Buffer): string | undefined {
    this.closed = payload.length === 0 ? 1005 : payload.readUInt16BE()
    this.#tally.status(this.closed)
    const reason = payload.toString('utf8', 2)
    if (!isUtf8(payload.subarray(2))) return 'a reason that is no UTF-8'
    // A reason of another shape is the client's own, sent back.
    const code = /^\{"code":"([^"]*)"/.exec(reason)?.[1]
    if (code === undefined) return undefined
    this.reason = code
    this.#tally.code(code)
    if (!Object.hasOwn(problems, code)) return `a reason that is not in the table: ${reason}`
    if (code === 'internal' || !ours.has(this.closed)) return `a close with ${this.closed} ${reason}`
    return undefined
  }

  #text(text: string): string | undefined {
    const value = JSON.parse(text) as Record<string, unknown>
    if (value['type'] === undefined) return Array.isArray(value['messages']) ? undefined : `no batch: ${text.slice(0, 200)}`
    if (value['type'] === 'ack') return undefined
    if (value['type'] !== 'problem') return `a frame of type ${String(value['type'])}`
    if (problems[value['code'] as ProblemCode]?.status === 400) this.badRequests++
    return faultOfProblem(text, this.#tally)
  }
}
