/** The command line of the bench: `npm run bench -- --help`. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { mkdir, rmdir } from 'node:fs/promises'
import { cpus, release, totalmem, type } from 'node:os'
import { join } from 'node:path'
import { setImmediate as immediate, setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Bench } from './bench.ts'
import { now } from './clock.ts'
import { type Experiment, type Findings, NoNumber } from './experiment.ts'
import { experiments, literature, others, questions } from './experiments/index.ts'
import { helpText, type Options, parseOptions, UsageError } from './options.ts'
import { pinned } from './processes.ts'
import { writeReport } from './report/files.ts'
import type { Environment, Report, Result } from './report/report.ts'
import { printReport } from './report/terminal.ts'

const root = fileURLToPath(new URL('..', import.meta.url))

/** The exit code: 0 measured, 1 it broke, 2 no number or a wrong command line, 130 ended by Ctrl-C. */
async function main(args: readonly string[]): Promise<number> {
  try {
    const options = parseOptions(args)
    if (options.help) console.log(helpText())
    else if (options.list) console.log(listText())
    else return await measure(options, chosen(options), args)
    return 0
  } catch (error) {
    console.error(error instanceof UsageError ? error.message : error)
    return error instanceof UsageError ? 2 : 1
  }
}

/** @throws UsageError for a name that none has, with those that there are */
function chosen({ experiments: names, literature: all, peers, via }: Options): readonly Experiment[] {
  const unknown = names.find((name) => !experiments.some((each) => each.name === name))
  if (unknown !== undefined) throw new UsageError(`There is no experiment "${unknown}".\n\n${listText()}`)
  if (peers.length > 0 && !names.includes('fan-out'))
    throw new UsageError('--peers belongs to one experiment: npm run bench -- fan-out --peers …')
  const named = names.map((name) => experiments.find((each) => each.name === name) as Experiment)
  if (via !== undefined) return ofAnyServer(named)
  return names.length > 0 ? named : all ? literature : questions
}

/** What can be asked of a server that was not started here. @throws UsageError for what cannot */
function ofAnyServer(named: readonly Experiment[]): readonly Experiment[] {
  const possible = questions.filter(({ obeys = [] }) => obeys.includes('via'))
  const other = named.find((each) => !possible.includes(each))
  if (other === undefined) return named.length > 0 ? named : possible
  const names = possible.map(({ name }) => name).join(', ')
  throw new UsageError(`"${other.name}" needs a server that it starts itself; with --via there are ${names}.`)
}

function listText(): string {
  const line = ({ name, question, source }: Experiment): string =>
    `  ${name.padEnd(26)}${question}${source ? `\n${' '.repeat(28)}${source}` : ''}`
  return [
    'By default:',
    ...questions.map(line),
    '',
    'Published experiments, run again (--literature runs all):',
    ...literature.map(line),
    '',
    'Only when named:',
    ...others.map(line),
    '',
    'npm run bench -- <experiment…>',
  ].join('\n')
}

async function measure(options: Options, list: readonly Experiment[], args: readonly string[]): Promise<number> {
  // A folder that cannot be made is better known before than after.
  const folder = options.out ?? join(root, 'bench', 'results', new Date().toISOString().replace(/[:.]/g, '-'))
  await mkdir(folder, { recursive: true }).catch((error: Error) => {
    throw new UsageError(`--out: ${error.message}`)
  })
  const stop = new AbortController()
  const interrupt = (): void => {
    if (stop.signal.aborted) process.exit(130)
    process.stderr.write('\nstopping: what was measured so far will be written (Ctrl-C again: at once)\n')
    stop.abort()
  }
  process.on('SIGINT', interrupt)
  process.on('SIGTERM', interrupt)
  const progress = new Progress()
  const bench = new Bench(options, stop.signal, (text) => progress.say(text))
  const results: Result[] = []
  let failure: unknown
  try {
    for (const [index, experiment] of list.entries()) {
      progress.begin(`${index + 1}/${list.length} ${experiment.name}`)
      for (const line of disobeyed(options, experiment)) progress.tell(line)
      results.push(await runOne(bench, experiment))
    }
  } catch (error) {
    // Ctrl-C may have ended a process that was being started before it is heard of here: in the poll phase that follows timers.
    await sleep(50)
    await immediate()
    if (!stop.signal.aborted) failure = error
  } finally {
    progress.end()
    await bench.close()
  }
  // Whatever ended it: what was measured before is written.
  const failed = failure === undefined ? {} : { failure: (failure as Error).message }
  if (results.length > 0) await tell(options, folder, { ...reportOf(options, args, results), interrupted: stop.signal.aborted, ...failed })
  else await rmdir(folder).catch(() => {})
  if (failure instanceof NoNumber) console.error(`No number: ${failure.message}`)
  else if (failure !== undefined) throw failure
  return failure !== undefined ? 2 : stop.signal.aborted ? 130 : 0
}

async function runOne(bench: Bench, experiment: Experiment): Promise<Result> {
  const start = now()
  bench.records = []
  const { name, question, source, published } = experiment
  const known = { name, question, ...(source !== undefined && { source }), ...(published !== undefined && { published }) }
  const complete = (found: Findings): Result => ({
    ...known,
    ...found,
    notes: [...found.notes, ...disobeyed(bench.options, experiment)],
    rounds: bench.records,
    seconds: (now() - start) / 1000,
  })
  try {
    return complete(await experiment.run(bench))
  } catch (error) {
    // What was counted before Ctrl-C is kept, though nothing is said of it.
    if (!bench.signal.aborted || bench.records.length === 0) throw error
    const notes = ['Ended by Ctrl-C: its rounds so far are in the data, nothing is concluded from them.']
    return complete({ scenario: experiment.parameters, findings: [], tables: [], charts: [], checks: [], notes })
  }
}

/** An option that has no bearing on an experiment is not passed over in silence. */
function disobeyed({ given }: Options, { obeys = [] }: Experiment): string[] {
  const here = ['clients', 'rate', 'payload', 'poll-interval', 'rounds', 'seconds', 'rtt'].filter(
    (name) => given.includes(name) && !obeys.includes(name),
  )
  return here.length === 0 ? [] : [`${here.map((name) => `--${name}`).join(', ')}: not obeyed here, this experiment has its own.`]
}

function reportOf(options: Options, args: readonly string[], results: readonly Result[]): Report {
  const { seed, quick, help: _, list: __, json: ___, given: ____, ...shown } = options
  return {
    schema: 1,
    made: new Date().toISOString(),
    command: [
      'npm run bench --',
      ...args.filter((arg) => arg !== '--json'),
      ...(args.some((arg) => arg.startsWith('--seed')) ? [] : ['--seed', seed]),
    ].join(' '),
    environment: environment(),
    options: Object.fromEntries(
      Object.entries(shown).filter((entry): entry is [string, Exclude<(typeof entry)[1], undefined>] => entry[1] !== undefined),
    ),
    seed,
    quick,
    interrupted: false,
    results,
  }
}

function environment(): Environment {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }
  const list = cpus()
  return {
    version,
    commit: commit(),
    node: process.versions.node,
    os: `${type()} ${release()}`,
    cpu: list[0]?.model.trim() ?? 'unknown',
    cores: list.length,
    memoryBytes: totalmem(),
    pinned,
  }
}

function commit(): string {
  try {
    const git = (...args: string[]): string =>
      execFileSync('git', args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()
    return `${git('rev-parse', '--short', 'HEAD')}${git('status', '--porcelain', '--', 'src', 'bench') === '' ? '' : ' with changes'}`
  } catch {
    return 'unknown'
  }
}

async function tell({ json }: Options, folder: string, report: Report): Promise<void> {
  const files = await writeReport(report, folder)
  const wrote = `wrote ${files.join('\n      ')}\n`
  if (json) {
    process.stdout.write(`${JSON.stringify(report)}\n`)
    process.stderr.write(wrote)
    return
  }
  const text = `${printReport(report, { width: process.stdout.columns ?? 120, colour: process.stdout.isTTY && !process.env['NO_COLOR'] })}\n`
  process.stdout.write(`${text}${wrote}`)
  const failed = report.results.flatMap(({ name, checks }) =>
    checks.filter(({ asserted, holds }) => asserted && !holds).map(({ relation }) => `${name}: ${relation}`),
  )
  if (failed.length > 0)
    process.stdout.write(
      `\n${failed.length} relations did not hold:\n${failed.map((line) => `  ${line}`).join('\n')}\nThose of times hang on this machine: run again with nothing beside it. The exit code stays 0.\n`,
    )
}

/** One line on standard error, rewritten on a terminal; a line for each experiment elsewhere. */
class Progress {
  readonly #start = now()
  #title = ''

  begin(title: string): void {
    this.#title = title
    if (!process.stderr.isTTY) process.stderr.write(`${this.#clock()} ${title}\n`)
  }

  say(text: string): void {
    if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${this.#clock()} ${this.#title}: ${text}`)
  }

  /** A line that stays. */
  tell(text: string): void {
    process.stderr.write(`${process.stderr.isTTY ? '\r\x1b[K' : ''}${text}\n`)
  }

  end(): void {
    if (process.stderr.isTTY) process.stderr.write('\r\x1b[K')
  }

  #clock(): string {
    const seconds = Math.round((now() - this.#start) / 1000)
    return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`
  }
}

process.exitCode = await main(process.argv.slice(2))
