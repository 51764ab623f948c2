/** One direction of a tapped connection: what goes in comes out in order, and not before its time. */

/** What a lane carries: bytes, or an end. `leave` hands it on, and says when it has been taken. */
interface Item {
  readonly bytes: number
  readonly due: number
  readonly leave: (taken: () => void) => void
  /** Whoever put it in is told that there is room for more. */
  readonly accepted: () => void
}

/** So many bytes may be under way on a slow lane before it takes no more: what a kernel's buffers would hold. */
const roomBytes = 262_144

export class Lane {
  /** How long everything takes from now on, in ms. 0: it passes at once, and is accepted when it has been taken. */
  delayMs = 0
  readonly #items: Item[] = []
  #bytes = 0
  #leaving = false
  #timer: NodeJS.Timeout | undefined

  /**
   * Puts in what `leave` hands on. `accepted` is called as soon as there is room for more: without a delay when this
   * has been taken, so that whoever waits for the network waits here; with one earlier, or each piece would wait for
   * the one before it to arrive.
   */
  put(bytes: number, leave: (taken: () => void) => void, accepted: () => void): void {
    if (this.delayMs === 0 && this.#items.length === 0 && !this.#leaving) {
      this.#hand(leave, accepted)
      return
    }
    const early = this.#bytes + bytes <= roomBytes
    this.#bytes += bytes
    this.#items.push({ bytes, due: performance.now() + this.delayMs, leave, accepted: early ? () => {} : accepted })
    if (early) accepted()
    this.#next()
  }

  /** Drops everything: the connection is gone. */
  stop(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#items.length = 0
    this.#leaving = true
  }

  #hand(leave: (taken: () => void) => void, taken: () => void): void {
    this.#leaving = true
    leave(() => {
      this.#leaving = false
      taken()
      this.#next()
    })
  }

  #next(): void {
    const [first] = this.#items
    if (first === undefined || this.#leaving || this.#timer !== undefined) return
    const early = first.due - performance.now()
    if (early > 0) {
      this.#timer = setTimeout(() => {
        this.#timer = undefined
        this.#next()
      }, Math.ceil(early))
      return
    }
    this.#items.shift()
    this.#hand(first.leave, () => {
      this.#bytes -= first.bytes
      first.accepted()
    })
  }
}
