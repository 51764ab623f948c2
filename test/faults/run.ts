/** The command line of the conformance matrix: `npm run faults -- --help`. */
import { writeFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { transportNames } from '../../src/protocol/message.ts'
import { type Cell, cellsOf, type Row, runCell, unfit } from './cell.ts'
import { allFigures, figures, UnknownFigure } from './figures.ts'
import type { Scenario } from './scenario.ts'
import { Queue } from './lanes.ts'
import { Progress } from './progress.ts'
import { scenarios } from './scenarios/index.ts'
import { storeNames } from './stores.ts'
import { type Absent, tableOf } from './table.ts'

const help = `npm run faults -- [options]

Runs every scenario over every transport and every store, and prints what was lost, repeated and reordered, which gaps were
told, and how long it took until something came again (from harm to the next batch or acknowledgement; it is reported, and
nothing is asserted of it). Ends with 1 where a promise was broken.

  --seed N           draws every fault; the same seed draws the same ones (default: drawn, and printed)
  --scenario NAME    only this scenario; may be repeated
  --transport NAME   only this transport (${transportNames.join(', ')}); may be repeated
  --store NAME       only this store (${storeNames.join(', ')}); may be repeated
  --quick            what npm test runs: fewer injections, cheap cells only (all cells where a scenario is named)
  --jobs N           so many cells at a time (default 8: most of a cell is waiting; those that keep a core busy have a process
                     of their own, and run one for each core)
  --json FILE        the rows as JSON, - for standard output (the tables are left out then)
  --figures          reaches and prints the figures in place of the matrix, within ten minutes; --json as above
  --only NAME        only this figure (${allFigures.map(({ name }) => name).join(', ')}); may be repeated
  --list             the scenarios, and what each demands
  --help             this text`

class UsageError extends Error {}

interface Options {
  readonly seed: number
  readonly chosen: readonly Scenario[]
  readonly transports: readonly string[]
  readonly stores: readonly string[]
  readonly quick: boolean
  readonly named: boolean
  readonly jobs: number
  readonly json: string | undefined
}

/** The exit code: 0 all promises held, 1 one was broken, 2 a wrong command line. */
async function main(args: readonly string[]): Promise<number> {
  try {
    const { values } = parse(args)
    if (values.help) console.log(help)
    else if (values.list) console.log(scenarios.map(({ name, must }) => `${name.padEnd(24)}${must}`).join('\n'))
    else if (values.figures) return (await figures({ only: values.only, json: values.json })) ? 0 : 1
    else if (values.only) throw new UsageError('--only goes with --figures')
    else return await runAll(read(values))
    return 0
  } catch (error) {
    const misused = error instanceof UsageError || error instanceof UnknownFigure
    console.error(misused ? `${error.message}\nTry: npm run faults -- --help` : error)
    return misused ? 2 : 1
  }
}

function parse(args: readonly string[]) {
  const text = { type: 'string' } as const
  const list = { type: 'string', multiple: true } as const
  const flag = { type: 'boolean' } as const
  try {
    return parseArgs({
      args: [...args],
      options: {
        seed: text,
        jobs: text,
        json: text,
        scenario: list,
        transport: list,
        store: list,
        quick: flag,
        list: flag,
        help: flag,
        figures: flag,
        only: list,
      },
    })
  } catch (error) {
    throw new UsageError((error as Error).message)
  }
}

function read(values: ReturnType<typeof parse>['values']): Options {
  const whole = (name: 'seed' | 'jobs', otherwise: number): number => {
    const value = values[name] === undefined ? otherwise : Number(values[name])
    if (!Number.isSafeInteger(value) || value < (name === 'jobs' ? 1 : 0))
      throw new UsageError(`--${name} is a whole number; it got "${values[name]}"`)
    return value
  }
  const among = (name: 'scenario' | 'transport' | 'store', all: readonly string[]): readonly string[] => {
    const unknown = values[name]?.find((each) => !all.includes(each))
    if (unknown !== undefined) throw new UsageError(`--${name} is one of ${all.join(', ')}; it got "${unknown}"`)
    return values[name] ?? all
  }
  const names = among(
    'scenario',
    scenarios.map(({ name }) => name),
  )
  return {
    seed: whole('seed', Math.floor(Math.random() * 1_000_000)),
    chosen: scenarios.filter(({ name }) => names.includes(name)),
    transports: among('transport', transportNames),
    stores: among('store', storeNames),
    quick: values.quick ?? false,
    named: values.scenario !== undefined,
    jobs: whole('jobs', 8),
    json: values.json,
  }
}

async function runAll(options: Options): Promise<number> {
  const { seed, quick, named, chosen, json } = options
  const rows = new Map<Scenario, Row[]>(chosen.map((scenario) => [scenario, []]))
  const absent = new Map<Scenario, Absent[]>(chosen.map((scenario) => [scenario, []]))
  const wanted = cellsOf(chosen).filter((cell) => options.transports.includes(cell.transport) && options.stores.includes(cell.store))
  const cells = wanted.filter((cell) => {
    const why = unfit(cell)
    if (why !== undefined) absent.get(cell.scenario)?.push({ transport: cell.transport, store: cell.store, why })
    return why === undefined && (!quick || named || cell.scenario.quick(cell.transport, cell.store))
  })
  console.error(`seed ${seed}, ${cells.length} cells`)
  const bar = new Progress(cells.length)
  const left = new Map(chosen.map((scenario) => [scenario, cells.filter((cell) => cell.scenario === scenario).length]))
  const print = (scenario: Scenario): void => {
    const ordered = (rows.get(scenario) ?? []).toSorted((a, b) => place(a) - place(b))
    bar.clear()
    if (json !== '-') console.log(tableOf(scenario, ordered, absent.get(scenario) ?? [], quick))
  }
  const queue = new Queue(cells)
  const work = async (): Promise<void> => {
    for (let taken = queue.take(); taken !== undefined; taken = queue.take()) {
      const { cell, lane } = taken
      const { scenario } = cell
      const name = nameOf(cell)
      bar.begin(name)
      const how = { seed, quick, progress: (words: string) => bar.say(name, words) }
      const row = await (lane?.run(cell, how) ?? runCell(cell, how))
      queue.done(taken)
      rows.get(scenario)?.push(row)
      bar.end(name, `${row.ok ? 'holds' : 'BROKEN'} ${(row.ms / 1000).toFixed(1)} s`)
      const still = (left.get(scenario) ?? 1) - 1
      left.set(scenario, still)
      if (still === 0) print(scenario)
    }
  }
  await Promise.all(Array.from({ length: Math.min(options.jobs, cells.length) }, work))
  queue.close()
  bar.clear()
  const all = [...rows.values()].flat()
  if (json !== undefined) {
    const text = `${JSON.stringify({ seed, quick, rows: all }, undefined, 2)}\n`
    if (json === '-') process.stdout.write(text)
    else await writeFile(json, text)
  }
  const broken = all.filter(({ ok }) => !ok)
  console.error(`${all.length - broken.length} of ${all.length} cells hold, seed ${seed}`)
  return broken.length === 0 ? 0 : 1
}

const place = ({ transport, store }: Row): number => transportNames.indexOf(transport) * storeNames.length + storeNames.indexOf(store)
const nameOf = ({ scenario, transport, store }: Cell): string => `${scenario.name}/${transport}/${store}`

process.exit(await main(process.argv.slice(2)))
