/** How often: a token bucket a key, kept as one number. */

/**
 * The generic cell rate algorithm (ITU-T I.371): `perSecond` on average, `burst` at once. A key that has been quiet
 * takes no memory; a rate of 0 is no limit.
 */
export class Rate {
  readonly #intervalMs: number
  readonly #toleranceMs: number
  /** The time at which a key has all its tokens again. */
  readonly #fullAt = new Map<string, number>()
  #sweepAt = 0

  constructor(perSecond: number, burst: number) {
    this.#intervalMs = perSecond === 0 ? 0 : 1000 / perSecond
    this.#toleranceMs = this.#intervalMs * (burst - 1)
  }

  /** How many ms to wait for a token; 0 where there is one. Takes none. */
  waitMs(key: string, now = performance.now()): number {
    const lateMs = (this.#fullAt.get(key) ?? 0) - now - this.#toleranceMs
    return this.#intervalMs === 0 ? 0 : Math.max(0, Math.ceil(lateMs))
  }

  /** Takes one token. Returns 0, or how many ms to wait for one where there is none. */
  take(key: string, now = performance.now()): number {
    if (this.#intervalMs === 0) return 0
    const fullAt = Math.max(now, this.#fullAt.get(key) ?? 0)
    if (fullAt - now > this.#toleranceMs) return Math.ceil(fullAt - now - this.#toleranceMs)
    this.#fullAt.set(key, fullAt + this.#intervalMs)
    this.#sweep(now)
    return 0
  }

  /** Keys remembered now. */
  get size(): number {
    return this.#fullAt.size
  }

  #sweep(now: number): void {
    if (now < this.#sweepAt) return
    this.#sweepAt = now + this.#toleranceMs + 1000
    for (const [key, fullAt] of this.#fullAt) if (fullAt <= now) this.#fullAt.delete(key)
  }
}
