/** Takes the upgrade out of handshakes on their way to the server. Heads are read elsewhere: this is told where they are. */
import type { Stretch } from './conversation.ts'
import { withoutUpgrade } from './proxy.ts'

const none: Buffer = Buffer.alloc(0)
/** The begin of a head waits for its end up to here: longer ones the server refuses. */
const mostHeldBytes = 16_384

export class HandshakeEditor {
  #held = none
  #handshakes: Stretch[] = []

  /** Nothing waits to be edited. */
  get empty(): boolean {
    return this.#held.length === 0
  }

  /** This handshake, by its place in what the client sends, is to be none. */
  drop(handshake: Stretch): void {
    this.#handshakes.push(handshake)
  }

  /**
   * These bytes end at `position`; the last `beginning` of all so far are held back, since they may become a handshake.
   * Returns what goes on.
   */
  pass(bytes: Buffer, position: number, beginning: number): Buffer {
    const all = this.#held.length === 0 ? bytes : Buffer.concat([this.#held, bytes])
    const begin = position - all.length
    const held = beginning > mostHeldBytes ? 0 : Math.min(beginning, all.length)
    const end = all.length - held
    // A copy: others may write over these bytes.
    this.#held = held === 0 ? none : Buffer.from(all.subarray(end))
    const pieces: Buffer[] = []
    let at = 0
    for (const { from, bytes: length } of this.#handshakes.splice(0)) {
      // One whose begin has passed already is left as it is.
      if (from < begin + at) continue
      pieces.push(all.subarray(at, from - begin), withoutUpgrade(all.subarray(from - begin, from - begin + length)))
      at = from - begin + length
    }
    return at === 0 ? all.subarray(0, end) : Buffer.concat([...pieces, all.subarray(at, end)])
  }

  /** No more comes: what was held back goes on as it is. */
  rest(): Buffer {
    const held = this.#held
    this.#held = none
    return held
  }
}
