/** Rooms watched by this process: a hint at every append, and the truth every second. */
import { parseCursor } from '../../protocol/cursor.ts'
import type { Cursor } from '../../protocol/message.ts'
import type { Unwatch, Wake } from '../store.ts'
import type { Connection } from './connection.ts'

/** So many heads are asked for in one call: about a ms of the time of a Redis, which does one thing at a time. */
const headsPerCall = 250

/** The heads of rooms as they are now: '' where there is none, null where it cannot be said. */
type Heads = (rooms: readonly string[]) => Promise<readonly (string | null)[]>

interface Room {
  readonly wakes: Set<Wake>
  readonly listening: Promise<Unwatch>
  /** The head that its watchers know of; undefined until it was read once. */
  head: Cursor | undefined
}

export class Watched {
  readonly #connection: Connection
  readonly #heads: Heads
  readonly #rooms = new Map<string, Room>()
  readonly #stop: () => void
  #looking = false

  constructor(connection: Connection, heads: Heads) {
    this.#connection = connection
    this.#heads = heads
    this.#stop = connection.everySecond(() => void this.#look())
  }

  get rooms(): Iterable<string> {
    return this.#rooms.keys()
  }

  /** Resolves once nothing can be missed any more. */
  async add(name: string, channel: string, wake: Wake): Promise<Unwatch> {
    let room = this.#rooms.get(name)
    if (room === undefined) {
      const listening = this.#connection.subscribe(channel, (head) => this.told(name, head))
      room = { wakes: new Set(), listening, head: undefined }
      this.#rooms.set(name, room)
    }
    // A function of its own: the same one may watch twice, and undo one of the two.
    const own: Wake = (head) => wake(head)
    room.wakes.add(own)
    const undo = (): void => this.#remove(name, room, own)
    try {
      await room.listening
      // What is appended after this, another second's look will find if no hint comes.
      if (room.head === undefined) {
        const [head] = await this.#heads([name])
        room.head ??= head ?? ''
      }
      return undo
    } catch (error) {
      undo()
      throw error
    }
  }

  /** A hint of a head: those who watch are woken if it is news. */
  told(name: string, head: Cursor): void {
    const room = this.#rooms.get(name)
    if (room === undefined || !isNews(head, room.head)) return
    this.#wake(room, head)
  }

  close(): void {
    this.#stop()
    this.#rooms.clear()
  }

  #remove(name: string, room: Room, wake: Wake): void {
    if (!room.wakes.delete(wake) || room.wakes.size > 0) return
    if (this.#rooms.get(name) === room) this.#rooms.delete(name)
    void room.listening.then((stop) => stop())
  }

  #wake(room: Room, head: Cursor): void {
    room.head = head
    for (const wake of room.wakes) wake(head)
  }

  /** The truth: whatever was not heard is found now. */
  async #look(): Promise<void> {
    if (this.#looking || this.#rooms.size === 0) return
    this.#looking = true
    const all = [...this.#rooms]
    // In a cluster a call has the keys of one room: they go out together all the same.
    const perCall = this.#connection.cluster ? 1 : headsPerCall
    const calls: Promise<void>[] = []
    for (let from = 0; from < all.length; from += perCall) calls.push(this.#lookAt(all.slice(from, from + perCall)))
    await Promise.allSettled(calls)
    this.#looking = false
  }

  async #lookAt(some: readonly (readonly [string, Room])[]): Promise<void> {
    const known = some.map(([, room]) => room.head)
    const heads = await this.#heads(some.map(([name]) => name))
    for (const [index, [, room]] of some.entries()) {
      const head = heads[index]
      // Who begins to watch looks for itself, and before it there was nothing to miss.
      if (head === null || head === undefined || room.head === undefined || head === room.head) continue
      // A hint overtook this answer: the next look will tell.
      if (room.head !== known[index]) continue
      this.#wake(room, head)
    }
  }
}

/** Hints come late and twice: within one log only a later head is news. One that went back is found by looking. */
function isNews(head: Cursor, known: Cursor | undefined): boolean {
  if (known === undefined) return true
  const [to, from] = [parseCursor(head), parseCursor(known)]
  return to === undefined || from === undefined || to.epoch !== from.epoch || to.seq > from.seq
}
