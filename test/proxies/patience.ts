/**
 * How long one waits for what a proxy should have passed on. A machine that does something else makes everything late, so a
 * clock alone does not say what is held back: that is what has not come though the proxy has done later work since.
 */
import { setTimeout as pause } from 'node:timers/promises'
import { inTime } from '../../src/client/http.ts'

/** So many questions, each on a connection of its own and asked when the one before was answered: every thread of a proxy had its turn. */
export const questions = 20
/** Who answers nobody for so long is gone, in ms. */
const goneMs = 120_000

/** Ends when `leastMs` have passed and the proxy at `url` has then answered others; or with its disposal. */
export class Patience implements Disposable {
  readonly #over = new AbortController()
  readonly #left = new AbortController()

  constructor(url: string, leastMs: number) {
    this.#wait(url, leastMs).then(
      () => this.#over.abort(),
      // It came before.
      () => {},
    )
  }

  get signal(): AbortSignal {
    return this.#over.signal
  }

  [Symbol.dispose](): void {
    this.#left.abort()
  }

  async #wait(url: string, leastMs: number): Promise<void> {
    const { signal } = this.#left
    await pause(leastMs, undefined, { signal })
    const gone = performance.now() + goneMs
    for (let answered = 0; answered < questions && performance.now() < gone;) {
      if (await this.#ask(url)) answered++
      else await pause(100, undefined, { signal })
    }
  }

  /** Whatever it answers. */
  async #ask(url: string): Promise<boolean> {
    const signal = inTime(this.#left.signal, goneMs)
    return await fetch(`${url}/healthz`, { signal, headers: { connection: 'close' } }).then(
      async (answer) => (await answer.arrayBuffer(), true),
      () => (this.#left.signal.throwIfAborted(), false),
    )
  }
}

/**
 * What is found when a proxy's times are made short is believed when it is found at longer ones too: a machine that is late
 * is late by as many seconds as before, and a wrong configuration by as many times.
 */
export async function confirmed<Found>(look: (slower: number) => Promise<Found>, isWrong: (found: Found) => boolean): Promise<Found> {
  const found = await look(1)
  if (!isWrong(found)) return found
  const again = await look(4)
  return isWrong(again) ? await look(12) : again
}
