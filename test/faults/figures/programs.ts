/** Figures that other programs of this repository reach: they are run, and their counts are taken. */
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { FuzzReport } from '../../fuzz/fuzz.ts'
import type { Cast } from './cast.ts'
import { count, type Figure, type Line } from './figure.ts'

const file = (path: string): string => fileURLToPath(new URL(`../../../${path}`, import.meta.url))

/** What is taken of a row that `npm run faults -- --json -` prints. */
interface MatrixRow {
  readonly scenario: string
  readonly transport: string
  readonly ok: boolean
  readonly injections: number
  readonly why?: string
}

async function rowsOf(cast: Cast, args: readonly string[], say: (words: string) => void): Promise<readonly MatrixRow[]> {
  const { stdout } = await cast.program([file('test/faults/run.ts'), '--seed', '1', '--json', '-', ...args], say)
  return (JSON.parse(stdout) as { rows: MatrixRow[] }).rows
}

const harms = (rows: readonly MatrixRow[]): number => rows.reduce((sum, { injections }) => sum + injections, 0)
const wrongOf = (rows: readonly MatrixRow[]): string =>
  rows.flatMap(({ scenario, transport, ok, why = '' }) => (ok ? [] : [`; not ${scenario} on ${transport}: ${why}`])).join('')

export const matrix: Figure = {
  name: 'matrix',
  asks: 'Forty kinds of fault, twenty-five times each, and a cut after every byte of a stream of ten messages: every promise holds.',
  how: 'the quick cells of npm run faults (a kind is a scenario on one wire), then cut-everywhere on websocket over memory; its proxies count',
  limitSeconds: 300,
  async measure(cast, say) {
    const quick = await rowsOf(cast, ['--quick', '--jobs', '6'], say)
    const cuts = await rowsOf(cast, ['--scenario', 'cut-everywhere', '--store', 'memory', '--transport', 'websocket'], say)
    const held = quick.filter(({ ok }) => ok)
    const injections = harms([...quick, ...cuts])
    return [
      {
        what: 'kinds of fault that every promise holds under',
        asked: '40',
        measured: `${held.length} of ${quick.length} cells, of ${new Set(quick.map(({ scenario }) => scenario)).size} scenarios${wrongOf(quick)}`,
        holds: held.length === quick.length && held.length >= 40,
      },
      {
        what: 'cuts, each at a byte of its own',
        asked: 'every offset of 3 streams',
        measured: `${cuts.map(({ transport, injections: n }) => `${transport} ${count(n)}`).join(', ')}${wrongOf(cuts)}`,
        holds: cuts.length === 1 && cuts.every(({ ok }) => ok),
        smaller: 'one stream here, the others at some offsets among the kinds; all of them: npm run faults -- --scenario cut-everywhere',
      },
      { what: 'injections in all', asked: '1,000', measured: count(injections), holds: injections >= 1_000 },
    ]
  },
}

/** Over memory a schedule takes a millisecond; over the others what its waits come to, and those wait beside each other. */
const schedulesOver = { memory: 20_000, late: 60, file: 500, redis: 1_000 } as const

export const schedules: Figure = {
  name: 'schedules',
  asks: 'Over twenty thousand random schedules, every store and every reader shows the trace of the model.',
  how: 'npm run interleavings, over all four stores at once',
  limitSeconds: 200,
  async measure(cast, say) {
    const over = async ([store, runs]: readonly [string, number]): Promise<Line> => {
      const args = [file('test/interleavings/run.ts'), '--store', store, '--runs', String(runs), '--seed', '1']
      const { code, stdout } = await cast.program(args, say)
      return {
        what: `schedules over ${store}`,
        asked: count(20_000),
        measured: stdout.trim().split('\n').at(0) ?? 'nothing',
        holds: code === 0,
        ...(runs < 20_000 && { smaller: `${count(runs)} of them: each waits for time to pass` }),
      }
    }
    return Promise.all(Object.entries(schedulesOver).map(over))
  },
}

/** How many of each, and how many s they may take. */
const fuzzed = {
  cursor: { inputs: 1_000_000, seconds: 20 },
  http: { inputs: 100_000, seconds: 50 },
  websocket: { inputs: 100_000, seconds: 30 },
} as const

export const fuzz: Figure = {
  name: 'fuzz',
  asks: 'A million cursors, a hundred thousand HTTP requests and as many WebSocket conversations that are nearly right: nothing breaks.',
  how: 'npm run fuzz, each target for a time of its own at the most',
  limitSeconds: 200,
  async measure(cast, say) {
    const program = file('test/fuzz/run.ts')
    if (!existsSync(program)) return [{ what: 'fuzzing', asked: '1 M, 100 k, 100 k', measured: 'there is no test/fuzz here', holds: false }]
    const lines: Line[] = []
    for (const [target, { inputs, seconds }] of Object.entries(fuzzed)) {
      const args = ['--target', target, '--inputs', String(inputs), '--seconds', String(seconds), '--seed', '1', '--json']
      const { stdout } = await cast.program([program, ...args], say)
      const [report] = (JSON.parse(stdout) as FuzzReport).targets
      const found = report === undefined ? ['it said nothing'] : [...report.failures.map(({ fault }) => fault), ...report.wrong]
      const done = report?.inputs ?? 0
      lines.push({
        what: `${target} inputs, and what they broke`,
        asked: `${count(inputs)}, 0`,
        measured: `${count(done)}, ${found.length}${found.map((fault) => `; ${fault}`).join('')}`,
        holds: found.length === 0,
        ...(done < inputs && { smaller: `what ${seconds} s sufficed for` }),
      })
    }
    return lines
  },
}
