/** Rounds as the published experiments run them: each group recorded, columns for their tables, and times that may have to be withheld. */
import { exchangeSegments, measured, pushSegments } from '../../src/model/constants.ts'
import type { Bench } from '../bench.ts'
import { bytesBothWays, type Tally } from '../connection.ts'
import type { Chart, Check, Column, How } from '../report/report.ts'
import { groupOf } from './paper.ts'
import type { Group, Round, RoundSetup } from '../round.ts'

const column =
  (how: How) =>
  (name: string, unit?: string, digits = 0): Column => ({ name, how, digits, ...(unit !== undefined && { unit }) })

export const label = (name: string): Column => ({ name })
export const counted = column('counted')
export const sampled = column('sampled')
export const computed = column('computed')
export const published = column('published')

/** A round, each lane of it recorded. */
export interface Recorded extends Pick<Round, 'saturated'> {
  readonly round: Round
  readonly groups: readonly Group[]
  /** The group, or all groups together, of this lane. @throws Error where there is none */
  readonly lane: (name: string) => Group
  /** A time, or null where it is withheld or does not exist. */
  readonly time: (ms: number | undefined) => number | null
  /** Checks and sentences of times: none where the generator was saturated. */
  readonly timed: <T extends Check | string>(...all: T[]) => T[]
}

/** Runs a round and records its lanes. */
export async function record(bench: Bench, scenario: string, setup: RoundSetup, number = 0): Promise<Recorded> {
  const round = await bench.round(setup)
  const { groups, saturated } = round
  for (const lane of new Set(groups.map((group) => group.lane))) bench.record(scenario, number, round, groupOf(round, lane))
  return {
    round,
    saturated,
    groups,
    lane: (name) => groupOf(round, name),
    time: (ms) => (saturated ? null : (ms ?? null)),
    timed: (...all) => (saturated ? [] : all),
  }
}

/** Runs something for each, one after the other: rounds have the machine for themselves. */
export async function inTurn<T, R>(list: readonly T[], run: (item: T, index: number) => Promise<R>): Promise<R[]> {
  const results: R[] = []
  for (const [index, item] of list.entries()) results.push(await run(item, index))
  return results
}

/** Bytes both ways with the heads of IP and TCP, computed: 3 segments an exchange, 2 a push (`src/model`). */
export function bytesOnTheNetwork(tally: Tally): number {
  const pushes = Math.max(0, tally.batches + tally.empty - tally.responses)
  return bytesBothWays(tally) + measured.segment * (exchangeSegments * tally.requests + pushSegments * pushes)
}

/** 12.3 or 1,234: for sentences. */
export const said = (value: number, digits = 0): string =>
  value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits })

/** Half as long with --quick. */
export const lasting = ({ options }: Bench, seconds: number): number => (options.quick ? seconds / 2 : seconds)

/** How the trips of lanes are distributed. */
export const percentiles = (title: string, table: number, groups: readonly Group[]): Chart => ({
  kind: 'lines',
  title,
  table,
  x: { label: 'share of messages', scale: 'percentile' },
  y: { label: 'delay', unit: 'ms', scale: 'linear' },
  series: groups.map(({ lane, trips }) => ({ name: lane, lane, points: trips.curve() })),
})
