import { describe, expect, it } from 'vitest'
import {
  bootstrap,
  bootstrapDifference,
  bootstrapRatio,
  deviation,
  isShown,
  jitteredSchedule,
  mean,
  median,
  periodicSchedule,
  poissonSchedule,
  quantile,
  seededRandom,
  shuffled,
  slope,
  stratifiedSchedule,
} from '../../bench/statistics.ts'

const gaps = (times: Float64Array): number[] => [...times].map((time, index) => time - (times[index - 1] ?? 0))
/** Standard normal, by Box and Muller. */
const normal = (random: () => number): number => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())

describe('drawing', () => {
  it('draws what mulberry32 draws', () => {
    const random = seededRandom(1)
    expect([random(), random(), random()].map((value) => value * 2 ** 32)).toEqual([2_693_262_067, 11_749_833, 2_265_367_787])
  })

  it('draws evenly from 0 to 1, and never 1', () => {
    const random = seededRandom(7)
    const drawn = Array.from({ length: 100_000 }, random)
    expect(mean(drawn)).toBeCloseTo(0.5, 2)
    expect(deviation(drawn)).toBeCloseTo(Math.sqrt(1 / 12), 2)
    expect(Math.max(...drawn.slice(0, 50_000))).toBeLessThan(1)
  })

  it('shuffles a copy, every order equally often', () => {
    const random = seededRandom(3)
    const items = [1, 2, 3] as const
    const orders = new Map<string, number>()
    for (let n = 0; n < 60_000; n++) {
      const order = shuffled(items, random).join('')
      orders.set(order, (orders.get(order) ?? 0) + 1)
    }
    expect(items).toEqual([1, 2, 3])
    expect(orders.size).toBe(6)
    for (const count of orders.values()) expect(Math.abs(count - 10_000)).toBeLessThan(400)
  })
})

describe('schedules', () => {
  it('stratifies: the gaps of a short run are the quantiles of the exponential distribution, in random order', () => {
    const times = stratifiedSchedule(50, 200, seededRandom(5))
    expect(times.length).toBe(200)
    expect(times.at(-1) ?? 0).toBeLessThan(4_000)
    expect(times.at(-1) ?? 0).toBeGreaterThan(3_980)
    for (const share of [0.1, 0.5, 0.9]) {
      const below = gaps(times).filter((gap) => gap < -20 * Math.log(1 - share)).length
      expect(Math.abs(below - 200 * share)).toBeLessThanOrEqual(1)
    }
    expect(stratifiedSchedule(50, 200, seededRandom(6))).not.toEqual(times)
  })

  it('has exponential gaps at the rate that was asked for, and is the same for the same seed', () => {
    const times = poissonSchedule(50, 1000, seededRandom(5))
    expect(Math.abs(times.length - 50_000)).toBeLessThan(1000)
    expect(mean(gaps(times))).toBeCloseTo(20, 0)
    expect(deviation(gaps(times)) / 20).toBeCloseTo(1, 1)
    expect(gaps(times).filter((gap) => gap > 20).length / times.length).toBeCloseTo(Math.exp(-1), 2)
    expect(times.at(-1)).toBeLessThan(1_000_000)
    expect(poissonSchedule(50, 1000, seededRandom(5))).toEqual(times)
  })

  it('repeats at a period from an offset, up to the end', () => {
    expect([...periodicSchedule(4, 1)]).toEqual([0, 250, 500, 750])
    expect([...periodicSchedule(4, 1, 100)]).toEqual([100, 350, 600, 850])
    expect([...periodicSchedule(4, 1, 1000)]).toEqual([])
  })

  it('jitters by half a period, and never goes back', () => {
    const between = gaps(jitteredSchedule(100, 10_000, seededRandom(9)))
    expect(between).toHaveLength(10_000)
    expect(Math.min(...between)).toBeGreaterThanOrEqual(50)
    expect(Math.max(...between)).toBeLessThan(150)
    expect(Math.abs(mean(between) - 100)).toBeLessThan(1)
  })
})

describe('describing', () => {
  it('finds mean, deviation, median and quantiles', () => {
    const values = [9, 1, 5, 3]
    expect(mean(values)).toBe(4.5)
    expect(deviation(values)).toBeCloseTo(3.415650255, 8)
    expect(deviation([5])).toBe(0)
    expect(median(values)).toBe(4)
    expect([0, 0.25, 1].map((q) => quantile(values, q))).toEqual([1, 2.5, 9])
    expect(median([])).toBeNaN()
    expect(values).toEqual([9, 1, 5, 3])
  })

  it('fits a line by least squares', () => {
    expect(slope([[0, 1], [1, 3], [2, 5]])).toEqual({ slope: 2, intercept: 1, r2: 1 }) // prettier-ignore
    const { slope: rise, intercept, r2 } = slope([[1, 2], [2, 1], [3, 4], [4, 3]]) // prettier-ignore
    expect([rise, intercept, r2].map((value) => Number(value.toFixed(9)))).toEqual([0.6, 1, 0.36])
  })
})

describe('the bootstrap', () => {
  it('gives the interval of a mean that theory gives', () => {
    const random = seededRandom(11)
    const rounds = Array.from({ length: 200 }, () => 100 + 10 * normal(random))
    const { value, low, high } = bootstrap(rounds, mean, random, 4000)
    const margin = (1.96 * deviation(rounds)) / Math.sqrt(200)
    expect(value).toBe(mean(rounds))
    expect((value - low) / margin).toBeCloseTo(1, 1)
    expect((high - value) / margin).toBeCloseTo(1, 1)
  })

  it('covers the true value about 95 times in 100', () => {
    const random = seededRandom(13)
    let covered = 0
    for (let n = 0; n < 500; n++) {
      const { low, high } = bootstrap(
        Array.from({ length: 40 }, () => normal(random)),
        mean,
        random,
        400,
      )
      if (low <= 0 && high >= 0) covered++
    }
    expect(covered / 500).toBeGreaterThan(0.9)
    expect(covered / 500).toBeLessThan(0.98)
  })

  it('resamples two lanes independently, whatever their rounds are', () => {
    const random = seededRandom(17)
    const lane = (middle: number) => Array.from({ length: 100 }, () => ({ ms: middle + normal(random) }))
    const ofRounds = (rounds: readonly { readonly ms: number }[]): number => mean(rounds.map(({ ms }) => ms))
    const [a, b] = [lane(20), lane(10)]
    const difference = bootstrapDifference(a, b, ofRounds, random)
    expect(difference.value).toBe(ofRounds(a) - ofRounds(b))
    // Each mean varies by 1/√100; the two together by √2 of it.
    expect(difference.high - difference.low).toBeGreaterThan(0.4)
    expect(difference.high - difference.low).toBeLessThan(0.7)
    const ratio = bootstrapRatio(a, b, ofRounds, random)
    expect(ratio.value).toBe(ofRounds(a) / ofRounds(b))
    expect(ratio.low).toBeGreaterThan(1.9)
    expect(ratio.high).toBeLessThan(2.1)
  })

  it('gives a point for one round', () => {
    expect(bootstrap([42], mean, seededRandom(1))).toEqual({ value: 42, low: 42, high: 42 })
  })
})

describe('a claim', () => {
  const clear = { difference: { value: 10, low: 8, high: 12 }, floor: 3, base: 100, rounds: 3 }

  it('is made of what excludes 0 and is above the floor and 5 %', () => {
    expect(isShown(clear)).toBe(true)
    expect(isShown({ ...clear, rounds: 2 })).toBe(false)
    expect(isShown({ ...clear, difference: { value: -10, low: -12, high: -8 } })).toBe(true)
  })

  it('is not made where the interval has 0 in it', () => {
    expect(isShown({ ...clear, difference: { value: 10, low: -1, high: 21 } })).toBe(false)
    expect(isShown({ ...clear, difference: { value: 10, low: 0, high: 21 } })).toBe(false)
  })

  it('is not made of what the same lane differs from itself by', () => {
    expect(isShown({ ...clear, floor: 10 })).toBe(false)
  })

  it('is not made of 5 % or less', () => {
    expect(isShown({ ...clear, base: 200 })).toBe(false)
    expect(isShown({ ...clear, base: -199 })).toBe(true)
  })
})
