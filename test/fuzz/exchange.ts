/** One connection for one input: what is sent goes out in its pieces, what comes back is kept, and nothing of it stays open. */
import { connect, type Socket } from 'node:net'

/** A server that was to answer, and has not within so many ms, does not. */
const patienceMs = 15_000
/** So many answers to others in a row, with nothing between, are quiet: a file from the disk takes a turn or two. */
const quietTurns = 3

export class Exchange {
  readonly socket: Socket
  /** The peer has ended, or cut, the connection. */
  over = false
  #pieces: Buffer[] = []
  #woken: () => void = () => {}
  #heard = 0

  private constructor(socket: Socket) {
    this.socket = socket
    const end = (): void => {
      this.over = true
      this.#woken()
    }
    socket.on('data', (data) => {
      this.#pieces.push(data)
      this.#heard++
      this.#woken()
    })
    socket.on('end', end).on('close', end).on('error', end)
  }

  static async open(port: number): Promise<Exchange> {
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true })
    await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject))
    return new Exchange(socket)
  }

  /** What came since this was asked last. */
  taken(): Buffer {
    const all = this.#pieces.length === 1 ? (this.#pieces[0] as Buffer) : Buffer.concat(this.#pieces)
    this.#pieces = []
    return all
  }

  /** Each piece in a write, and a turn of the event loop, of its own. */
  async send(pieces: readonly Buffer[]): Promise<void> {
    for (const [index, piece] of pieces.entries()) {
      if (index > 0) await new Promise((resolve) => setImmediate(resolve))
      if (this.socket.writable) this.socket.write(piece)
    }
  }

  /** Until nothing more comes while others are answered, or the end of the connection. Says whether that came. */
  async quiet(fence: Fence): Promise<boolean> {
    for (let still = 0, heard = -1; still < quietTurns && !this.over; still = heard === this.#heard ? still + 1 : 0) {
      heard = this.#heard
      await fence.pass()
    }
    return this.over
  }

  /** Until `done`, or the end of the connection, for `ms` at the most. Says whether it came to that. */
  async until(done: () => boolean, ms = patienceMs): Promise<boolean> {
    const tooLate = performance.now() + ms
    for (;;) {
      if (this.over || done()) return true
      const left = tooLate - performance.now()
      if (left <= 0) return false
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left)
        this.#woken = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
  }
  /** Until the connection has ended. */
  ended(): Promise<boolean> {
    return this.until(() => false)
  }

  halfClose(): void {
    if (this.socket.writable) this.socket.end()
  }
  /** RST: of a hundred thousand connections none waits for its last bytes. */
  destroy(): void {
    this.socket.resetAndDestroy()
  }
}

/**
 * A right question on a new connection: when it is answered, then all who connected before it were let in (a server takes
 * them in their turn), and what they sent was read, and answered if that is done at once. No clock has to say how long
 * that may take.
 */
export class Fence {
  readonly #port: number
  readonly #question: Buffer
  #last = Promise.resolve()
  #next: Promise<void> | undefined

  constructor(port: number) {
    this.#port = port
    this.#question = Buffer.from(`GET /healthz HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\nconnection: close\r\n\r\n`)
  }

  /** Resolves once a question is answered that was sent after this was called; and where nobody answers any more. */
  pass(): Promise<void> {
    // All who call while one is under way share the next.
    return (this.#next ??= this.#last.then(() => this.#ask()))
  }

  #ask(): Promise<void> {
    this.#next = undefined
    return (this.#last = this.#answered().catch(() => {}))
  }

  async #answered(): Promise<void> {
    const exchange = await Exchange.open(this.#port)
    await exchange.send([this.#question])
    await exchange.ended()
    exchange.destroy()
    // What came for others in the same turn of the event loop is read.
    await new Promise((resolve) => setImmediate(resolve))
  }
}
