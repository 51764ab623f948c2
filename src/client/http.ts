/** Requests to one room of one server: addresses, batches, publishing, the session. */
import { type Ack, type Batch, type Draft, isBatch, type Member, type Since, type TransportName } from '../protocol/message.ts'
import { Problem } from '../protocol/problem.ts'

/** What differs between a browser and Node. Both keep the session's cookie by themselves. */
export interface Platform {
  fetch(url: string, init?: RequestInit): Promise<Response>
  socket(url: string): WebSocket
}

export type Query = Readonly<Record<string, string | number | undefined>>

/** A request without its answer for so long (beyond what it asked to be held) is left. */
export const answerMs = 10_000

export class Http {
  readonly platform: Platform
  readonly #base: string
  readonly #room: string

  /** `url` is where the room server is, its prefix included. */
  constructor(platform: Platform, url: string, room: string) {
    this.platform = platform
    this.#base = url.replace(/\/+$/, '')
    this.#room = `${this.#base}/rooms/${encodeURIComponent(room)}`
  }

  address(transport: TransportName, query: Query): string {
    const search = new URLSearchParams()
    for (const [key, value] of Object.entries(query)) if (value !== undefined) search.set(key, String(value))
    return `${this.#room}/${transport}${search.size > 0 ? `?${search}` : ''}`
  }

  /** @throws Problem where the server says one, Error where something else answers or nothing does */
  async get(transport: TransportName, query: Query, signal: AbortSignal): Promise<Response> {
    return accepted(await this.platform.fetch(this.address(transport, query), { signal, cache: 'no-store' }))
  }

  /** One batch, from a poll or a long poll. */
  async batch(transport: TransportName, query: Query & { readonly since: Since }, signal: AbortSignal): Promise<Batch> {
    const batch: unknown = await (await this.get(transport, query, signal)).json()
    if (!isBatch(batch)) throw new Error('no batch')
    return batch
  }

  readonly publish = async (draft: Draft, signal: AbortSignal): Promise<Ack> =>
    (await (await this.#ask(`${this.#room}/messages`, signal, 'POST', draft)).json()) as Ack

  /** The state that we carry from now on, null for none. */
  readonly state = async (state: unknown, signal: AbortSignal): Promise<void> => {
    await this.#ask(`${this.#room}/state`, signal, 'PUT', { state })
  }

  /** Who we are from now on: the member of our cookie, renamed where a name is given, or a new one. */
  async session(name: string | undefined, signal: AbortSignal): Promise<Member> {
    return ((await (await this.#ask(`${this.#base}/session`, signal, 'POST', { name })).json()) as { member: Member }).member
  }

  /** We are still here: for a wire that cannot say so itself. */
  lease(signal: AbortSignal): Promise<unknown> {
    return this.#ask(`${this.#room}/lease`, signal, 'POST')
  }

  /** Does the server answer at all? Tells a transport that is not let through from a server that is away. */
  async reachable(signal: AbortSignal): Promise<boolean> {
    try {
      // A question that makes nobody a member by a wire that they do not have.
      await (await this.#ask(`${this.#room}/members`, signal)).text()
      return true
    } catch (error) {
      return error instanceof Problem
    }
  }

  async #ask(url: string, signal: AbortSignal, method = 'GET', body?: object): Promise<Response> {
    const given = body && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }
    return accepted(await this.platform.fetch(url, { method, ...given, signal: inTime(signal) }))
  }
}

/** Aborts with the signal, or where no answer has come in its time, in ms. */
export function inTime(signal: AbortSignal, ms = answerMs): AbortSignal {
  const late = AbortSignal.timeout(ms)
  // Node collects a timeout that only a composite listens to (nodejs/node#57736): the answer would be waited for without end.
  late.onabort = () => {}
  return AbortSignal.any([signal, late])
}

async function accepted(response: Response): Promise<Response> {
  if (response.ok) return response
  // A proxy's page is no problem of ours: it passes, and so does what it says.
  const problem = Problem.from(await response.json().catch(() => undefined))
  throw problem ?? new Error(`something on the way answered ${response.status}`)
}
