/** A duplex in front of a TCP connection, which the HTTP server takes for the connection itself. */
import type { AddressInfo, Socket } from 'node:net'
import { Duplex } from 'node:stream'
import { Lane } from './lane.ts'

/** Who is told of every byte, on its way to the server and away from it, before anybody may change it. */
export interface Listening {
  sent(bytes: Buffer): void
  answered(bytes: Buffer): void
  closed(): void
}

type Done = (error?: Error | null) => void

/**
 * What Node, Fastify, `ws` and this server ask of a connection is answered by the real one. What is written counts as
 * waiting (`writableLength`) until the network has taken it, as it does there: slow readers are found by it.
 */
export class TappedSocket extends Duplex {
  /** What the client sends, and what it is sent. */
  readonly up = new Lane()
  readonly down = new Lane()
  readonly #raw: Socket
  readonly #listening: Listening
  #accepted = 0
  #inHand = 0
  #wanted: (() => void) | undefined

  constructor(raw: Socket, listening: Listening) {
    super({ allowHalfOpen: raw.allowHalfOpen, emitClose: true })
    this.#raw = raw
    this.#listening = listening
    raw.on('data', (bytes: Buffer) => this.#receive(bytes))
    raw.on('end', () => this.#pass(() => this.push(null)))
    raw.on('error', (error) => this.destroy(error))
    raw.on('timeout', () => this.emit('timeout'))
    raw.on('close', (failed) => {
      // What is still on its way up arrives first.
      if (!failed) this.#pass(() => this.destroy())
    })
  }

  #receive(bytes: Buffer): void {
    this.#listening.sent(bytes)
    let accepted = false
    let paused = false
    const leave = (taken: () => void): void => {
      if (this.push(bytes)) taken()
      else this.#wanted = taken
    }
    this.up.put(bytes.length, leave, () => {
      accepted = true
      if (paused) this.#raw.resume()
    })
    if (accepted) return
    paused = true
    this.#raw.pause()
  }

  /** Something other than bytes, in its turn. */
  #pass(act: () => void): void {
    const leave = (taken: () => void): void => {
      act()
      taken()
    }
    this.up.put(0, leave, () => {})
  }

  override _read(): void {
    const wanted = this.#wanted
    this.#wanted = undefined
    wanted?.()
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: Done): void {
    this.#send([chunk], done)
  }
  override _writev(chunks: readonly { readonly chunk: Buffer }[], done: Done): void {
    this.#send(
      chunks.map(({ chunk }) => chunk),
      done,
    )
  }

  /** Pieces that were written within one turn leave in one. */
  #send(pieces: readonly Buffer[], done: Done): void {
    const bytes = pieces.reduce((sum, { length }) => sum + length, 0)
    this.#accepted += bytes
    this.#inHand = bytes
    const leave = (taken: () => void): void => {
      let waits = true
      const once = (): void => {
        if (waits) taken()
        waits = false
      }
      this.#raw.cork()
      for (const [index, piece] of pieces.entries()) {
        this.#listening.answered(piece)
        this.#raw.write(piece, index === pieces.length - 1 ? once : undefined)
      }
      this.#raw.uncork()
      // What the network took at once does not wait until the next turn: a burst would look like a slow reader.
      if (this.#raw.writableLength === 0) once()
    }
    this.down.put(bytes, leave, () => {
      this.#inHand = 0
      done()
    })
  }

  override _final(done: Done): void {
    this.down.put(
      0,
      (taken) => this.#raw.end(taken),
      () => done(),
    )
  }

  override _destroy(error: Error | null, done: Done): void {
    this.up.stop()
    this.down.stop()
    const closed = (): void => {
      this.#listening.closed()
      done(error)
    }
    if (this.#raw.closed) return closed()
    this.#raw.once('close', closed)
    this.#raw.destroy()
  }

  /** Ends what is being written, then goes. */
  destroySoon(): void {
    if (this.writable) this.end()
    if (this.writableFinished) this.destroy()
    else this.once('finish', () => this.destroy())
  }

  /** Gone at once, with a reset. */
  resetAndDestroy(): this {
    this.#raw.resetAndDestroy()
    return this.destroy()
  }

  get bytesRead(): number {
    return this.#raw.bytesRead
  }
  /** All that was written, what waits included. */
  get bytesWritten(): number {
    return this.#accepted + this.writableLength - this.#inHand
  }
  get timeout(): number | undefined {
    return this.#raw.timeout
  }
  setTimeout(ms: number, heard?: () => void): this {
    this.#raw.setTimeout(ms)
    if (heard === undefined) return this
    if (ms === 0) this.removeListener('timeout', heard)
    else this.once('timeout', heard)
    return this
  }
  setNoDelay(on?: boolean): this {
    this.#raw.setNoDelay(on)
    return this
  }
  setKeepAlive(on?: boolean, initialDelayMs?: number): this {
    this.#raw.setKeepAlive(on, initialDelayMs)
    return this
  }
  ref(): this {
    this.#raw.ref()
    return this
  }
  unref(): this {
    this.#raw.unref()
    return this
  }
  address(): AddressInfo | Record<string, never> {
    return this.#raw.address()
  }
  get remoteAddress(): string | undefined {
    return this.#raw.remoteAddress
  }
  get remotePort(): number | undefined {
    return this.#raw.remotePort
  }
  get remoteFamily(): string | undefined {
    return this.#raw.remoteFamily
  }
  get localAddress(): string | undefined {
    return this.#raw.localAddress
  }
  get localPort(): number | undefined {
    return this.#raw.localPort
  }
  get localFamily(): string | undefined {
    return this.#raw.localFamily
  }
  get connecting(): boolean {
    return this.#raw.connecting
  }
  get pending(): boolean {
    return this.#raw.pending
  }
  get readyState(): string {
    return this.#raw.readyState
  }
}
