/** The command line of the process: its options, over the environment, over the defaults; and what `--help` prints. */
import { parseArgs } from 'node:util'
import { chooseStore, type StoreChoice } from './stores.ts'
import { hallOptions, type Option, optionSections, optionTable, type ServerOptions } from './options.ts'

/** Characters that a presenter's key has at least, and which: it travels in a header and behind the # of an address. */
const keySpelling = /^[A-Za-z0-9._~-]{8,}$/

/** What only the process itself has: where it listens, and what it says. */
const processOptions = {
  port: { kind: 'number', value: 3000, least: 0, help: 'port to listen on; 0 takes a free one (PORT)' },
  host: { kind: 'text', value: 'localhost', help: 'address to listen on; 0.0.0.0 for the whole network (HOST)' },
  'log-level': { kind: 'text', value: 'info', help: 'fatal, error, warn, info, debug, trace or silent' },
  'presenter-key': { kind: 'text', value: '', help: 'proves the presenter; drawn at start where it is empty (better: PRESENTER_KEY)' },
} as const satisfies Record<string, Option>

/** Where rooms are kept. */
const storeOptions = {
  store: { kind: 'text', value: 'memory', help: 'memory, file or redis: what they survive is in the README' },
  data: { kind: 'text', value: '', help: 'with --store file: the directory that rooms are kept in, for one process' },
  fsync: { kind: 'text', value: 'batched', help: 'with --store file: batched within 50 ms, always or never before an acknowledgement' },
  redis: { kind: 'text', value: '', help: 'with --store redis: where it is, as redis://localhost:6379' },
} as const satisfies Record<string, Option>

export interface CommandLine {
  readonly help: boolean
  readonly version: boolean
  readonly port: number
  readonly host: string
  readonly logLevel: string
  /** False: no tap on the connections, and no route to it. */
  readonly lab: boolean
  /** For everybody on the network: `hallOptions` hold where nothing else was said. */
  readonly hall: boolean
  /** Empty: one is to be drawn. */
  readonly presenterKey: string
  readonly keeping: StoreChoice
  readonly server: Partial<ServerOptions>
}

const kebab = (name: string): string => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)

/** What `withDefaults` refuses, in the words of the command line: keepBytes is --keep-bytes there. */
export const inFlags = (message: string): string =>
  message.replace(/^\w+/, (name) => (Object.hasOwn(optionTable, name) ? `--${kebab(name)}` : name))

/**
 * The command line, over the environment (PORT, HOST, SESSION_SECRET, PRESENTER_KEY), over the defaults.
 * @throws Error in one sentence, for what is not an option or not its value
 */
export function parseCommandLine(args: readonly string[], env: Readonly<Record<string, string | undefined>>): CommandLine {
  const byFlag = new Map<string, [string, Option]>(Object.entries(optionTable).map(([name, option]) => [kebab(name), [name, option]]))
  const flags = [...byFlag].flatMap(([name, [, { kind }]]): [string, { type: 'boolean' | 'string'; multiple?: boolean }][] => {
    if (kind !== 'flag') return [[name, { type: 'string', multiple: kind === 'list' }]]
    return [name, `no-${name}`].map((each) => [each, { type: 'boolean' }])
  })
  const { values } = parseArgs({
    args: [...args],
    options: {
      help: { type: 'boolean', short: 'h' },
      version: { type: 'boolean' },
      'no-lab': { type: 'boolean' },
      hall: { type: 'boolean' },
      'presenter-key': { type: 'string' },
      port: { type: 'string' },
      host: { type: 'string' },
      'log-level': { type: 'string' },
      ...Object.fromEntries(Object.keys(storeOptions).map((name) => [name, { type: 'string' as const }])),
      ...Object.fromEntries(flags),
    },
  })
  const given = values as Record<string, string | string[] | boolean | undefined>
  const hall = given['hall'] === true
  if (hall && given['no-lab'] === true) throw new Error('--hall needs the lab: leave --no-lab away')
  const server: Record<string, unknown> = hall ? { ...hallOptions } : {}
  if (env['SESSION_SECRET']) server['sessionSecret'] = env['SESSION_SECRET']
  for (const [flag, [name, option]] of byFlag) {
    const value = given[`no-${flag}`] === true ? false : given[flag]
    if (value !== undefined) server[name] = option.kind === 'number' ? wholeNumber(`--${flag}`, value, option) : value
  }
  const fromEnv = given['port'] === undefined && env['PORT'] ? 'PORT' : undefined
  const port = wholeNumber(fromEnv ?? '--port', given['port'] ?? (env['PORT'] || String(processOptions.port.value)), processOptions.port)
  if (port > 65_535) throw new Error(`${fromEnv ?? '--port'} is at most 65535`)
  const logLevel = String(given['log-level'] ?? (hall ? 'warn' : processOptions['log-level'].value))
  if (!processOptions['log-level'].help.split(/, | or /).includes(logLevel))
    throw new Error(`--log-level is ${processOptions['log-level'].help}`)
  const presenterKey = String(given['presenter-key'] ?? env['PRESENTER_KEY'] ?? '')
  if ((presenterKey !== '' || given['presenter-key'] === '') && !keySpelling.test(presenterKey)) {
    const source = given['presenter-key'] === undefined ? 'PRESENTER_KEY' : '--presenter-key'
    throw new Error(`${source} has at least 8 of the characters A-Z, a-z, 0-9, . _ ~ and -`)
  }
  return {
    help: given['help'] === true,
    version: given['version'] === true,
    port,
    host: String(given['host'] ?? (env['HOST'] || (hall ? '0.0.0.0' : processOptions.host.value))),
    logLevel,
    lab: given['no-lab'] !== true,
    hall,
    presenterKey,
    keeping: chooseStore(values as Record<string, string>),
    server,
  }
}

function wholeNumber(flag: string, value: unknown, { least, help }: { readonly least: number; readonly help: string }): number {
  if (typeof value === 'string' && /^[0-9]{1,15}$/.test(value) && Number(value) >= least) return Number(value)
  throw new Error(`${flag} (${help}) is a whole number, at least ${least}; it got "${String(value)}"`)
}

/** What `--help` prints. */
export function helpText(command: string): string {
  const bare = (name: string, help: string): string => `  ${`${name} `.padEnd(42)}${help}`
  const line = (name: string, { kind, value, help }: Option): string => {
    if (kind === 'flag') return bare(`--${name}, --no-${name}`, help)
    const placeholder = kind === 'number' ? ' <n>' : kind === 'list' ? ' <…>' : ' <text>'
    const standard = kind === 'list' ? 'may be repeated' : value === '' ? '' : `default ${String(value)}`
    return bare(`--${name}${placeholder}`, `${help}${standard && ` (${standard})`}`)
  }
  const { publishesPerSecond, publishBurst, textUnits, roomsPerMinute } = hallOptions
  const section = (title: string, options: Record<string, Option>): string =>
    [title, ...Object.entries(options).map(([name, option]) => line(kebab(name), option))].join('\n')
  return [
    `fourwires: one room over polling, long polling, server-sent events and WebSocket\n\nUsage: ${command} [options]`,
    [
      section('Process', processOptions),
      bare('--no-lab', 'no tap on the connections: nobody is shown what passes on their own'),
      bare('--help, -h', 'this text'),
      bare('--version', 'the version'),
    ].join('\n'),
    section('Store', storeOptions),
    [
      'Hall',
      bare('--hall', 'a QR code for phones, a self-test, and for everybody on the network:'),
      bare('', `--host 0.0.0.0 --publishes-per-second ${publishesPerSecond} --publish-burst ${publishBurst}`),
      bare('', `--text-units ${textUnits} --rooms-per-minute ${roomsPerMinute} --generated-names,`),
      bare('', '--log-level warn, each where nothing else is said'),
    ].join('\n'),
    ...Object.entries(optionSections).map(([title, options]) => section(title, options)),
  ].join('\n\n')
}
