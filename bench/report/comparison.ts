/** Two reports side by side: what changed, and what of it may be said. */
import { bootstrapDifference, isShown, leastRounds, mean, median, seededRandom } from '../statistics.ts'
import { Trips } from '../trips.ts'
import type { MetricName } from './metrics.ts'
import type { Environment, How, Interval, Report, Result } from './report.ts'
import { type Run, metricNames, metricOf, runsOf, valuesOf } from './runs.ts'

/** `same` and `changed` are counted and exact; a sampled difference is `shown` or `not shown`. */
export type Verdict = 'same' | 'changed' | 'shown' | 'not shown' | 'not comparable'

export interface Change {
  readonly metric: MetricName
  readonly how: How
  /** Counted: the mean over the rounds, for a median would hide one lost message. Sampled: of their merged trips, or the median over the rounds. */
  readonly old: number
  readonly new: number
  readonly verdict: Verdict
  /** How far two halves of one run lie apart: a window that ends a message earlier counts one less. Infinity where rounds are too few to say. */
  readonly floor: number
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

/** What a time of several rounds together is: their trips merged, where they are kept. */
const ofTrips: Readonly<Record<string, (trips: Trips) => number>> = {
  p50: (trips) => trips.at(0.5),
  p95: (trips) => trips.at(0.95),
  p99: (trips) => trips.at(0.99),
  mean: (trips) => trips.mean,
}

function changesOf(old: Run, fresh: Run, timed: boolean, seed: number): Change[] {
  return metricNames(fresh.rounds).flatMap((name) => {
    const metric = metricOf(name)
    const [before, after] = [valuesOf(old, name), valuesOf(fresh, name)]
    if (metric === undefined || before.length === 0 || after.length === 0) return []
    const known = { metric: name as MetricName, how: metric.how }
    if (metric.how === 'counted') return [{ ...known, ...counted(before, after, metric.windowed === true) }]
    const [kept, keptAfter, of] = [tripsOf(old), tripsOf(fresh), ofTrips[name]]
    if (of === undefined || kept === undefined || keptAfter === undefined)
      return [{ ...known, ...sampled(before, after, median, timed, seed) }]
    return [{ ...known, ...sampled(kept, keptAfter, (rounds) => of(Trips.merge(rounds)), timed, seed) }]
  })
}

/** The trips of each round, where all have kept them. */
function tripsOf({ rounds }: Run): Trips[] | undefined {
  const kept = rounds.flatMap(({ trips }) => (trips === undefined ? [] : [Trips.decode(trips)]))
  return kept.length === rounds.length ? kept : undefined
}

type Judged = Omit<Change, 'metric' | 'how'>

function counted(before: readonly number[], after: readonly number[], windowed: boolean): Judged {
  const [old, fresh] = [mean(before), mean(after)]
  const value = fresh - old
  const enough = Math.min(before.length, after.length) >= leastRounds
  const floor = !windowed ? 0 : enough ? Math.max(noise(before, mean), noise(after, mean)) : Infinity
  return { ...shared(old, fresh, { value, low: value, high: value }), floor, verdict: value === 0 ? 'same' : 'changed' }
}

function sampled<T>(before: readonly T[], after: readonly T[], of: (rounds: readonly T[]) => number, timed: boolean, seed: number): Judged {
  // Each metric draws from the seed anew: its interval does not hang on what was compared before it.
  const difference = bootstrapDifference(after, before, of, seededRandom(seed))
  const old = of(before)
  const floor = Math.max(noise(before, of), noise(after, of))
  const rounds = Math.min(before.length, after.length)
  const verdict = isShown({ difference, floor, base: old, rounds }) ? 'shown' : 'not shown'
  return { ...shared(old, of(after), difference), floor, verdict: timed ? verdict : 'not comparable' }
}

/** An A/A pair out of one run: how far its odd and its even rounds lie apart. */
function noise<T>(rounds: readonly T[], of: (rounds: readonly T[]) => number): number {
  const [even, odd] = [0, 1].map((rest) => rounds.filter((_, index) => index % 2 === rest)) as [T[], T[]]
  return odd.length === 0 ? 0 : Math.abs(of(even) - of(odd))
}

function shared(old: number, fresh: number, difference: Interval): Omit<Judged, 'verdict' | 'floor'> {
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

/** The changes beyond a limit: of the sampled ones only those that are shown, of the counted ones those beyond what rounds differ by. */
export function breaches({ results }: Comparison, limits: readonly Limit[]): Breach[] {
  const beyond = ({ share, verdict, difference, floor }: Change, limit: Limit): boolean =>
    ((verdict === 'changed' && Math.abs(difference.value) > floor) || verdict === 'shown') &&
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
