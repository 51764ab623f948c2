/** How long own messages took, from `send` to their coming back over the wire: one page, one clock. */
import { type TransportName, transportNames } from '../../client/index.ts'

/** From 0.1 ms to 100 s, ten bins a decade. */
export const shortestMs = 0.1
export const decades = 6
export const binsPerDecade = 8
/** So many samples at least, or the quantile is one sample's accident. */
export const quantiles = [
  { name: 'p50', share: 0.5, least: 20 },
  { name: 'p95', share: 0.95, least: 100 },
  { name: 'p99', share: 0.99, least: 1_000 },
] as const
/** The newest are kept, and no more than these wait to come back. */
const keptSamples = 5_000
const keptSent = 1_000

class Samples {
  readonly #newest: number[] = []
  readonly bins: number[] = Array.from({ length: decades * binsPerDecade }, () => 0)
  n = 0

  add(ms: number): void {
    this.n++
    this.#newest.push(ms)
    if (this.#newest.length > keptSamples) this.#newest.shift()
    const bin = Math.floor(Math.log10(Math.max(ms, shortestMs) / shortestMs) * binsPerDecade)
    const at = Math.min(bin, this.bins.length - 1)
    this.bins[at] = (this.bins[at] ?? 0) + 1
  }

  /** The nearest rank; undefined of fewer than `least`. */
  quantile(share: number, least: number): number | undefined {
    if (this.n < least) return undefined
    const sorted = Float64Array.from(this.#newest).toSorted()
    return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)]
  }
}
export type { Samples }

export class Delays {
  /** By the id of the draft: when it was sent; undefined once it is back, or where the time says nothing. */
  readonly #sent = new Map<string, number | undefined>()
  #byTransport = empty()

  /** These wait now; those not seen before were sent now. */
  sent(ids: readonly string[], now: number): void {
    for (const id of ids) if (!this.#sent.has(id)) this.#sent.set(id, now)
    for (const oldest of this.#sent.keys()) {
      if (this.#sent.size <= keptSent) break
      this.#sent.delete(oldest)
    }
  }

  /** Returns whether it was one of ours. */
  arrived(id: string, transport: TransportName, now: number): boolean {
    const at = this.#sent.get(id)
    if (at === undefined) return false
    this.#sent.set(id, undefined)
    this.#byTransport[transport].add(now - at)
    return true
  }

  /** What is on its way does not count: a hidden tab's timers are throttled, and that is the browser's delay. */
  interrupt(): void {
    for (const id of this.#sent.keys()) this.#sent.set(id, undefined)
  }

  reset(): void {
    this.#byTransport = empty()
  }

  of(transport: TransportName): Samples {
    return this.#byTransport[transport]
  }
}

const empty = (): Record<TransportName, Samples> =>
  Object.fromEntries(transportNames.map((name) => [name, new Samples()])) as Record<TransportName, Samples>
