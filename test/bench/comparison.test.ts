import { build } from 'esbuild'
import { spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Change, type Comparison, breaches, compareReports } from '../../bench/report/comparison.ts'
import { printComparison } from '../../bench/report/comparison-text.ts'
import type { MetricName } from '../../bench/report/metrics.ts'
import type { Report, RoundRecord } from '../../bench/report/report.ts'
import { exampleReport, exampleRounds } from './example-report.ts'

const [costs] = exampleReport.results
const report = (rounds: readonly RoundRecord[], environment: Partial<Report['environment']> = {}): Report => ({
  ...exampleReport,
  environment: { ...exampleReport.environment, ...environment },
  results: [{ ...costs!, rounds }],
})

const old = report(exampleRounds(7))
const again = report(exampleRounds(8))
const slower = report(exampleRounds(8, 1.3))
const dearer = report(exampleRounds(8, 1, 0.02))
// A thousand resamples of each metric of each lane: those that several tests look at are made once.
const [toAgain, toSlower, toDearer] = [again, slower, dearer].map((fresh) => compareReports(old, fresh)) as [
  Comparison,
  Comparison,
  Comparison,
]

function change(comparison: Comparison, lane: string, metric: string): Change {
  const found = comparison.results[0]!.lanes.find((one) => one.lane === lane)!.changes.find((one) => one.metric === metric)
  if (found === undefined) throw new Error(`no ${metric} of ${lane}`)
  return found
}

/** Of each round only these metrics and no trips, whose quantiles are most of the work. */
const only = (rounds: readonly RoundRecord[], ...names: readonly MetricName[]): RoundRecord[] =>
  rounds.map(({ scenario, lane, round, order, metrics }) => ({
    scenario,
    lane,
    round,
    order,
    metrics: Object.fromEntries(names.flatMap((name) => (metrics[name] === undefined ? [] : [[name, metrics[name]]]))),
  }))

/** One lane's median of each round. */
const medians = (seed: number): RoundRecord[] =>
  only(
    exampleRounds(seed).filter((round) => round.lane === 'sse'),
    'p50',
  )

describe('a comparison', () => {
  it('shows no difference between two runs of the same', () => {
    expect(change(toAgain, 'sse', 'p50').verdict).toBe('not shown')
    expect(change(toAgain, 'sse', 'bytesPerMessage').verdict).toBe('same')
    expect(printComparison(toAgain, { colour: false })).toMatch(/delay, median, ms +0\.7\d* +0\.7\d* +~ \[/)
  })

  it('claims no difference in 95 of 100 pairs of the same lane', () => {
    const verdicts = Array.from({ length: 100 }, (_, seed) => {
      const [a, b] = [seed + 100, seed + 900].map((one) => report(medians(one)))
      return change(compareReports(a!, b!), 'sse', 'p50').verdict
    })
    expect(verdicts.filter((verdict) => verdict === 'not shown').length).toBeGreaterThanOrEqual(95)
  })

  it('shows a sampled difference that is beyond its interval, the noise, and 5 %', () => {
    const { verdict, share } = change(toSlower, 'sse', 'p50')
    expect(verdict).toBe('shown')
    expect(share.value).toBeCloseTo(0.3, 1)
    expect(share.low).toBeGreaterThan(0.25)
    expect(share.high).toBeLessThan(0.35)
  })

  it('compares what was counted exactly, however small the difference', () => {
    const comparison = compareReports(old, report(exampleRounds(8, 1, 0.0001)))
    expect(change(comparison, 'long-poll', 'bytesPerMessage').verdict).toBe('changed')
  })

  it('finds one lost message in one round', () => {
    const rounds = exampleRounds(8).map((round, index) => (index === 2 ? { ...round, metrics: { ...round.metrics, lost: 1 } } : round))
    expect(change(compareReports(old, report(rounds)), 'sse', 'lost')).toMatchObject({ verdict: 'changed', share: { value: Infinity } })
  })

  it('says nothing of two rounds', () => {
    const few = (seed: number, slow: number): Report => report(exampleRounds(seed, slow).filter(({ round }) => round < 2))
    expect(change(compareReports(few(7, 1), few(8, 3)), 'sse', 'p50').verdict).toBe('not shown')
  })

  it('compares bytes and no times between machines, and names the reason', () => {
    const comparison = compareReports(old, report(exampleRounds(8, 3), { cpu: 'another', node: '22.0.0' }))
    expect(comparison.results[0]!.reasons).toEqual(['cpu differs', 'node differs'])
    expect(change(comparison, 'sse', 'p50').verdict).toBe('not comparable')
    expect(change(comparison, 'sse', 'bytesPerMessage').verdict).toBe('same')
    expect(printComparison(comparison, { colour: false })).toContain('times are not comparable: cpu differs, node differs')
  })

  it('compares no times between scenarios, and lists what has no counterpart', () => {
    const other = {
      ...again,
      results: [
        { ...again.results[0]!, scenario: 'another' },
        { ...again.results[0]!, name: 'newcomer' },
      ],
    }
    const comparison = compareReports(old, other)
    expect(comparison.results[0]!.reasons).toEqual(['scenario differs'])
    expect(comparison.onlyNew).toContain('newcomer / 50 clients, 10 msg/s / sse')
    expect(comparison.onlyOld).toEqual([])
  })

  it('breaches a limit only by a change beyond it that is shown', () => {
    const found = (comparison: Comparison, metric: 'p50' | 'bytesPerMessage', share: number): number =>
      breaches(comparison, [{ metric, share }]).length
    expect(found(toSlower, 'p50', 0.15)).toBe(4)
    expect(found(toSlower, 'p50', 0.4)).toBe(0)
    expect(found(toAgain, 'p50', 0)).toBe(0)
    expect(found(toDearer, 'bytesPerMessage', 0.01)).toBe(4)
    expect(found(toDearer, 'bytesPerMessage', 0.03)).toBe(0)
    expect(found(toDearer, 'bytesPerMessage', -0.01)).toBe(0)
  })
})

interface Run {
  readonly code: number | null
  readonly out: string
  readonly error: string
}

let folder = ''
const path = (name: string): string => join(folder, `${name}.json`)

/** The program in one file: twenty times it would be most of the work to translate it anew. */
async function bundle(): Promise<void> {
  const entryPoints = [fileURLToPath(new URL('../../bench/compare.ts', import.meta.url))]
  await build({ entryPoints, bundle: true, platform: 'node', format: 'esm', outfile: join(folder, 'compare.mjs'), logLevel: 'error' })
}

function compare(...args: readonly string[]): Promise<Run> {
  const child = spawn(process.execPath, [join(folder, 'compare.mjs'), ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  let [out, error] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (error += text))
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => resolve({ code, out, error }))
  })
}

describe('bench:compare', () => {
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'fourwires-compare-'))
    const judged = ({ environment, results: [first] }: Report): Report =>
      report(only(first?.rounds ?? [], 'p50', 'p99', 'bytesPerMessage', 'cpuPerThousand'), environment)
    const elsewhere = judged(report(exampleRounds(8, 3), { cpu: 'another' }))
    const [narrow, same, slow, dear] = [old, again, slower, dearer].map(judged)
    const reports = {
      whole: old,
      wholeSlower: slower,
      old: narrow,
      again: same,
      slower: slow,
      dearer: dear,
      elsewhere,
      schema: { ...old, schema: 2 },
      other: { name: 'no report' },
      list: [1],
    }
    await Promise.all(Object.entries(reports).map(([name, value]) => writeFile(path(name), JSON.stringify(value))))
    await Promise.all([bundle(), writeFile(path('broken'), '{"schema": 1,')])
  })
  afterAll(() => rm(folder, { recursive: true }))

  it('exits 0 with a table of old, new and change', async () => {
    const { code, out, error } = await compare(path('whole'), path('wholeSlower'))
    expect(error).toBe('')
    expect(out).toMatch(/delay, median, ms +0\.7\d* +0\.9\d* +\+\d\d\.\d % \[\+\d\d\.\d %, \+\d\d\.\d %\]/)
    expect(out).toMatch(/bytes per delivered message, B +757\.5 +757\.5 +=/)
    expect(code).toBe(0)
  })

  it.each([
    ['bytes:+1%', 'dearer', 1, /bytesPerMessage changed by \+2\.0 %, allowed is \+1\.0 %/],
    ['bytes:+3%', 'dearer', 0, /^$/],
    ['bytes:+1%,p50:+15%', 'slower', 1, /<> WebSocket: p50 changed by \+\d\d\.\d %, allowed is \+15\.0 %/],
    ['bytes:+0%,p50:+0%,p99:+0%,cpu:+0%', 'again', 0, /^$/],
    ['p50:+15%', 'elsewhere', 0, /--fail p50 was not judged: cpu differs/],
    ['max:+1%', 'again', 2, /no lane has it in both reports/],
    ['p12:+15%', 'again', 2, /There is no metric "p12"\. There are bytes, cpu, .*bytesPerMessage.*p99/],
    ['toString:+1%', 'again', 2, /There is no metric "toString"/],
    ['bytes+1', 'again', 2, /--fail takes metric:\+N%/],
  ])('--fail %s against %s exits %i', async (limits, name, expected, sentence) => {
    const { code, error } = await compare(path('old'), path(name), '--fail', limits)
    expect(error).toMatch(sentence)
    expect(code).toBe(expected)
  })

  it.each([
    ['missing', /missing\.json could not be read \(ENOENT\)/],
    ['broken', /broken\.json is not JSON/],
    ['other', /other\.json is no report of the bench/],
    ['list', /list\.json is no report of the bench/],
    ['schema', /schema\.json has schema 2, and this compares schema 1/],
  ])('exits 2 on a file that is %s, with one sentence', async (name, sentence) => {
    const { code, out, error } = await compare(path('old'), path(name))
    expect([code, out]).toEqual([2, ''])
    expect(error).toMatch(sentence)
    expect(error.trim().split('\n')).toHaveLength(1)
  })

  it('exits 2 without two reports or with an unknown option, and 0 with help', async () => {
    const [none, unknown, help] = await Promise.all([compare(path('old')), compare('--fial', 'x'), compare('--help')])
    expect([none.code, unknown.code, help.code]).toEqual([2, 2, 0])
    expect(none.error).toContain('Two reports are compared, and 1 given.')
    expect(unknown.error).toContain('--fial')
    expect(help.out).toContain('--fail bytes:+1%,p99:+15%')
  })
})
