/** Frames of a WebSocket, cut anywhere. RFC 6455, 5.2. */
import type { Ledger } from './ledger.ts'

/** The fixed part of a frame's header, and the longest one with its mask. */
const leastHeaderBytes = 2
const mostHeaderBytes = 14
const maskBytes = 4

const opcodes: Readonly<Record<number, string>> = { 0: 'continuation', 1: 'text', 2: 'binary', 8: 'close', 9: 'ping', 10: 'pong' }

export class FrameReader {
  readonly #ledger: Ledger
  readonly #exchange: number
  readonly #header = Buffer.alloc(mostHeaderBytes)
  #got = 0
  #headerBytes = leastHeaderBytes
  #maskBytes = 0
  #payloadLeft = 0

  constructor(ledger: Ledger, exchange: number) {
    this.#ledger = ledger
    this.#exchange = exchange
  }

  /** Takes one stretch off the front, at least a byte. */
  take(bytes: Buffer): number {
    const inHeader = this.#got < this.#headerBytes
    const inMask = !inHeader && this.#got < this.#headerBytes + this.#maskBytes
    return inHeader || inMask ? this.#takeHeader(bytes, inMask) : this.#takePayload(bytes)
  }

  #takeHeader(bytes: Buffer, inMask: boolean): number {
    if (this.#got === 0) {
      const opcode = (bytes[0] as number) & 0x0f
      this.#ledger.begin({ what: 'frame', exchange: this.#exchange, detail: opcodes[opcode] ?? `opcode ${opcode}` })
    }
    const end = this.#headerBytes + (inMask ? this.#maskBytes : 0)
    const length = Math.min(end - this.#got, bytes.length)
    bytes.copy(this.#header, this.#got, 0, length)
    this.#got += length
    this.#ledger.add(inMask ? 'mask' : 'frame-header', bytes.subarray(0, length))
    if (this.#got === leastHeaderBytes) this.#measure()
    if (this.#got === this.#headerBytes + this.#maskBytes) this.#begin()
    return length
  }

  /** The first two bytes tell how long the header is. */
  #measure(): void {
    const second = this.#header[1] as number
    const short = second & 0x7f
    this.#headerBytes = leastHeaderBytes + (short < 126 ? 0 : short === 126 ? 2 : 8)
    this.#maskBytes = second >= 0x80 ? maskBytes : 0
  }

  #begin(): void {
    const short = (this.#header[1] as number) & 0x7f
    this.#payloadLeft = short < 126 ? short : short === 126 ? this.#header.readUInt16BE(2) : Number(this.#header.readBigUInt64BE(2))
    if (this.#payloadLeft === 0) this.#finish()
  }

  #takePayload(bytes: Buffer): number {
    const length = Math.min(this.#payloadLeft, bytes.length)
    const control = (this.#header[0] as number) & 0x08
    this.#ledger.add(control ? 'control' : 'payload', bytes.subarray(0, length))
    this.#payloadLeft -= length
    if (this.#payloadLeft === 0) this.#finish()
    return length
  }

  #finish(): void {
    this.#ledger.end()
    this.#got = 0
    this.#headerBytes = leastHeaderBytes
    this.#maskBytes = 0
  }
}
