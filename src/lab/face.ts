/** What Node, Fastify, `ws` and this server ask of a connection that is in front of another: the real one answers. */
import type { AddressInfo, Socket } from 'node:net'
import { Duplex } from 'node:stream'
import { Silence } from './silence.ts'

export abstract class Face extends Duplex {
  protected readonly raw: Socket
  protected readonly silence: Silence

  constructor(raw: Socket) {
    super({ allowHalfOpen: raw.allowHalfOpen, emitClose: true })
    this.raw = raw
    this.silence = new Silence(raw, () => this.emit('timeout'))
  }

  get timeout(): number | undefined {
    return this.silence.ms
  }
  setTimeout(ms: number, heard?: () => void): this {
    this.silence.set(ms)
    if (heard === undefined) return this
    if (ms === 0) this.removeListener('timeout', heard)
    else this.once('timeout', heard)
    return this
  }

  get bytesRead(): number {
    return this.raw.bytesRead
  }
  setNoDelay(on?: boolean): this {
    this.raw.setNoDelay(on)
    return this
  }
  setKeepAlive(on?: boolean, initialDelayMs?: number): this {
    this.raw.setKeepAlive(on, initialDelayMs)
    return this
  }
  ref(): this {
    this.raw.ref()
    return this
  }
  unref(): this {
    this.raw.unref()
    return this
  }
  address(): AddressInfo | Record<string, never> {
    return this.raw.address()
  }
  get remoteAddress(): string | undefined {
    return this.raw.remoteAddress
  }
  get remotePort(): number | undefined {
    return this.raw.remotePort
  }
  get remoteFamily(): string | undefined {
    return this.raw.remoteFamily
  }
  get localAddress(): string | undefined {
    return this.raw.localAddress
  }
  get localPort(): number | undefined {
    return this.raw.localPort
  }
  get localFamily(): string | undefined {
    return this.raw.localFamily
  }
  get connecting(): boolean {
    return this.raw.connecting
  }
  get pending(): boolean {
    return this.raw.pending
  }
  get readyState(): string {
    return this.raw.readyState
  }
}
