/** What follows a head: chunks (RFC 9112, 7.1) and the fields of an event stream (WHATWG HTML, 9.2.5), cut anywhere. */
import { Ledger } from './ledger.ts'

const lf = 0x0a
const cr = 0x0d
const colon = 0x3a
const space = 0x20
const data = Buffer.from('data')
/** More digits would not be exact as a number. */
const mostSizeDigits = 13

/** Takes every byte that it is given. */
export type Content = (bytes: Buffer) => void

/** Where something begins and ends: before its first byte, after its last. */
export interface Bounds {
  begun(): void
  ended(): void
}

/** The fields of an event stream: the values of `data:` are payload, all else is what the wire needs around them. */
export class EventReader {
  readonly #ledger: Ledger
  readonly #bounds: Bounds | undefined
  #part: 'name' | 'space' | 'value' = 'name'
  #name = 0
  #isData = true
  #afterCr = false
  #inEvent = false

  /** `bounds` hears of events; where chunks tell what belongs together nobody needs to. */
  constructor(ledger: Ledger, bounds?: Bounds) {
    this.#ledger = ledger
    this.#bounds = bounds
  }

  readonly read: Content = (bytes) => {
    for (let rest = bytes; rest.length > 0;) rest = rest.subarray(this.#take(rest))
  }

  #take(bytes: Buffer): number {
    const first = bytes[0] as number
    const second = this.#afterCr && first === lf
    if (!this.#inEvent && !second) {
      this.#inEvent = true
      this.#bounds?.begun()
    }
    if (first === lf || first === cr) return this.#takeLineEnd(bytes, first, second)
    this.#afterCr = false
    if (this.#part === 'name') return this.#takeName(bytes)
    if (this.#part === 'space') {
      this.#part = 'value'
      if (first === space) return this.#add('field', bytes, 1)
    }
    return this.#add(this.#isData ? 'payload' : 'field', bytes, lineLength(bytes))
  }

  /** `second`: the line feed of a line that its carriage return has ended. */
  #takeLineEnd(bytes: Buffer, end: number, second: boolean): number {
    this.#add('field', bytes, 1)
    const empty = this.#part === 'name' && this.#name === 0
    this.#afterCr = end === cr
    this.#part = 'name'
    this.#name = 0
    this.#isData = true
    if (empty && !second) {
      this.#inEvent = false
      this.#bounds?.ended()
    }
    return 1
  }

  #takeName(bytes: Buffer): number {
    const end = lineLength(bytes)
    let at = 0
    for (; at < end && bytes[at] !== colon; at++) {
      if (bytes[at] !== data[this.#name]) this.#isData = false
      this.#name++
    }
    if (at === end) return this.#add('field', bytes, end)
    if (this.#name !== data.length) this.#isData = false
    this.#part = 'space'
    // A line that begins with its colon is a comment, and not empty.
    this.#name++
    return this.#add('field', bytes, at + 1)
  }

  #add(kind: 'field' | 'payload', bytes: Buffer, length: number): number {
    this.#ledger.add(kind, bytes.subarray(0, length))
    return length
  }
}

/** How many bytes come before the end of the line, or of what there is. */
function lineLength(bytes: Buffer): number {
  const line = bytes.indexOf(lf)
  const end = line === -1 ? bytes.length : line
  const early = bytes.subarray(0, end).indexOf(cr)
  return early === -1 ? end : early
}

/** Chunks: their framing here, what they carry by `content`. */
export class ChunkReader {
  /** True once the last chunk and its trailers have passed. */
  done = false
  /** True once a byte came that no chunk has: nothing can be told of what follows. */
  lost = false
  readonly #ledger: Ledger
  readonly #content: Content
  readonly #bounds: Bounds | undefined
  #part: 'size' | 'extension' | 'data' | 'end' | 'trailer' = 'size'
  #digits = 0
  #left = 0
  #column = 0

  constructor(ledger: Ledger, content: Content, bounds?: Bounds) {
    this.#ledger = ledger
    this.#content = content
    this.#bounds = bounds
  }

  /** One that goes on from here by itself, and only finds the end. */
  fork(): ChunkReader {
    const fork = new ChunkReader(new Ledger(), () => {})
    fork.done = this.done
    fork.lost = this.lost
    fork.#part = this.#part
    fork.#digits = this.#digits
    fork.#left = this.#left
    fork.#column = this.#column
    return fork
  }

  /** Takes one stretch off the front; 0 where it is lost. */
  take(bytes: Buffer): number {
    if (this.#inData) return this.#takeData(bytes)
    if (this.#fresh) this.#bounds?.begun()
    let length = 0
    while (length < bytes.length && !this.lost) {
      if (this.#step(bytes[length] as number)) length++
      else this.lost = true
      if (this.#inData || this.#fresh || this.done) break
    }
    this.#ledger.add('chunk', bytes.subarray(0, length))
    if ((this.#fresh && length > 0) || this.done) this.#bounds?.ended()
    return length
  }

  /** Between two chunks. */
  get #fresh(): boolean {
    return this.#part === 'size' && this.#digits === 0
  }
  get #inData(): boolean {
    return this.#part === 'data'
  }

  #takeData(bytes: Buffer): number {
    const length = Math.min(this.#left, bytes.length)
    this.#content(bytes.subarray(0, length))
    this.#left -= length
    if (this.#left === 0) this.#part = 'end'
    return length
  }

  /** One byte of the framing; false where it is none. */
  #step(byte: number): boolean {
    if (this.#part === 'size') return this.#stepSize(byte)
    if (this.#part === 'extension') {
      if (byte === lf) this.#sized()
      return true
    }
    if (this.#part === 'end') {
      if (byte === lf) this.#next()
      return byte === lf || byte === cr
    }
    if (byte === lf && this.#column === 0) this.done = true
    else if (byte === lf) this.#column = 0
    else if (byte !== cr) this.#column++
    return true
  }

  #stepSize(byte: number): boolean {
    const digit = hexDigit(byte)
    if (digit !== undefined) {
      this.#left = this.#left * 16 + digit
      return ++this.#digits <= mostSizeDigits
    }
    if (this.#digits === 0) return false
    if (byte === lf) this.#sized()
    else this.#part = 'extension'
    return true
  }

  #sized(): void {
    this.#part = this.#left === 0 ? 'trailer' : 'data'
  }

  #next(): void {
    this.#part = 'size'
    this.#digits = 0
  }
}

function hexDigit(byte: number): number | undefined {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30
  const lower = byte | 0x20
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : undefined
}
