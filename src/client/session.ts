/** Who we are on the server: begun once however many wires wait for it, and begun again when it is not known any more. */
import type { Member } from '../protocol/message.ts'
import type { Http } from './http.ts'

export class Session {
  readonly #http: Http
  readonly #signal: AbortSignal
  #name: string | undefined
  #member: Member | undefined
  #joining: Promise<Member> | undefined

  constructor(http: Http, name: string | undefined, signal: AbortSignal) {
    this.#http = http
    this.#name = name
    this.#signal = signal
  }

  get member(): Member | undefined {
    return this.#member
  }

  /** Resolves once we are somebody. */
  async join(): Promise<void> {
    if (this.#member !== undefined) return
    this.#joining ??= this.#begin(this.#name).finally(() => (this.#joining = undefined))
    await this.#joining
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
