/** What came over which wire, seq by seq: what the barcode draws and its table says. */
import { type Gap, type TransportName, transportNames } from '../client/index.ts'
import { count, counted } from './units.ts'
import { wires } from './wires.ts'

/** One column: a seq that was delivered, or one that is missing. */
export interface Track {
  readonly seq: number | undefined
  /** Undefined: a hole. */
  readonly transport: TransportName | undefined
}

/** More columns than a screen has pixels. */
const mostTracks = 4096
/** A hole is as wide as what is missing, up to this. */
const widestHole = 24
/** The width of a hole of which nobody knows how much is missing. */
const unknownHole = 4

export class Tracks {
  #tracks: Track[] = []
  readonly delivered: Record<TransportName, number> = { poll: 0, 'long-poll': 0, sse: 0, websocket: 0 }
  gaps = 0

  get newest(): readonly Track[] {
    return this.#tracks
  }

  deliver(seq: number, transport: TransportName): void {
    this.delivered[transport]++
    this.#push({ seq, transport })
  }

  miss({ missed }: Gap): void {
    this.gaps++
    for (let width = Math.min(missed ?? unknownHole, widestHole); width > 0; width--) this.#push({ seq: undefined, transport: undefined })
  }

  /** The barcode in one sentence, for who does not see it. */
  summary(): string {
    const parts = transportNames
      .filter((name) => this.delivered[name] > 0)
      .map((name) => `${wires[name].word} ${count(this.delivered[name])}`)
    if (parts.length === 0) return 'No message has come yet.'
    return `Delivered in order of seq: ${parts.join(', ')}; ${this.gaps === 0 ? 'no hole' : counted(this.gaps, 'hole')}.`
  }

  #push(track: Track): void {
    this.#tracks.push(track)
    if (this.#tracks.length > 2 * mostTracks) this.#tracks = this.#tracks.slice(-mostTracks)
  }
}
