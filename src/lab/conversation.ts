/** Both directions of a connection: answers find their questions, and a handshake turns both into frames. */
import { EventReader } from './bodies.ts'
import { type Head, headerOf, type Meaning, MessageReader, type Rest } from './http.ts'
import type { UnderWay } from './events.ts'
import { type BlockHead, Ledger } from './ledger.ts'
import type { Scout } from './proxy.ts'

const requestLine = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+) (\S+) HTTP\/1\.[01]$/
const statusLine = /^HTTP\/1\.[01] ([1-5][0-9]{2})(?: .*)?$/
/** A target is told up to here. */
const shownTarget = 200
/** More questions do not wait for an answer: a server stops reading long before, a hole does not. */
const mostWaiting = 4_096

export interface Asked {
  readonly method: string
  readonly target: string
  readonly cookie: string | undefined
  /** Of a handshake: where its head begins, and how long it is, in bytes of what the client has sent. */
  readonly handshake?: Stretch
}
export interface Stretch {
  readonly from: number
  readonly bytes: number
}

/** A request that waits for its answer. */
interface Question extends UnderWay {
  readonly method: string
  readonly handshake: boolean
}

/** Nobody looks at what a scout reads. */
const unseen: BlockHead = { what: 'response', exchange: 0, detail: '' }
/** The blank line behind a head's text. */
const headEndBytes = 4

export class Conversation {
  readonly up = new Ledger()
  readonly down = new Ledger()
  /** Requests so far. */
  requests = 0
  readonly #asked: (asked: Asked) => void
  readonly #waiting: Question[] = []
  /** Its answer goes on: events or frames. */
  #streaming: Question | undefined
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

  /** What the client has sent so far, and how much of it is a head whose end has not come. */
  get position(): { readonly bytes: number; readonly beginning: number } {
    return { bytes: this.up.total + this.#questions.held, beginning: this.#questions.beginning }
  }

  /** Reads answers ahead of `answered`, from where that is. */
  scout(): Scout {
    let next = 0
    return this.#answers.fork((head) => {
      const status = statusLine.exec(head.line)?.[1]
      if (status === undefined) return undefined
      const question = this.#waiting[isFinal(status) ? next++ : next]
      return { block: unseen, rest: restOf(head, status, question) }
    })
  }

  /** What is under way now. */
  get underWay(): UnderWay | undefined {
    const question = this.#waiting[0] ?? this.#streaming
    return question && { exchange: question.exchange, detail: question.detail, at: question.at }
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
    if (method === undefined || target === undefined || this.#waiting.length === mostWaiting) return undefined
    const handshake = /(?:^|,)\s*websocket\s*(?:,|$)/i.test(headerOf(head, 'upgrade') ?? '')
    const exchange = ++this.requests
    const detail = `${method} ${target.slice(0, shownTarget)}`
    this.#waiting.push({ exchange, method, handshake, detail, at: performance.now() })
    const stretch = handshake && { from: this.up.total, bytes: head.text.length + headEndBytes }
    this.#asked({ method, target, cookie: headerOf(head, 'cookie'), ...(stretch && { handshake: stretch }) })
    const block: BlockHead = { what: handshake ? 'handshake' : 'request', exchange, detail }
    return { block, rest: handshake ? { as: 'undecided' } : (framing(head) ?? { as: 'nothing' }) }
  }

  #answer(head: Head): Meaning | undefined {
    const status = statusLine.exec(head.line)?.[1]
    if (status === undefined) return undefined
    const final = isFinal(status)
    // An answer to what was no request (400, 408) has no question.
    const question = final ? this.#waiting.shift() : this.#waiting[0]
    const { exchange = this.requests, handshake = false } = question ?? {}
    const switched = status === '101'
    const block: BlockHead = {
      what: switched ? 'handshake' : 'response',
      exchange,
      detail: head.line.slice('HTTP/1.1 '.length, shownTarget),
    }
    if (final) this.#streaming = undefined
    if (handshake && final) this.#questions.decide(switched ? exchange : undefined)
    const rest = this.#withEvents(restOf(head, status, question), head, exchange)
    const streams = rest.as === 'frames' || ((rest.as === 'chunks' || rest.as === 'rest') && rest.content !== undefined)
    if (streams) this.#streaming = question
    return { block, rest }
  }

  #withEvents(rest: Rest, head: Head, exchange: number): Rest {
    const streams = rest.as === 'chunks' || rest.as === 'rest'
    if (!streams || !/^text\/event-stream\b/i.test(headerOf(head, 'content-type') ?? '')) return rest
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

/** An answer of its own, not one that comes before it. */
const isFinal = (status: string): boolean => !status.startsWith('1') || status === '101'

/** How an answer goes on behind its head. */
function restOf(head: Head, status: string, question: Question | undefined): Rest {
  if (status === '101') return { as: 'frames' }
  const bodiless = !isFinal(status) || question?.method === 'HEAD' || status === '204' || status === '304'
  return bodiless ? { as: 'nothing' } : (framing(head) ?? { as: 'rest' })
}

/** How long the body is; undefined where the head does not say. */
function framing(head: Head): Rest | undefined {
  if (/(?:^|,)\s*chunked$/i.test(headerOf(head, 'transfer-encoding') ?? '')) return { as: 'chunks' }
  const length = headerOf(head, 'content-length')
  if (length === undefined || !/^[0-9]{1,15}$/.test(length)) return undefined
  return Number(length) === 0 ? { as: 'nothing' } : { as: 'sized', bytes: Number(length) }
}
