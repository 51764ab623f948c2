/** A client that reads slowly: what it is sent leaves in slices, so many bytes a second. */

/** Hands bytes on; `taken` is called when there is room for more. */
export type Put = (pieces: readonly Buffer[], taken: () => void) => void

/** A slice is what the client takes in so many ms, and at least a byte. */
const sliceMs = 50

interface Job {
  readonly rest: Buffer
  readonly put: Put
  readonly done: () => void
}

export class Pacer {
  #rate = 0
  #freeAt = 0
  #job: Job | undefined
  #inHand = false
  #timer: NodeJS.Timeout | undefined

  /** From now on; 0 is as fast as it can, for what waits too. */
  set bytesPerSecond(rate: number) {
    this.#rate = rate
    this.#freeAt = 0
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#next()
  }

  /** One at a time: `done` is called once all of it has been taken, as by a network whose buffers are full. */
  pass(pieces: readonly Buffer[], put: Put, done: () => void): void {
    if (this.#rate === 0) return put(pieces, done)
    this.#job = { rest: Buffer.concat(pieces), put, done }
    this.#next()
  }

  /** Drops everything: the connection is gone. */
  stop(): void {
    clearTimeout(this.#timer)
    this.#job = undefined
  }

  #next(): void {
    const job = this.#job
    if (job === undefined || this.#inHand || this.#timer !== undefined) return
    const now = performance.now()
    if (this.#freeAt > now) {
      this.#timer = setTimeout(
        () => {
          this.#timer = undefined
          this.#next()
        },
        Math.ceil(this.#freeAt - now),
      )
      return
    }
    const most = this.#rate === 0 ? Infinity : Math.max(1, Math.floor((this.#rate * sliceMs) / 1000))
    const slice = job.rest.subarray(0, most)
    const rest = job.rest.subarray(slice.length)
    if (this.#rate > 0) this.#freeAt = now + (slice.length * 1000) / this.#rate
    this.#job = rest.length > 0 ? { ...job, rest } : undefined
    if (rest.length === 0) return job.put([slice], job.done)
    this.#inHand = true
    job.put([slice], () => {
      this.#inHand = false
      this.#next()
    })
  }
}
