/** How busy the process is: the lag of its event loop, and its connections. */
import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { Server } from 'node:http'

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
  /** TCP connections open now. */
  connections = 0
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
    const closed = (): void => void this.connections--
    server.on('connection', (socket) => {
      this.connections++
      socket.once('close', closed)
    })
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
