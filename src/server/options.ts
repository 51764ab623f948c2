/** Every number of the contract, named with its unit and its default; and every other thing that can be set. */
import { isIP } from 'node:net'
import { maxTextLength } from '../protocol/draft.ts'
import { defaultLimits } from '../store/store.ts'

interface NumberOption {
  readonly kind: 'number'
  readonly value: number
  readonly least: number
  readonly help: string
}
interface TextOption {
  readonly kind: 'text'
  readonly value: string
  readonly help: string
}
interface ListOption {
  readonly kind: 'list'
  readonly value: readonly string[]
  readonly help: string
}
interface FlagOption {
  readonly kind: 'flag'
  readonly value: false
  readonly help: string
}
export type Option = NumberOption | TextOption | ListOption | FlagOption

const number = (value: number, help: string, least = 1): NumberOption => ({ kind: 'number', value, least, help })
const text = (value: string, help: string): TextOption => ({ kind: 'text', value, help })
const list = (help: string): ListOption => ({ kind: 'list', value: [], help })
const onOff = (help: string): FlagOption => ({ kind: 'flag', value: false, help })

/** What a room keeps, contract §7. */
const keeping = {
  keepMessages: number(defaultLimits.keepMessages, 'messages kept per room'),
  keepBytes: number(defaultLimits.keepBytes, 'bytes kept per room'),
  keepSeconds: number(defaultLimits.keepSeconds, 'seconds that a message is kept'),
  totalBytes: number(defaultLimits.totalBytes, 'bytes kept by the process; the longest idle room gives way first'),
  rooms: number(defaultLimits.rooms, 'rooms at the most'),
  roomsPerMinute: number(120, 'rooms that one address may create in a minute; 0 is no limit', 0),
  idleSeconds: number(
    defaultLimits.idleSeconds,
    'seconds after its last message that a room goes in which nobody is; with --store file or redis 86400 where nothing is said',
  ),
  emptySeconds: number(defaultLimits.emptySeconds, 'seconds after its last reader that a room goes in which nothing was ever written'),
  dedupeSeconds: number(defaultLimits.dedupeSeconds, 'seconds that the repeat of an id is recognised'),
  dedupeIds: number(defaultLimits.dedupeIds, 'newer ids of the room after which a repeat is no longer recognised'),
  history: number(defaultLimits.history, 'newest messages that a reader without a cursor begins with', 0),
  batchMessages: number(defaultLimits.batchMessages, 'messages in a batch'),
  batchBytes: number(defaultLimits.batchBytes, 'bytes of JSON in a batch'),
  lingerMs: number(2_000, 'ms that a room in which nobody holds a wire is watched on: the next long poll comes within it'),
  storeTimeoutMs: number(2_000, 'ms that a store may take to answer'),
  storeAwayMs: number(10_000, 'ms without a store after which streams are sent away'),
} as const

/** How the wires behave, contract §3, §9 and §12. */
const wires = {
  waitSeconds: number(25, 'seconds that a long poll is held, where the client does not say', 0),
  waitMaxSeconds: number(55, 'seconds that a client may ask for'),
  heartbeatMs: number(20_000, 'ms between heartbeats on a stream, ± 10 %'),
  streamMs: number(900_000, 'ms after which an event stream ends by itself, ± 10 %'),
  retryMs: number(2_000, 'ms that an EventSource is told to wait before it comes back, ± 50 %'),
  highWaterBytes: number(65_536, 'bytes waiting on a connection at which its writer stops reading the log'),
  stallMs: number(90_000, 'ms without progress of waiting bytes after which a connection is cut'),
  pingMs: number(10_000, 'ms between pings on a WebSocket'),
  silentMs: number(30_000, 'ms after which a silent WebSocket is cut'),
  frameBytes: number(32_768, 'bytes of a frame from a client (maxPayload)'),
  frameFragments: number(64, 'fragments of a message from a client'),
  controlFramesPerSecond: number(50, 'pings and pongs a second that a client may send'),
} as const

/** Who is here, contract §8. */
const leases = {
  websocketLeaseMs: number(30_000, 'ms that a frame from a WebSocket proves that its member is here'),
  sseLeaseMs: number(60_000, 'ms that a renewal of its lease proves it for an event stream'),
  longPollLeaseMs: number(90_000, 'ms that the start or end of a long poll proves it'),
  pollLeaseMs: number(10_000, 'ms that a poll proves it, at the least'),
  pollLeasePercent: number(250, 'percent of its interval that a poll proves it'),
  leaseGraceMs: number(10_000, 'ms that who closed their last wire stays a member: a reload, a change of transport'),
  membersMs: number(1_000, 'ms between two tellings of who came and went'),
  membersPerBatch: number(300, 'members told in one batch'),
  statesMs: number(50, 'ms between two tellings of their states, rounded up to 50'),
  statesPerBatch: number(200, 'states told in one batch'),
  maxMembers: number(20_000, 'members at the most; who comes then reads without being one'),
} as const

/** What is refused, contract §11 and §12. */
const limits = {
  publishesPerSecond: number(20, 'publishes a second of one member; 0 is no limit', 0),
  publishBurst: number(40, 'publishes of one member at once'),
  statesPerSecond: number(25, 'states a second of one member; 0 is no limit', 0),
  stateBurst: number(50, 'states of one member at once'),
  textUnits: number(maxTextLength, 'characters (UTF-16 units) of a text'),
  maxConnections: number(10_000, 'connections at the most'),
  maxLagMs: number(1_000, 'ms that the event loop may be late before the server says it is overloaded'),
  bodyBytes: number(32_768, 'bytes of a request body'),
  uriBytes: number(2_048, 'bytes of a path and query'),
  headerBytes: number(16_384, 'bytes of a request head'),
  headersTimeoutMs: number(10_000, 'ms that a request head may take'),
  requestTimeoutMs: number(15_000, 'ms that a whole request may take'),
  timeoutCheckMs: number(1_000, 'ms between looks for slow requests'),
  keepAliveMs: number(72_000, 'ms that an idle connection is kept'),
  trustProxy: list('address or range of a proxy whose X-Forwarded headers are believed'),
  allowHost: list('a further name that this server answers to'),
  allowOrigin: list('a further origin whose pages may use this server, as https://example.com'),
  allowQueryKeys: list('a query key of the embedding application that is passed over'),
} as const

/** Sessions, shutting down, and the process. */
const others = {
  sessionSecret: text('', 'signs the session cookie; drawn at start where it is empty (better in the environment: SESSION_SECRET)'),
  sessionCookie: text('fourwires', 'name of the session cookie'),
  sessionDays: number(30, 'days that a session cookie lives'),
  generatedNames: onOff('names are drawn: those that people give are passed over'),
  drainMs: number(5_000, 'ms over which clients are sent away on shutting down', 0),
  drainLimitMs: number(10_000, 'ms after which the process ends all the same'),
} as const

/** In the order in which `--help` shows them, under these titles. */
export const optionSections = {
  Keeping: keeping,
  Wires: wires,
  Members: leases,
  Limits: limits,
  'Sessions and shutting down': others,
} as const satisfies Record<string, Record<string, Option>>

export const optionTable = { ...keeping, ...wires, ...leases, ...limits, ...others } as const satisfies Record<string, Option>
type Table = typeof optionTable

/** The options of a room server, all with a default. Numbers are in the unit that their name ends with. */
export type ServerOptions = {
  readonly [Name in keyof Table]: Table[Name] extends NumberOption
    ? number
    : Table[Name] extends ListOption
      ? readonly string[]
      : Table[Name] extends FlagOption
        ? boolean
        : string
}

/**
 * What a hall has in place of these defaults: a hundred phones, perhaps behind one address, and a text on a projector.
 * The command line overrides it.
 */
export const hallOptions = {
  publishesPerSecond: 2,
  publishBurst: 4,
  textUnits: 200,
  generatedNames: true,
  // Each phone has the hall's room and some of its own to race in.
  roomsPerMinute: 1_200,
} as const satisfies Partial<ServerOptions>

/** @throws RangeError that names the option, what it is and what it got */
export function withDefaults(options: Partial<ServerOptions>): ServerOptions {
  const complete: Record<string, unknown> = {}
  for (const [name, option] of Object.entries(optionTable) as [string, Option][]) {
    const value = (options as Record<string, unknown>)[name] ?? option.value
    if (option.kind === 'number' && !(Number.isSafeInteger(value) && (value as number) >= option.least)) {
      throw new RangeError(`${name} (${option.help}) is a whole number, at least ${option.least}; it got ${String(value)}`)
    }
    complete[name] = value
  }
  checkNames(complete as unknown as ServerOptions)
  return complete as unknown as ServerOptions
}

/** @throws RangeError for names that could never match, and a secret that could be guessed */
function checkNames({ allowHost, allowOrigin, sessionSecret, trustProxy }: ServerOptions): void {
  const host = allowHost.find((name) => !/^[a-z0-9.-]+$/i.test(name))
  if (host !== undefined) throw new RangeError(`allowHost takes a bare name, as example.com; it got "${host}"`)
  const origin = allowOrigin.find((each) => !URL.canParse(each) || new URL(each).origin !== each.toLowerCase())
  if (origin !== undefined) throw new RangeError(`allowOrigin takes an origin, as https://example.com; it got "${origin}"`)
  const proxy = trustProxy.find((each) => !isProxy(each))
  if (proxy !== undefined) throw new RangeError(`trustProxy takes an address or range, as 10.0.0.0/8, or loopback; it got "${proxy}"`)
  if (sessionSecret !== '' && sessionSecret.length < 16) throw new RangeError('sessionSecret has at least 16 characters, or none')
}

const isProxy = (spelled: string): boolean => {
  const [address = '', bits, ...more] = spelled.split('/')
  if (['loopback', 'linklocal', 'uniquelocal'].includes(spelled)) return true
  const most = { 0: -1, 4: 32, 6: 128 }[isIP(address)] ?? -1
  return most > 0 && more.length === 0 && (bits === undefined || (/^[0-9]{1,3}$/.test(bits) && Number(bits) <= most))
}
