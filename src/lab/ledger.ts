/** The books of one direction: every byte under its kind, always; and, while somebody looks, the blocks that they form. */
import { type BlockKind, type Counts, type PieceKind, pieceKinds } from './events.ts'

/** A block has at most so many pieces; what follows is the next block. */
const piecesPerBlock = 64

/** What is known of a block when its first byte passes. */
export interface BlockHead {
  readonly what: BlockKind
  readonly exchange: number
  readonly detail: string
}

/** Who writes blocks down: told of each stretch of bytes, in order. */
export interface Recorder {
  begin(head: BlockHead): void
  piece(kind: PieceKind, bytes: Buffer): void
  end(): void
}

export class Ledger {
  readonly #counts: Record<PieceKind, number> = zeros()
  #recorder: Recorder | undefined
  #head: BlockHead | undefined
  #last: PieceKind | undefined
  #pieces = 0

  /** Bytes by kind so far. */
  get counts(): Counts {
    return Object.fromEntries(Object.entries(this.#counts).filter(([, bytes]) => bytes > 0))
  }
  /** All bytes so far, those that are unattributed included. */
  get total(): number {
    let sum = 0
    for (const kind of pieceKinds) sum += this.#counts[kind]
    return sum
  }

  /** From the next block on they are written down, or no longer. */
  set recorder(recorder: Recorder | undefined) {
    this.#recorder = recorder
    this.#head = undefined
  }

  begin(head: BlockHead): void {
    if (this.#recorder === undefined) return
    this.end()
    this.#head = head
    this.#last = undefined
    this.#pieces = 0
    this.#recorder.begin(head)
  }

  add(kind: PieceKind, bytes: Buffer): void {
    if (bytes.length === 0) return
    this.#counts[kind] += bytes.length
    if (this.#head === undefined) return
    if (kind !== this.#last && this.#pieces++ === piecesPerBlock) {
      this.begin(this.#head)
      this.#pieces = 1
    }
    this.#last = kind
    this.#recorder?.piece(kind, bytes)
  }

  end(): void {
    if (this.#head === undefined) return
    this.#head = undefined
    this.#recorder?.end()
  }
}

const zeros = (): Record<PieceKind, number> => Object.fromEntries(pieceKinds.map((kind) => [kind, 0])) as Record<PieceKind, number>
