/**
 * What goes over `/lab/events`, both ways: what a page is told of its own connections, what it asks, and what it does to
 * them. Plain data, small enough to stream. Runs anywhere.
 */
import type { Ack, TransportName } from '../protocol/message.ts'
import type { ProblemBody } from '../protocol/problem.ts'

/** Up is what the client sends, down is what it gets. */
export const directions = ['up', 'down'] as const
export type Direction = (typeof directions)[number]

/**
 * What a byte is, by the grammar of its wire. `chunk` is the framing of chunked coding (RFC 9112, 7.1), `field` all of an
 * event stream but the values of `data:`, which are `payload`; `frame-header`, `mask` and `control` (the payload of a ping,
 * pong or close) are the WebSocket's (RFC 6455, 5.2). `unattributed` is what no grammar claims, or does not claim yet.
 */
export const pieceKinds = [
  'request-line',
  'status-line',
  'headers',
  'body',
  'chunk',
  'field',
  'frame-header',
  'mask',
  'payload',
  'control',
  'unattributed',
] as const
export type PieceKind = (typeof pieceKinds)[number]

/** The kinds that carry what was said. All others are what saying it costs. */
export const payloadKinds: readonly PieceKind[] = ['body', 'payload']

/** Bytes by kind; kinds without a byte are left out. They sum up to the socket's own count, exactly. */
export type Counts = Readonly<Partial<Record<PieceKind, number>>>

/** One direction of a connection: what the socket itself counts, and what each byte of it was. */
export interface Side {
  readonly bytes: number
  readonly counts: Counts
}

/** A TCP connection as it is now. Times are in ms of the server's monotonic clock. */
export interface ConnectionState {
  readonly connection: number
  /** The client's port: what tells its connections apart in other tools too. */
  readonly port: number
  readonly openedAt: number
  /** Absent while it is open. */
  readonly closedAt?: number
  /** Two sessions were seen on it, or it carries what a viewer sees: nothing further is told of it. */
  readonly hidden?: true
  readonly requests: number
  /** The question that waits for its answer, or whose answer still goes on: a stream, a socket. Told so that who comes late knows. */
  readonly underWay?: UnderWay
  readonly up: Side
  readonly down: Side
}

/** `exchange` and `detail` are as in the blocks of it; `at` is when it had been asked. */
export interface UnderWay {
  readonly exchange: number
  readonly detail: string
  readonly at: number
}

/** What one looks at as a whole: a head with its body, one chunk of an event stream, one frame. */
export type BlockKind = 'handshake' | 'request' | 'response' | 'event' | 'frame'

/** A whole block, told once its last byte has passed. */
export interface Block {
  readonly connection: number
  /** Rises by one from block to block of a connection, whatever the direction. */
  readonly block: number
  readonly direction: Direction
  readonly what: BlockKind
  /** When its first and its last byte passed. */
  readonly at: number
  readonly until: number
  /** Which request of the connection it is or answers, from 1; a frame has that of its handshake. */
  readonly exchange: number
  /** A request's method and target, an answer's status, a frame's opcode; empty for an event. */
  readonly detail: string
  /** What its bytes are, in order. */
  readonly pieces: readonly (readonly [PieceKind, number])[]
}

/** What has happened since the last report. Also the first thing that a viewer hears: then with every open connection. */
export interface Report {
  readonly type: 'report'
  readonly at: number
  /** Those that changed, with their whole counts: a report that was missed costs no exactness. */
  readonly connections: readonly ConnectionState[]
  readonly blocks: readonly Block[]
  /** Blocks that are counted above and not told: there were too many, or this viewer reads too slowly. */
  readonly skipped: number
  /** What watching costs: the bytes of this session's viewing connections, counted nowhere else. */
  readonly observer: { readonly up: number; readonly down: number }
}

/** A viewer asks for the bytes of a block. */
export interface BytesQuestion {
  readonly type: 'bytes'
  readonly connection: number
  readonly block: number
}

/** The block's first bytes, at most `shownBytes` of them; absent where they are not kept any more. Values of cookies are starred out. */
export interface BlockBytes extends BytesQuestion {
  readonly base64?: string
}

/** So much of a block is kept to be looked at, in bytes. */
export const shownBytes = 2_048

/** A proxy that stands in the way: none, one that holds answers back, one that knows no upgrade, one that cuts who is silent. */
export const proxyKinds = ['none', 'buffers', 'no-upgrade', 'idle-cut'] as const
export type ProxyKind = (typeof proxyKinds)[number]

/**
 * What is done to a session's own connections from now on, each in ms a direction but the reader's pace. It holds for all
 * pages of the session, and ends with its last viewer: nobody is left behind a bad network that nobody shows.
 */
export interface Chaos {
  /** Every byte takes so long. */
  readonly delayMs: number
  /** And up to so much longer, drawn evenly; order is kept, as TCP keeps it. */
  readonly jitterMs: number
  /** Bytes a second that the client takes; 0 is as fast as it can. */
  readonly readBytesPerSecond: number
  readonly proxy: ProxyKind
}
export const noChaos: Chaos = { delayMs: 0, jitterMs: 0, readBytesPerSecond: 0, proxy: 'none' }

/** What one may do to one's own connections at the most. */
export const chaosLimits = { delayMs: 2_000, jitterMs: 2_000, readBytesPerSecond: 1_000_000, stallMs: 3_000, blackHoleMs: 120_000 } as const

/** From now on this holds. Answered by `ChaosNow`. */
export interface ChaosOrder {
  readonly type: 'chaos'
  readonly chaos: Chaos
}
/** Once: everything waits so long, and then goes on; nothing is lost. */
export interface StallOrder {
  readonly type: 'stall'
  readonly ms: number
}
/**
 * For so long what is sent either way is swallowed, and nobody is told: no FIN, no RST. A connection that lost bytes stays
 * a hole until one of its ends gives it up; those that are opened afterwards are whole. 0 ms ends it.
 */
export interface BlackHoleOrder {
  readonly type: 'black-hole'
  readonly ms: number
}
/** Ends own connections: politely (FIN) or with a reset (RST). Of one transport, or all of them. */
export interface CutOrder {
  readonly type: 'cut'
  readonly how: 'fin' | 'rst'
  readonly transport?: TransportName
}

/** What holds now: told at first, and when it changes. `blackHoleMs` and `stallMs` are what is left of them. */
export interface ChaosNow {
  readonly type: 'chaos'
  readonly chaos: Chaos
  readonly blackHoleMs: number
  readonly stallMs: number
}

/** A page compares its clock with the server's: answered at once, with the same `sent`. */
export interface ClockQuestion {
  readonly type: 'clock'
  readonly sent: number
}
/** `at` is on the clock that blocks have, in ms; `date` is the server's time of day, in ms since 1970. */
export interface ClockAnswer extends ClockQuestion {
  readonly at: number
  readonly date: number
}

/** Publishes as this session in a room of its own race (`raceRoomOf`), beside all wires: the sender weighs on none of them. */
export interface SayOrder {
  readonly type: 'say'
  readonly id: string
  readonly room: string
  readonly text: string
}
/** The text is in the log. */
export interface Said extends Ack {
  readonly type: 'said'
}
/** Messages a second that one session may say in its race. */
export const raceRate = 100
/** The rooms in which a member may `say`: `race~m_…`, and further lanes behind another tilde. */
export const raceRoomOf = (member: string): string => `race~${member}`

/** Who is here, and how we know. Answered by `MembersAnswer`. */
export interface MembersQuestion {
  readonly type: 'members'
  readonly room: string
}
export interface ListedWire {
  readonly transport: TransportName
  /** When it was last heard, in ms before now, and how long that proves that somebody is here. */
  readonly seenMs: number
  readonly leaseMs: number
}
export interface MembersAnswer {
  readonly type: 'members'
  readonly room: string
  readonly list: readonly { readonly id: string; readonly name: string; readonly wires: readonly ListedWire[] }[]
}

/** How the hall is: told to every page at first, and when it changes. */
export interface Hall {
  /** Started as a hall: for everybody on the network. */
  readonly open: boolean
  /** Nobody but the presenter publishes. */
  readonly muted: boolean
  /** Pages show what is said only as a blur. */
  readonly blurred: boolean
  /** Messages a second that the server's own bot says, and where. 0: none. */
  readonly bot: { readonly rate: number; readonly room: string }
  /** Synthetic members, on this machine, in a process of their own: as many as are wanted, and as are live by now. */
  readonly swarm: { readonly members: number; readonly room: string; readonly live?: number }
  /** So many UTF-16 units a text may have here. */
  readonly textUnits: number
  /** Names are drawn: those that people give are passed over, but the presenter's. */
  readonly generatedNames: boolean
  /** Sessions from other devices so far. */
  readonly joined: number
  /** Where phones find the page, best first: `http://192.168.178.23:3000`. Empty where only this machine can. */
  readonly addresses: readonly string[]
  /** The room that the presenter emptied last, and when, in ms since 1970: what was said there until then is taken down. */
  readonly cleared?: { readonly room: string; readonly at: number }
  /** How long the last freeze held everybody up, in ms, and when it ended on the server's clock. */
  readonly frozen?: { readonly ms: number; readonly at: number }
}
export interface HallNow {
  readonly type: 'hall'
  readonly hall: Hall
}
/** What a presenter may do at the most. A swarm is a process of its own; a freeze holds up everybody. */
export const presenterLimits = { freezeMs: 3_000, freezeEveryMs: 5_000, botRate: 100, swarmMembers: 500 } as const

/** What was asked cannot be; `id` is that of the `say` it answers. Spelled as on the WebSocket wire: protocol/frame.ts. */
export interface LabProblem extends Omit<ProblemBody, 'type'> {
  readonly type: 'problem'
  readonly id?: string
}

/** What a page hears. */
export type LabNews = Report | BlockBytes | ChaosNow | ClockAnswer | Said | MembersAnswer | HallNow | LabProblem
/** What a page sends. */
export type LabOrder = BytesQuestion | ChaosOrder | StallOrder | BlackHoleOrder | CutOrder | ClockQuestion | SayOrder | MembersQuestion
