/** The distributed engine: rooms in a Redis that any number of processes share. */
import { createHash } from 'node:crypto'
import { drawEpoch, drawTag, formatCursor, parseCursor } from '../protocol/cursor.ts'
import type { Batch, Draft, Member, Message, Since } from '../protocol/message.ts'
import { Problem } from '../protocol/problem.ts'
import { drawMs } from '../protocol/random.ts'
import { Connection, type ConnectionOptions } from './redis/connection.ts'
import { rooms } from './redis/rooms.ts'
import { Watched } from './redis/watched.ts'
import { type Appended, defaultLimits, type LogState, resume, type RoomStore, type StoreLimits, type Unwatch, type Wake } from './store.ts'

/** What differs from the contract's limits for memory: a room goes a day after its last message when nobody is in it. */
export const redisLimits = { idleSeconds: 24 * 3600 } as const satisfies Partial<StoreLimits>

/** Who has read within this time is still in the room, in ms: a poller asks once a minute at least, and may miss one. */
const readerMs = 150_000

/** A room may be made, mended and trimmed between two looks at it, but not for ever. */
const mostLooks = 8

/** What `read` answers: the state of the log, the tag of a seq that was asked for, and messages after `from`. */
type Reply = readonly [
  found: string,
  epoch: string,
  floor: number,
  head: number,
  seq: number,
  seqTag: string,
  from: number,
  lastTag: string,
  messages: readonly string[],
]
type Place = readonly [where: 'after' | 'newest' | 'oldest', number: number]

/**
 * A RoomStore in Redis 7 or later, one or a cluster. What is kept is kept as long as that Redis keeps it; memory is limited by
 * its `maxmemory` (with `noeviction`: messages are refused then, none is lost), not by `totalBytes`. `rooms` is the limit of
 * all processes together.
 */
export class RedisStore implements RoomStore {
  /** For what else is to be shared beside the rooms. Closed with the store. */
  readonly connection: Connection
  readonly #limits: StoreLimits
  readonly #watched: Watched
  /** When this process last said that somebody is in a room. */
  readonly #visits = new Map<string, number>()
  #closed = false

  /**
   * @param url see `clientsOf`
   * @throws Error in one sentence that says what to do, where there is no Redis to work with
   */
  static async open(url: string, limits: Partial<StoreLimits> = {}, options: ConnectionOptions = {}): Promise<RedisStore> {
    return new RedisStore(await Connection.open(url, [rooms], options), limits)
  }

  constructor(connection: Connection, limits: Partial<StoreLimits> = {}) {
    this.connection = connection
    this.#limits = { ...defaultLimits, ...redisLimits, ...limits }
    this.#watched = new Watched(connection, (names) => this.#heads(names))
    connection.everySecond(() => this.#stay())
  }

  async has(room: string): Promise<boolean> {
    return (await this.#head(room)) !== ''
  }

  async append(room: string, member: Member, draft: Draft): Promise<Appended> {
    const { id, text } = draft
    const message: Message = { seq: 0, id, member: member.id, author: member.name, text, at: 0 }
    const bytes = Buffer.byteLength(JSON.stringify(message))
    const told = [member.id, member.name, id, text, hash(text), bytes, ms(this.#limits.idleSeconds), this.#channel(room)]
    const ask = (may: 0 | 1): Promise<unknown> =>
      this.#call('append', this.#keys(room), [may, drawEpoch(), drawTag(), ...told, ...this.#kept()])
    let reply = (await ask(0)) as [string, string, number, string]
    if (reply[0] === 'absent') {
      await this.#admit(room, ms(this.#limits.idleSeconds))
      reply = (await ask(1)) as typeof reply
    } else if (this.#isDue(room)) {
      this.#admit(room, ms(this.#limits.idleSeconds)).catch(() => {})
    }
    const [outcome, epoch, seq, tag] = reply
    if (outcome === 'mismatch') return { outcome }
    const cursor = formatCursor({ epoch, seq, tag })
    const duplicate = outcome === 'duplicate'
    if (!duplicate) this.#watched.told(room, cursor)
    return { outcome: duplicate ? 'duplicate' : 'appended', ack: { id, seq, cursor, duplicate } }
  }

  async find(room: string, member: Member, { id, text }: Draft): Promise<Appended | undefined> {
    const args = [`${member.id} ${id}`, ms(this.#limits.dedupeSeconds), this.#limits.dedupeIds]
    const [found, epoch, seq, tag, kept] = (await this.#ask('find', this.#keys(room), args)) as [string, string, number, string, string]
    if (found === 'absent') return undefined
    if (kept !== hash(text)) return { outcome: 'mismatch' }
    return { outcome: 'duplicate', ack: { id, seq, cursor: formatCursor({ epoch, seq, tag }), duplicate: true } }
  }

  async read(room: string, since: Since, limit = this.#limits.batchMessages): Promise<Batch> {
    const { batchMessages, batchBytes, keepSeconds, history } = this.#limits
    const most = [Math.min(limit, batchMessages), batchBytes, ms(keepSeconds)]
    let place = placeOf(since, history)
    for (let looks = 0; looks < mostLooks; looks++) {
      const reply = (await this.#ask('read', this.#keys(room), [...place, ...most])) as Reply
      if (reply[0] !== 'read') {
        await this.#enter(room, ms(this.#limits.emptySeconds))
        continue
      }
      if (this.#isDue(room)) this.#enter(room, reply[3] === 0 ? ms(this.#limits.emptySeconds) : readerMs).catch(() => {})
      // All in one atomic step: what is told was so at one moment. If it was the wrong place, it is asked for the right one.
      const { from, gap } = resume(since, stateOf(reply), history)
      if (from === reply[6]) return { ...batchOf(reply), ...(gap && { gap }), ...(moreAfter(reply) && { more: true as const }) }
      place = ['oldest', place[1]]
    }
    throw new Error('the room changed whenever it was looked at')
  }

  async watch(room: string, wake: Wake): Promise<Unwatch> {
    if (this.#isDue(room) || (await this.#head(room)) === '') await this.#enter(room, this.#readerMs)
    return this.#watched.add(room, this.#channel(room), wake)
  }

  async clear(room: string): Promise<void> {
    const args = [drawEpoch(), ms(this.#limits.idleSeconds), this.#channel(room)]
    const head = (await this.#call('clear', this.#keys(room), args)) as string
    if (head !== '') this.#watched.told(room, head)
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#watched.close()
    this.#visits.clear()
    await this.connection.close()
  }

  /** How long a room stays for who reads it: longer than it takes to say so again. */
  get #readerMs(): number {
    return Math.max(readerMs, ms(this.#limits.emptySeconds))
  }

  /** Once in a while it is said that somebody is in a room, by a reader or an author. */
  #isDue(room: string): boolean {
    const now = performance.now()
    if (now - (this.#visits.get(room) ?? -Infinity) < Math.min(readerMs, ms(this.#limits.emptySeconds)) / 3) return false
    this.#visits.set(room, now)
    return true
  }

  /** Those who hold a wire say nothing for hours: it is said for them. Of those who went nothing is kept. */
  #stay(): void {
    for (const room of this.#watched.rooms) if (this.#isDue(room)) this.#enter(room, this.#readerMs).catch(() => {})
    const now = performance.now()
    for (const [room, at] of this.#visits) if (now - at > readerMs) this.#visits.delete(room)
  }

  /** Makes the room where there is none, and has it stay. */
  async #enter(room: string, forMs: number): Promise<void> {
    const visit = (may: 0 | 1): Promise<unknown> => this.#call('visit', this.#keys(room), [may, drawEpoch(), forMs, ...this.#kept()])
    const found = await visit(0)
    if (found === 'absent') {
      await this.#admit(room, forMs)
      await visit(1)
    } else {
      // It is there already: whether there is a place for it is no question any more.
      this.#admit(room, forMs).catch(() => {})
    }
  }

  /** @throws Problem `room-limit` where there is no place for one more */
  async #admit(room: string, forMs: number): Promise<void> {
    const admitted = await this.#call('admit', [`${this.connection.prefix}:rooms`], [room, this.#limits.rooms, forMs])
    if (admitted === 0) throw new Problem('room-limit', undefined, { retryAfterMs: drawMs(5_000, 15_000) })
  }

  async #head(room: string): Promise<string> {
    const [head] = await this.#heads([room])
    if (head === null || head === undefined) throw new Error(`what is kept of ${room} is no room`)
    return head
  }

  async #heads(names: readonly string[]): Promise<readonly (string | null)[]> {
    const keys = names.map((room) => this.connection.key(room, 'meta'))
    return (await this.#ask('heads', keys, [])) as (string | null)[]
  }

  #keys(room: string): string[] {
    return ['meta', 'log', 'ids', 'queue'].map((part) => this.connection.key(room, part))
  }
  #channel(room: string): string {
    return this.connection.key(room, 'told')
  }
  #kept(): number[] {
    const { keepMessages, keepSeconds, keepBytes, dedupeSeconds, dedupeIds } = this.#limits
    return [keepMessages, ms(keepSeconds), keepBytes, ms(dedupeSeconds), dedupeIds]
  }

  async #call(name: string, keys: readonly string[], args: readonly (string | number)[]): Promise<unknown> {
    if (this.#closed) throw new Error('the store is closed')
    return this.connection.call(rooms, name, keys, args)
  }
  async #ask(name: string, keys: readonly string[], args: readonly (string | number)[]): Promise<unknown> {
    if (this.#closed) throw new Error('the store is closed')
    return this.connection.call(rooms, name, keys, args, { only: 'read' })
  }
}

const ms = (seconds: number): number => Math.round(seconds * 1000)
const hash = (text: string): string => createHash('sha256').update(text).digest('base64url')

/** Where a reader most likely goes on. */
function placeOf(since: Since, history: number): Place {
  if (since === undefined) return ['newest', history]
  const cursor = since === 'earliest' ? undefined : parseCursor(since)
  return cursor === undefined ? ['oldest', -1] : ['after', cursor.seq]
}

/** Of all tags the table of §4 looks at one, that of the cursor's seq. */
const stateOf = ([, epoch, floor, head, seq, seqTag]: Reply): LogState => ({
  epoch,
  oldest: floor + 1,
  head,
  tagOf: (asked) => (asked === seq ? seqTag : ''),
})

const fieldsPerMessage = 6
const moreAfter = ([, , , head, , , from, , messages]: Reply): boolean => from + messages.length / fieldsPerMessage < head

/** @throws Error where the log has a hole: whatever made it, it is not told as if there were none */
function batchOf([, epoch, , , , , from, lastTag, fields]: Reply): Batch {
  const messages: Message[] = []
  for (let at = 0; at < fields.length; at += fieldsPerMessage) {
    const [entry = '', id = '', member = '', author = '', text = '', time = ''] = fields.slice(at, at + fieldsPerMessage)
    const seq = from + messages.length + 1
    if (entry !== `${seq}-0`) throw new Error(`the log has ${entry} in the place of ${seq}`)
    messages.push({ seq, id, member, author, text, at: Number(time) })
  }
  return { messages, cursor: formatCursor({ epoch, seq: from + messages.length, tag: lastTag }) }
}
