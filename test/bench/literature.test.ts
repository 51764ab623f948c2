/**
 * The relations of published experiments that are counts and bytes, on runs of a second or two. Times are not looked at here.
 * Most of them wait for their rounds to pass: those run by `npm run bench:literature` only.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Bench } from '../../bench/bench.ts'
import { measureConstants } from '../../bench/constants.ts'
import { measurePairs, nullChecks } from '../../bench/experiments/aa-null.ts'
import { chargedChecks, measureBatched } from '../../bench/experiments/batching-beats-push.ts'
import { measureMissed } from '../../bench/experiments/bozdag-2007-misses.ts'
import { measureReceived } from '../../bench/experiments/bozdag-2009-redundant.ts'
import { measureTrips, receivedShare } from '../../bench/experiments/bozdag-2009-triptime.ts'
import { corrected, inventedBy, samplesCheck, watchStall } from '../../bench/experiments/coordinated-omission.ts'
import { askedChecks, measureAsked } from '../../bench/experiments/hpbn-crossover.ts'
import { measureFrames, measureSurrounded, surroundedChecks } from '../../bench/experiments/lubbers-quantum-bytes.ts'
import { batchOf, measureTransits } from '../../bench/experiments/rfc6202-transits.ts'
import { parseOptions } from '../../bench/options.ts'
import type { Check } from '../../bench/report/report.ts'

let bench: Bench
beforeAll(() => {
  bench = new Bench(parseOptions(['--seed', '7']), new AbortController().signal, () => {})
})
afterAll(() => bench.close())

/** What takes several seconds of a whole core. */
const atLength = it.runIf(process.env['LITERATURE'] !== undefined)

const broken = (checks: readonly Check[]): string[] =>
  checks.filter(({ holds }) => !holds).map(({ relation, measured }) => `${relation}: ${measured}`)

describe('Bozdag, Mesbah, van Deursen', () => {
  atLength('receives all that is published, on every wire', async () => {
    const rows = await measureTrips(bench, { intervals: [50], clients: 3 })
    expect(rows.map(({ wire }) => wire)).toEqual(['poll', 'long-poll', 'sse', 'websocket'])
    expect(rows.map(receivedShare)).toEqual([1, 1, 1, 1])
  })

  it('asks in vain without a cursor, and gets ten for ten with one and where it is pushed', async () => {
    const rows = await measureReceived(bench, 30, [5])
    const [latest, ...others] = rows.filter(({ feed }) => feed === 'periodic')
    expect(latest?.lane).toBe('poll, latest value')
    expect(latest?.useless).toBeGreaterThan(0.5)
    expect(latest?.rpm).toBeGreaterThan(2 * (latest?.unique ?? Infinity))
    expect(others.map(({ unique }) => unique)).toEqual([10, 10, 10, 10])
    expect(others.filter(({ wire }) => wire !== 'poll').map(({ rpm }) => rpm)).toEqual([10, 10, 10])
  })

  atLength('misses most of five messages an interval without a cursor, and none with one', async () => {
    const rows = await measureMissed(bench, 1.2, [5])
    for (const { store, group, missed } of rows)
      if (store === 'cursor') expect(group.lost).toBe(0)
      else expect(Math.abs(missed - 0.8)).toBeLessThan(0.12)
    expect(rows.map(({ store }) => store)).toEqual(['latest value', 'cursor', 'latest value', 'cursor'])
  })
})

describe('Lubbers and Greco', () => {
  atLength('counts heads of 2, 4 and 6 bytes for frames, and hundreds for a poll', async () => {
    const rows = await measureSurrounded(bench, 0.6, ['chromium'])
    expect(broken(surroundedChecks(rows, await measureFrames(bench)))).toEqual([])
  })
})

describe('RFC 6202', () => {
  it('brings one message in an answer of a slow feed, and several of a fast one', async () => {
    const { rows } = await measureTransits(bench, 1, [
      { rate: 1, rooms: 1 },
      { rate: 50, rooms: 1 },
    ])
    const [slow, , fast] = rows.map(batchOf)
    expect(slow).toBe(1)
    expect(fast).toBeGreaterThan(3)
  })
})

describe('High Performance Browser Networking', () => {
  atLength(
    'asks less often by long polling than by polling below a message an interval, more often above, and never over T/R',
    async () => {
      const rows = await measureAsked(bench, 1.6, [0.2, 5])
      expect(broken(askedChecks(rows))).toEqual([])
    },
  )
})

describe('batching', () => {
  atLength('moves more bytes by polling at one message an interval, and fewer at fifty', async () => {
    const constants = await measureConstants(bench, { headers: 'fetch', cookie: true })
    const rows = await measureBatched(bench, constants, 1.2, [1, 50])
    const [one, fifty] = rows
    expect(broken(chargedChecks(rows, constants))).toEqual([])
    expect(one?.ip.poll).toBeGreaterThan(one?.ip.websocket ?? Infinity)
    expect(one?.ip.poll).toBeGreaterThan(one?.ip.sse ?? Infinity)
    expect(fifty?.ip.poll).toBeLessThan(fifty?.ip.websocket ?? 0)
    expect(fifty?.ip.poll).toBeLessThan(fifty?.ip.sse ?? 0)
  })
})

describe('coordinated omission', () => {
  it('puts in what a late answer kept from being sent, one for each interval', () => {
    const trips = corrected([100, 3], 25)
    expect(trips.count).toBe(5)
    expect(trips.mean).toBeCloseTo((100 + 75 + 50 + 25 + 3) / 5, 1)
  })

  atLength('finds that autocannon puts in one for each millisecond instead', async () => {
    expect(inventedBy(Float64Array.of(0.4, 1.9, 3.7))).toBe(2)
    const { loaded, intended, round } = await watchStall(bench, 2, 700)
    expect(loaded.failed).toBe(0)
    expect(broken([samplesCheck(loaded)])).toEqual([])
    expect(loaded.told.samples).toBeGreaterThan(loaded.answersMs.length * 2)
    expect(intended.count).toBe(round.published.accepted)
  })
})

describe('A/A', () => {
  it('delivers to A what it delivers to B', async () => {
    const pairs = await measurePairs(bench, 1, 300)
    const [, deliveries] = nullChecks(pairs)
    expect(broken(deliveries === undefined ? [] : [deliveries])).toEqual([])
    expect(pairs.map((samples) => samples.map(({ group }) => group.total.delivered))).toEqual([[90], [90]])
  })
})
