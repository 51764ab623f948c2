/** Who we are on the server: begun once however many wires wait for it, and begun again when it is not known any more. */
import type { Member } from '../protocol/message.ts'
import { sleep } from './backoff.ts'
import type { Http } from './http.ts'

/** So long a wire waits for the answer, in ms: a browser out of connections gives none, and a cookie that it has speaks for us. */
const patienceMs = 3_000

export class Session {
  readonly #http: Http
  readonly #signal: AbortSignal
  readonly #late: () => void
  #name: string | undefined
  #member: Member | undefined
  #joining: Promise<unknown> | undefined

  /** `late` is called where we turn out to be somebody after a wire was opened without knowing it. */
  constructor(http: Http, name: string | undefined, signal: AbortSignal, late: () => void) {
    this.#http = http
    this.#late = late
    this.#name = name
    this.#signal = signal
  }

  get member(): Member | undefined {
    return this.#member
  }

  /** Resolves once we are somebody, or may well be by the cookie that we have. */
  async join(): Promise<void> {
    if (this.#member === undefined) await (this.#joining ??= this.#join())
  }

  #join(): Promise<unknown> {
    const asking = this.renew().finally(() => (this.#joining = undefined))
    const late = sleep(patienceMs, this.#signal).then(() => {
      // A sleep ends at once where the channel is closed: to ask again then would be to ask without end.
      if (this.#member === undefined && !this.#signal.aborted) asking.then(this.#late, () => this.join().catch(() => {}))
    })
    return Promise.race([asking, late])
  }

  async rename(name: string): Promise<Member> {
    const member = await this.#begin(name)
    this.#name = name
    return member
  }

  /** Our cookie is not known any more. */
  renew(): Promise<Member> {
    return this.#begin(this.#name ?? this.#member?.name)
  }

  async #begin(name: string | undefined): Promise<Member> {
    return (this.#member = await this.#http.session(name, this.#signal))
  }
}
