/** How long messages took, kept as a histogram (G. Tene, HdrHistogram): small, exact to 3 digits, and it can be added up. */
import { build, decodeFromCompressedBase64, encodeIntoCompressedBase64, type JsHistogram } from 'hdr-histogram-js'

const usPerMs = 1000
/** Longer is no trip but an error of the measuring. */
const longestUs = 10 * 60_000 * usPerMs
const digits = 3
/** A quantile is told only where so many samples lie beyond it. */
const leastBeyond = 10
/** Points of a curve within each halving of what is left: as the percentile plots of HdrHistogram have them. */
const pointsPerHalving = 5

/** Buckets that are not empty: index and count in turn. */
type Filled = Float64Array

/** Trips of one lane and round, or of several. All times in ms; what is told of them is right to 0.1 %, and to 1 µs. */
export class Trips {
  readonly #histogram: JsHistogram = emptyHistogram()
  /** Made when it is added somewhere, and forgotten when something is recorded. */
  #filled: Filled | undefined

  /** Reads what `encode` wrote, perhaps in another process. @throws Error where the text is no such histogram */
  static decode(text: string): Trips {
    const decoded = decodeFromCompressedBase64(text) as JsHistogram
    const trips = new Trips()
    trips.#histogram.add(decoded)
    return trips
  }

  /** All of them in one. Only what is filled is touched: a bootstrap merges some thousand times. */
  static merge(list: readonly Trips[]): Trips {
    const merged = new Trips()
    for (const trips of list) merged.add(trips)
    return merged
  }

  /**
   * One trip of so many ms, or `count` of them. Up to a microsecond, and below 0 where clocks are coarse, it is one microsecond.
   * @throws RangeError above ten minutes, and for what is no number
   */
  record(ms: number, count = 1): void {
    const us = Math.max(1, Math.round(ms * usPerMs))
    if (!(us <= longestUs)) throw new RangeError(`a trip takes at most ${longestUs / usPerMs} ms; it got ${ms}`)
    if (count === 0) return
    this.#filled = undefined
    this.#histogram.recordValueWithCount(us, count)
  }

  add(other: Trips): void {
    const filled = other.#buckets()
    this.#filled = undefined
    const histogram = this.#histogram
    let added = 0
    for (let at = 0; at < filled.length; at += 2) {
      const count = filled[at + 1] as number
      histogram.addToCountAtIndex(filled[at] as number, count)
      added += count
    }
    if (added === 0) return
    histogram.setTotalCount(histogram.totalCount + added)
    histogram.updateMinAndMax(other.#histogram.maxValue)
    histogram.updateMinAndMax(other.#histogram.minNonZeroValue)
  }

  get count(): number {
    return this.#histogram.totalCount
  }

  /** 0 where there are none, as are `max` and `deviation`. */
  get mean(): number {
    return this.#average((us) => us) / usPerMs
  }

  get max(): number {
    // Its bucket's end, as for a quantile: none is above it, and it is the same once encoded.
    return this.#histogram.highestEquivalentValue(this.#histogram.maxValue) / usPerMs
  }

  get deviation(): number {
    const meanUs = this.mean * usPerMs
    return Math.sqrt(this.#average((us) => (us - meanUs) ** 2)) / usPerMs
  }

  /**
   * The time that a share q in [0, 1] of the trips does not exceed. Undefined where fewer than 10 lie beyond it: the 99th
   * percentile needs 1,000 trips, the 99.9th 10,000. The median is told of any.
   */
  quantile(q: number): number | undefined {
    const { count } = this
    return count === 0 || (q > 0.5 && !this.#tells(q)) ? undefined : this.at(q)
  }

  /** The same of any number of trips, for a resample of what tells enough as a whole. */
  at(q: number): number {
    return this.#histogram.getValueAtPercentile(q * 100) / usPerMs
  }

  /** Points [q, ms] for a percentile plot, five within each halving of what is left; it ends where fewer than 10 trips remain. */
  curve(): [q: number, ms: number][] {
    const points: [number, number][] = []
    for (let step = 0; ; step++) {
      const halvings = Math.floor(step / pointsPerHalving)
      const q = 1 - 2 ** -halvings * (1 - (step % pointsPerHalving) / (2 * pointsPerHalving))
      const ms = this.#tells(q) ? this.quantile(q) : undefined
      if (ms === undefined) return points
      points.push([q, ms])
    }
  }

  /** HdrHistogram's V2 format, deflated, as base64. */
  encode(): string {
    return encodeIntoCompressedBase64(this.#histogram)
  }

  /** A rounding must not hide what ten lie beyond: (1 − 0.9) × 100 is 9.999999999999998. */
  #tells(q: number): boolean {
    return (1 - q) * this.count >= leastBeyond - 1e-6
  }

  /** Over the middles of the buckets, as the library has it, which looks into each empty one too. */
  #average(of: (us: number) => number): number {
    if (this.count === 0) return 0
    const filled = this.#buckets()
    let sum = 0
    for (let at = 0; at < filled.length; at += 2) sum += of(middleUs[filled[at] as number] as number) * (filled[at + 1] as number)
    return sum / this.count
  }

  #buckets(): Filled {
    if (this.#filled !== undefined) return this.#filled
    const histogram = this.#histogram
    const filled: number[] = []
    if (histogram.totalCount > 0) {
      const last = histogram.countsArrayIndex(histogram.maxValue)
      for (let index = histogram.countsArrayIndex(histogram.minNonZeroValue); index <= last; index++) {
        const count = histogram.getCountAtIndex(index)
        if (count > 0) filled.push(index, count)
      }
    }
    this.#filled = Float64Array.from(filled)
    return this.#filled
  }
}

/** Its size is fixed, so that a bucket has the same index in all of them. */
function emptyHistogram(): JsHistogram {
  return build({
    bitBucketSize: 32,
    autoResize: false,
    lowestDiscernibleValue: 1,
    highestTrackableValue: longestUs,
    numberOfSignificantValueDigits: digits,
    useWebAssembly: false,
  }) as JsHistogram
}

/** The middle of each bucket. */
const middleUs = middlesOf(emptyHistogram())

function middlesOf(histogram: JsHistogram): Float64Array {
  return Float64Array.from({ length: histogram.countsArrayLength }, (_, index) =>
    histogram.medianEquivalentValue(histogram.valueFromIndex(index)),
  )
}
