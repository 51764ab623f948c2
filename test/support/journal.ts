/**
 * What everybody wrote down of a run, in the order in which it happened: publishers what they attempted and what was
 * acknowledged, subscribers what their application was told. Plain data, one JSON object a line.
 */
import type { Ack, Cursor, GapReason } from '../../src/protocol/message.ts'

/** `at` is in ms since the run began; `who` is the writer's own name, kept over its sessions. */
interface Line {
  readonly at: number
  readonly who: string
}

export type Entry = Line &
  (
    | { readonly did: 'attempted'; readonly text: string }
    | { readonly did: 'acked'; readonly text: string; readonly member: string; readonly ack: Ack }
    /** Refused: it is not in the room, and never will be. */
    | { readonly did: 'refused'; readonly text: string }
    /** A channel of its own: from nothing, or from the cursor of the one before. */
    | { readonly did: 'joined'; readonly since: Cursor | 'earliest' | undefined }
    /** The channel was closed, and is to be held to what came before only, unless it joins again. */
    | { readonly did: 'left' }
    /** A batch came that leaves the reader here; what it told follows. `messages` counts those in it, shown or not. */
    | { readonly did: 'read'; readonly cursor: Cursor; readonly messages: number }
    | { readonly did: 'saw'; readonly seq: number; readonly id: string; readonly member: string; readonly text: string }
    | { readonly did: 'gap'; readonly reason: GapReason; readonly missed?: number }
  )

type Without<Union> = Union extends Entry ? Omit<Union, keyof Line> : never

export class Journal {
  readonly entries: Entry[] = []
  readonly #begun = performance.now()

  /** A writer of its own: returns the function that writes as `who`. */
  writer(who: string): (entry: Without<Entry>) => void {
    return (entry) => void this.entries.push({ at: Math.round(performance.now() - this.#begun), who, ...entry })
  }

  /** One JSON object a line. */
  get lines(): string {
    return this.entries.map((entry) => `${JSON.stringify(entry)}\n`).join('')
  }
}

/** The inverse of `lines`. */
export const parseJournal = (lines: string): Entry[] =>
  lines
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Entry)
