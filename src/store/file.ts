/** Rooms that outlive the process: each an append-only file of JSON lines, in a directory of one process. */
import type { Batch, Draft, Member, Since } from '../protocol/message.ts'
import { DataDirectory } from './file/directory.ts'
import { type FsyncPolicy, Journal } from './file/journal.ts'
import { replay } from './file/replay.ts'
import { FileRoom, type KeepingOptions } from './file/room.ts'
import type { Log } from './log.ts'
import { Logs, sweepMs } from './logs.ts'
import type { Appended, RoomStore, StoreLimits, Unwatch, Wake } from './store.ts'

export { type FsyncPolicy, fsyncPolicies } from './file/journal.ts'

/** What a file store keeps where nothing else is said, beside `defaultLimits`: a room goes a day after its last message. */
export const fileLimits = { idleSeconds: 24 * 3600 } as const satisfies Partial<StoreLimits>

/** A file of so many bytes has no message in it. */
const emptyBytes = 256

export interface FileStoreOptions {
  /** The limits of contract §7; `idleSeconds` is a day if nothing is said. */
  readonly limits?: Partial<StoreLimits>
  /**
   * What is on disk before an append is acknowledged and shown: `batched` (the default) writes and syncs together what comes
   * to a room within 50 ms, `always` syncs each by itself, `never` leaves the syncing to the operating system.
   */
  readonly fsync?: FsyncPolicy
  /** The 50 ms of `batched`. */
  readonly batchMs?: number
  /** A larger file is written anew once more of it is dead than alive; 64 KiB. */
  readonly compactBytes?: number
  /** What an operator should hear: damage that was found, what could not be written beside an append. */
  readonly told?: (sentence: string) => void
}

/** So many messages may wait for the disk; more would only fill memory while it stands still. */
const mostWaiting = 10_000

/** A room of an earlier process that nobody has asked for yet; `lastAppend` in ms, monotonic. */
interface Shelved {
  readonly bytes: number
  readonly lastAppend: number
  /** It was looked for by itself in vain: only who asks for it looks again. */
  readonly unreadable?: true
}

/**
 * A RoomStore in files. After a crash every acknowledged message is there, with its epoch, seq and tag, and the repeat of an
 * id is recognised: readers resume without a gap.
 */
export class FileStore implements RoomStore {
  readonly #directory: DataDirectory
  readonly #logs: Logs
  readonly #options: KeepingOptions
  readonly #rooms = new Map<string, FileRoom>()
  readonly #shelved = new Map<string, Shelved>()
  readonly #loading = new Map<string, Promise<FileRoom>>()
  /** Rooms whose files are being removed. */
  readonly #leaving = new Map<string, Promise<void>>()
  readonly #timer: NodeJS.Timeout
  #sweeping: Promise<void> | undefined
  /** Messages that are not kept yet. */
  #waiting = 0

  private constructor(directory: DataDirectory, { limits, ...others }: FileStoreOptions) {
    this.#directory = directory
    this.#logs = new Logs({ ...fileLimits, ...limits })
    this.#options = { fsync: 'batched', batchMs: 50, compactBytes: 64 * 1024, told: () => {}, ...others }
    this.#timer = setInterval(() => void this.sweep(), sweepMs).unref()
  }

  /**
   * Opens a directory, made where there is none, and holds it until `close()`.
   * @throws Error in one sentence: in use, not a directory, not ours to write, made by another version
   */
  static async open(path: string, options: FileStoreOptions = {}): Promise<FileStore> {
    const store = new FileStore(await DataDirectory.open(path), options)
    await store.#findRooms().catch(async (error: unknown) => {
      await store.close()
      throw error
    })
    return store
  }

  async #findRooms(): Promise<void> {
    const [now, wall] = [performance.now(), Date.now()]
    for (const { room, bytes, lastAt } of await this.#directory.rooms()) {
      this.#shelved.set(room, { bytes, lastAppend: now - Math.max(0, wall - lastAt) })
      this.#logs.expect(room)
    }
  }

  /** Bytes held in memory now, and rooms that are there. */
  get size(): { readonly bytes: number; readonly rooms: number } {
    return this.#logs.size
  }

  /** The secret that signs session cookies, kept beside the rooms. */
  sessionSecret(): Promise<string> {
    return this.#directory.sessionSecret()
  }

  async has(room: string): Promise<boolean> {
    return this.#logs.has(room)
  }

  async append(room: string, member: Member, draft: Draft): Promise<Appended> {
    if (this.#waiting >= mostWaiting) throw new Error(`${mostWaiting} messages wait for the disk already`)
    this.#waiting++
    try {
      return await this.#append(room, member, draft)
    } finally {
      this.#waiting--
    }
  }

  async #append(room: string, member: Member, draft: Draft): Promise<Appended> {
    const open = await this.#open(room)
    // An id that is on its way to the disk is waited for; then nothing comes between looking for it and keeping it.
    for (let on; (on = open.underWay(member, draft)) !== undefined;) await on
    this.#logs.refuseWhenClosed()
    const found = this.#logs.find(open.log, member, draft)
    return found ?? { outcome: 'appended', ack: await open.keep(member, draft) }
  }

  async find(room: string, member: Member, draft: Draft): Promise<Appended | undefined> {
    if (!this.#logs.has(room)) return undefined
    const open = await this.#open(room)
    await open.underWay(member, draft)
    this.#logs.refuseWhenClosed()
    return this.#logs.find(open.log, member, draft)
  }

  async read(room: string, since: Since, limit?: number): Promise<Batch> {
    const { log } = await this.#open(room)
    return this.#logs.read(log, since, limit)
  }

  async watch(room: string, wake: Wake): Promise<Unwatch> {
    const { log } = await this.#open(room)
    return this.#logs.watch(log, wake)
  }

  async clear(room: string): Promise<void> {
    if (!this.#logs.has(room)) return
    const open = await this.#open(room)
    await open.clear((origin) => this.#logs.clear(open.log, origin))
  }

  /** What was accepted is kept first. */
  async close(): Promise<void> {
    if (this.#closed === undefined) clearInterval(this.#timer)
    await (this.#closed ??= this.#close())
  }
  #closed: Promise<void> | undefined

  async #close(): Promise<void> {
    const rooms = [...this.#rooms.values()]
    // Nothing comes in from now on; what is under way comes to an end, and is let go of then.
    this.#logs.close()
    const loading = this.#loading.values()
    await Promise.allSettled([...rooms.map((room) => room.settled()), ...loading, ...this.#leaving.values(), this.#sweeping])
    this.#logs.close()
    await this.#directory.close()
  }

  /** Lets go of messages, ids, rooms and files whose time has passed. Runs by itself every few seconds. */
  sweep(): Promise<void> {
    return (this.#sweeping ??= this.#sweep()
      .catch((error: unknown) => this.#closed ?? this.#options.told(`rooms whose time has passed could not be let go: ${String(error)}`))
      .finally(() => (this.#sweeping = undefined)))
  }

  async #sweep(): Promise<void> {
    for (const room of this.#logs.sweep((name) => this.#rooms.get(name)?.busy ?? false)) this.#leave(room)
    await this.#sweepShelved()
    for (const room of this.#rooms.values()) await room.compact()
  }

  /** Rooms that nobody has asked for go like others; over the process's limit they are the first to give way. */
  async #sweepShelved(): Promise<void> {
    const { idleSeconds, emptySeconds, totalBytes } = this.#logs.limits
    let shelvedBytes = 0
    for (const { bytes } of this.#shelved.values()) shelvedBytes += bytes
    for (const [room, { bytes, lastAppend, unreadable }] of this.#shelved) {
      const idleMs = performance.now() - lastAppend
      const over = this.#logs.size.bytes + shelvedBytes - totalBytes
      shelvedBytes -= bytes
      if (this.#loading.has(room)) continue
      if (idleMs > idleSeconds * 1000) {
        this.#logs.delete(room)
        this.#leave(room)
        continue
      }
      // Perhaps nobody ever wrote there: its log knows.
      const perhapsEmpty = bytes < emptyBytes && idleMs > emptySeconds * 1000
      if (unreadable || (over <= 0 && !perhapsEmpty)) continue
      const open = await this.#open(room).catch((error: unknown) => this.#failed(room, error))
      if (open !== undefined) this.#logs.shrink(open.log, this.#logs.size.bytes + shelvedBytes - totalBytes)
    }
  }

  /** What is wrong with one room holds up no other, and is told once. */
  #failed(room: string, error: unknown): undefined {
    this.#logs.refuseWhenClosed()
    const shelved = this.#shelved.get(room)
    if (shelved !== undefined) this.#shelved.set(room, { ...shelved, unreadable: true })
    this.#options.told(`room ${room}: its file cannot be read: ${String(error)}`)
  }

  async #open(room: string): Promise<FileRoom> {
    this.#logs.refuseWhenClosed()
    const known = this.#rooms.get(room)
    // One that is being loaded may have begun, and not be among the logs yet.
    if (known?.begun && !this.#loading.has(room)) return known
    const loading = this.#loading.get(room) ?? this.#load(room).finally(() => this.#loading.delete(room))
    this.#loading.set(room, loading)
    const open = await loading
    this.#logs.refuseWhenClosed()
    return open
  }

  async #load(room: string): Promise<FileRoom> {
    await this.#leaving.get(room)
    this.#logs.refuseWhenClosed()
    const journal = new Journal(this.#directory.fileOf(room), this.#options.fsync)
    if (!this.#shelved.has(room)) {
      const open = this.#rooms.get(room) ?? this.#roomOf(room, this.#logs.open(room), journal)
      await open.begin()
      return open
    }
    const spelled = await journal.read()
    this.#logs.refuseWhenClosed()
    const { log, holed } = replay(spelled)
    if (holed) this.#options.told(`room ${room}: its file is damaged. What can be read is kept, under a new epoch: to readers a gap.`)
    const open = this.#roomOf(room, log, journal)
    await open.begin()
    this.#shelved.delete(room)
    this.#logs.put(room, log)
    return open
  }

  #roomOf(room: string, log: Log, journal: Journal): FileRoom {
    const open = new FileRoom(log, journal, this.#options, (line) => this.#logs.add(room, log, line))
    this.#rooms.set(room, open)
    return open
  }

  #leave(room: string): void {
    const open = this.#rooms.get(room)
    this.#rooms.delete(room)
    this.#shelved.delete(room)
    const removed = open?.remove() ?? new Journal(this.#directory.fileOf(room), this.#options.fsync).remove()
    const left = removed
      .catch((error: unknown) => this.#options.told(`room ${room}: its file could not be removed: ${String(error)}`))
      .finally(() => this.#leaving.delete(room))
    this.#leaving.set(room, left)
  }
}
