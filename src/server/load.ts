/** How busy the process is: the lag of its event loop, and its connections. */
import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { Server } from 'node:http'
import type { Socket } from 'node:net'

/** How often lateness is looked at, in ms. */
const sampleMs = 250

/** Quantiles of the event loop's lag, in ms. */
export interface Lag {
  readonly p50: number
  readonly p99: number
  readonly max: number
}

export class Load {
  /** How late the event loop was when last looked at, in ms. */
  lateMs = 0
  readonly #sockets = new Set<Socket>()
  // Its own timer is part of what it measures: it reports the time between its ticks.
  readonly #delay = monitorEventLoopDelay({ resolution: 10 })
  readonly #interval: NodeJS.Timeout
  #expected = performance.now() + sampleMs

  constructor(server: Server) {
    this.#delay.enable()
    this.#interval = setInterval(() => {
      const now = performance.now()
      this.lateMs = Math.max(0, now - this.#expected)
      this.#expected = now + sampleMs
    }, sampleMs).unref()
    const sockets = this.#sockets
    const closed = function (this: Socket): void {
      sockets.delete(this)
    }
    server.on('connection', (socket) => {
      sockets.add(socket)
      socket.once('close', closed)
    })
  }

  /** Lateness up to now was somebody's will: nobody is sent away for it. */
  forgive(): void {
    this.lateMs = 0
    this.#expected = performance.now() + sampleMs
  }

  /** TCP connections open now. */
  get connections(): number {
    return this.#sockets.size
  }

  /** Lets go of connections that a closing server would wait for: silent ones at once, all others after `graceMs`. */
  release(graceMs: number): void {
    // A browser connects ahead of need; Node waits for its first request as if it had begun.
    for (const socket of this.#sockets) if (socket.bytesRead === 0) socket.destroy()
    setTimeout(() => {
      for (const socket of this.#sockets) socket.destroy()
    }, graceMs).unref()
  }

  /** The lag since the last call, in ms. */
  lag(): Lag {
    const ms = (nanoseconds: number): number => Math.max(0, nanoseconds / 1e6 - 10)
    const lag = { p50: ms(this.#delay.percentile(50)), p99: ms(this.#delay.percentile(99)), max: ms(this.#delay.max) }
    this.#delay.reset()
    return lag
  }

  stop(): void {
    clearInterval(this.#interval)
    this.#delay.disable()
  }
}
