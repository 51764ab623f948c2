/** When to come back: full jitter, so that many who were cut off together do not return together. */

const leastMs = 500
const mostMs = 20_000

/** Full jitter between 0.5 s and 20 s (Brooker, "Exponential Backoff And Jitter", AWS 2015): `attempt` counts from 0. */
export function backoffMs(attempt: number, random: () => number = Math.random): number {
  const ceiling = Math.min(mostMs, 2 * leastMs * 2 ** attempt)
  return Math.round(leastMs + random() * (ceiling - leastMs))
}

/** Resolves after `ms`, or at once where the signal aborts: look at the signal then. */
export function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve()
    const done = (): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, ms)
    signal.addEventListener('abort', done)
  })
}
