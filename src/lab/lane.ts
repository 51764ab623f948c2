/** One direction of a tapped connection: what goes in comes out in order, and not before its time. */

/** What a lane carries: bytes, or an end. `leave` hands it on, and says when it has been taken. */
interface Item {
  readonly bytes: number
  readonly due: number
  readonly leave: Leave
  /** Whoever put it in is told that there is room for more. */
  readonly accepted: () => void
}
type Leave = (taken: () => void) => void

/** So many bytes may be under way on a slow lane before it takes no more: what a kernel's buffers would hold. */
const roomBytes = 262_144
/** And so many on all lanes together: a kernel's buffers are bounded too. */
const allRoomBytes = 134_217_728
let allBytes = 0

export class Lane {
  readonly #items: Item[] = []
  #bytes = 0
  #delayMs = 0
  #jitterMs = 0
  #heldUntil = 0
  /** False: what finds the lane empty passes at once. */
  #slow = false
  #leaving = false
  #stopped = false
  #timer: NodeJS.Timeout | undefined

  /** How long everything takes from now on, in ms. 0: it passes at once, and is accepted when it has been taken. */
  set delayMs(ms: number) {
    this.#delayMs = ms
    this.#judge()
  }
  /** Up to so much longer, in ms, drawn evenly for each piece. A piece that draws less than the one before it waits for that. */
  set jitterMs(ms: number) {
    this.#jitterMs = ms
    this.#judge()
  }
  /** Until then, on the clock of `performance.now()`, nothing leaves; what was put in meanwhile does so at once. 0 ends it. */
  set heldUntil(at: number) {
    this.#heldUntil = at
    this.#judge()
    this.#again()
  }

  /**
   * Puts in what `leave` hands on. `accepted` is called as soon as there is room for more: without a delay when this
   * has been taken, so that whoever waits for the network waits here; with one earlier, or each piece would wait for
   * the one before it to arrive.
   */
  put(bytes: number, leave: Leave, accepted: () => void): void {
    if (!this.#slow && this.#items.length === 0 && !this.#leaving) {
      this.#hand(leave, accepted)
      return
    }
    const early = this.#bytes + bytes <= roomBytes && allBytes + bytes <= allRoomBytes
    this.#line(bytes, leave, early ? () => {} : accepted)
    if (early) accepted()
    this.#next()
  }

  /** Puts in the last of all: `left` is called once it is gone, and never earlier, or all before it could be dropped. */
  end(leave: Leave, left: () => void): void {
    this.#line(0, leave, left)
    this.#next()
  }

  /** What is under way leaves now, in its order: it is nobody's any more to hold up. */
  release(): void {
    for (const [index, item] of this.#items.entries()) this.#items[index] = { ...item, due: 0 }
    this.#again()
  }

  /** Drops everything: the connection is gone. */
  stop(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#items.length = 0
    this.#count(-this.#bytes)
    this.#leaving = true
    this.#stopped = true
  }

  #count(bytes: number): void {
    if (this.#stopped) return
    this.#bytes += bytes
    allBytes += bytes
  }

  #judge(): void {
    this.#slow = this.#delayMs > 0 || this.#jitterMs > 0 || this.#heldUntil > 0
  }

  #line(bytes: number, leave: Leave, accepted: () => void): void {
    this.#count(bytes)
    const due = performance.now() + this.#delayMs + Math.random() * this.#jitterMs
    this.#items.push({ bytes, due, leave, accepted })
  }

  #hand(leave: Leave, taken: () => void): void {
    this.#leaving = true
    leave(() => {
      this.#leaving = false
      taken()
      this.#next()
    })
  }

  #again(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#next()
  }

  #next(): void {
    const [first] = this.#items
    if (first === undefined || this.#leaving || this.#timer !== undefined) return
    const early = Math.max(first.due, this.#heldUntil) - performance.now()
    if (early > 0) {
      this.#timer = setTimeout(() => {
        this.#timer = undefined
        this.#next()
      }, Math.ceil(early))
      return
    }
    this.#items.shift()
    this.#hand(first.leave, () => {
      this.#count(-first.bytes)
      first.accepted()
    })
  }
}
