import { describe, expect, it } from 'vitest'
import { deviation, mean, seededRandom } from '../../bench/statistics.ts'
import { Trips } from '../../bench/trips.ts'

/** Log-normal delays around 20 ms with a long tail, in ms. */
function delays(count: number, seed: number): number[] {
  const random = seededRandom(seed)
  const normal = (): number => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
  return Array.from({ length: count }, () => 20 * Math.exp(normal()))
}
function tripsOf(values: readonly number[]): Trips {
  const trips = new Trips()
  for (const value of values) trips.record(value)
  return trips
}
/** Within the histogram's three digits, and the microsecond that it rounds to. */
function expectNear(actual: number | undefined, expected: number): void {
  expect(Math.abs((actual ?? Number.NaN) - expected)).toBeLessThanOrEqual(expected / 1000 + 0.001)
}
const told = (trips: Trips) => [
  trips.count,
  trips.mean,
  trips.max,
  trips.deviation,
  trips.quantile(0.5),
  trips.quantile(0.99),
  trips.curve(),
]

describe('trips', () => {
  it('tell what a sorted list of them tells, to three digits', () => {
    const values = delays(20_000, 1)
    const sorted = values.toSorted((a, b) => a - b)
    const trips = tripsOf(values)
    expect(trips.count).toBe(20_000)
    for (const q of [0.01, 0.25, 0.5, 0.9, 0.99, 0.999]) expectNear(trips.quantile(q), sorted[Math.ceil(q * 20_000) - 1] as number)
    expectNear(trips.mean, mean(values))
    expectNear(trips.max, sorted.at(-1) as number)
    expect(trips.deviation / deviation(values)).toBeCloseTo(1, 3)
  })

  it.each([0.001, 0.999, 1, 2.047, 2.048, 599_999.999])('keep %d ms to three digits', (ms) => {
    expectNear(tripsOf([ms]).quantile(0.5), ms)
    expectNear(tripsOf([ms]).max, ms)
  })

  it('count as many as they are told', () => {
    const trips = tripsOf([1])
    trips.record(9, 3)
    trips.record(100, 0)
    expect([trips.count, trips.mean, trips.max]).toEqual([4, expect.closeTo(7, 1), expect.closeTo(9, 1)])
  })

  it('take at least a microsecond, since clocks are coarse', () => {
    const trips = tripsOf([-3, 0, 0.0004])
    expect([trips.count, trips.quantile(0.5), trips.max]).toEqual([3, 0.001, 0.001])
  })

  it.each([Number.NaN, Number.POSITIVE_INFINITY, 600_001])('refuse %d ms', (ms) => {
    const trips = new Trips()
    expect(() => trips.record(ms)).toThrow(RangeError)
    expect(trips.count).toBe(0)
  })

  it('tell nothing where there are none', () => {
    const none = new Trips()
    expect(told(none)).toEqual([0, 0, 0, 0, undefined, undefined, []])
    expect(told(Trips.merge([none, none]))).toEqual(told(none))
    expect(told(Trips.decode(none.encode()))).toEqual(told(none))
  })
})

describe('a quantile', () => {
  it.each([
    [0.9, 100],
    [0.95, 200],
    [0.99, 1000],
    [0.999, 10_000],
  ])('%d needs %d trips, so that ten lie beyond it', (q, needed) => {
    const trips = tripsOf(delays(needed - 1, 2))
    expect(trips.quantile(q)).toBeUndefined()
    trips.record(20)
    expect(trips.quantile(q)).toBeGreaterThan(0)
  })

  it('in the middle needs one', () => {
    expectNear(tripsOf([5]).quantile(0.5), 5)
  })

  it('is a point of the curve, which ends where ten are left', () => {
    const trips = tripsOf(delays(5000, 3))
    const curve = trips.curve()
    expect(curve.slice(0, 7).map(([q]) => Number(q.toFixed(4)))).toEqual([0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.55])
    for (const [q, ms] of curve) expect(ms).toBe(trips.quantile(q))
    for (const [index, [q, ms]] of curve.entries()) {
      const [before, less] = curve[index - 1] ?? [-1, 0]
      expect(q).toBeGreaterThan(before)
      expect(ms).toBeGreaterThanOrEqual(less)
    }
    const [last] = curve.at(-1) as [number, number]
    expect((1 - last) * 5000).toBeGreaterThanOrEqual(10)
    expect((1 - last) * 5000).toBeLessThan(12)
    expect(tripsOf([1, 2, 3]).curve()).toEqual([])
  })
})

describe('many trips', () => {
  it('are the same on the other side of a process', () => {
    const trips = tripsOf(delays(3000, 4))
    const text = trips.encode()
    expect(text).toMatch(/^[A-Za-z0-9+/]+=*$/)
    expect(told(Trips.decode(text))).toEqual(told(trips))
    expect(() => Trips.decode('AAAAAAAAAAAA')).toThrow(/V2/)
  })

  it('merge into what was recorded in one, and stay as they were', () => {
    const [a, b, c] = [delays(1000, 5), delays(2000, 6), [500_000]] as const
    const parts = [a, b, c].map(tripsOf)
    const before = parts.map(told)
    expect(told(Trips.merge(parts))).toEqual(told(tripsOf([...a, ...b, ...c])))
    expect(parts.map(told)).toEqual(before)
    expect(told(Trips.merge([Trips.merge(parts.slice(0, 2)), Trips.merge(parts.slice(2))]))).toEqual(told(Trips.merge(parts)))
  })

  it('add what was recorded after they were added once', () => {
    const [all, part] = [new Trips(), tripsOf([10])]
    all.add(part)
    part.record(20)
    all.add(part)
    expect([all.count, all.mean]).toEqual([3, expect.closeTo(40 / 3, 1)])
    all.add(all)
    all.add(part)
    expect(all.count).toBe(8)
    expect(Trips.merge([all]).count).toBe(8)
    all.add(part)
    expect(Trips.merge([all]).count).toBe(10)
  })

  it('merge in less time than it takes to record them anew', () => {
    const samples = Array.from({ length: 10 }, (_, seed) => delays(2000, seed))
    const rounds = samples.map((each) => tripsOf(each))
    const hundred = (run: () => void): number => {
      const { user: before } = process.cpuUsage()
      for (let n = 0; n < 100; n++) run()
      return (process.cpuUsage().user - before) / 1_000
    }
    const recording = hundred(() => samples.forEach((each) => tripsOf(each)))
    const merging = hundred(() => void Trips.merge(rounds).quantile(0.99))
    console.log(`a hundred times ten rounds: merged in ${merging.toFixed(0)} ms, recorded in ${recording.toFixed(0)} ms`)
    expect(merging).toBeLessThan(recording)
  })
})
