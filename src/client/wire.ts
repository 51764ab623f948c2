/** One run of a transport, and the one watchdog of the client: a byte in time, or the wire is left. */
import type { Batch, Since, TransportName } from '../protocol/message.ts'
import type { Transport } from './transports/transport.ts'

/** The wire said nothing for too long. */
export class Silence extends Error {}

export class Wire {
  /** What is sent up it goes straight to its transport. */
  readonly transport: Transport
  readonly #abort = new AbortController()
  #left = false
  #dueAt = Infinity
  #timer: ReturnType<typeof setTimeout> | undefined
  /** When it brought its first batch, in ms since 1970; undefined before. */
  liveAt: number | undefined

  constructor(transport: Transport) {
    this.transport = transport
  }

  get name(): TransportName {
    return this.transport.name
  }
  /** We turned away from it: what still comes is ignored. */
  get left(): boolean {
    return this.#left
  }

  async *receive(since: Since): AsyncGenerator<Batch, void, void> {
    try {
      // It may have been left while its session began.
      this.#abort.signal.throwIfAborted()
      for await (const batch of this.transport.receive(since, this.#abort.signal, (ms) => this.#expect(ms))) {
        this.liveAt ??= Date.now()
        yield batch
      }
    } catch (error) {
      // Whatever a cancelled request or stream says of it: why it was cancelled is what happened.
      throw this.#abort.signal.aborted ? this.#abort.signal.reason : error
    } finally {
      clearTimeout(this.#timer)
      this.#dueAt = Infinity
    }
  }

  leave(): void {
    this.#left = true
    this.#abort.abort(new Error('left'))
  }

  /** Looks at the time that has passed: after sleep or behind a hidden tab timers come late. */
  check(): void {
    if (Date.now() >= this.#dueAt) this.#giveUp()
  }

  #giveUp(): void {
    this.#abort.abort(new Silence('nothing was heard for too long'))
  }

  #expect(ms: number): void {
    clearTimeout(this.#timer)
    this.#dueAt = Date.now() + ms
    this.#timer = setTimeout(() => this.#giveUp(), ms)
  }
}
