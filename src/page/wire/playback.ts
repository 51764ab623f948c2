/** Which stretch of time the picture shows: the last ten seconds, or a shorter one, again and slowly. The network is untouched. */

/** The picture is as wide as this, in ms of the page's time. */
export const widthMs = 10_000

/** How many times slower than it was. */
export const slownesses = [1, 10, 100] as const
export type Slowness = (typeof slownesses)[number]

/** From where to where the axis goes, and up to where it has happened already: on the server's clock, in ms. */
export interface Span {
  readonly from: number
  readonly to: number
  readonly until: number
}

/** What was newest does not stand at the very end of a replay: so much of it is left free. */
const restShare = 0.15

export class Playback {
  #slowness: Slowness = 1
  /** The stretch that is replayed, and when its replay began, on the page's clock. */
  #replay: { readonly from: number; readonly begunAt: number; readonly newest: number | undefined } | undefined
  #pausedAt: number | undefined
  /** Where it was paused: the offset of the server's clock is estimated anew meanwhile, and must not move it. */
  #held: Span | undefined

  get slowness(): Slowness {
    return this.#slowness
  }
  get paused(): boolean {
    return this.#pausedAt !== undefined
  }

  slow(slowness: Slowness): void {
    this.#slowness = slowness
    this.#replay = undefined
    this.#pausedAt = this.#held = undefined
  }

  /** Holds the picture, or lets it go on: live from now, a replay from where it stood. */
  toggle(now: number): void {
    if (this.#pausedAt === undefined) {
      this.#pausedAt = now
      return
    }
    if (this.#replay !== undefined) this.#replay = { ...this.#replay, begunAt: this.#replay.begunAt + now - this.#pausedAt }
    this.#pausedAt = this.#held = undefined
  }

  /** `now` is the page's clock, `offsetMs` what the server's is ahead, `newest` when the last byte passed, on the server's. */
  span(now: number, offsetMs: number, newest: number | undefined): Span {
    if (this.#pausedAt === undefined) return this.#spanAt(now, offsetMs, newest)
    return (this.#held ??= this.#spanAt(this.#pausedAt, offsetMs, newest))
  }

  #spanAt(at: number, offsetMs: number, newest: number | undefined): Span {
    if (this.#slowness === 1) return { from: at + offsetMs - widthMs, to: at + offsetMs, until: at + offsetMs }
    const length = widthMs / this.#slowness
    if (this.#replay === undefined || at - this.#replay.begunAt >= widthMs) {
      const to = Math.min(at + offsetMs, (newest ?? at + offsetMs) + restShare * length)
      // Where nothing has passed since, the same again.
      const before = newest !== undefined && this.#replay?.newest === newest ? this.#replay.from : undefined
      this.#replay = { from: before ?? to - length, begunAt: at, newest }
    }
    const { from, begunAt } = this.#replay
    return { from, to: from + length, until: from + (at - begunAt) / this.#slowness }
  }
}
