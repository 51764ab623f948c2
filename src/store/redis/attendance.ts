/** Who is here, shared through Redis: told at once as a hint, and looked for every second. Only Redis' clock counts. */
import { randomText } from '../../protocol/random.ts'
import type { Attendance, Attended, Listener, Notice } from '../attendance.ts'
import type { Unwatch } from '../store.ts'
import { attendance as functions } from './attendance-library.ts'
import type { Connection } from './connection.ts'
import { parseHint } from './hint.ts'
import { Leavers } from './leavers.ts'

/** So many rooms are asked for in one call. */
const roomsPerCall = 500
/** Once Redis answers again, nodes are given so long to tell what they could not, in ms. */
const backMs = 3_000

/** A member as Redis tells it: an empty list comes as an empty object, a state as the JSON that it was told as. */
interface Told {
  readonly id: string
  readonly name: string
  readonly wires: Attended['wires'] | Record<string, never>
  readonly state?: { readonly node: string; readonly json: string }
}

interface Hint {
  readonly from: number
  readonly to: number
  readonly members: readonly Told[] | Record<string, never>
}

interface Room {
  readonly listeners: Set<Listener>
  readonly listening: Promise<Unwatch>
  /** Up to which version all was heard; undefined until it was read once. */
  since: number | undefined
  /** The version of what we told last. */
  ours: number
  reading: Promise<void> | undefined
  /** Something was told while it was read; or somebody came who has heard nothing yet, and all of it is to be read. */
  stale: boolean
  whole: boolean
}

export class RedisAttendance implements Attendance {
  readonly node = randomText(8)
  readonly #connection: Connection
  readonly #leavers: Leavers
  readonly #rooms = new Map<string, Room>()
  readonly #stop: () => void
  #looking = false
  #closed = false
  /** When Redis last answered; where it does not, since when, and when it began to again. */
  #heardAt = performance.now()
  #awaySince: number | undefined
  #backAt: number | undefined

  /** Over a connection that a store has opened, and closes. */
  static async open(connection: Connection): Promise<RedisAttendance> {
    await connection.add(functions)
    const attendance = new RedisAttendance(connection)
    await attendance.#leavers.begin()
    return attendance
  }

  private constructor(connection: Connection) {
    this.#connection = connection
    this.#leavers = new Leavers(connection, functions)
    this.#stop = connection.everySecond(() => void this.#look())
  }

  get awayMs(): number {
    return this.#awaySince === undefined ? 0 : performance.now() - this.#awaySince
  }

  async tell(room: string, notices: readonly Notice[]): Promise<readonly string[]> {
    this.#open()
    const said = notices.map(({ state, ...notice }) => ({
      ...notice,
      ...(state && { state: { json: JSON.stringify(state.value), ageMs: state.ageMs } }),
    }))
    const args = [this.node, this.#connection.key(room, 'here'), JSON.stringify(said)]
    const expected = this.#rooms.get(room)?.ours ?? 0
    const [before, version, absent] = (await this.#connection.call(functions, 'tell', [this.#key(room)], args)) as [
      string,
      string,
      string[],
    ]
    const watched = this.#rooms.get(room)
    if (watched !== undefined) {
      watched.ours = Math.max(watched.ours, Number(version))
      if (Number(before) < expected) this.#lost(watched)
    }
    return absent
  }

  async watch(name: string, listener: Listener): Promise<Unwatch> {
    this.#open()
    let room = this.#rooms.get(name)
    if (room === undefined) {
      const listening = this.#connection.subscribe(this.#connection.key(name, 'here'), (hint) => this.#hear(name, hint))
      room = { listeners: new Set(), listening, since: undefined, ours: 0, reading: undefined, stale: false, whole: true }
      this.#rooms.set(name, room)
    }
    const entered = room
    const undo = (): void => {
      if (!entered.listeners.delete(listener) || entered.listeners.size > 0) return
      if (this.#rooms.get(name) === entered) this.#rooms.delete(name)
      void entered.listening.then((stop) => stop())
    }
    try {
      entered.listeners.add(listener)
      await entered.listening
      // Who comes later has heard nothing: all of it once more, for everybody.
      entered.whole = true
      await this.#read(name, entered)
      return undo
    } catch (error) {
      undo()
      throw error
    }
  }

  leave(member: string): Promise<void> {
    return this.#leavers.leave(member)
  }

  onLeave(left: (member: string) => void): void {
    this.#leavers.told = left
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#stop()
    this.#leavers.close()
    for (const { listening } of this.#rooms.values()) void listening.then((stop) => stop())
    this.#rooms.clear()
  }

  #open(): void {
    if (this.#closed) throw new Error('the attendance is closed')
  }

  #key(room: string): string {
    return this.#connection.key(room, 'attendance')
  }

  #hear(name: string, text: string): void {
    const room = this.#rooms.get(name)
    // What is read first has it, or the next look has.
    if (room?.since === undefined) return
    const { from, to, members } = parseHint<Hint>(text) ?? {}
    if (to !== undefined && to <= room.since) return
    // One was missed, or comes with what is being read, or says what we do not understand.
    if (to === undefined || members === undefined || from !== room.since || room.reading !== undefined)
      return void this.#read(name, room).catch(() => {})
    room.since = to
    this.#tellListeners(room, members)
  }

  /** All that was told since what we know; a call while one is under way is answered by the next. */
  #read(name: string, room: Room): Promise<void> {
    if (room.reading !== undefined) {
      room.stale = true
      return room.reading
    }
    room.reading = this.#readOn(name, room).finally(() => (room.reading = undefined))
    return room.reading
  }

  async #readOn(name: string, room: Room): Promise<void> {
    do {
      const since = room.whole ? 0 : (room.since ?? 0)
      room.stale = room.whole = false
      const [version, members] = (await this.#ask(name, since).catch((error: unknown) => {
        room.whole ||= since === 0
        throw error
      })) as string[]
      // It went back: what was told since is not known any more, and nothing of what is told now is to be missed.
      room.whole ||= Number(version) < since
      room.since = Number(version)
      this.#tellListeners(room, JSON.parse(members ?? '[]') as Hint['members'])
    } while (room.stale || room.whole)
  }

  #ask(name: string, since: number): Promise<unknown> {
    return this.#connection.call(functions, 'read', [this.#key(name)], [since], { only: 'read' })
  }

  #tellListeners(room: Room, members: Hint['members']): void {
    const all = Object.values(members).map(({ wires, state, ...member }) => ({
      ...member,
      wires: Object.values(wires),
      ...(state && { state: { node: state.node, value: JSON.parse(state.json) as unknown } }),
    }))
    for (const listener of room.listeners) listener.heard(all)
  }

  #lost(room: Room): void {
    room.ours = 0
    for (const listener of room.listeners) listener.lost()
  }

  /** The truth: whatever was not heard is found now, and what is lost is told again. */
  async #look(): Promise<void> {
    if (this.#looking) return
    this.#looking = true
    const all = [...this.#rooms]
    const perCall = this.#connection.cluster ? 1 : roomsPerCall
    const calls: Promise<void>[] = [this.#leavers.look()]
    for (let from = 0; from < all.length; from += perCall) calls.push(this.#lookAt(all.slice(from, from + perCall)))
    const results = await Promise.allSettled(calls)
    this.#looking = false
    this.#judge(results.every(({ status }) => status === 'fulfilled'))
  }

  async #lookAt(some: readonly (readonly [string, Room])[]): Promise<void> {
    const ours = some.map(([, room]) => room.ours)
    const keys = some.map(([name]) => this.#key(name))
    const found = (await this.#connection.call(functions, 'versions', keys, [this.node], { only: 'read' })) as string[]
    for (const [index, [name, room]] of some.entries()) {
      const [version, told] = [found[2 * index], found[2 * index + 1]]
      // Something else has its place: nothing can be said of it.
      if (version === '' || version === undefined) continue
      if (Number(told) < (ours[index] ?? 0)) this.#lost(room)
      if (Number(version) !== room.since) await this.#read(name, room)
    }
  }

  #judge(answered: boolean): void {
    const now = performance.now()
    if (!answered) {
      this.#awaySince ??= this.#heardAt
      this.#backAt = undefined
      return
    }
    this.#heardAt = now
    if (this.#awaySince === undefined) return
    this.#backAt ??= now
    if (now - this.#backAt >= backMs) this.#awaySince = this.#backAt = undefined
  }
}
