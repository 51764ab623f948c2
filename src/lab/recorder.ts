/** Writes down the blocks of one direction of a connection, for whoever looks. */
import type { Connection, Ear } from './connection.ts'
import { type Block, type Direction, type PieceKind, shownBytes } from './events.ts'
import type { BlockHead, Recorder } from './ledger.ts'

export class BlockRecorder implements Recorder {
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
