/** A duplex in front of a TCP connection, which the HTTP server takes for the connection itself. */
import type { Socket } from 'node:net'
import { Face } from './face.ts'
import { Lane } from './lane.ts'
import { Pacer } from './pacer.ts'
import { Gatherer, type Scout } from './proxy.ts'

/** Who is told of every byte, on its way to the server and away from it, before anybody may change it. */
export interface Listening {
  /** Returns what goes on to the server: the same, as a rule. */
  sent(bytes: Buffer): Buffer
  /** The client sends no more. Returns what was held back of it. */
  ended(): Buffer
  answered(bytes: Buffer): void
  /** Reads on from where `answered` is. */
  scout(): Scout
  /** The server has given it up, and the client is not told: it is a hole. */
  abandoned(): void
  closed(): void
}

type Done = (error?: Error | null) => void

/**
 * What Node, Fastify, `ws` and this server ask of a connection is answered by the real one. What is written counts as
 * waiting (`writableLength`) until the network has taken it, as it does there: slow readers are found by it.
 */
export class TappedSocket extends Face {
  /** What the client sends, and what it is sent. */
  readonly up = new Lane()
  readonly down = new Lane()
  readonly #listening: Listening
  readonly #pacer = new Pacer()
  #gatherer: Gatherer | undefined
  /** Swallows what comes either way, ends too. */
  #hole = false
  #lost = false
  #accepted = 0
  #inHand = 0
  #wanted: (() => void) | undefined

  constructor(raw: Socket, listening: Listening) {
    super(raw)
    this.#listening = listening
    raw.on('data', (bytes: Buffer) => this.#receive(bytes))
    raw.on('end', () => this.#end())
    raw.on('error', (error) => {
      if (!this.#hole) this.destroy(error)
    })
    raw.on('close', (failed) => {
      listening.closed()
      // What is still on its way up arrives first.
      if (!failed) this.#pass(() => this.destroy())
    })
  }

  /** Bytes a second that the client takes; 0 is as fast as it can. */
  set bytesPerSecond(rate: number) {
    this.#pacer.bytesPerSecond = rate
  }

  /** Are answers gathered on their way? */
  set gathers(on: boolean) {
    if (on) this.#gatherer ??= new Gatherer(() => this.#listening.scout())
    else if (this.#gatherer !== undefined) {
      const held = this.#gatherer.flush()
      this.#gatherer = undefined
      if (held.length > 0 && !this.#swallow()) this.#write(held, () => {})
    }
  }

  /** Is it a hole? One that has lost something stays it. */
  set swallows(on: boolean) {
    const hole = on || this.#lost
    if (hole === this.#hole) return
    this.#hole = hole
    this.silence.own = hole
    // Whoever does not read cannot lose anything either.
    if (hole) this.raw.resume()
  }
  /** True once something was swallowed. */
  get lost(): boolean {
    return this.#lost
  }

  /** What is under way leaves at once. */
  release(): void {
    this.up.release()
    this.down.release()
  }

  /** Gone for both ends at once: with a FIN, or with a reset. */
  cut(how: 'fin' | 'rst'): void {
    this.#hole = false
    if (how === 'rst') this.raw.resetAndDestroy()
    else this.raw.destroy()
    this.destroy()
  }

  #receive(bytes: Buffer): void {
    const passed = this.#listening.sent(bytes)
    if (this.#hole) {
      this.#lost = true
      return
    }
    if (passed.length > 0) this.#hand(passed)
  }

  #hand(bytes: Buffer): void {
    let accepted = false
    let paused = false
    const leave = (taken: () => void): void => {
      if (this.#swallow()) taken()
      else if (this.push(bytes)) taken()
      else this.#wanted = taken
    }
    this.up.put(bytes.length, leave, () => {
      accepted = true
      if (paused) this.raw.resume()
    })
    if (accepted) return
    paused = true
    this.raw.pause()
  }

  #end(): void {
    const held = this.#listening.ended()
    // Both have given it up by now: nobody is left to be kept in the dark.
    if (this.#swallow() && this.destroyed) this.raw.destroy()
    else if (held.length > 0) this.#hand(held)
    this.#pass(() => this.push(null))
  }

  /** Something other than bytes, in its turn. */
  #pass(act: () => void): void {
    const leave = (taken: () => void): void => {
      if (!this.#swallow()) act()
      taken()
    }
    this.up.put(0, leave, () => {})
  }

  /** True in a hole: what would pass now is lost. */
  #swallow(): boolean {
    if (this.#hole) this.#lost = true
    return this.#hole
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

  #send(pieces: readonly Buffer[], done: Done): void {
    const bytes = lengthOf(pieces)
    this.#accepted += bytes
    if (this.#swallow()) {
      this.silence.broken()
      return done()
    }
    this.#inHand = bytes
    this.#pacer.pass(pieces, this.#lead, () => {
      this.#inHand = 0
      done()
    })
  }

  /** Pieces that were written within one turn leave in one. */
  readonly #lead = (pieces: readonly Buffer[], accepted: () => void): void => {
    const leave = (taken: () => void): void => {
      if (this.#swallow()) {
        this.#gatherer?.flush()
        return taken()
      }
      this.#write(this.#gatherer === undefined ? pieces : this.#gatherer.take(pieces), taken)
    }
    this.down.put(lengthOf(pieces), leave, accepted)
  }

  #write(pieces: readonly Buffer[], taken: () => void): void {
    if (pieces.length === 0) return taken()
    let waits = true
    const once = (): void => {
      if (waits) taken()
      waits = false
    }
    this.raw.cork()
    for (const [index, piece] of pieces.entries()) {
      this.#listening.answered(piece)
      this.raw.write(piece, index === pieces.length - 1 ? once : undefined)
    }
    this.raw.uncork()
    // What the network took at once does not wait until the next turn: a burst would look like a slow reader.
    if (this.raw.writableLength === 0) once()
  }

  override _final(done: Done): void {
    const leave = (taken: () => void): void => {
      if (this.#swallow()) return taken()
      this.gathers = false
      this.raw.end(taken)
    }
    this.down.end(leave, () => done())
  }

  override _destroy(error: Error | null, done: Done): void {
    this.up.stop()
    this.down.stop()
    this.#pacer.stop()
    this.silence.stop()
    if (this.raw.closed) return done(error)
    if (this.#swallow() && !this.raw.readableEnded) {
      this.#listening.abandoned()
      return done(error)
    }
    this.raw.once('close', () => done(error))
    this.raw.destroy()
  }

  /** Ends what is being written, then goes. */
  destroySoon(): void {
    if (this.writable) this.end()
    if (this.writableFinished) this.destroy()
    else this.once('finish', () => this.destroy())
  }

  /** Gone at once, with a reset. */
  resetAndDestroy(): this {
    if (!this.#swallow()) this.raw.resetAndDestroy()
    return this.destroy()
  }

  /** All that was written, what waits included. */
  get bytesWritten(): number {
    return this.#accepted + this.writableLength - this.#inHand
  }
}

const lengthOf = (pieces: readonly Buffer[]): number => pieces.reduce((sum, { length }) => sum + length, 0)
