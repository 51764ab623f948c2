/** The server's own bot: says so many messages a second into a room, evenly, past every wire. */
import { presenterLimits } from '../lab/events.ts'
import { drawId } from '../protocol/draft.ts'
import type { Member } from '../protocol/message.ts'
import { randomText } from '../protocol/random.ts'
import type { RoomStore } from '../store/store.ts'

/** Messages a second, and where. 0: none. */
export interface Beat {
  readonly rate: number
  readonly room: string
}

/** What became due in a longer silence than a freeze (a laptop that slept) is not said any more. */
const arrearsMs = 2 * presenterLimits.freezeMs

export class Metronome {
  readonly member: Member = { id: `m_${randomText(12)}`, name: 'Metronome' }
  readonly #store: RoomStore
  #beat: Beat = { rate: 0, room: 'lobby' }
  /** Against the beginning, so that lateness does not add up. */
  #begun = 0
  #said = 0
  #timer: NodeJS.Timeout | undefined

  constructor(store: RoomStore) {
    this.#store = store
  }

  get beat(): Beat {
    return this.#beat
  }

  set(beat: Beat): void {
    this.stop()
    this.#beat = beat
    this.#begun = performance.now()
    this.#said = 0
    this.#next()
  }

  stop(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#beat = { ...this.#beat, rate: 0 }
  }

  #next(): void {
    const { rate } = this.#beat
    if (rate === 0) return
    const dueMs = this.#begun + ((this.#said + 1) * 1000) / rate - performance.now()
    this.#timer = setTimeout(() => this.#catchUp(), Math.max(0, dueMs)).unref()
  }

  /** Says all that is due: who was frozen with the rest of the server is late with them, and leaves nothing out. */
  #catchUp(): void {
    const { rate, room } = this.#beat
    const due = Math.floor(((performance.now() - this.#begun) * rate) / 1000)
    if (((due - this.#said) * 1000) / rate > arrearsMs) {
      this.set(this.#beat)
      return
    }
    while (this.#said < due) {
      this.#said++
      // What the store refuses is not said again: the next one is due already.
      this.#store.append(room, this.member, { id: drawId(), text: `tick ${this.#said}` }).catch(() => {})
    }
    this.#next()
  }
}
