/** The messages of HTTP/1.1 in one direction, cut anywhere (RFC 9112): heads are read whole, what follows as it comes. */
import { ChunkReader, type Content } from './bodies.ts'
import { FrameReader } from './frames.ts'
import { type BlockHead, Ledger } from './ledger.ts'

/** A longer head is none: far more than the server takes. */
const mostHeadBytes = 65_536
/** So much may follow a handshake before it is answered: more than a server that does not read lets come. */
const mostEarlyBytes = 262_144

const headEnd = Buffer.from('\r\n\r\n')
const none: Buffer = Buffer.alloc(0)

/** A head as text, without its blank line. */
export interface Head {
  readonly line: string
  readonly text: string
}

/** Reads a header's value as it came; of several the first. */
export function headerOf({ text }: Head, name: string): string | undefined {
  return new RegExp(`\\r\\n${name}:[ \\t]*(.*?)[ \\t]*(?:\\r\\n|$)`, 'i').exec(text)?.[1]
}

/** How a message goes on behind its head. */
export type Rest =
  | { readonly as: 'nothing' }
  | { readonly as: 'sized'; readonly bytes: number }
  | { readonly as: 'chunks'; readonly content?: Content; readonly each?: BlockHead }
  | { readonly as: 'rest'; readonly content?: Content }
  | { readonly as: 'frames' }
  /** Another protocol, or the next message: the answer will tell. */
  | { readonly as: 'undecided' }

/** What a head means. */
export interface Meaning {
  readonly block: BlockHead
  readonly rest: Rest
}

type LineKind = 'request-line' | 'status-line'
type Mode = 'head' | 'sized' | 'chunks' | 'rest' | 'frames' | 'undecided' | 'lost'

export class MessageReader {
  readonly #ledger: Ledger
  readonly #lineKind: LineKind
  /** Undefined where it is no head. */
  readonly #understand: (head: Head) => Meaning | undefined
  #mode: Mode = 'head'
  #held = none
  #heldBytes = 0
  #left = 0
  #content: Content
  #chunks: ChunkReader | undefined
  #frames: FrameReader | undefined

  constructor(ledger: Ledger, lineKind: LineKind, understand: (head: Head) => Meaning | undefined) {
    this.#ledger = ledger
    this.#lineKind = lineKind
    this.#understand = understand
    this.#content = this.#body
  }

  /** Bytes held back until it is known what they are. */
  get held(): number {
    return this.#heldBytes
  }

  /** Of these the ones that belong to a head whose end has not come. */
  get beginning(): number {
    return this.#mode === 'head' ? this.#heldBytes : 0
  }

  /** Nothing more of a message is to come: the next head begins, or HTTP has ended. */
  get whole(): boolean {
    return (this.#mode === 'head' && this.#heldBytes === 0) || this.#mode === 'frames' || this.#mode === 'lost'
  }

  /** A reader that goes on from here by itself, with books of its own. */
  fork(understand: (head: Head) => Meaning | undefined): MessageReader {
    const fork = new MessageReader(new Ledger(), this.#lineKind, understand)
    // Frames have no end that anybody waits for.
    fork.#mode = this.#mode === 'frames' ? 'lost' : this.#mode
    fork.#held = Buffer.from(this.#held.subarray(0, this.#heldBytes))
    fork.#heldBytes = this.#heldBytes
    fork.#left = this.#left
    fork.#chunks = this.#chunks?.fork()
    return fork
  }

  read(bytes: Buffer): void {
    for (let rest = bytes; rest.length > 0;) rest = rest.subarray(this.#take(rest))
  }

  /** A handshake was answered: what has come since is frames, or was a request after all. */
  decide(exchange: number | undefined): void {
    if (this.#mode !== 'undecided') return
    const early = this.#held.subarray(0, this.#heldBytes)
    this.#release()
    if (exchange === undefined) this.#mode = 'head'
    else this.#follow(exchange)
    this.read(early)
  }

  /** No byte comes any more. */
  close(): void {
    this.#ledger.end()
  }

  /** Takes one stretch off the front. Whoever finds nothing of its own in it gets lost, which takes everything. */
  #take(bytes: Buffer): number {
    switch (this.#mode) {
      case 'head':
        return this.#takeHead(bytes)
      case 'sized':
        return this.#takeSized(bytes)
      case 'chunks':
        return this.#takeChunk(bytes)
      case 'frames':
        return (this.#frames as FrameReader).take(bytes)
      case 'undecided':
        return this.#hold(bytes, mostEarlyBytes)
      case 'rest':
        this.#content(bytes)
        return bytes.length
      default:
        return this.#pass(bytes, bytes.length)
    }
  }

  #takeHead(bytes: Buffer): number {
    if (this.#heldBytes === 0) {
      // Line ends between messages are passed over (RFC 9112, 2.2).
      const blank = bytes.findIndex((byte) => byte !== 0x0d && byte !== 0x0a)
      if (blank !== 0) return this.#pass(bytes, blank === -1 ? bytes.length : blank)
      const end = bytes.indexOf(headEnd)
      if (end !== -1) return this.#begin(bytes.subarray(0, end + headEnd.length))
    }
    const before = this.#heldBytes
    const taken = this.#hold(bytes, Infinity)
    const end = this.#held.subarray(0, this.#heldBytes).indexOf(headEnd, Math.max(0, before - headEnd.length + 1))
    if (end === -1) {
      if (this.#heldBytes > mostHeadBytes) this.#lose()
      return taken
    }
    const head = this.#held.subarray(0, end + headEnd.length)
    this.#release()
    return this.#begin(head) - before
  }

  #begin(head: Buffer): number {
    const text = head.toString('latin1', 0, head.length - headEnd.length)
    const lineEnd = text.indexOf('\r\n')
    const line = lineEnd === -1 ? text : text.slice(0, lineEnd)
    const meaning = head.length > mostHeadBytes ? undefined : this.#understand({ line, text })
    if (meaning === undefined) {
      this.#mode = 'lost'
      return this.#pass(head, head.length)
    }
    this.#ledger.begin(meaning.block)
    this.#ledger.add(this.#lineKind, head.subarray(0, line.length + 2))
    this.#ledger.add('headers', head.subarray(line.length + 2))
    this.#goOn(meaning)
    return head.length
  }

  #goOn({ block, rest }: Meaning): void {
    if (rest.as === 'sized') this.#left = rest.bytes
    if (rest.as === 'chunks' || rest.as === 'rest') this.#content = rest.content ?? this.#body
    if (rest.as === 'chunks') this.#chunks = this.#chunksOf(rest.each)
    if (rest.as === 'frames') return this.#follow(block.exchange)
    this.#mode = rest.as === 'nothing' ? 'head' : rest.as
    // What comes in pieces of its own is not one with its head.
    const whole = rest.as === 'sized' || (rest.as === 'chunks' && rest.each === undefined) || (rest.as === 'rest' && !rest.content)
    if (!whole) this.#ledger.end()
  }

  #chunksOf(each: BlockHead | undefined): ChunkReader {
    const bounds = each && { begun: () => this.#ledger.begin(each), ended: () => this.#ledger.end() }
    return new ChunkReader(this.#ledger, this.#content, bounds)
  }

  #follow(exchange: number): void {
    this.#ledger.end()
    this.#frames = new FrameReader(this.#ledger, exchange)
    this.#mode = 'frames'
  }

  #takeSized(bytes: Buffer): number {
    const length = Math.min(this.#left, bytes.length)
    this.#body(bytes.subarray(0, length))
    this.#left -= length
    if (this.#left === 0) this.#finish()
    return length
  }

  #takeChunk(bytes: Buffer): number {
    const chunks = this.#chunks as ChunkReader
    const length = chunks.take(bytes)
    if (chunks.lost) this.#mode = 'lost'
    if (chunks.done) this.#finish()
    return length
  }

  #finish(): void {
    this.#ledger.end()
    this.#chunks = undefined
    this.#mode = 'head'
  }

  #body: Content = (bytes) => this.#ledger.add('body', bytes)

  #pass(bytes: Buffer, length: number): number {
    this.#ledger.add('unattributed', bytes.subarray(0, length))
    return length
  }

  /** Keeps a copy: whoever gets these bytes next may write over them, as `ws` does when it unmasks. */
  #hold(bytes: Buffer, most: number): number {
    const length = this.#heldBytes + bytes.length
    if (length > this.#held.length) {
      const more = Buffer.alloc(Math.max(length, 2 * this.#held.length))
      this.#held.copy(more, 0, 0, this.#heldBytes)
      this.#held = more
    }
    bytes.copy(this.#held, this.#heldBytes)
    this.#heldBytes = length
    if (length > most) this.#lose()
    return bytes.length
  }

  #lose(): void {
    this.#mode = 'lost'
    const held = this.#held.subarray(0, this.#heldBytes)
    this.#release()
    this.#pass(held, held.length)
  }

  #release(): void {
    this.#held = none
    this.#heldBytes = 0
  }
}
