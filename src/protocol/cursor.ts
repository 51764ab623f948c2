/** The only file that knows how a cursor is spelled: `epoch.seq.tag`, safe in a URL, a header and an SSE `id:`. */
import type { Cursor, Since } from './message.ts'
import { Problem } from './problem.ts'
import { randomText } from './random.ts'

/** A parsed cursor. `epoch` names the log, `seq` the last message seen, `tag` tells it from another of that number. */
export interface Position {
  readonly epoch: string
  readonly seq: number
  readonly tag: string
}

/** The tag of seq 0, before the first message. */
export const originTag = 'AAAAAA'

const spelling = /^([\w-]{12})\.(0|[1-9]\d{0,14})\.([\w-]{6})$/

export function formatCursor({ epoch, seq, tag }: Position): Cursor {
  return `${epoch}.${seq}.${tag}`
}

/** The position that a cursor names, or undefined where the text is no cursor. Seq has at most 15 digits: exact as a number. */
export function parseCursor(text: string): Position | undefined {
  const [, epoch, seq, tag] = spelling.exec(text) ?? []
  return epoch === undefined || seq === undefined || tag === undefined ? undefined : { epoch, seq: Number(seq), tag }
}

/**
 * What a reader says of where it wants to begin.
 * @throws Problem `invalid-cursor`
 */
export function parseSince(text: string | undefined): Since {
  if (text !== undefined && text !== 'earliest' && parseCursor(text) === undefined) throw new Problem('invalid-cursor')
  return text
}

/** 72 random bits: the name of a new log. */
export const drawEpoch = (): string => randomText(12)

/** 36 random bits, drawn per message: a log that went back in time and used a seq again has another tag there. */
export const drawTag = (): string => randomText(6)
