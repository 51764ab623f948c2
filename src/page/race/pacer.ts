/** Keeps a pace: so many times a second, evenly, whatever a timer is late by. */

/** What a timer is late by is caught up with, but not more than this: a burst is not the rate that was asked for. */
const catchUpMs = 250

export class Pacer {
  readonly #act: () => void
  #perSecond = 0
  #next = 0
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(act: () => void) {
    this.#act = act
  }

  get perSecond(): number {
    return this.#perSecond
  }

  /** From now on at this pace; 0 rests. */
  pace(perSecond: number): void {
    clearTimeout(this.#timer)
    this.#perSecond = perSecond
    if (perSecond === 0) return
    this.#next = performance.now() + 1000 / perSecond
    this.#wait()
  }

  #wait(): void {
    this.#timer = setTimeout(() => {
      const now = performance.now()
      this.#next = Math.max(this.#next, now - catchUpMs)
      for (; this.#next <= now; this.#next += 1000 / this.#perSecond) this.#act()
      this.#wait()
    }, this.#next - performance.now())
  }
}
