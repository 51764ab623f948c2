/** Every timer of the process on one wheel: thousands of connections, one `setInterval`, and none where nothing waits. */

interface Spoke {
  /** The tick at which it fires. */
  readonly due: number
  readonly fire: () => void
}

/**
 * A hashed timing wheel (Varghese and Lauck, 1987): entering and cancelling take constant time. Fires at the first
 * tick at or after the time asked for, never before.
 */
export class Wheel {
  readonly #tickMs: number
  readonly #slots: Set<Spoke>[]
  #tick = 0
  #size = 0
  #stopped = false
  #interval: NodeJS.Timeout | undefined

  constructor(tickMs = 50, slots = 1024) {
    this.#tickMs = tickMs
    this.#slots = Array.from({ length: slots }, () => new Set())
  }

  /** How many timers wait. */
  get size(): number {
    return this.#size
  }

  /**
   * When the tick that was looked at last began, by `performance.now()`: what comes at regular times counts from here,
   * where a moment within a tick would be rounded up to one more each time.
   */
  get tickedAt(): number {
    return this.#tick * this.#tickMs
  }

  /** Calls `fire` once after `ms`; the returned function cancels it, and does nothing later. */
  after(ms: number, fire: () => void): () => void {
    return this.at(performance.now() + ms, fire)
  }

  /** The same at a time of `performance.now()`, which may have passed: at the next tick then. */
  at(time: number, fire: () => void): () => void {
    if (this.#stopped) return () => {}
    if (this.#interval === undefined) {
      this.#tick = this.#now()
      this.#interval = setInterval(() => this.#turn(), this.#tickMs).unref()
    }
    // A tick that has passed is not looked at again: at the earliest the next one.
    const due = Math.max(this.#tick + 1, Math.ceil(time / this.#tickMs))
    const slot = this.#slots[due % this.#slots.length] as Set<Spoke>
    const spoke: Spoke = { due, fire }
    slot.add(spoke)
    this.#size++
    return () => {
      if (slot.delete(spoke)) this.#left()
    }
  }

  /** Forgets all timers, and takes no more: what fails because all is closed would be tried again. */
  stop(): void {
    this.#stopped = true
    for (const slot of this.#slots) slot.clear()
    this.#size = 1
    this.#left()
  }

  #now(): number {
    return Math.floor(performance.now() / this.#tickMs)
  }

  #left(): void {
    if (--this.#size > 0) return
    clearInterval(this.#interval)
    this.#interval = undefined
  }

  #turn(): void {
    const now = this.#now()
    // After a stall longer than a whole turn every slot is looked at once, not once per missed turn.
    const from = Math.max(this.#tick, now - this.#slots.length)
    this.#tick = now
    for (let tick = from + 1; tick <= now; tick++) {
      const slot = this.#slots[tick % this.#slots.length] as Set<Spoke>
      for (const spoke of slot) {
        if (spoke.due > now) continue
        slot.delete(spoke)
        this.#left()
        spoke.fire()
      }
    }
  }
}
