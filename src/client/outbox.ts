/** What was said and is not yet acknowledged: one in flight, in order, each once. Survives a reconnect and a change of transport. */
import type { Ack, Draft } from '../protocol/message.ts'
import { Problem } from '../protocol/problem.ts'
import { backoffMs, sleep } from './backoff.ts'
import { inTime } from './http.ts'

/** `asking`: it may have arrived, and only a person can say whether to send it again. */
export interface Unsent extends Draft {
  readonly state: 'queued' | 'sending' | 'asking'
}

interface Entry {
  readonly draft: Draft
  readonly resolve: (ack: Ack) => void
  readonly reject: (error: Error) => void
  state: Unsent['state']
  /** When it was first sent, in ms since 1970. */
  firstSentAt: number | undefined
  /** As whom it was sent, where nobody said what became of it. */
  unsure: string | undefined
  /** A new session was begun for it. Once: who keeps no cookie is asked for one for ever. */
  renewed: boolean
}

/** What the outbox needs of the channel. */
export interface Post {
  /** The wire to send on, while there is one. */
  wire(): object | undefined
  send(draft: Draft, signal: AbortSignal): Promise<Ack>
  /** Whose ids ours are: another member's are not known to the server as ours. */
  member(): string | undefined
  /** Begins a new session. */
  renew(): Promise<void>
  changed(): void
}

/** For so long the same id is sent again without asking: less than the server remembers it. */
const resendMs = 8 * 60_000

export class Outbox {
  readonly #post: Post
  readonly #signal: AbortSignal
  #entries: Entry[] = []
  #running = false

  constructor(post: Post, signal: AbortSignal) {
    this.#post = post
    this.#signal = signal
    signal.addEventListener('abort', () => {
      for (const { reject } of this.#entries.splice(0)) reject(new Error('the channel was closed'))
    })
  }

  get unsent(): readonly Unsent[] {
    return this.#entries.map(({ draft, state }) => ({ ...draft, state }))
  }

  /** Resolves when it is acknowledged; rejects with the Problem that refused it, or when the channel closes. */
  add(draft: Draft): Promise<Ack> {
    return new Promise((resolve, reject) => {
      if (this.#signal.aborted) throw new Error('the channel was closed')
      this.#entries.push({ draft, resolve, reject, state: 'queued', firstSentAt: undefined, unsure: undefined, renewed: false })
      this.#post.changed()
      this.flush()
    })
  }

  /** The room will not have us: what waits is refused, and goes back to who wrote it. */
  refuse(problem: Error): void {
    for (const entry of this.#entries)
      if (entry.state === 'queued' && entry.unsure === undefined) this.#settle(entry, () => entry.reject(problem))
    this.#post.changed()
  }

  /** The person's answer for the first that asks: send it again, or let it go. */
  answer(id: string, again: boolean): void {
    const entry = this.#entries.find(({ draft, state }) => draft.id === id && state === 'asking')
    if (entry === undefined) return
    if (again) Object.assign(entry, { state: 'queued', firstSentAt: undefined, unsure: undefined })
    else this.#settle(entry, () => entry.reject(new Error('not sent again')))
    this.#post.changed()
    this.flush()
  }

  /** Sends what waits. Called whenever there may be a wire to send on. */
  flush(): void {
    if (this.#running) return
    void this.#run()
  }

  async #run(): Promise<void> {
    this.#running = true
    let failures = 0
    for (let entry = this.#next(); entry !== undefined; entry = this.#next()) {
      const waitMs = await this.#attempt(entry, failures)
      failures = waitMs === 0 ? 0 : failures + 1
      if (waitMs > 0) await sleep(waitMs, this.#signal)
    }
    // In the same step as the last look: what is added after it begins a run of its own.
    this.#running = false
  }

  /** The first in line, where it may be sent and there is a wire for it. */
  #next(): Entry | undefined {
    const [entry] = this.#entries
    if (entry?.unsure !== undefined && entry.state !== 'asking') {
      const late = Date.now() - (entry.firstSentAt ?? 0) > resendMs
      if (late || entry.unsure !== this.#post.member()) {
        entry.state = 'asking'
        this.#post.changed()
      }
    }
    return entry?.state === 'asking' || this.#post.wire() === undefined ? undefined : entry
  }

  /** Sends one. Returns how many ms to wait before the next, or the same again. */
  async #attempt(entry: Entry, failures: number): Promise<number> {
    entry.state = 'sending'
    entry.firstSentAt ??= Date.now()
    this.#post.changed()
    const wire = this.#post.wire()
    const sentAs = this.#post.member()
    try {
      const ack = await this.#post.send(entry.draft, inTime(this.#signal))
      this.#settle(entry, () => entry.resolve(ack))
      return 0
    } catch (error) {
      const waitMs = await this.#failed(entry, error, failures, sentAs)
      if (error instanceof Problem) return waitMs
      // A wire that ends is let go a moment after what was on it has failed; on another it goes out at once.
      await sleep(0, this.#signal)
      return this.#post.wire() === wire ? waitMs : 0
    } finally {
      if (entry.state === 'sending') entry.state = 'queued'
      this.#post.changed()
    }
  }

  async #failed(entry: Entry, error: unknown, failures: number, sentAs: string | undefined): Promise<number> {
    const problem = error instanceof Problem ? error : undefined
    if (problem?.code === 'session-required' && !entry.renewed) {
      entry.renewed = await this.#post.renew().then(
        () => true,
        () => false,
      )
      return entry.renewed ? 0 : backoffMs(failures)
    }
    if (problem !== undefined && !problem.comeBack && problem.code !== 'internal') {
      this.#settle(entry, () => entry.reject(problem))
      return 0
    }
    // Where nobody says that nothing happened, it may have.
    if (problem === undefined || problem.outcome === 'unknown' || problem.code === 'internal') entry.unsure ??= sentAs
    return problem?.retryAfterMs ?? backoffMs(failures)
  }

  #settle(entry: Entry, tell: () => void): void {
    this.#entries = this.#entries.filter((other) => other !== entry)
    tell()
  }
}
