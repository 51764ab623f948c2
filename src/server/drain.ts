/** Shutting down so that nobody loses anything: who holds a wire is sent away in turn, what is being published is finished. */
import type { Hub } from '../hub/hub.ts'
import { Problem } from '../protocol/problem.ts'
import { drawMs } from '../protocol/random.ts'

export interface DrainOptions {
  /** Over how many ms clients are sent away. */
  readonly drainMs: number
}

export class Drain {
  readonly #hub: Hub
  readonly #options: DrainOptions
  readonly #publishes = new Set<Promise<unknown>>()
  #done: Promise<void> | undefined

  constructor(hub: Hub, options: DrainOptions) {
    this.#hub = hub
    this.#options = options
  }

  get draining(): boolean {
    return this.#done !== undefined
  }

  /** What who comes now is told: the next process is to meet them one by one. */
  readonly problem = (): Problem => new Problem('draining', undefined, { retryAfterMs: drawMs(500, 5_000) })

  /** A publish that is not to be cut off. */
  finish<T>(publish: Promise<T>): Promise<T> {
    this.#publishes.add(publish)
    const finished = (): void => void this.#publishes.delete(publish)
    publish.then(finished, finished)
    return publish
  }

  /** Resolves once everybody has been sent away and the publishes in flight are answered. A second call waits for the first. */
  start(): Promise<void> {
    this.#done ??= this.#hub.drain(this.#options.drainMs, this.problem).then(async () => {
      await Promise.allSettled(this.#publishes)
    })
    return this.#done
  }
}
