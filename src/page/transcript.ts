/** What was said, as lines to show: the newest few hundred. */
import type { Gap, Message, TransportName } from '../client/index.ts'
import { counted } from './units.ts'

interface Line {
  /** Rises by one: a seq may come again in another epoch. */
  readonly key: number
  readonly transport: TransportName
}
export interface Said extends Line {
  readonly message: Message
  /** By us, as whom we were then: a server that forgot us makes us somebody else. */
  readonly own: boolean
}
export interface Missing extends Line {
  readonly gap: Gap
}

/** So many lines are kept while the reader is at the bottom. */
const mostLines = 500
/** Who reads further up is not to have it pulled away at once. */
const mostLinesWhileReading = 1000

export class Transcript {
  #lines: (Said | Missing)[] = []
  #nextKey = 0
  /** Lines that came and are not kept any more. */
  older = 0
  /** Of the newest message. */
  lastSeq = 0

  get lines(): readonly (Said | Missing)[] {
    return this.#lines
  }

  say(message: Message, transport: TransportName, own: boolean): void {
    this.lastSeq = message.seq
    this.#lines.push({ key: this.#nextKey++, message, transport, own })
  }

  miss(gap: Gap, transport: TransportName): void {
    this.lastSeq = 0
    this.#lines.push({ key: this.#nextKey++, gap, transport })
  }

  /** Takes down what was said until then, by the server's clock, and what was missing before it. */
  takeDown(until: number): void {
    const last = this.#lines.findLastIndex((line) => 'message' in line && line.message.at <= until)
    this.#lines = this.#lines.slice(last + 1)
    this.older = 0
  }

  trim(reading: boolean): void {
    const surplus = this.#lines.length - (reading ? mostLinesWhileReading : mostLines)
    if (surplus <= 0) return
    this.#lines = this.#lines.slice(surplus)
    this.older += surplus
  }
}

const told: Readonly<Record<Gap['reason'], string>> = {
  epoch: 'The room is new (the server was restarted, or the room was emptied). What was said before is no longer kept here.',
  trimmed: 'Some messages are no longer kept.',
  ahead: 'The server knows less than this page: it lost what was said last. What it still has follows.',
  rollback: 'The server went back to an older copy of the room. Some of what was said is lost; what it has now follows.',
}

/** Why the reader could not go on where it was, in words. */
export const gapSentence = ({ reason, missed }: Gap): string =>
  reason === 'trimmed' && missed !== undefined ? `${counted(missed, 'message is', 'messages are')} no longer kept.` : told[reason]
