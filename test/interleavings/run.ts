/**
 * Many random schedules over the stores, each held against the model of a room.
 *
 *     npm run interleavings -- --runs 20000 --store memory
 *
 * Exit: 0 every trace is the model's · 1 one is not: its smallest schedule is printed · 2 a wrong command line.
 */
import * as fc from 'fast-check'
import { parseArgs, styleText } from 'node:util'
import { keepings } from './kept.ts'
import { play } from './play.ts'
import { schedules, wireSchedules } from './schedule.ts'
import { playOverWires } from './wires.ts'

const names = Object.keys(keepings)
const help = `npm run interleavings -- [options]

Random schedules of appends, repeats, joins, stalls, cuts, switches, clearings and restarts over each store,
its answers and what readers are shown held against a model of the room.

  --store <name>   ${names.join(', ')}; may be repeated (default all)
  --runs <n>       schedules for each store (default 2000)
  --wires          over real servers and clients on all four wires (about a second each) instead of the hub alone
  --seed <n>       draws the same schedules again (default: drawn, and printed)
  --path <path>    the failing one alone, as it was printed
  --help, -h       this text`

/** So many schedules between two lines of progress. */
const part = 100

process.exitCode = await main()

async function main(): Promise<number> {
  let options
  try {
    options = commandLine()
  } catch (error) {
    console.error(`${(error as Error).message}\nTry: npm run interleavings -- --help`)
    return 2
  }
  if (options.help) {
    console.log(help)
    return 0
  }
  try {
    for (const store of options.stores) if (!(await runOver(store, options))) return 1
    return 0
  } finally {
    for (const keeping of Object.values(keepings)) await keeping.close()
  }
}

interface Options {
  readonly stores: readonly string[]
  readonly runs: number
  readonly wires: boolean
  readonly seed: number
  readonly path: string | undefined
  readonly help: boolean
}

function commandLine(): Options {
  const { values } = parseArgs({
    options: {
      store: { type: 'string', multiple: true },
      runs: { type: 'string' },
      wires: { type: 'boolean' },
      seed: { type: 'string' },
      path: { type: 'string' },
      help: { type: 'boolean', short: 'h' },
    },
  })
  const stores = values.store ?? names
  const unknown = stores.find((name) => !names.includes(name))
  if (unknown !== undefined) throw new Error(`--store is ${names.join(', ')}; it got "${unknown}".`)
  const { wires = false, path, help: asked = false } = values
  return {
    stores,
    wires,
    path,
    help: asked,
    runs: whole('runs', values.runs ?? '2000', 1),
    seed: whole('seed', values.seed ?? drawSeed(), 0),
  }
}

function whole(name: string, value: string, least: number): number {
  if (/^\d{1,9}$/.test(value) && Number(value) >= least) return Number(value)
  throw new Error(`--${name} is a whole number, at least ${least}; it got "${value}".`)
}

function drawSeed(): string {
  return String(Math.floor(Math.random() * 1e9))
}

/** @returns whether every trace was the model's */
async function runOver(store: string, { runs, wires, seed, path }: Options): Promise<boolean> {
  const keeping = keepings[store]
  if (keeping === undefined) throw new Error(`no store ${store}`)
  let played = 0
  const begun = performance.now()
  const property = fc.asyncProperty(wires ? wireSchedules : schedules, fc.nat(), async (steps, drawn) => {
    await (wires ? playOverWires : play)(steps, keeping, drawn)
    if (++played % part === 0 && process.stderr.isTTY) process.stderr.write(`\r\u001b[K${store}: ${played} of ${runs} schedules`)
  })
  const result = await fc.check(property, { seed, numRuns: runs, ...(path !== undefined && { path }) })
  const seconds = ((performance.now() - begun) / 1000).toFixed(1)
  if (process.stderr.isTTY) process.stderr.write('\r\u001b[K')
  if (!result.failed) {
    console.log(
      `${styleText('green', '✓')} ${store}: ${result.numRuns} schedules in ${seconds} s, every trace is the model's (--seed ${seed})`,
    )
    return true
  }
  const { counterexample, counterexamplePath, errorInstance } = result
  console.log(`${styleText('red', '✗')} ${store}: ${String(errorInstance)}`)
  for (const step of counterexample?.[0] ?? []) console.log(`    ${JSON.stringify(step)}`)
  console.log(`Again: npm run interleavings -- --store ${store} --seed ${seed} --path "${counterexamplePath}"${wires ? ' --wires' : ''}`)
  return false
}
