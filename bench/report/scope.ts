/** What a report can be trusted for: under which conditions it was measured, and what those leave open. */
import type { Report } from './report.ts'

export interface Scope {
  readonly holds: readonly string[]
  readonly open: readonly string[]
}

type Option = Report['options'][string]

const words = (option: Option): string => (Array.isArray(option) ? option.join(', ') : String(option))

/** What an option says, where it says something: not false, not empty, not 0. */
function given(report: Report, name: string): string | undefined {
  const option = report.options[name]
  return option === undefined || option === false || /^(0|off|none|no|false|)$/.test(words(option)) ? undefined : words(option)
}

/** Reads the options `rttMs` and `via`; of what has no option, nothing was used. */
export function scopeOf(report: Report): Scope {
  const [rtt, via] = [given(report, 'rttMs'), given(report, 'via')]
  const choices: readonly (readonly [holds: string, open: string])[] = [
    ['this machine', 'other machines'],
    rtt === undefined
      ? ['loopback (round trip under 1 ms) where no scenario names another', 'a network that loses and reorders']
      : [`round trips of ${rtt} ms where a scenario names them, made by a relay on this machine`, 'a network that loses and reorders'],
    ['HTTP/1.1', 'HTTP/2 and HTTP/3'],
    via?.startsWith('https:') === true ? ['TLS', 'plain HTTP'] : ['no TLS', 'TLS'],
    via === undefined
      ? ['no proxy but the relays that scenarios name', 'proxies, which buffer and time out']
      : [`the server at ${via}`, 'other servers and proxies'],
    ['the headers and cookies that each scenario names', 'proxies that add headers of their own'],
  ]
  return { holds: choices.map(([holds]) => holds), open: choices.map(([, open]) => open) }
}

/** The first finding of each result, in order, five at most. */
export const leadingFindings = (report: Report): string[] => report.results.flatMap(({ findings }) => findings.slice(0, 1)).slice(0, 5)

/** `10 rounds, order shuffled`: as many as were measured where one lane has most. */
export function roundsOf(report: Report): string {
  const numbers = report.results.map(({ rounds }) => new Set(rounds.map(({ round }) => round)).size)
  const most = Math.max(0, ...numbers)
  if (most === 0) return 'no rounds'
  return most === 1 ? '1 round' : `up to ${most} rounds a lane, order shuffled`
}

/** Each a fact about where and how it was measured: version, Node, machine, commit, seed, rounds. */
export function conditions(report: Report): string[] {
  const { version, node, os, cores, commit } = report.environment
  return [
    `v${version.replace(/^v/, '')}`,
    `node ${node.replace(/^v/, '')}`,
    `${os} ${cores} ${cores === 1 ? 'core' : 'cores'}`,
    `commit ${commit.replace(/^([0-9a-f]{7})[0-9a-f]{33}$/, '$1')}`,
    `seed ${report.seed}`,
    roundsOf(report),
    ...generatorOf(report),
  ]
}

/** How busy the processes were that measure: the worst round of all. */
function generatorOf({ results }: Report): string[] {
  const lags = results.flatMap(({ rounds }) => rounds.flatMap(({ metrics }) => metrics['generatorLagP99'] ?? []))
  return lags.length === 0 ? [] : [`generator's loop p99 ${Math.max(...lags).toFixed(0)} ms at worst`]
}

/** A report that is not to be quoted says so before anything else. */
export function warnings(report: Report): string[] {
  return [
    ...(report.quick ? ['Quick run: not for publication.'] : []),
    ...(report.interrupted ? ['Interrupted: ended before all was measured.'] : []),
    ...(report.failure === undefined ? [] : [`Ended before all was measured: ${report.failure}`]),
  ]
}
