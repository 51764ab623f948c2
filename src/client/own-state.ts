/** The small state that we carry: the latest wins, one tick of the room apart at the least, and one under way at a time. */
import { Problem } from '../protocol/problem.ts'
import { sleep } from './backoff.ts'

/** Between two, in ms: the room tells them 20 times a second. */
const tickMs = 50
/** How soon one that was not taken is sent again, or what is newer by then, in ms. */
const againMs = 1_000

export class OwnState {
  readonly #carry: (state: unknown) => Promise<void> | undefined
  readonly #signal: AbortSignal
  #state: unknown
  #due = false
  #running = false

  /** `carry` sends a state, or returns undefined where no wire is open. */
  constructor(carry: (state: unknown) => Promise<void> | undefined, signal: AbortSignal) {
    this.#carry = carry
    this.#signal = signal
  }

  set(state: unknown): void {
    this.#state = state
    this.flush()
  }

  /** Sends it, also again: on a new wire, to a server that may have forgotten us meanwhile. */
  flush(): void {
    if (this.#state === undefined) return
    this.#due = true
    if (!this.#running) void this.#run()
  }

  async #run(): Promise<void> {
    this.#running = true
    while (this.#due && !this.#signal.aborted) {
      const sent = this.#carry(this.#state)
      if (sent === undefined) break
      this.#due = false
      const tick = sleep(tickMs, this.#signal)
      await sent.catch(async (error: unknown) => {
        // What is refused for good is let go.
        if (error instanceof Problem && !error.comeBack) return
        this.#due = true
        await sleep(againMs, this.#signal)
      })
      await tick
    }
    this.#running = false
  }
}
