/** A connection's timeout: the real one's, or one of its own where the real one hears what nobody is to be told of. */
import type { Socket } from 'node:net'

export class Silence {
  readonly #raw: Socket
  readonly #heard: () => void
  #ms = 0
  #own = false
  #timer: NodeJS.Timeout | undefined

  /** `heard` is called where nothing came or went for the time that is set. */
  constructor(raw: Socket, heard: () => void) {
    this.#raw = raw
    this.#heard = heard
    raw.on('timeout', heard)
  }

  /** What the timeout is set to, in ms; 0 is none. */
  get ms(): number | undefined {
    return this.#own ? this.#ms : this.#raw.timeout
  }
  set(ms: number): void {
    if (!this.#own) {
      this.#raw.setTimeout(ms)
      return
    }
    this.stop()
    this.#ms = ms
    if (ms > 0) this.#timer = setTimeout(this.#heard, ms).unref()
  }

  /** From now on what passes on the real one breaks no silence, or does so again. */
  set own(on: boolean) {
    const { ms = 0 } = this
    this.set(0)
    this.#own = on
    this.set(ms)
  }
  /** Where it is its own: something was to pass. */
  broken(): void {
    this.#timer?.refresh()
  }

  stop(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }
}
