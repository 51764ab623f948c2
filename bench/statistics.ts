/** Drawing at random from a seed, schedules to publish by, and what may be said of several rounds. */
import type { Interval } from './report/report.ts'

/** Numbers in [0, 1), the same for the same seed: mulberry32 (T. Ettinger, 2017, public domain), 2^32 draws before it repeats. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** A copy in random order, each equally likely (Fisher and Yates; Durstenfeld 1964). */
export function shuffled<T>(items: readonly T[], random: () => number): T[] {
  const copy = [...items]
  for (let last = copy.length - 1; last > 0; last--) {
    const drawn = Math.floor(random() * (last + 1))
    ;[copy[last], copy[drawn]] = [copy[drawn] as T, copy[last] as T]
  }
  return copy
}

/** Intended times in ms from 0, before `seconds`: a Poisson process of `rate` a second, its gaps exponential. */
export function poissonSchedule(rate: number, seconds: number, random: () => number): Float64Array {
  const times: number[] = []
  const gapMs = (): number => (-Math.log1p(-random()) * 1000) / rate
  for (let atMs = gapMs(); atMs < seconds * 1000; atMs += gapMs()) times.push(atMs)
  return Float64Array.from(times)
}

/**
 * `count` times of a Poisson process, as even as chance can be: the gaps are the quantiles of their exponential distribution, in
 * random order, so that a short run has the share of short gaps that a long one has. The last time is at count/rate, or a little before.
 */
export function stratifiedSchedule(rate: number, count: number, random: () => number): Float64Array {
  const gaps = Array.from({ length: count }, (_, index) => (-Math.log1p(-(index + 0.5) / count) * 1000) / rate)
  let atMs = 0
  return Float64Array.from(shuffled(gaps, random), (gapMs) => (atMs += gapMs))
}

/** Every 1/rate, the first at `offsetMs`: intended times in ms, before `seconds`. In phase with a poller it measures one phase only. */
export function periodicSchedule(rate: number, seconds: number, offsetMs = 0): Float64Array {
  const periodMs = 1000 / rate
  const count = Math.max(0, Math.ceil((seconds * 1000 - offsetMs) / periodMs))
  return Float64Array.from({ length: count }, (_, index) => offsetMs + index * periodMs)
}

/** `count` times in ms with gaps of the period ± half of it, drawn evenly: no phase is kept, and none comes before the last. */
export function jitteredSchedule(periodMs: number, count: number, random: () => number): Float64Array {
  let atMs = 0
  return Float64Array.from({ length: count }, () => (atMs += periodMs * (0.5 + random())))
}

export const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length

/** Standard deviation of a sample, over n − 1; 0 for a single value. */
export function deviation(values: readonly number[]): number {
  if (values.length === 1) return 0
  const middle = mean(values)
  return Math.sqrt(values.reduce((sum, value) => sum + (value - middle) ** 2, 0) / (values.length - 1))
}

/** The value below which a share q in [0, 1] lies, between two neighbours in proportion (type 7 of Hyndman and Fan 1996). NaN of none. */
export function quantile(values: readonly number[], q: number): number {
  return ofSorted(Float64Array.from(values).toSorted(), q)
}

export const median = (values: readonly number[]): number => quantile(values, 0.5)

function ofSorted(sorted: Float64Array, q: number): number {
  const place = q * (sorted.length - 1)
  const below = sorted[Math.floor(place)] ?? Number.NaN
  const above = sorted[Math.ceil(place)] ?? Number.NaN
  return below === above ? below : below + (above - below) * (place % 1)
}

export interface Line {
  readonly slope: number
  readonly intercept: number
  /** Share of y's variance that the line explains, 0 to 1; 1 where y does not vary. */
  readonly r2: number
}

/** The line through the points by least squares, in the units of y per x. NaN where all x are the same. */
export function slope(points: readonly (readonly [x: number, y: number])[]): Line {
  const middleX = mean(points.map(([x]) => x))
  const middleY = mean(points.map(([, y]) => y))
  let [xx, xy, yy] = [0, 0, 0]
  for (const [x, y] of points) {
    xx += (x - middleX) ** 2
    xy += (x - middleX) * (y - middleY)
    yy += (y - middleY) ** 2
  }
  const rise = xy / xx
  return { slope: rise, intercept: middleY - rise * middleX, r2: yy === 0 ? 1 : xy ** 2 / (xx * yy) }
}

/** 95 % of what the resamples gave lies between these. */
const tails = [0.025, 0.975] as const
const standardResamples = 1000

/**
 * A statistic of the rounds with its 95 % interval: the percentile bootstrap (Efron 1979). The round is what is resampled, since
 * the trips of one round are not independent of each other. Of one round the interval is a point and says nothing.
 */
export function bootstrap<T>(
  rounds: readonly T[],
  statistic: (rounds: readonly T[]) => number,
  random: () => number,
  resamples = standardResamples,
): Interval {
  return interval(statistic(rounds), resamples, () => statistic(drawn(rounds, random)))
}

/** statistic(a) − statistic(b), rounds of a and of b resampled independently. */
export const bootstrapDifference = <T>(
  a: readonly T[],
  b: readonly T[],
  statistic: (rounds: readonly T[]) => number,
  random: () => number,
  resamples = standardResamples,
): Interval => compared(a, b, statistic, random, resamples, (ofA, ofB) => ofA - ofB)

/** statistic(a) / statistic(b), in the same way. */
export const bootstrapRatio = <T>(
  a: readonly T[],
  b: readonly T[],
  statistic: (rounds: readonly T[]) => number,
  random: () => number,
  resamples = standardResamples,
): Interval => compared(a, b, statistic, random, resamples, (ofA, ofB) => ofA / ofB)

function compared<T>(
  a: readonly T[],
  b: readonly T[],
  statistic: (rounds: readonly T[]) => number,
  random: () => number,
  resamples: number,
  compare: (ofA: number, ofB: number) => number,
): Interval {
  const again = (): number => compare(statistic(drawn(a, random)), statistic(drawn(b, random)))
  return interval(compare(statistic(a), statistic(b)), resamples, again)
}

const drawn = <T>(rounds: readonly T[], random: () => number): T[] => rounds.map(() => rounds[Math.floor(random() * rounds.length)] as T)

function interval(value: number, resamples: number, again: () => number): Interval {
  const sorted = Float64Array.from({ length: resamples }, again).toSorted()
  const [low, high] = tails.map((q) => ofSorted(sorted, q)) as [number, number]
  return { value, low, high }
}

/** A difference of less than this share of what it is compared with is not worth a word. */
export const leastShare = 0.05

/** With fewer rounds an interval is the range of what few numbers there are: nothing is claimed. */
export const leastRounds = 3

export interface Claim {
  /** Of each lane. */
  readonly rounds: number
  readonly difference: Interval
  /** What two lanes of the same kind (A/A) differ by, in the same unit. */
  readonly floor: number
  /** The value that the difference is from. */
  readonly base: number
}

/** May the difference be claimed? Its interval excludes 0, and it is above the noise floor and above 5 % of the base. */
export function isShown({ difference: { value, low, high }, floor, base, rounds }: Claim): boolean {
  if (rounds < leastRounds) return false
  const excludesZero = low > 0 || high < 0
  return excludesZero && Math.abs(value) > floor && Math.abs(value) > leastShare * Math.abs(base)
}
