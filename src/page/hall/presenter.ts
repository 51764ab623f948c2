/**
 * The presenter's key, and what is asked with it. It comes behind the `#` of the address (`/#presenter=KEY`), which no server
 * is sent, is taken out of the address at once, which a projector shows, and goes out in one header only.
 */
import { Problem, type TransportName } from '../../client/index.ts'
import type { Hall } from '../../lab/events.ts'
import { keep, recall } from '../storage.ts'

/** `nobody`: there is no key. `refused`: the server knows another one. `away`: it has not answered yet. */
export type PresenterStatus = 'nobody' | 'asking' | 'presenter' | 'refused' | 'away'

/** What the presenter may change of the hall; the rest of it is told, not set. */
export type HallChange = Partial<Pick<Hall, 'muted' | 'blurred' | 'bot' | 'swarm'>>

const stored = 'presenter'
const askAgainMs = 2_000

export class Presenter {
  readonly #base: string
  readonly #changed: () => void
  #key: string | undefined
  #status: PresenterStatus = 'nobody'
  /** The member whose session was shown the key: it may speak where others may not. */
  #shownAs: string | undefined
  #again: ReturnType<typeof setTimeout> | undefined

  /** `base` is where the page's server is; `changed` is called at each change of the status. */
  constructor(base: string, changed: () => void) {
    this.#base = base
    this.#changed = changed
  }

  get status(): PresenterStatus {
    return this.#status
  }

  /** Takes a key from the address, or else the one of this tab. */
  begin(): void {
    const given = takeKey()
    if (given !== undefined) keep('session', stored, given)
    this.#key = given ?? recall('session', stored)
    this.#shownAs = undefined
    if (this.#key !== undefined) this.#tell('asking')
  }

  /** The page has a session now: asks whether the key fits, once for each member that the page is. */
  meet(member: string | undefined): void {
    if (member === undefined || this.#key === undefined || member === this.#shownAs) return
    this.#shownAs = member
    void this.#ask()
  }

  stop(): void {
    clearTimeout(this.#again)
  }

  /** Holds the server up for so long. Resolves once it goes on, with how long it really was. @throws Problem */
  freeze(ms: number): Promise<{ readonly ms: number }> {
    return this.#order('POST', 'lab/freeze', { ms })
  }

  /** Ends everybody's connections of one transport. @throws Problem */
  async cut(transport: TransportName): Promise<void> {
    await this.#order('POST', 'lab/cut', { transport })
  }

  /** Empties a room, for everybody. @throws Problem */
  async clear(room: string): Promise<void> {
    await this.#order('POST', 'lab/clear', { room })
  }

  /** From now on the hall is so; every page is told. @throws Problem */
  async change(change: HallChange): Promise<void> {
    await this.#order('PATCH', 'lab/hall', change)
  }

  async #ask(): Promise<void> {
    clearTimeout(this.#again)
    try {
      await this.#order('POST', 'lab/presenter')
      this.#tell('presenter')
    } catch (error) {
      if (error instanceof Problem && !error.comeBack) return this.#refused()
      this.#tell('away')
      const waitMs = error instanceof Problem ? error.retryAfterMs : undefined
      this.#again = setTimeout(() => void this.#ask(), waitMs ?? askAgainMs)
    }
  }

  #refused(): void {
    keep('session', stored, undefined)
    this.#key = undefined
    this.#tell('refused')
  }

  async #order<Answer>(method: string, path: string, body: object = {}): Promise<Answer> {
    const response = await fetch(new URL(path, this.#base), {
      method,
      headers: { authorization: `Bearer ${this.#key ?? ''}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
      cache: 'no-store',
    })
    const answer: unknown = response.status === 204 ? undefined : await response.json()
    if (!response.ok) throw Problem.from(answer) ?? new Error(`The server answered ${response.status}.`)
    return answer as Answer
  }

  #tell(status: PresenterStatus): void {
    if (status === this.#status) return
    this.#status = status
    this.#changed()
  }
}

/** The key of the address, which is then without it: also in the history, and for who takes a picture of the screen. */
function takeKey(): string | undefined {
  const fragment = new URLSearchParams(location.hash.slice(1))
  const key = fragment.get('presenter')
  if (key === null) return undefined
  fragment.delete('presenter')
  const rest = fragment.size === 0 ? '' : `#${fragment}`
  history.replaceState(history.state, '', `${location.pathname}${location.search}${rest}`)
  return key
}
