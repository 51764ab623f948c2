/** A tapped connection in the books of the tap: whose it is, what passed, and its blocks while somebody looks. */
import type { Socket } from 'node:net'
import { type Asked, Conversation } from './conversation.ts'
import { type Block, type ConnectionState, type Direction, type PieceKind, shownBytes, type Side } from './events.ts'
import type { BlockHead, Ledger, Recorder } from './ledger.ts'
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
  closed(connection: Connection): void
}

export class Connection implements Listening {
  readonly id: number
  readonly socket: TappedSocket
  readonly openedAt = performance.now()
  readonly #raw: Socket
  readonly #port: number
  readonly #registry: Registry
  readonly #conversation = new Conversation((asked) => this.#registry.asked(this, asked))
  #closedAt: number | undefined
  #blocks = 0
  #ear: Ear | undefined
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

  sent(bytes: Buffer): void {
    this.#conversation.sent(bytes)
    this.#ear?.changed(this)
  }
  answered(bytes: Buffer): void {
    this.#conversation.answered(bytes)
    this.#ear?.changed(this)
  }
  closed(): void {
    this.#closedAt = performance.now()
    this.#conversation.close()
    this.#ear?.changed(this)
    this.#registry.closed(this)
  }

  get state(): ConnectionState {
    const { requests, up, down } = this.#conversation
    return {
      connection: this.id,
      port: this.#port,
      openedAt: this.openedAt,
      ...(this.#closedAt !== undefined && { closedAt: this.#closedAt }),
      requests,
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

class BlockRecorder implements Recorder {
  readonly #connection: Connection
  readonly #direction: Direction
  readonly #ear: Ear
  #head: BlockHead | undefined
  #number = 0
  #at = 0
  #until = 0
  #pieces: [PieceKind, number][] = []
  #shown: Buffer[] = []
  #shownBytes = 0

  constructor(connection: Connection, direction: Direction, ear: Ear) {
    this.#connection = connection
    this.#direction = direction
    this.#ear = ear
  }

  begin(head: BlockHead): void {
    this.#head = head
    this.#number = this.#connection.nextBlock()
    this.#at = this.#until = performance.now()
    this.#pieces = []
    this.#shown = []
    this.#shownBytes = 0
  }

  piece(kind: PieceKind, bytes: Buffer): void {
    const last = this.#pieces.at(-1)
    if (last?.[0] === kind) last[1] += bytes.length
    else this.#pieces.push([kind, bytes.length])
    this.#until = performance.now()
    if (this.#shownBytes >= shownBytes) return
    // A copy: these bytes are part of a buffer that others may write over.
    const shown = Buffer.from(bytes.subarray(0, shownBytes - this.#shownBytes))
    this.#shown.push(shown)
    this.#shownBytes += shown.length
  }

  end(): void {
    if (this.#head === undefined) return
    const block: Block = {
      connection: this.#connection.id,
      block: this.#number,
      direction: this.#direction,
      ...this.#head,
      at: this.#at,
      until: this.#until,
      pieces: this.#pieces,
    }
    this.#head = undefined
    this.#ear.block(block, Buffer.concat(this.#shown))
  }
}
