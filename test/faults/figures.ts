/** The figures that are to be reached, one after the other, and the table of what was: `npm run faults -- --figures`. */
import { writeFile } from 'node:fs/promises'
import { availableParallelism, loadavg } from 'node:os'
import { styleText } from 'node:util'
import { blackHole } from './figures/black-hole.ts'
import { Cast } from './figures/cast.ts'
import { fanOut, mixed, rooms } from './figures/crowds.ts'
import { deliveries } from './figures/deliveries.ts'
import { churn, ghosts } from './figures/departures.ts'
import { drain } from './figures/drain.ts'
import { duration, type Figure, type Line } from './figures/figure.ts'
import { fuzz, matrix, schedules } from './figures/programs.ts'
import { herd, recovery, silence } from './figures/returns.ts'
import { rollback } from './figures/rollback.ts'
import { slowHeads, stalled } from './figures/sick.ts'

export interface FigureOptions {
  /** These alone, by name; all, where there are none. */
  readonly only?: readonly string[] | undefined
  /** A file for all that was measured as JSON; `-` is standard output, in place of the tables. */
  readonly json?: string | undefined
}

export class UnknownFigure extends Error {}

export const allFigures: readonly Figure[] = [
  deliveries,
  matrix,
  blackHole,
  schedules,
  fuzz,
  ghosts,
  churn,
  stalled,
  fanOut,
  rooms,
  mixed,
  recovery,
  herd,
  silence,
  drain,
  slowHeads,
  rollback,
]

/** @returns whether all were reached @throws UnknownFigure for a name that none has */
export async function figures({ only = [], json }: FigureOptions = {}): Promise<boolean> {
  const unknown = only.find((name) => !allFigures.some((figure) => figure.name === name))
  if (unknown !== undefined)
    throw new UnknownFigure(`--only is one of ${allFigures.map(({ name }) => name).join(', ')}; it got "${unknown}"`)
  const chosen = allFigures.filter(({ name }) => only.length === 0 || only.includes(name))
  const begun = performance.now()
  const reports: object[] = []
  let missed = 0
  const running = new Map<Figure, Promise<Result>>()
  for (const figure of chosen) {
    for (const other of [figure, ...chosen.filter(({ beside }) => beside === figure.name)])
      if (!running.has(other)) running.set(other, measured(other))
    const { lines, seconds, load } = await (running.get(figure) as Promise<Result>)
    missed += lines.filter(({ holds }) => !holds).length
    reports.push({ name: figure.name, asks: figure.asks, how: figure.how, seconds, load, lines })
    if (json !== '-') console.log(tableOf(figure, { lines, seconds, load }))
  }
  const text = `${JSON.stringify(reports, undefined, 2)}\n`
  if (json === '-') process.stdout.write(text)
  else if (json !== undefined) await writeFile(json, text)
  const summary = missed === 0 ? 'All figures are reached' : `Not reached, each marked ✗: ${missed}`
  console.error(`${summary}; in ${((performance.now() - begun) / 60_000).toFixed(1)} min`)
  return missed === 0
}

interface Result {
  readonly lines: readonly Line[]
  readonly seconds: number
  /** Processes that wanted a core when it began, of a minute's average: with more than there are cores, times are the neighbours' too. */
  readonly load: number
}

/** What came of it; that it failed or took too long is a line that does not hold. */
async function measured(figure: Figure): Promise<Result> {
  const since = performance.now()
  const [load = 0] = loadavg()
  const lines = await linesOf(figure)
  return { lines, load, seconds: (performance.now() - since) / 1_000 }
}

async function linesOf(figure: Figure): Promise<readonly Line[]> {
  await using cast = new Cast()
  using _signals = endsWith(cast)
  const failed = (why: string): Line[] => [{ what: figure.name, asked: 'to be measured', measured: why, holds: false }]
  let timer: NodeJS.Timeout | undefined
  const tooLate = new Promise<readonly Line[]>((resolve) => {
    timer = setTimeout(() => resolve(failed(`given up after ${figure.limitSeconds} s`)), figure.limitSeconds * 1_000)
  })
  const say = (words: string): void => {
    if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${figure.name}: ${words.slice(0, 100)}`)
  }
  say('')
  try {
    // Whatever it still does when it is given up fails with the processes that it asks.
    return await Promise.race([figure.measure(cast, say).catch((error: Error) => failed(error.message)), tooLate])
  } finally {
    clearTimeout(timer)
    if (process.stderr.isTTY) process.stderr.write('\r\u001b[K')
  }
}

/** Ctrl-C takes along what a figure has started: its processes, its directories, its network. */
function endsWith(cast: Cast): Disposable {
  const end = (): void => void cast[Symbol.asyncDispose]().finally(() => process.exit(130))
  const signals = ['SIGINT', 'SIGTERM'] as const
  for (const signal of signals) process.once(signal, end)
  return {
    [Symbol.dispose]() {
      for (const signal of signals) process.off(signal, end)
    },
  }
}

function tableOf({ name, asks, how }: Figure, { lines, seconds, load }: Result): string {
  const rows = lines.flatMap(({ what, asked, measured: value, holds, smaller }) => [
    `  ${holds ? styleText('green', '✓') : styleText('red', '✗')} ${what}: ${value}   (asked: ${asked})`,
    ...(smaller === undefined ? [] : [`      smaller here: ${smaller}`]),
  ])
  return [
    `${name}  ${asks}`,
    `  ${how}; took ${duration(seconds * 1_000)}, load ${load.toFixed(1)} on ${availableParallelism()} cores before`,
    ...rows,
    '',
  ].join('\n')
}
