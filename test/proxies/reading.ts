/** A reader on one wire that keeps when each batch came and how the wire ended: no retries, nothing of our client. */
import { WebSocket } from 'ws'
import { EventStreamDecoder } from '../../src/protocol/event-stream.ts'
import { type Batch, isBatch, type TransportName } from '../../src/protocol/message.ts'

/** ms between two questions of a poller. */
const pollMs = 100

export interface Ending {
  /** HTTP's, where an answer was one; 101 for a WebSocket that had been opened. */
  readonly status: number
  readonly how: string
  readonly ms: number
}

/** From its opening to its end. */
export class Reading implements Disposable {
  readonly batches: { readonly batch: Batch; readonly ms: number }[] = []
  ending: Ending | undefined
  readonly #url: string
  readonly #begun = performance.now()
  readonly #left = new AbortController()
  readonly #waitSeconds: number
  #woken: () => void = () => {}

  constructor(url: string, transport: TransportName, waitSeconds = 1) {
    this.#url = `${url}/rooms/lobby/${transport}`
    this.#waitSeconds = waitSeconds
    const read = {
      poll: () => this.#ask(0),
      'long-poll': () => this.#ask(waitSeconds),
      sse: () => this.#stream(),
      websocket: () => this.#socket(),
    }
    read[transport]().then(
      (status) => this.#end(status, 'it ended'),
      (error: Error) => this.#end(error instanceof Refused ? error.status : 0, error.message),
    )
  }

  /** Resolves with the first batch that fits, or undefined where it is too late for one, or none can come any more. */
  async batch(fits: (batch: Batch) => boolean, tooLate: AbortSignal): Promise<{ readonly batch: Batch; readonly ms: number } | undefined> {
    tooLate.addEventListener('abort', () => this.#woken(), { once: true })
    for (;;) {
      const found = this.batches.find(({ batch }) => fits(batch))
      if (found !== undefined || tooLate.aborted || this.ending !== undefined) return found
      await new Promise<void>((resolve) => (this.#woken = resolve))
    }
  }

  /** Resolves with how it ended, or undefined where it had not when it was too late. */
  async ended(tooLate: AbortSignal): Promise<Ending | undefined> {
    await this.batch(() => false, tooLate)
    return this.ending
  }

  [Symbol.dispose](): void {
    this.#left.abort()
  }

  #take(batch: Batch): void {
    this.batches.push({ batch, ms: performance.now() - this.#begun })
    this.#woken()
  }
  #end(status: number, how: string): void {
    this.ending ??= { status, how, ms: performance.now() - this.#begun }
    this.#woken()
  }

  async #ask(waitSeconds: number): Promise<number> {
    for (let cursor: string | undefined; ;) {
      const since = cursor === undefined ? '' : `since=${cursor}`
      const wait = waitSeconds === 0 ? '' : `&wait=${this.#waitSeconds}`
      const answer = await this.#get(`${this.#url}?${since}${wait}`.replace('?&', '?'))
      const batch = (await answer.json()) as Batch
      this.#take(batch)
      cursor = batch.cursor
      if (waitSeconds === 0) await new Promise((resolve) => setTimeout(resolve, pollMs))
    }
  }

  async #stream(): Promise<number> {
    const answer = await this.#get(this.#url)
    const decoder = new EventStreamDecoder()
    for await (const bytes of answer.body ?? []) {
      for (const { data } of decoder.push(bytes)) {
        const value: unknown = data === '' ? undefined : JSON.parse(data)
        if (isBatch(value)) this.#take(value)
      }
    }
    return answer.status
  }

  async #get(url: string): Promise<Response> {
    const answer = await fetch(url, { signal: this.#left.signal })
    if (answer.status === 200) return answer
    throw new Refused(answer.status, (await answer.text()).slice(0, 200))
  }

  #socket(): Promise<number> {
    const socket = new WebSocket(this.#url.replace('http', 'ws'))
    this.#left.signal.addEventListener('abort', () => socket.terminate())
    return new Promise((resolve, reject) => {
      socket.on('message', (data: Buffer) => {
        const value: unknown = JSON.parse(data.toString())
        if (isBatch(value)) this.#take(value)
      })
      socket.on('unexpected-response', (_request, answer) => reject(new Refused(answer.statusCode ?? 0, 'no upgrade')))
      socket.on('error', reject)
      socket.on('close', () => resolve(101))
    })
  }
}

class Refused extends Error {
  readonly status: number
  constructor(status: number, text: string) {
    super(text)
    this.status = status
  }
}
