/** One cell of the matrix: a scenario over one transport and one store, from one seed; and what came of it. */
import { type TransportName, transportNames } from '../../src/protocol/message.ts'
import { check, type Verdict } from '../support/checker.ts'
import type { Scenario } from './scenario.ts'
import { mixed } from './seed.ts'
import { Stage } from './stage.ts'
import { type StoreName, storeNames } from './stores.ts'

export interface Cell {
  readonly scenario: Scenario
  readonly transport: TransportName
  readonly store: StoreName
}

/** Plain data: a row of the table, and of the JSON. */
export interface Row {
  readonly scenario: string
  readonly transport: TransportName
  readonly store: StoreName
  readonly seed: number
  readonly ok: boolean
  readonly verdict: Verdict
  readonly injections: number
  /** From a harm until something came again, in ms, at the median and at the worst; undefined where nothing was harmed. */
  readonly recovery: { readonly median: number; readonly worst: number; readonly times: number } | undefined
  readonly ms: number
  /** What is wrong, where it is. */
  readonly why: string | undefined
}

/** Why there is no such cell; undefined where there is. */
export const unfit = ({ scenario, transport, store }: Cell): string | undefined =>
  scenario.unfit?.(transport, store) ??
  (scenario.ownProcess && store === 'late' ? 'the late store lives in the process of the tests' : undefined)

/** All cells of these scenarios, in the order of the table. */
export const cellsOf = (scenarios: readonly Scenario[]): Cell[] =>
  scenarios.flatMap((scenario) => transportNames.flatMap((transport) => storeNames.map((store) => ({ scenario, transport, store }))))

/** A cell that is not over by then is broken: somebody waits for what never comes. */
const limitMs = 30 * 60_000
const quickLimitMs = 110_000

const overdue = (ms: number): Promise<never> =>
  new Promise((_resolve, reject) => void setTimeout(() => reject(new Error(`not over after ${ms / 1000} s`)), ms).unref())

export interface Run {
  readonly seed: number
  readonly quick: boolean
  /** Hears how far a long cell is. */
  readonly progress?: (words: string) => void
}

/** Whatever happens it resolves: what cannot be set up or cleared away is a broken cell, and the others run all the same. */
export async function runCell(cell: Cell, run: Run): Promise<Row> {
  const begun = performance.now()
  try {
    return await play(cell, run, begun)
  } catch (error) {
    return brokenRow(cell, run.seed, String(error), performance.now() - begun)
  }
}

/** A cell of which there is nothing to read. */
export function brokenRow({ scenario, transport, store }: Cell, seed: number, why: string, ms = 0): Row {
  const nothing = { verdict: check([]), injections: 0, recovery: undefined }
  return { scenario: scenario.name, transport, store, seed, ok: false, ...nothing, ms: Math.round(ms), why }
}

async function play({ scenario, transport, store }: Cell, { seed, quick, progress = () => {} }: Run, begun: number): Promise<Row> {
  const { ownProcess = false, options = {} } = scenario
  await using stage = await Stage.set({
    transport,
    store,
    seed: mixed(seed, `${scenario.name} ${transport} ${store}`),
    quick,
    ownProcess,
    options,
    progress,
  })
  const failure = await Promise.race([scenario.run(stage).then(() => stage.settle()), overdue(quick ? quickLimitMs : limitMs)]).then(
    () => stage.wrongGaps(),
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  )
  const verdict = check(stage.journal.entries)
  const injections = stage.injections + stage.participants.reduce((sum, { proxy }) => sum + proxy.injections, 0)
  const idle = injections === 0 ? 'no harm was done' : undefined
  // What a scenario waited for in vain may be what the journals say, or the reason for it.
  const why = [failure, verdict.wrong[0]].filter((each) => each !== undefined).join('; ') || idle
  const recoveries = stage.participants.flatMap((each) => each.recoveries).toSorted((a, b) => a - b)
  return {
    scenario: scenario.name,
    transport,
    store,
    seed,
    ok: why === undefined,
    verdict,
    injections,
    recovery: recoveries.length === 0 ? undefined : summary(recoveries),
    ms: Math.round(performance.now() - begun),
    why,
  }
}

const summary = (sorted: readonly number[]): Row['recovery'] => ({
  median: Math.round(sorted[Math.floor(sorted.length / 2)] ?? 0),
  worst: Math.round(sorted.at(-1) ?? 0),
  times: sorted.length,
})

/** What runs this cell again, and nothing else. */
export const replay = ({ scenario, transport, store, seed }: Row, quick: boolean): string =>
  `npm run faults -- --seed ${seed} --scenario ${scenario} --transport ${transport} --store ${store}${quick ? ' --quick' : ''}`
