/** Exactly once, to the application: from at-least-once batches on any number of wires. Contract §5. */
import { parseCursor, type Position } from '../protocol/cursor.ts'
import type { Batch, Cursor, Gap, Message } from '../protocol/message.ts'

/** What a batch brings: the messages to show, in order; a gap to report before them; repeats that were dropped. */
export interface Accepted {
  readonly messages: readonly Message[]
  readonly gap: Gap | undefined
  readonly repeats: number
}

/** A batch that does not follow: nothing of it is shown, the room is resumed from the cursor. */
export class Hole extends Error {}

/** As many messages as a room keeps are remembered as shown. */
const rememberedMessages = 10_000

export class Sequence {
  #cursor: Cursor | undefined
  #position: Position | undefined
  // Insertion order: the oldest is the first to be forgotten.
  readonly #shown = new Set<string>()

  /** Where to resume. */
  get cursor(): Cursor | undefined {
    return this.#cursor
  }

  /** @throws Hole where the batch neither follows what was seen nor tells of a gap */
  accept(batch: Batch): Accepted {
    const end = parseCursor(batch.cursor)
    if (end === undefined) throw new Hole('a batch without a cursor')
    const first = end.seq - batch.messages.length
    const known = this.#position
    if (known !== undefined && batch.gap === undefined && known.epoch !== end.epoch) throw new Hole('another log, and no gap')
    // Of what another wire has brought meanwhile nothing is missing, though it is no longer kept.
    const covered = batch.gap?.reason === 'trimmed' && known?.epoch === end.epoch && first <= known.seq
    const gap = covered ? undefined : batch.gap
    const last = known === undefined || gap !== undefined ? first : known.seq
    if (first > last) throw new Hole(`${first - last} messages are missing`)

    const messages: Message[] = []
    for (const [index, message] of batch.messages.entries()) {
      if (message.seq !== first + 1 + index) throw new Hole('a batch with a hole')
      if (message.seq > last && this.#show(message)) messages.push(message)
    }
    // Within an epoch the cursor never moves back, but where the server says that the log did.
    if (known === undefined || gap !== undefined || end.seq >= known.seq) {
      this.#cursor = batch.cursor
      this.#position = end
    }
    return { messages, gap, repeats: batch.messages.length - messages.length }
  }

  #show({ member, id }: Message): boolean {
    const key = `${member} ${id}`
    if (this.#shown.has(key)) return false
    this.#shown.add(key)
    if (this.#shown.size > rememberedMessages) for (const oldest of this.#shown) return this.#shown.delete(oldest)
    return true
  }
}
