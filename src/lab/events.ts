/** What the tap tells a viewer of its own connections: plain data, small enough to stream. Imports nothing, runs anywhere. */

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
  readonly up: Side
  readonly down: Side
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

/** A viewer's question, or undefined where it is none. */
export function parseQuestion(value: unknown): BytesQuestion | undefined {
  const { type, connection, block } = (typeof value === 'object' && value !== null ? value : {}) as Record<string, unknown>
  return type === 'bytes' && typeof connection === 'number' && typeof block === 'number' ? { type, connection, block } : undefined
}
