/** Tells of silence in place of a connection that must not: what comes on that is swallowed. */

export class Silence {
  /** What the timeout is set to, in ms; 0 is none. */
  ms = 0
  readonly #heard: () => void
  #timer: NodeJS.Timeout | undefined

  constructor(heard: () => void) {
    this.#heard = heard
  }

  set(ms: number): void {
    this.stop()
    this.ms = ms
    if (ms > 0) this.#timer = setTimeout(this.#heard, ms).unref()
  }

  /** It was no silence. */
  broken(): void {
    this.#timer?.refresh()
  }

  stop(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }
}
