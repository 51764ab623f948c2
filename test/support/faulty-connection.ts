/** One connection through the faulty proxy: two streams of bytes, and what befalls them. */
import { connect, type Socket } from 'node:net'
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises'
import { type Direction, type Exchange, type Fault, parseExchange } from './fault.ts'

/** What a connection asks of its proxy. */
export interface Way {
  /** Where the server is now. */
  readonly to: number
  /** Cut where nothing passed either way for so long, in ms; 0 is never. */
  readonly idleMs: number
  readonly begin: (exchange: Exchange) => Fault | undefined
  readonly number: () => number
  /** A fault has come into effect. */
  readonly injected: (exchange: Exchange | undefined) => void
}

type Breaking = Fault & { readonly kind: 'cut' | 'stall' | 'half-close' }

/** Single bytes that go out in one turn of the event loop: many cells share it. */
const bytesPerTurn = 3

/** The end of a head: what comes after it is the body, or another protocol. */
const blankLine = '\r\n\r\n'

export class FaultyConnection {
  readonly closed: Promise<void>
  readonly #way: Way
  readonly #client: Socket
  readonly #server: Socket
  #exchange: Exchange | undefined
  #fault: Fault | undefined
  /** The fault of this exchange came into effect: it is counted once. */
  #told = false
  /** It has passed, and the exchange goes on without it. */
  #over = false
  /** Frozen: nothing passes on this connection any more. */
  #frozen = false
  /** What of the request is a copy for another connection. */
  #copy: Buffer[] = []
  #held: Buffer[] = []
  #idle: NodeJS.Timeout | undefined

  constructor(client: Socket, way: Way) {
    this.#way = way
    this.#client = client
    this.#server = connect({ port: way.to, host: '127.0.0.1', allowHalfOpen: true, noDelay: true })
    for (const socket of [client, this.#server]) socket.on('error', () => this.cut('end'))
    this.closed = new Promise((resolve) => void client.once('close', () => resolve()))
    client.once('close', () => {
      clearTimeout(this.#idle)
      this.#server.destroy()
    })
    this.#server.once('close', (failed) => failed && this.cut('end'))
    this.#stir()
    void this.#up().catch(() => this.cut('end'))
    void this.#down().catch(() => this.cut('end'))
  }

  /** Both ways, at once: with a FIN, or with an RST. */
  cut(how: 'end' | 'reset'): void {
    for (const socket of [this.#client, this.#server]) {
      if (how === 'reset') socket.resetAndDestroy()
      else socket.destroy()
    }
  }

  /** No byte passes any more, either way, and nobody is told. */
  freeze(): void {
    this.#frozen = true
    clearTimeout(this.#idle)
  }

  async #up(): Promise<void> {
    let head = Buffer.alloc(0)
    let bodyLeft = 0
    for await (const chunk of this.#client.iterator({ destroyOnReturn: false })) {
      let rest = chunk as Buffer
      while (rest.length > 0) {
        if (bodyLeft === 0) {
          head = Buffer.concat([head, rest])
          const end = head.indexOf(blankLine)
          if (end === -1) break
          rest = head.subarray(end + blankLine.length)
          const parsed = parseExchange(head.subarray(0, end + blankLine.length).toString('latin1'), this.#way.number())
          bodyLeft = parsed.exchange.upgrade ? Infinity : parsed.bodyBytes
          this.#begin(parsed.exchange)
          await this.#request(head.subarray(0, end + blankLine.length), bodyLeft === 0)
          head = Buffer.alloc(0)
        } else {
          const body = rest.subarray(0, Math.min(bodyLeft, rest.length))
          rest = rest.subarray(body.length)
          bodyLeft -= body.length
          await this.#request(body, bodyLeft === 0)
        }
      }
    }
    this.#server.end()
  }

  async #down(): Promise<void> {
    for await (const chunk of this.#server.iterator({ destroyOnReturn: false })) await this.#pass('down', chunk as Buffer)
    for (const bytes of this.#held.splice(0)) await this.#write('down', bytes)
    this.#client.end()
  }

  #begin(exchange: Exchange): void {
    this.#exchange = exchange
    this.#copy = []
    this.#told = this.#over = false
    this.#fault = this.#way.begin(exchange)
  }

  /** A piece of the request; with its last one it is whole. */
  async #request(bytes: Buffer, whole: boolean): Promise<void> {
    const fault = this.#fault
    if (fault?.kind === 'page') {
      if (!whole && !this.#exchange?.upgrade) return
      this.#inject()
      this.#client.end(fault.bytes)
      return
    }
    if (fault?.kind === 'duplicate') this.#copy.push(bytes)
    await this.#pass('up', bytes)
    if (fault?.kind !== 'duplicate' || !whole) return
    this.#inject()
    const again = connect({ port: this.#way.to, host: '127.0.0.1' }, () => again.write(Buffer.concat(this.#copy)))
    again.on('error', () => {})
    again.resume()
    void this.closed.then(() => again.destroy())
  }

  async #pass(side: Direction, bytes: Buffer): Promise<void> {
    if (this.#frozen) return this.closed
    const fault = this.#fault
    const before = this.#exchange?.passed[side] ?? 0
    switch (fault?.kind) {
      case 'cut':
      case 'stall':
      case 'half-close':
        if (fault.side === side && before + bytes.length >= fault.at && !this.#over) return this.#break(fault, bytes, fault.at - before)
        break
      case 'cut-before':
        if (side === 'down' && bytes.includes(fault.text)) return this.#swallow(fault.how)
        break
      case 'delay':
        if (fault.side === side) {
          this.#inject()
          await sleep(fault.ms())
        }
        break
      case 'drop-reply':
        if (side === 'down') return this.#swallow(fault.how)
        break
      case 'black-hole':
        this.#inject()
        return fault.reads ? undefined : this.closed
      case 'hold':
        if (side === 'down') {
          this.#inject()
          await fault.until
        }
        break
      case 'buffer':
        if (side === 'down') return this.#holdBack(bytes)
        break
      case 'split':
        if (fault.side === undefined || fault.side === side) return this.#split(side, bytes)
        break
    }
    await this.#write(side, bytes)
  }

  /** The last bytes that pass, and then what is to happen after them. */
  async #break(fault: Breaking, bytes: Buffer, pass: number): Promise<void> {
    await this.#write(fault.side, bytes.subarray(0, pass))
    this.#inject()
    if (fault.kind === 'cut') this.cut(fault.how)
    if (fault.kind === 'half-close') (fault.side === 'down' ? this.#client : this.#server).end()
    if (fault.kind !== 'stall' || fault.ms === undefined) return this.closed
    this.#over = true
    await sleep(fault.ms)
    await this.#write(fault.side, bytes.subarray(pass))
  }

  #swallow(how: 'end' | 'reset' | 'silence'): void {
    this.#inject()
    if (how !== 'silence') this.cut(how)
  }

  async #holdBack(bytes: Buffer): Promise<void> {
    this.#inject()
    const end = this.#exchange?.upgrade && this.#exchange.passed.down === 0 ? bytes.indexOf(blankLine) + blankLine.length : 0
    if (end > 0) await this.#write('down', bytes.subarray(0, end))
    this.#held.push(bytes.subarray(end))
  }

  async #split(side: Direction, bytes: Buffer): Promise<void> {
    this.#inject()
    for (const index of bytes.keys()) {
      await this.#write(side, bytes.subarray(index, index + 1))
      if (index % bytesPerTurn === 0) await nextTurn()
    }
  }

  /** Resolves when the network has taken it. */
  async #write(side: Direction, bytes: Buffer): Promise<void> {
    const to = side === 'up' ? this.#server : this.#client
    if (bytes.length === 0 || !to.writable) return
    await new Promise<void>((resolve) => void to.write(bytes, () => resolve()))
    if (this.#exchange !== undefined) this.#exchange.passed[side] += bytes.length
    this.#stir()
  }

  #inject(): void {
    if (this.#told) return
    this.#told = true
    this.#way.injected(this.#exchange)
  }

  /** Something passed: it is not idle. */
  #stir(): void {
    clearTimeout(this.#idle)
    if (this.#way.idleMs === 0 || this.#client.destroyed) return
    this.#idle = setTimeout(() => {
      this.#way.injected(this.#exchange)
      this.cut('end')
    }, this.#way.idleMs)
  }
}
