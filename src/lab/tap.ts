/** The tap: sits in front of an HTTP server on its own port, and tells each session what passes on its connections. */
import type { Server } from 'node:http'
import { Socket } from 'node:net'
import { Connection, type Registry } from './connection.ts'
import type { Asked } from './conversation.ts'
import type { BlockBytes, BytesQuestion } from './events.ts'
import { type Viewer, Watch } from './watch.ts'

/** Viewers are told what has happened this often, in ms. */
const reportMs = 100
/** Pages of one session that watch at a time. */
export const viewersPerSession = 8

export interface TapOptions {
  /** The session that a Cookie header proves, or undefined. */
  readonly ownerOf: (cookie: string) => string | undefined
  /** Does this target ask for what the tap sees? Such a connection is counted, on a line of its own, and not shown. */
  readonly observes: (target: string) => boolean
}

/** The end of a viewer that watches. */
export interface Watching {
  bytesOf(question: BytesQuestion): BlockBytes
  leave(): void
}

export class Tap implements Registry {
  readonly #options: TapOptions
  readonly #open = new Set<Connection>()
  readonly #watches = new Map<string, Watch>()
  /** Bytes of observing connections that are gone, by session, for as long as it watches. */
  readonly #observed = new Map<string, { up: number; down: number }>()
  #ids = 0
  #timer: NodeJS.Timeout | undefined

  constructor(options: TapOptions) {
    this.#options = options
  }

  /** Connections open now. */
  get connections(): ReadonlySet<Connection> {
    return this.#open
  }

  /**
   * From now on every listener of the server gets a tapped connection for each real one, Node's own listener first:
   * whoever counts, limits or cuts connections has the same in hand as whoever answers on them.
   */
  install(server: Server): void {
    const emit = server.emit.bind(server) as (event: string | symbol, ...args: unknown[]) => boolean
    server.emit = (event: string | symbol, ...args: unknown[]): boolean => {
      const [socket, ...rest] = args
      return event === 'connection' && socket instanceof Socket ? emit(event, this.#tapped(socket), ...rest) : emit(event, ...args)
    }
  }

  #tapped(raw: Socket): Connection['socket'] {
    const connection = new Connection(++this.#ids, raw, this)
    this.#open.add(connection)
    return connection.socket
  }

  /** Tells the viewer of this session's connections, all that are open first. Undefined where too many watch already. */
  watch(owner: string, viewer: Viewer): Watching | undefined {
    const watch = this.#watches.get(owner) ?? new Watch()
    if (watch.viewers >= viewersPerSession) return undefined
    if (watch.viewers === 0) {
      this.#watches.set(owner, watch)
      for (const connection of this.#ownedBy(owner)) connection.ear = watch
    }
    watch.add(viewer)
    this.#timer ??= setInterval(() => this.#tell(), reportMs).unref()
    return { bytesOf: (question) => watch.bytesOf(question), leave: () => this.#leave(owner, watch, viewer) }
  }

  #leave(owner: string, watch: Watch, viewer: Viewer): void {
    watch.remove(viewer)
    if (watch.viewers > 0 || this.#watches.get(owner) !== watch) return
    this.#watches.delete(owner)
    this.#observed.delete(owner)
    for (const connection of this.#ownedBy(owner)) connection.ear = undefined
    if (this.#watches.size > 0) return
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  #ownedBy(owner: string): Connection[] {
    return [...this.#open].filter((connection) => connection.owner === owner && !connection.observing)
  }

  #tell(): void {
    for (const [owner, watch] of this.#watches) watch.tell(() => this.#ownedBy(owner), this.#observerBytes(owner))
  }

  #observerBytes(owner: string): { readonly up: number; readonly down: number } {
    let { up, down } = this.#observed.get(owner) ?? { up: 0, down: 0 }
    for (const { owner: whose, observing, bytes } of this.#open) {
      if (whose !== owner || !observing) continue
      up += bytes.up
      down += bytes.down
    }
    return { up, down }
  }

  asked(connection: Connection, { target, cookie }: Asked): void {
    if (this.#options.observes(target) && !connection.observing) {
      connection.observing = true
      if (connection.owner !== undefined) this.#watches.get(connection.owner)?.lose(connection)
    }
    if (cookie !== undefined && cookie !== connection.cookie) {
      // A copy: a slice would keep the whole head.
      connection.cookie = Buffer.from(cookie).toString()
      this.#own(connection, this.#options.ownerOf(cookie))
    }
    const { owner, observing, shared } = connection
    connection.ear = owner === undefined || observing || shared ? undefined : this.#watches.get(owner)
  }

  #own(connection: Connection, owner: string | undefined): void {
    if (owner === undefined || connection.shared) return
    const { owner: before } = connection
    if (before === undefined || before === owner) {
      connection.owner = owner
      return
    }
    connection.shared = true
    connection.owner = undefined
    this.#watches.get(before)?.lose(connection)
  }

  closed(connection: Connection): void {
    this.#open.delete(connection)
    const { owner, observing, bytes } = connection
    if (owner === undefined || !observing || !this.#watches.has(owner)) return
    const { up, down } = this.#observed.get(owner) ?? { up: 0, down: 0 }
    this.#observed.set(owner, { up: up + bytes.up, down: down + bytes.down })
  }
}
