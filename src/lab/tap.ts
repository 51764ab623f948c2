/** The tap: sits in front of an HTTP server on its own port, and tells each session what passes on its connections. */
import type { Server } from 'node:http'
import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { Connection, type Registry } from './connection.ts'
import type { Asked } from './conversation.ts'
import type { BlockBytes, BytesQuestion, CutOrder } from './events.ts'
import type { TroubleOrder } from './trouble.ts'
import { cut, Viewing } from './viewing.ts'
import type { Viewer } from './watch.ts'

/** Viewers are told what has happened this often, in ms. */
const reportMs = 100
/** Pages of one session that watch at a time. */
export const viewersPerSession = 8
/** A proxy of the kind `idle-cut` cuts what was silent for so long, in ms. */
const idleCutMs = 10_000
/** So many holes are kept for clients that have not noticed yet, and so long: each is a socket of this process. */
const keptHoles = 256
const keptHoleMs = 300_000

export interface TapOptions {
  /** The session that a Cookie header proves, or undefined. */
  readonly ownerOf: (cookie: string) => string | undefined
  /** Does this target ask for what the tap sees? Such a connection is counted, on a line of its own, and not shown. */
  readonly observes: (target: string) => boolean
  /** How long a proxy that cuts the silent waits, in ms; 10 s if nothing is said. */
  readonly idleCutMs?: number
  /** Holes that are kept for clients that have not noticed yet; 256 if nothing is said. */
  readonly keptHoles?: number
}

/** The end of a viewer that watches. */
export interface Watching {
  bytesOf(question: BytesQuestion): BlockBytes
  /** Does it to all of the session's own connections, and to no other. */
  obey(order: TroubleOrder | CutOrder): void
  leave(): void
}

export class Tap implements Registry {
  readonly #options: TapOptions
  readonly #open = new Set<Connection>()
  /** Sessions that somebody watches. */
  readonly #viewings = new Map<string, Viewing>()
  readonly #holes = new Map<Connection, NodeJS.Timeout>()
  dropsUpgrades = false
  #ids = 0
  #closing = false
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
    const viewing = this.#viewings.get(owner) ?? this.#view(owner)
    if (viewing.watch.viewers >= viewersPerSession) return undefined
    viewing.enter(viewer)
    this.#timer ??= setInterval(() => this.#tell(), reportMs).unref()
    return {
      bytesOf: (question) => viewing.watch.bytesOf(question),
      obey: (order) => {
        if (!this.#closing) viewing.obey(order)
      },
      leave: () => this.#leave(owner, viewing, viewer),
    }
  }

  #view(owner: string): Viewing {
    const sessions = (): number => this.#viewings.size
    const viewing = new Viewing(this.#options.idleCutMs ?? idleCutMs, sessions, () => {
      this.dropsUpgrades = [...this.#viewings.values()].some(({ dropsUpgrades }) => dropsUpgrades)
    })
    this.#viewings.set(owner, viewing)
    for (const connection of this.#open) if (connection.owner === owner) viewing.add(connection)
    return viewing
  }

  #leave(owner: string, viewing: Viewing, viewer: Viewer): void {
    viewing.watch.remove(viewer)
    if (viewing.watch.viewers > 0 || this.#viewings.get(owner) !== viewing) return
    this.#viewings.delete(owner)
    viewing.end()
    if (this.#viewings.size > 0) return
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  #tell(): void {
    for (const { watch, connections, observer } of this.#viewings.values()) watch.tell(() => connections, observer)
  }

  /** Cuts everybody's connections, but those that carry what a viewer sees and the one that carries the order. Returns how many. */
  cut(order: CutOrder, by?: Duplex): number {
    return cut(
      [...this.#open].filter(({ observing, socket }) => !observing && socket !== by),
      order,
    )
  }

  /** The server closes: nothing is done to anybody any more, and no hole outlives it. */
  close(): void {
    this.#closing = true
    for (const viewing of this.#viewings.values()) viewing.calm()
    for (const { socket } of this.#open) {
      if (socket.lost) socket.cut('fin')
      // Farewells too: a closing server does not wait as long as a slow lane may.
      else socket.release()
    }
  }

  asked(connection: Connection, { target, cookie }: Asked): void {
    if (this.#options.observes(target) && !connection.observing) {
      connection.observing = true
      if (connection.owner !== undefined) this.#viewings.get(connection.owner)?.lose(connection)
    }
    if (cookie !== undefined && cookie !== connection.cookie) {
      // A copy: a slice would keep the whole head.
      connection.cookie = Buffer.from(cookie).toString()
      this.#own(connection, this.#options.ownerOf(cookie))
    }
    const { owner, shared } = connection
    if (owner !== undefined && !shared) this.#viewings.get(owner)?.add(connection)
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
    this.#viewings.get(before)?.lose(connection)
  }

  abandoned(connection: Connection): void {
    const giveUp = (): void => connection.socket.cut('fin')
    this.#holes.set(connection, setTimeout(giveUp, keptHoleMs).unref())
    const [oldest] = this.#holes.keys()
    if (this.#holes.size > (this.#options.keptHoles ?? keptHoles)) oldest?.socket.cut('fin')
  }

  closed(connection: Connection): void {
    this.#open.delete(connection)
    clearTimeout(this.#holes.get(connection))
    this.#holes.delete(connection)
    if (connection.owner !== undefined) this.#viewings.get(connection.owner)?.closed(connection)
  }
}
