/**
 * What is kept: a room is an append-only log. The smallest complete store, to see what is asked of one
 * (nothing trimmed, no repeats found, one epoch for all rooms):
 *
 *     const logs = new Map<string, Message[]>(), watchers = new Map<string, Set<Wake>>()
 *     const at = (room, seq) => `AAAAAAAAAAAA.${seq}.AAAAAA`
 *     has:    async (room) => logs.has(room)
 *     append: async (room, member, { id, text }) => {
 *       const log = logs.get(room) ?? []
 *       logs.set(room, log)
 *       log.push({ seq: log.length + 1, id, member: member.id, author: member.name, text, at: Date.now() })
 *       for (const wake of watchers.get(room) ?? []) wake(at(room, log.length))
 *       return { outcome: 'appended', ack: { id, seq: log.length, cursor: at(room, log.length), duplicate: false } }
 *     }
 *     find:   async () => undefined
 *     read:   async (room, since) => {
 *       const log = logs.get(room) ?? []
 *       return { messages: log.slice(since === 'earliest' ? 0 : Number(since?.split('.')[1] ?? 0)), cursor: at(room, log.length) }
 *     }
 *     watch:  async (room, wake) => {
 *       const set = watchers.get(room) ?? new Set()
 *       watchers.set(room, set.add(wake))
 *       return () => set.delete(wake)
 *     }
 *     clear:  async (room) => {
 *       logs.delete(room) // and another epoch for it
 *       for (const wake of watchers.get(room) ?? []) wake(at(room, 0))
 *     }
 *     close:  async () => {}
 */
import { parseCursor, type Position } from '../protocol/cursor.ts'
import type { Ack, Batch, Cursor, Draft, Member, Since } from '../protocol/message.ts'
import { Problem } from '../protocol/problem.ts'

/**
 * Every call may take time, may fail, may answer late: a store may be another process. A call that fails for a
 * reason of the store's own rejects with any error; a refusal rejects with a Problem.
 */
export interface RoomStore {
  /** Is there such a room? Only a hint: it may appear or go at any time. */
  has(room: string): Promise<boolean>

  /**
   * Dedupe, number, keep and tell the watchers, in one atomic step. Resolves once the message is kept.
   * @throws Problem `room-limit` where the room is new and one too many.
   */
  append(room: string, member: Member, draft: Draft): Promise<Appended>

  /** What `append` would answer to the repeat of an id, and undefined where it is none. Keeps nothing, and makes no room. */
  find(room: string, member: Member, draft: Draft): Promise<Appended | undefined>

  /**
   * The messages after `since`, as contract §4 says: nothing else decides what is a gap. At most `limits.batchMessages`
   * (or `limit`) messages and `limits.batchBytes` of JSON, but always at least one where there is one.
   * @throws Problem `invalid-cursor` where `since` does not parse, `room-limit` as above.
   */
  read(room: string, since: Since, limit?: number): Promise<Batch>

  /**
   * Calls `wake` after every append and every clearing, with the room's head as a hint, until the returned function is called. Resolves once
   * nothing can be missed any more: read after that. A wake may come more than once, and for several appends at once.
   */
  watch(room: string, wake: Wake): Promise<Unwatch>

  /**
   * Empties a room, its ids included, and wakes its watchers: a new epoch, so that every cursor from before is told the gap
   * `epoch`. Nothing where there is no such room.
   */
  clear(room: string): Promise<void>

  /** Lets go of everything. Calls after it reject. */
  close(): Promise<void>
}

export type Wake = (head: Cursor) => void
export type Unwatch = () => void

/** What became of a draft: `mismatch` is an id that its member has used for another text. Nothing was kept then. */
export type Appended = { readonly outcome: 'appended' | 'duplicate'; readonly ack: Ack } | { readonly outcome: 'mismatch' }

/** What a store keeps and answers, contract §3 and §7. */
export interface StoreLimits {
  /** Per room: messages, bytes (ids kept to find repeats included) and seconds, whichever comes first. */
  readonly keepMessages: number
  readonly keepBytes: number
  readonly keepSeconds: number
  /** Per process: bytes of all rooms; the longest idle room gives way first. */
  readonly totalBytes: number
  readonly rooms: number
  /** How long ids are kept to find repeats: seconds and newer ids, whichever comes first. */
  readonly dedupeSeconds: number
  readonly dedupeIds: number
  /** How long a room stays that nobody is in: after its last message, and where none was ever written. */
  readonly idleSeconds: number
  readonly emptySeconds: number
  /** Per batch. */
  readonly batchMessages: number
  readonly batchBytes: number
  /** How many of the newest messages a reader without a cursor begins with. */
  readonly history: number
}

export const defaultLimits: StoreLimits = {
  keepMessages: 10_000,
  keepBytes: 4 * 1024 * 1024,
  keepSeconds: 3600,
  totalBytes: 256 * 1024 * 1024,
  rooms: 10_000,
  dedupeSeconds: 600,
  dedupeIds: 10_000,
  idleSeconds: 3600,
  emptySeconds: 300,
  batchMessages: 500,
  batchBytes: 64 * 1024,
  history: 50,
}

/** What of a log the table of §4 looks at. `oldest` is the seq of the oldest message kept, head + 1 where none is. */
export interface LogState {
  readonly epoch: string
  readonly oldest: number
  readonly head: number
  /** The tag of a seq from oldest - 1 to head. */
  tagOf(seq: number): string
}

/** Where a reader goes on: after seq `from`, with a gap or without. */
export interface Resumption {
  readonly from: number
  readonly gap?: Batch['gap'] & {}
}

/**
 * Contract §4, the one table of resuming for every transport and every store; the numbers are its rows.
 * @throws Problem `invalid-cursor`
 */
export function resume(since: Since, log: LogState, history: number): Resumption {
  const start = log.oldest - 1
  if (since === undefined) return { from: Math.max(start, log.head - history) }
  if (since === 'earliest') return { from: start }
  const cursor: Position | undefined = parseCursor(since)
  if (cursor === undefined) throw new Problem('invalid-cursor') // 1
  if (cursor.epoch !== log.epoch) return { from: start, gap: { reason: 'epoch' } } // 2
  if (cursor.seq > log.head) return { from: start, gap: { reason: 'ahead' } } // 3
  if (cursor.seq < start) return { from: start, gap: { reason: 'trimmed', missed: start - cursor.seq } } // 6
  if (cursor.tag !== log.tagOf(cursor.seq)) return { from: start, gap: { reason: 'rollback' } } // 5
  return { from: cursor.seq } // 4
}
