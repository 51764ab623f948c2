/**
 * Two reports of the bench, compared.
 *
 *     npm run bench:compare -- old.json new.json --fail bytes:+1%,p99:+15%
 *
 * Exit: 0 compared · 1 a change beyond what --fail allows · 2 no report, or a wrong command line.
 */
import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { type Limit, breaches, compareReports, unjudged } from './report/comparison.ts'
import { percent, printComparison } from './report/comparison-text.ts'
import { signed } from './report/lanes.ts'
import { type MetricName, metrics } from './report/metrics.ts'
import type { Report } from './report/report.ts'

/** A sentence for whoever typed the command. */
class UsageError extends Error {}

const short: Readonly<Record<string, MetricName>> = { bytes: 'bytesPerMessage', cpu: 'cpuPerThousand', rss: 'rssBytes' }

const help = `npm run bench:compare -- old.json new.json [--fail <metric>:<+N%>,…]

What changed from one report of the bench to another: old, new, change, for each experiment, scenario, lane and metric.
Counted metrics are compared exactly. Sampled ones have a 95 % interval over the rounds, and ~ where no difference is shown;
between different machines, versions of Node, or scenarios they are not compared.

  --fail bytes:+1%,p99:+15%   exit 1 where a metric grew by more (-N%: fell by more), and the difference is shown
  --help                      this text

Metrics: ${Object.keys(metrics).join(', ')}.
Short: ${Object.entries(short)
  .map(([name, metric]) => `${name} for ${metric}`)
  .join(', ')}.
Exit: 0 compared · 1 a change beyond --fail · 2 no report, or a wrong command line.`

process.exitCode = main(process.argv.slice(2))

function main(args: readonly string[]): number {
  try {
    const { values, positionals } = commandLine(args)
    if (values.help) {
      console.log(help)
      return 0
    }
    const [old, fresh] = positionals
    if (old === undefined || fresh === undefined || positionals.length > 2) {
      throw new UsageError(`Two reports are compared, and ${positionals.length} given.\nTry: npm run bench:compare -- --help`)
    }
    return compare(readReport(old), readReport(fresh), (values.fail ?? []).flatMap(parseLimits))
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    console.error(error.message)
    return 2
  }
}

function commandLine(args: readonly string[]): { values: { fail?: string[]; help?: boolean }; positionals: string[] } {
  try {
    const options = { fail: { type: 'string', multiple: true }, help: { type: 'boolean', short: 'h' } } as const
    return parseArgs({ args: [...args], options, allowPositionals: true })
  } catch (error) {
    throw new UsageError(`${(error as Error).message}\nTry: npm run bench:compare -- --help`)
  }
}

function compare(old: Report, fresh: Report, limits: readonly Limit[]): number {
  const comparison = compareReports(old, fresh)
  console.log(printComparison(comparison, { colour: process.stdout.isTTY && !process.env['NO_COLOR'] }))
  const reasons = new Set(comparison.results.flatMap((result) => result.reasons))
  for (const { metric } of unjudged(comparison, limits)) {
    // A gate that nothing passes through must not look open.
    if (reasons.size === 0) throw new UsageError(`--fail ${metric}: no lane has it in both reports.`)
    console.error(`--fail ${metric} was not judged: ${[...reasons].join(', ')}.`)
  }
  const found = breaches(comparison, limits)
  for (const { experiment, lane, change, limit } of found) {
    const where = `${experiment} / ${lane.scenario} / ${signed(lane.lane)}`
    console.error(`${where}: ${change.metric} changed by ${percent(change.share.value)}, allowed is ${percent(limit.share)}`)
  }
  return found.length > 0 ? 1 : 0
}

/** `bytes:+1%,p99:+15%`. @throws UsageError */
function parseLimits(text: string): Limit[] {
  return text.split(',').map((part) => {
    const [, name, sign, amount] = /^\s*([\w-]+):([+-]?)(\d+(?:\.\d+)?)\s*%\s*$/.exec(part) ?? []
    if (name === undefined) throw new UsageError(`--fail takes metric:+N%, as bytes:+1%, and got "${part}".`)
    const metric = (Object.hasOwn(short, name) ? short[name] : name) as MetricName
    if (!Object.hasOwn(metrics, metric)) {
      throw new UsageError(`There is no metric "${name}". There are ${[...Object.keys(short), ...Object.keys(metrics)].join(', ')}.`)
    }
    return { metric, share: (sign === '-' ? -1 : 1) * (Number(amount) / 100) }
  })
}

/** @throws UsageError where there is no file, no JSON, no report, or one of another schema */
function readReport(path: string): Report {
  const parsed = parse(path)
  const object = typeof parsed === 'object' && parsed !== null ? (parsed as Record<string, unknown>) : {}
  if (!('schema' in object) || !Array.isArray(object['results']) || typeof object['environment'] !== 'object') {
    throw new UsageError(`${path} is no report of the bench: give the report.json that \`npm run bench\` wrote.`)
  }
  if (object['schema'] !== 1) {
    throw new UsageError(`${path} has schema ${String(object['schema'])}, and this compares schema 1: measure again with this version.`)
  }
  if (!object['results'].every(isResult)) throw new UsageError(`${path} has a result without rounds: it is no whole report.`)
  return object as unknown as Report
}

function isResult(value: unknown): boolean {
  const rounds = (value as { rounds?: unknown } | null)?.rounds
  return Array.isArray(rounds) && rounds.every((round: unknown) => typeof (round as { metrics?: unknown } | null)?.metrics === 'object')
}

function parse(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch (error) {
    const why = error instanceof SyntaxError ? 'is not JSON' : `could not be read (${(error as NodeJS.ErrnoException).code ?? 'unknown'})`
    throw new UsageError(`${path} ${why}.`)
  }
}
