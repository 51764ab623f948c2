/** The rounds as tables of values: one row a round, or one row a lane and metric. */
import { bootstrap, median, seededRandom } from '../statistics.ts'
import { type Field, csv } from './csv.ts'
import { type Metric, metrics } from './metrics.ts'
import type { Report, RoundRecord } from './report.ts'

const known = new Map<string, Metric>(Object.entries(metrics))

/** Undefined for a metric that `metrics.ts` does not name. */
export const metricOf = (name: string): Metric | undefined => known.get(name)

/** Those of `metrics.ts` in its order, then what else the rounds have. */
export function metricNames(rounds: readonly RoundRecord[]): string[] {
  const measured = new Set(rounds.flatMap(({ metrics: values }) => Object.keys(values)))
  return [
    ...[...known.keys()].filter((name) => measured.has(name)),
    ...[...measured].filter((name) => metricOf(name) === undefined).toSorted(),
  ]
}

/** `p50_ms`, `requestsPerSecond_per_s`: a name that a data frame takes as it is. */
function columnName(name: string): string {
  const unit = metricOf(name)?.unit ?? ''
  return unit === '' ? name : `${name}_${unit.replace('1/', 'per_')}`
}

/** One row a round, lane and scenario; a metric that a round has not is empty. */
export function runsCsv(report: Report): string {
  const names = metricNames(report.results.flatMap(({ rounds }) => rounds))
  const rows = report.results.flatMap(({ name: experiment, rounds }) =>
    rounds.map(({ scenario, lane, round, order, metrics: values }): Field[] => [
      experiment,
      scenario,
      lane,
      round,
      order,
      ...names.map((name) => values[name]),
    ]),
  )
  return csv([['experiment', 'scenario', 'lane', 'round', 'order', ...names.map(columnName)], ...rows])
}

/** The rounds of one lane in one scenario. */
export interface Run {
  readonly scenario: string
  readonly lane: string
  readonly rounds: readonly RoundRecord[]
}

/** In the order in which they first come. */
export function runsOf(rounds: readonly RoundRecord[]): Run[] {
  const groups = new Map<string, RoundRecord[]>()
  for (const round of rounds) {
    const key = JSON.stringify([round.scenario, round.lane])
    groups.set(key, [...(groups.get(key) ?? []), round])
  }
  return [...groups.values()].map((group) => ({ scenario: group[0]!.scenario, lane: group[0]!.lane, rounds: group }))
}

/** What the rounds of a run measured of one metric: fewer numbers than rounds where some was withheld. */
export const valuesOf = ({ rounds }: Run, name: string): number[] =>
  rounds.flatMap(({ metrics: values }) => {
    const value = values[name]
    return value === undefined || value === null || !Number.isFinite(value) ? [] : [value]
  })

const summaryHead = ['experiment', 'scenario', 'lane', 'metric', 'unit', 'how', 'rounds', 'median', 'low', 'high', 'min', 'max']

/** One row a lane and metric: the median over its rounds, its 95 % interval where it was sampled, the smallest and largest. */
export function summaryCsv(report: Report): string {
  const rows = report.results.flatMap(({ name: experiment, rounds }) =>
    runsOf(rounds).flatMap((run) =>
      metricNames(run.rounds).flatMap((name): Field[][] => {
        const values = valuesOf(run, name)
        if (values.length === 0) return []
        const metric = metricOf(name)
        const sampled = metric?.how === 'sampled' ? bootstrap(values, median, seededRandom(report.seed)) : undefined
        const label: Field[] = [experiment, run.scenario, run.lane, name, metric?.unit, metric?.how]
        return [[...label, values.length, median(values), sampled?.low, sampled?.high, Math.min(...values), Math.max(...values)]]
      }),
    ),
  )
  return csv([summaryHead, ...rows])
}
