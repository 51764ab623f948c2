/** Both directions of a connection: answers find their questions, and a handshake turns both into frames. */
import { EventReader } from './bodies.ts'
import { type Head, headerOf, type Meaning, MessageReader, type Rest } from './http.ts'
import { type BlockHead, Ledger } from './ledger.ts'

const requestLine = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+) (\S+) HTTP\/1\.[01]$/
const statusLine = /^HTTP\/1\.[01] ([1-5][0-9]{2})(?: .*)?$/
/** A target is told up to here. */
const shownTarget = 200

export interface Asked {
  readonly method: string
  readonly target: string
  readonly cookie: string | undefined
}

/** A request that waits for its answer. */
interface Question {
  readonly exchange: number
  readonly method: string
  readonly handshake: boolean
}

export class Conversation {
  readonly up = new Ledger()
  readonly down = new Ledger()
  /** Requests so far. */
  requests = 0
  readonly #asked: (asked: Asked) => void
  readonly #waiting: Question[] = []
  readonly #questions = new MessageReader(this.up, 'request-line', (head) => this.#ask(head))
  readonly #answers = new MessageReader(this.down, 'status-line', (head) => this.#answer(head))

  /** `asked` hears of each request before its bytes are written down. */
  constructor(asked: (asked: Asked) => void = () => {}) {
    this.#asked = asked
  }

  /** Bytes of which it is not known yet what they are. */
  get held(): { readonly up: number; readonly down: number } {
    return { up: this.#questions.held, down: this.#answers.held }
  }

  /** The client has sent so much. */
  sent(bytes: Buffer): void {
    this.#questions.read(bytes)
  }

  /** The client is sent so much. */
  answered(bytes: Buffer): void {
    this.#answers.read(bytes)
  }

  close(): void {
    this.#questions.close()
    this.#answers.close()
  }

  #ask(head: Head): Meaning | undefined {
    const [, method, target] = requestLine.exec(head.line) ?? []
    if (method === undefined || target === undefined) return undefined
    const handshake = /(?:^|,)\s*websocket\s*(?:,|$)/i.test(headerOf(head, 'upgrade') ?? '')
    const exchange = ++this.requests
    this.#waiting.push({ exchange, method, handshake })
    this.#asked({ method, target, cookie: headerOf(head, 'cookie') })
    const block: BlockHead = { what: handshake ? 'handshake' : 'request', exchange, detail: `${method} ${target.slice(0, shownTarget)}` }
    return { block, rest: handshake ? { as: 'undecided' } : (framing(head) ?? { as: 'nothing' }) }
  }

  #answer(head: Head): Meaning | undefined {
    const status = statusLine.exec(head.line)?.[1]
    if (status === undefined) return undefined
    const final = !status.startsWith('1') || status === '101'
    // An answer to what was no request (400, 408) has no question.
    const question = final ? this.#waiting.shift() : this.#waiting[0]
    const { exchange = this.requests, method = '', handshake = false } = question ?? {}
    const switched = status === '101'
    const block: BlockHead = {
      what: switched ? 'handshake' : 'response',
      exchange,
      detail: head.line.slice('HTTP/1.1 '.length, shownTarget),
    }
    if (handshake && final) this.#questions.decide(switched ? exchange : undefined)
    if (switched) return { block, rest: { as: 'frames' } }
    const bodiless = !final || method === 'HEAD' || status === '204' || status === '304'
    return { block, rest: bodiless ? { as: 'nothing' } : this.#bodyOf(head, exchange) }
  }

  #bodyOf(head: Head, exchange: number): Rest {
    const rest = framing(head) ?? { as: 'rest' }
    if (rest.as === 'sized' || !/^text\/event-stream\b/i.test(headerOf(head, 'content-type') ?? '')) return rest
    const each: BlockHead = { what: 'event', exchange, detail: '' }
    if (rest.as === 'chunks') return { ...rest, each, content: new EventReader(this.down).read }
    return { as: 'rest', content: this.#bareEvents(each) }
  }

  /** Without chunks an empty line ends the block. */
  #bareEvents(each: BlockHead): (bytes: Buffer) => void {
    const events = new EventReader(this.down, { begun: () => this.down.begin(each), ended: () => this.down.end() })
    return events.read
  }
}

/** How long the body is; undefined where the head does not say. */
function framing(head: Head): Rest | undefined {
  if (/(?:^|,)\s*chunked$/i.test(headerOf(head, 'transfer-encoding') ?? '')) return { as: 'chunks' }
  const length = headerOf(head, 'content-length')
  if (length === undefined || !/^[0-9]{1,15}$/.test(length)) return undefined
  return Number(length) === 0 ? { as: 'nothing' } : { as: 'sized', bytes: Number(length) }
}
