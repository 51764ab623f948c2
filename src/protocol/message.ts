/** What travels: drafts up, batches down. The same shapes on all four wires. */

/** A transport's name is its URL segment, its file name on both sides, its label and its row in every result. */
export const transportNames = ['poll', 'long-poll', 'sse', 'websocket'] as const
export type TransportName = (typeof transportNames)[number]

/** Where a reader stands in a room's log, spelled `epoch.seq.tag`. Opaque to applications; see cursor.ts. */
export type Cursor = string

/** Where a reader wants to begin: after a cursor, at the oldest message kept, or (undefined) with the newest few. */
export type Since = Cursor | 'earliest' | undefined

/** Who publishes: `id` has 72 random bits, `name` is 1..32 UTF-16 units. */
export interface Member {
  readonly id: string
  readonly name: string
}

/** What a person sends. `id` is the author's own and makes a repeat recognisable; `text` is 1..4,096 UTF-16 units. */
export interface Draft {
  readonly id: string
  readonly text: string
}

/** One line of a room's log. `seq` counts 1, 2, 3 … within an epoch, without holes; `at` is in ms since 1970. */
export interface Message {
  readonly seq: number
  readonly id: string
  readonly member: string
  readonly author: string
  readonly text: string
  readonly at: number
}

/**
 * Why a reader cannot simply go on: another log (`epoch`), a cursor from the future (`ahead`), a log that went back
 * and used its numbers again (`rollback`), or messages no longer kept (`trimmed`, `missed` of them exactly).
 */
export interface Gap {
  readonly reason: GapReason
  readonly missed?: number
}
export const gapReasons = ['epoch', 'ahead', 'rollback', 'trimmed'] as const
export type GapReason = (typeof gapReasons)[number]

/** Who is here, and by which wires: the live leases of one member. */
export interface Present {
  readonly name: string
  readonly wires: readonly TransportName[]
}

/** What is told beside the log, to who asks for it: who is here, and the small state that a member carries. */
export const asides = ['members', 'states'] as const
export type Aside = (typeof asides)[number]

/** What an aside tells of one member: of a state whatever JSON it is, 256 bytes at the most. */
export interface Told {
  readonly members: Present
  readonly states: unknown
}

/**
 * What changed among a room's members, or their states, since the version that a reader knows; null for who has gone, or
 * carries none any more. A version of another epoch than the one known: this begins anew, and what was known is forgotten.
 */
export interface Change<Value> {
  readonly version: string
  readonly list: Readonly<Record<string, Value | null>>
}

/** The versions that a reader knows, or `0` for nothing yet; without one it does not ask. */
export type Known = { readonly [Name in Aside]?: string | undefined }

/** Each in a batch of its own, which has no messages. */
export type Asides = { readonly [Name in Aside]?: Change<Told[Name]> }

/** The one payload. Its JSON is byte-identical on all four wires. An empty batch is a heartbeat. */
export interface Batch extends Asides {
  readonly messages: readonly Message[]
  /** Where this batch leaves the reader. */
  readonly cursor: Cursor
  readonly gap?: Gap
  /** There is more: ask again at once. On a stream the next batch follows by itself. */
  readonly more?: true
  /** Come back after exactly this many ms (already jittered). */
  readonly retryMs?: number
}

/** Nothing but a sign of life? */
export const isHeartbeat = ({ messages, gap, members, states }: Batch): boolean =>
  messages.length === 0 && (gap ?? members ?? states) === undefined

/** The answer to a publish: where the message stands in the log, and whether it stood there before. */
export interface Ack {
  readonly id: string
  readonly seq: number
  readonly cursor: Cursor
  readonly duplicate: boolean
}

/** Is this object, fresh from JSON, an acknowledgement? */
export function isAck(value: object): value is Ack {
  const { id, seq, cursor } = value as Partial<Ack>
  return typeof id === 'string' && typeof seq === 'number' && typeof cursor === 'string'
}

/** Is this object, fresh from JSON, a batch? Looks at what a reader relies on, not at every message. */
export function isBatch(value: unknown): value is Batch {
  const batch = value as Partial<Batch> | null | undefined
  return Array.isArray(batch?.messages) && typeof batch.cursor === 'string'
}
