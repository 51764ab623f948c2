/** A tapped connection in the books of the tap: whose it is, what passed, and its blocks while somebody looks. */
import type { Socket } from 'node:net'
import { type TransportName, transportNames } from '../protocol/message.ts'
import { type Asked, Conversation } from './conversation.ts'
import type { Block, ConnectionState, Side } from './events.ts'
import { HandshakeEditor } from './handshakes.ts'
import type { Ledger } from './ledger.ts'
import { IdleCut, type Scout } from './proxy.ts'
import { BlockRecorder } from './recorder.ts'
import { type Listening, TappedSocket } from './socket.ts'

/** Who is told of a connection. */
export interface Ear {
  /** Its counts have changed. */
  changed(connection: Connection): void
  /** A block is whole; `bytes` are its first ones. */
  block(block: Block, bytes: Buffer): void
}

/** What a connection asks of the tap. */
export interface Registry {
  /** A request came, and says whose the connection is. Called before anything of it is written down. */
  asked(connection: Connection, asked: Asked): void
  /** The server has given it up and the client knows nothing of it. */
  abandoned(connection: Connection): void
  closed(connection: Connection): void
  /** Does any session suffer from a proxy that knows no upgrade? Then who this is must be known before a head passes. */
  readonly dropsUpgrades: boolean
}

/** What is done to a connection now. */
export interface Conditions {
  readonly delayMs: number
  readonly jitterMs: number
  readonly readBytesPerSecond: number
  /** Nothing passes until then, on the clock of `performance.now()`; 0 is now. */
  readonly heldUntil: number
  readonly swallows: boolean
  readonly gathers: boolean
  readonly dropsUpgrades: boolean
  /** It is cut after so many ms in which nothing passed; 0 is never. */
  readonly idleCutMs: number
}
export const calm: Conditions = {
  delayMs: 0,
  jitterMs: 0,
  readBytesPerSecond: 0,
  heldUntil: 0,
  swallows: false,
  gathers: false,
  dropsUpgrades: false,
  idleCutMs: 0,
}

export class Connection implements Listening {
  readonly id: number
  readonly socket: TappedSocket
  readonly openedAt = performance.now()
  readonly #raw: Socket
  readonly #port: number
  readonly #registry: Registry
  readonly #conversation = new Conversation((asked) => this.#hear(asked))
  #closedAt: number | undefined
  #blocks = 0
  #ear: Ear | undefined
  #idle: IdleCut | undefined
  #editor: HandshakeEditor | undefined
  #dropsUpgrades = false
  /** Which wire it carries, or carried last. */
  transport: TransportName | undefined
  /** The session that it belongs to, once a request has told. */
  owner: string | undefined
  /** Two sessions were seen on it, as behind a proxy that gathers connections: it is nobody's. */
  shared = false
  /** It carries what a viewer sees, and is no part of that. */
  observing = false
  /** The last Cookie header that was looked at: the next request has the same, as a rule. */
  cookie: string | undefined

  constructor(id: number, raw: Socket, registry: Registry) {
    this.id = id
    this.#raw = raw
    this.#port = raw.remotePort ?? 0
    this.#registry = registry
    this.socket = new TappedSocket(raw, this)
  }

  /** Who hears of it from the next block on, or nobody. */
  set ear(ear: Ear | undefined) {
    if (ear === this.#ear) return
    this.#ear = ear
    const { up, down } = this.#conversation
    up.recorder = ear && new BlockRecorder(this, 'up', ear)
    down.recorder = ear && new BlockRecorder(this, 'down', ear)
  }

  nextBlock(): number {
    return ++this.#blocks
  }

  sent(bytes: Buffer): Buffer {
    this.#conversation.sent(bytes)
    this.#passed()
    return this.#editor !== undefined || this.#dropsUpgrades || this.#unknown ? this.#edit(bytes) : bytes
  }
  ended(): Buffer {
    return this.#editor?.rest() ?? Buffer.alloc(0)
  }
  answered(bytes: Buffer): void {
    this.#conversation.answered(bytes)
    this.#passed()
  }
  scout(): Scout {
    return this.#conversation.scout()
  }
  abandoned(): void {
    this.#registry.abandoned(this)
  }
  closed(): void {
    this.#closedAt = performance.now()
    this.#idle?.stop()
    this.#conversation.close()
    this.#ear?.changed(this)
    this.#registry.closed(this)
  }

  /** From now on this is done to it, until something else is. What is under way keeps its order and its time. */
  suffer(conditions: Conditions): void {
    const { delayMs, jitterMs, heldUntil, readBytesPerSecond, swallows, gathers, dropsUpgrades, idleCutMs } = conditions
    this.socket.swallows = swallows
    for (const lane of [this.socket.up, this.socket.down]) {
      lane.delayMs = delayMs
      lane.jitterMs = jitterMs
      lane.heldUntil = heldUntil
    }
    this.socket.bytesPerSecond = readBytesPerSecond
    this.socket.gathers = gathers
    this.#dropsUpgrades = dropsUpgrades
    if (idleCutMs > 0) this.#idle ??= new IdleCut(idleCutMs, () => this.socket.cut('fin'))
    else {
      this.#idle?.stop()
      this.#idle = undefined
    }
  }

  /** It is nobody's to do anything to: nothing of what was done stays. */
  spare(): void {
    this.suffer(calm)
    this.socket.release()
    // What is lost cannot be given back: better to be told.
    if (this.socket.lost) this.socket.cut('rst')
  }

  #passed(): void {
    this.#ear?.changed(this)
    this.#idle?.passed()
  }

  #hear(asked: Asked): void {
    this.transport = transportOf(asked.target) ?? this.transport
    this.#registry.asked(this, asked)
    if (asked.handshake !== undefined && this.#dropsUpgrades) (this.#editor ??= new HandshakeEditor()).drop(asked.handshake)
  }

  #edit(bytes: Buffer): Buffer {
    this.#editor ??= new HandshakeEditor()
    const { bytes: position, beginning } = this.#conversation.position
    const passed = this.#editor.pass(bytes, position, this.#dropsUpgrades || this.#unknown ? beginning : 0)
    if (this.#editor.empty) this.#editor = undefined
    return passed
  }

  /** It may belong to one who suffers from a proxy that knows no upgrade: its first head will tell, at its end. */
  get #unknown(): boolean {
    return this.#registry.dropsUpgrades && this.#conversation.requests === 0
  }

  get state(): ConnectionState {
    const { requests, underWay, up, down } = this.#conversation
    return {
      connection: this.id,
      port: this.#port,
      openedAt: this.openedAt,
      ...(this.#closedAt !== undefined && { closedAt: this.#closedAt }),
      requests,
      ...(underWay !== undefined && this.#closedAt === undefined && { underWay }),
      up: side(this.#raw.bytesRead, up),
      down: side(this.#raw.bytesWritten, down),
    }
  }

  /** Bytes by the socket's own count. */
  get bytes(): { readonly up: number; readonly down: number } {
    return { up: this.#raw.bytesRead, down: this.#raw.bytesWritten }
  }
}

/** What the socket counts and no grammar has claimed is unattributed: with what waits for the rest of a head. */
function side(bytes: number, ledger: Ledger): Side {
  const { counts, total } = ledger
  const unattributed = (counts.unattributed ?? 0) + bytes - total
  return { bytes, counts: unattributed > 0 ? { ...counts, unattributed } : counts }
}

const wire = /^\/rooms\/[^/?]+\/([a-z-]+)(?:\?|$)/

/** The transport that a target asks for; undefined for another route. */
function transportOf(target: string): TransportName | undefined {
  const name = wire.exec(target)?.[1]
  return transportNames.find((one) => one === name)
}
