/** What may be set on the command line of `npm run bench`, each with its unit and default. */
import { parseArgs } from 'node:util'
import { leastPayload } from './stamp.ts'

export const peerNames = ['naive', 'socket.io', 'nchan'] as const
export type Peer = (typeof peerNames)[number]

export interface Options {
  /** The experiments named, in their order; none is the default scenario. */
  readonly experiments: readonly string[]
  /** The names of the options that the command line has. */
  readonly given: readonly string[]
  /** Undefined where the command line does not say: an experiment has its own then. */
  readonly clients: number | undefined
  readonly rate: number | undefined
  readonly payload: number
  readonly pollMs: number
  readonly rounds: number
  readonly seconds: number
  readonly seed: number
  readonly quick: boolean
  readonly rttMs: readonly number[]
  readonly via: string | undefined
  readonly peers: readonly Peer[]
  readonly json: boolean
  readonly out: string | undefined
  readonly literature: boolean
  readonly list: boolean
  readonly help: boolean
}

/** Thrown for what is no option or not its value: a sentence that says what there is. */
export class UsageError extends Error {}

const flags = {
  clients: { value: '50; fan-out 100, 1,000 and 5,000', help: 'subscribers of a lane', unit: '<n>' },
  rate: { value: '10', help: 'messages a second, published at Poisson times', unit: '<n>' },
  payload: { value: '40', help: `bytes of a message's text, at least ${leastPayload}`, unit: '<bytes>' },
  'poll-interval': { value: '1000', help: 'ms between the questions of a poller', unit: '<ms>' },
  rounds: { value: '4; 3 with --quick; fan-out among the default questions 1', help: 'rounds of every lane, in random order', unit: '<n>' },
  seconds: { value: '1; 0.5 with --quick', help: 'seconds measured in a round, after a warm-up', unit: '<s>' },
  seed: { value: 'drawn, and printed', help: 'of the order of rounds and the times of messages', unit: '<n>' },
  rtt: { value: '0', help: 'round trips in ms, one scenario each; a relay holds every byte for half of one', unit: '<ms,…>' },
  via: {
    value: '',
    help: 'a Fourwires server of your own, behind your own proxy, in place of ours; for latency and overhead (it has to take the rate: --publishes-per-second 0)',
    unit: '<url>',
  },
  peers: { value: '', help: `with fan-out: other servers in the same run, of ${peerNames.join(', ')}`, unit: '<names>' },
  out: { value: 'bench/results/<time>', help: 'folder for the report', unit: '<folder>' },
} as const

const switches = {
  quick: 'fewer and shorter rounds, about two minutes: to see that it works, not for publication',
  literature: 'all published experiments, and the table of their relations (under 15 minutes)',
  json: 'the report as JSON on standard output, nothing else there (with `npm run -s bench`)',
  list: 'the experiments, with their question and source',
  help: 'this text',
} as const

/**
 * @throws UsageError
 */
export function parseOptions(args: readonly string[]): Options {
  const text = Object.fromEntries(Object.keys(flags).map((name) => [name, { type: 'string' }] as const))
  const { values, positionals } = parse(args, {
    ...text,
    quick: { type: 'boolean' },
    literature: { type: 'boolean' },
    json: { type: 'boolean' },
    list: { type: 'boolean' },
    help: { type: 'boolean', short: 'h' },
  })
  const given = values as Readonly<Record<string, string | boolean | undefined>>
  const quick = given['quick'] === true
  const number = (name: keyof typeof flags, least: number, most: number, whole = true): number | undefined => {
    const value = given[name]
    if (value === undefined) return undefined
    const parsed = typeof value === 'string' && /^\d{1,9}(\.\d{1,6})?$/.test(value) ? Number(value) : Number.NaN
    if (parsed >= least && parsed <= most && (!whole || Number.isInteger(parsed))) return parsed
    throw new UsageError(
      `--${name} (${flags[name].help}) is a ${whole ? 'whole ' : ''}number from ${least} to ${most}; it got "${String(value)}"`,
    )
  }
  if (given['via'] !== undefined && given['rtt'] !== undefined)
    throw new UsageError('--rtt makes a distance before a server of ours; with --via it is your network that has one.')
  if (given['literature'] === true && (positionals.length > 0 || given['via'] !== undefined))
    throw new UsageError('--literature runs all published experiments, on a server of ours: leave out the names, and --via.')
  return {
    experiments: positionals,
    given: Object.keys(given),
    clients: number('clients', 1, 20_000),
    rate: number('rate', 0.1, 1_000, false),
    payload: number('payload', leastPayload, 4_096) ?? 40,
    pollMs: number('poll-interval', 10, 60_000) ?? 1_000,
    rounds: number('rounds', 1, 100) ?? (quick ? 3 : 4),
    seconds: number('seconds', 0.2, 600, false) ?? (quick ? 0.5 : 1),
    seed: number('seed', 0, 999_999_999) ?? Math.floor(Math.random() * 1e6),
    quick,
    rttMs: listOf('rtt', given['rtt'] ?? '0').map((value) => {
      if (/^\d{1,4}$/.test(value)) return Number(value)
      throw new UsageError(`--rtt (${flags.rtt.help}) is a list as 0,50; it got "${value}"`)
    }),
    via: given['via'] === undefined ? undefined : server(String(given['via'])),
    peers: given['peers'] === undefined ? [] : listOf('peers', given['peers']).map(peer),
    json: given['json'] === true,
    out: given['out'] as string | undefined,
    literature: given['literature'] === true,
    list: given['list'] === true,
    help: given['help'] === true,
  }
}

function parse(args: readonly string[], options: NonNullable<Parameters<typeof parseArgs>[0]>['options']): ReturnType<typeof parseArgs> {
  try {
    return parseArgs({ args: [...args], allowPositionals: true, options: options ?? {} })
  } catch (error) {
    throw new UsageError(`${(error as Error).message.split('. ')[0]}.\n\n${helpText()}`)
  }
}

function listOf(name: string, value: string | boolean): string[] {
  const items = String(value).split(',').filter(Boolean)
  if (items.length === 0) throw new UsageError(`--${name} is a list with commas; it got nothing`)
  return items
}

function peer(name: string): Peer {
  const found = peerNames.find((each) => each === name)
  if (found === undefined) throw new UsageError(`--peers are of ${peerNames.join(', ')}; it got "${name}"`)
  return found
}

function server(value: string): string {
  if (URL.canParse(value) && /^https?:$/.test(new URL(value).protocol)) return value.replace(/\/$/, '')
  throw new UsageError(`--via is the address of a server, as http://localhost:8080/chat; it got "${value}"`)
}

export function helpText(): string {
  const line = (flag: string, help: string): string => `  ${flag.padEnd(22)}${help}`
  return [
    'npm run bench -- [experiment…] [options]',
    'What each of four wires costs: the default scenario, or the experiments named.',
    [
      ...Object.entries(flags).map(([name, { unit, help, value }]) => line(`--${name} ${unit}`, value ? `${help} (${value})` : help)),
      ...Object.entries(switches).map(([name, help]) => line(`--${name}`, help)),
    ].join('\n'),
    'npm run bench:compare -- old.json new.json [--fail bytes:+1%,p99:+15%] compares two reports.',
    'Exit: 0 measured, whether relations held or not · 1 it broke · 2 a message was lost, a server failed verification, or the command line is wrong · 130 Ctrl-C.',
  ].join('\n\n')
}
