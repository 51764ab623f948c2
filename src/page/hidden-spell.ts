/** What a browser does to the polls of a tab that nobody sees: its timers come once a second, after minutes once a minute. Pure. */
import { duration } from './units.ts'

/** It is told for so long after the tab is seen again, in ms. */
const toldMs = 20_000
/** Polls that come so many intervals late were held up, and by more than a slow answer takes, in ms. */
const lateIntervals = 3
const leastMs = 5_000

export class HiddenSpell {
  #hiddenAt: number | undefined
  #seenAt = -Infinity
  #answerAt: number | undefined
  #longestMs = 0

  /** The tab is hidden from now on, or seen. Times are in ms since 1970. */
  turn(hidden: boolean, now: number): void {
    if (hidden) {
      this.#hiddenAt = this.#answerAt = now
      this.#longestMs = 0
    } else if (this.#hiddenAt !== undefined) {
      this.#longestMs = this.#longest(now)
      this.#hiddenAt = undefined
      this.#seenAt = now
    }
  }

  /** An answer came. */
  answer(now: number): void {
    this.#longestMs = this.#longest(now)
    this.#answerAt = now
  }

  /** A sentence for as long as it is news that polls every `pollMs` were held up; undefined where they were not. */
  tell(pollMs: number, now: number): string | undefined {
    const longestMs = this.#longest(now)
    const hidden = this.#hiddenAt !== undefined
    if (longestMs < Math.max(leastMs, lateIntervals * pollMs) || (!hidden && now - this.#seenAt > toldMs)) return undefined
    return `${hidden ? 'Paused' : 'It was paused'} by the browser (hidden tab): up to ${duration(longestMs)} between two answers.`
  }

  #longest(now: number): number {
    return this.#hiddenAt === undefined ? this.#longestMs : Math.max(this.#longestMs, now - (this.#answerAt ?? now))
  }
}
