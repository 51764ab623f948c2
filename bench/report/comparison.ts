/** Two reports side by side: what changed, and what of it may be said. */
import { bootstrapDifference, isShown, mean, median, seededRandom } from '../statistics.ts'
import type { MetricName } from './metrics.ts'
import type { Environment, How, Interval, Report, Result } from './report.ts'
import { type Run, metricNames, metricOf, runsOf, valuesOf } from './runs.ts'

/** `same` and `changed` are counted and exact; a sampled difference is `shown` or `not shown`. */
export type Verdict = 'same' | 'changed' | 'shown' | 'not shown' | 'not comparable'

export interface Change {
  readonly metric: MetricName
  readonly how: How
  /** Counted: the mean over the rounds, for a median would hide one lost message. Sampled: the median over the rounds. */
  readonly old: number
  readonly new: number
  readonly verdict: Verdict
  /** new − old; sampled with its 95 % interval over the rounds, counted without. */
  readonly difference: Interval
  /** The difference as a share of old: 0.05 is 5 % more. Infinity from 0, or from 0 to less. */
  readonly share: Interval
}

export interface ComparedLane {
  readonly scenario: string
  readonly lane: string
  readonly changes: readonly Change[]
}

export interface ComparedResult {
  readonly experiment: string
  /** Why times are not comparable: `cpu differs`. Empty where they are. */
  readonly reasons: readonly string[]
  readonly lanes: readonly ComparedLane[]
}

export interface Comparison {
  readonly results: readonly ComparedResult[]
  /** `experiment / scenario / lane`: without a counterpart. */
  readonly onlyOld: readonly string[]
  readonly onlyNew: readonly string[]
}

/** Fewer rounds than these say nothing of how far rounds lie apart. */
const leastRounds = 3

export function compareReports(old: Report, fresh: Report): Comparison {
  const machine = differences(old.environment, fresh.environment)
  const pairs = fresh.results.flatMap((after) => {
    const before = old.results.find(({ name }) => name === after.name)
    return before === undefined ? [] : [{ before, after }]
  })
  const results = pairs.map(({ before, after }) => ({
    experiment: after.name,
    reasons: [...machine, ...(before.scenario === after.scenario ? [] : ['scenario differs'])],
  }))
  const compared = results.map((result, index) => ({ ...result, lanes: lanesOf(pairs[index]!, result.reasons.length === 0, fresh.seed) }))
  return { results: compared, onlyOld: missing(old, fresh), onlyNew: missing(fresh, old) }
}

/** What of a machine decides over its times. Version and commit are what is compared. */
const decisive = ['cpu', 'cores', 'memoryBytes', 'os', 'node', 'pinned'] as const satisfies readonly (keyof Environment)[]

const differences = (a: Environment, b: Environment): string[] =>
  decisive.filter((name) => a[name] !== b[name]).map((name) => `${name === 'memoryBytes' ? 'memory' : name} differs`)

const keyOf = ({ scenario, lane }: Run): string => JSON.stringify([scenario, lane])

function lanesOf({ before, after }: { before: Result; after: Result }, timed: boolean, seed: number): ComparedLane[] {
  const olds = new Map(runsOf(before.rounds).map((run) => [keyOf(run), run]))
  return runsOf(after.rounds).flatMap((run) => {
    const old = olds.get(keyOf(run))
    return old === undefined ? [] : [{ scenario: run.scenario, lane: run.lane, changes: changesOf(old, run, timed, seed) }]
  })
}

function changesOf(old: Run, fresh: Run, timed: boolean, seed: number): Change[] {
  return metricNames(fresh.rounds).flatMap((name) => {
    const metric = metricOf(name)
    const [before, after] = [valuesOf(old, name), valuesOf(fresh, name)]
    if (metric === undefined || before.length === 0 || after.length === 0) return []
    const known = { metric: name as MetricName, how: metric.how }
    return [{ ...known, ...(metric.how === 'counted' ? counted(before, after) : sampled(before, after, timed, seed)) }]
  })
}

type Judged = Omit<Change, 'metric' | 'how'>

function counted(before: readonly number[], after: readonly number[]): Judged {
  const [old, fresh] = [mean(before), mean(after)]
  const value = fresh - old
  return { ...shared(old, fresh, { value, low: value, high: value }), verdict: value === 0 ? 'same' : 'changed' }
}

function sampled(before: readonly number[], after: readonly number[], timed: boolean, seed: number): Judged {
  // Each metric draws from the seed anew: its interval does not hang on what was compared before it.
  const difference = bootstrapDifference(after, before, median, seededRandom(seed))
  const old = median(before)
  const floor = Math.max(noise(before), noise(after))
  const enough = Math.min(before.length, after.length) >= leastRounds
  const verdict = enough && isShown({ difference, floor, base: old }) ? 'shown' : 'not shown'
  return { ...shared(old, median(after), difference), verdict: timed ? verdict : 'not comparable' }
}

/** An A/A pair out of one run: how far the medians of its odd and of its even rounds lie apart. */
function noise(values: readonly number[]): number {
  const [even, odd] = [0, 1].map((rest) => values.filter((_, index) => index % 2 === rest)) as [number[], number[]]
  return odd.length === 0 ? 0 : Math.abs(median(even) - median(odd))
}

function shared(old: number, fresh: number, difference: Interval): Omit<Judged, 'verdict'> {
  const share = (value: number): number => (value === 0 ? 0 : value / Math.abs(old))
  const { value, low, high } = difference
  return { old, new: fresh, difference, share: { value: share(value), low: share(low), high: share(high) } }
}

function missing(from: Report, other: Report): string[] {
  const names = (report: Report): string[] =>
    report.results.flatMap(({ name, rounds }) => runsOf(rounds).map(({ scenario, lane }) => `${name} / ${scenario} / ${lane}`))
  const there = new Set(names(other))
  return names(from).filter((name) => !there.has(name))
}

/** What `--fail` sets for a metric: more than this share above old, or below it where it is negative. */
export interface Limit {
  readonly metric: MetricName
  readonly share: number
}

export interface Breach {
  readonly experiment: string
  readonly lane: ComparedLane
  readonly change: Change
  readonly limit: Limit
}

/** The changes beyond a limit: of the sampled ones only those that are shown. */
export function breaches({ results }: Comparison, limits: readonly Limit[]): Breach[] {
  const beyond = ({ share, verdict }: Change, limit: Limit): boolean =>
    (verdict === 'changed' || verdict === 'shown') &&
    (limit.share < 0 || Object.is(limit.share, -0) ? share.value < limit.share : share.value > limit.share)
  return limits.flatMap((limit) =>
    results.flatMap(({ experiment, lanes }) =>
      lanes.flatMap((lane) =>
        lane.changes
          .filter((change) => change.metric === limit.metric && beyond(change, limit))
          .map((change) => ({ experiment, lane, change, limit })),
      ),
    ),
  )
}

/** Limits that no lane could be held to: the metric is nowhere in both, or is nowhere comparable. */
export function unjudged({ results }: Comparison, limits: readonly Limit[]): Limit[] {
  const changes = results.flatMap(({ lanes }) => lanes.flatMap((lane) => lane.changes))
  return limits.filter(({ metric }) => !changes.some((change) => change.metric === metric && change.verdict !== 'not comparable'))
}
