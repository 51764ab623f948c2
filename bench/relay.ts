/** A relay before the server, in a process of its own: it makes a distance, and does what intermediaries do. Rates and bytes stay. */
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { now } from './clock.ts'
import { answer } from './processes.ts'
import { type Busy, idle, watchSelf } from './self.ts'

export interface RelaySetup {
  readonly target: string
  /** A round trip in ms: half of it each way, for every byte. */
  readonly rttMs?: number
  /** A new connection costs a further round trip before its first byte goes up, as TCP's handshake does. */
  readonly handshake?: boolean
  /** Cuts a connection over which nothing went for so long, in ms: an impatient proxy. */
  readonly idleMs?: number
  /** Holds an answer back until it is whole (RFC 6202, 3.2); what follows a 101 passes. */
  readonly buffers?: boolean
  /** With this probability a piece on its way down is held up for so long, as if its first packet was lost. */
  readonly loss?: { readonly probability: number; readonly ms: number }
}

export interface RelayCount {
  readonly connections: number
  /** Connections that it has cut. */
  readonly cut: number
  /** Since it was opened. */
  readonly busy: Busy
}

let relayed = { connections: 0, cut: 0 }
let watched = (): Busy => idle
const sockets = new Set<Socket>()

/** Passes pieces on in their order, each `delay()` after it came and never before the one ahead of it. */
function pass(from: Socket, to: Socket, delay: () => number): void {
  const queue: { readonly due: number; readonly bytes: Buffer }[] = []
  let last = 0
  let timer: NodeJS.Timeout | undefined
  const flush = (): void => {
    clearTimeout(timer)
    timer = undefined
    while (queue.length > 0 && (queue[0]?.due ?? 0) <= now() + 0.5) to.write(queue.shift()?.bytes ?? '')
    if (queue.length > 0) timer = setTimeout(flush, Math.max(0, (queue[0]?.due ?? 0) - now()))
  }
  from.on('data', (bytes) => {
    const ms = delay()
    if (ms === 0 && queue.length === 0) {
      to.write(bytes)
      return
    }
    last = Math.max(last, now() + ms)
    queue.push({ due: last, bytes })
    timer ??= setTimeout(flush, ms)
  })
  from.on('close', () => {
    // A timer may come too early: what is not due yet is waited for again, and none of it is left behind.
    const leave = (): void => {
      flush()
      if (queue.length > 0) return void setTimeout(leave, Math.max(1, last - now()))
      to.destroySoon()
    }
    leave()
  })
  from.on('error', () => {})
}

/** Holds an answer back until its last chunk, or the length that its head names, is there. */
function bufferAnswers(from: Socket, to: Socket): void {
  let held = Buffer.alloc(0)
  let open = false
  from.on('data', (bytes: Buffer) => {
    if (open) {
      to.write(bytes)
      return
    }
    held = Buffer.concat([held, bytes])
    const end = held.indexOf('\r\n\r\n') + 4
    if (end < 4) return
    const head = held.toString('latin1', 0, end)
    open = head.startsWith('HTTP/1.1 101')
    const length = /content-length: *(\d+)/i.exec(head)?.[1]
    const whole = length === undefined ? held.subarray(-5).equals(Buffer.from('0\r\n\r\n')) : held.length >= end + Number(length)
    if (!open && !whole) return
    to.write(held)
    held = Buffer.alloc(0)
  })
  // The end makes whole what has neither a length nor chunks (RFC 9112, 6.3).
  from.on('close', () => to.end(held))
  from.on('error', () => {})
}

const methods = {
  async open({ target, rttMs = 0, handshake = false, idleMs, buffers = false, loss }: RelaySetup): Promise<string> {
    relayed = { connections: 0, cut: 0 }
    watched = watchSelf()
    const { hostname, port, pathname } = new URL(target)
    const server = createServer({ noDelay: true }, (near) => {
      relayed.connections++
      const far = connect({ host: hostname, port: Number(port), noDelay: true })
      for (const socket of [near, far]) {
        sockets.add(socket)
        socket.once('close', () => sockets.delete(socket))
      }
      let setUp = handshake ? rttMs : 0
      pass(near, far, () => {
        const ms = rttMs / 2 + setUp
        setUp = 0
        return ms
      })
      if (buffers) bufferAnswers(far, near)
      else pass(far, near, () => rttMs / 2 + (loss !== undefined && Math.random() < loss.probability ? loss.ms : 0))
      if (idleMs !== undefined) cutWhenIdle(near, far, idleMs)
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}${pathname === '/' ? '' : pathname}`
  },
  count: (): RelayCount => ({ ...relayed, busy: watched() }),
  /** Cuts every connection. */
  cut(): void {
    for (const socket of sockets) socket.destroy()
  },
}
export type RelayMethods = typeof methods

function cutWhenIdle(near: Socket, far: Socket, idleMs: number): void {
  const cut = (): void => {
    relayed.cut++
    near.destroy()
    far.destroy()
  }
  let timer = setTimeout(cut, idleMs)
  const seen = (): void => {
    clearTimeout(timer)
    timer = setTimeout(cut, idleMs)
  }
  near.on('data', seen)
  far.on('data', seen)
  near.once('close', () => clearTimeout(timer))
}

answer(methods)
