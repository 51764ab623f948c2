/** Many readers on bare sockets, in a process of their own, which may be stopped or killed with all of them. */
import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { now } from '../../../bench/clock.ts'
import { answer } from '../../../bench/processes.ts'
import type { TransportName } from '../../../src/protocol/message.ts'

export interface CrowdSetup {
  readonly port: number
  readonly wire: TransportName
  readonly readers: number
  /** Reader n is in the room n % rooms. */
  readonly rooms: number
  readonly prefix?: string
  /** Each is a member. */
  readonly members?: boolean
  /** Where the server is, where that is not on 127.0.0.1. */
  readonly host?: string
  /** The rest of the query. */
  readonly query?: string
}

/** Source addresses: one has 28,000 ports. */
const sources = 8
/** So many join at a time. */
const joining = 200
const joinMs = 60_000
/** Empty, masked by nothing. */
const pong = Buffer.from([0x8a, 0x80, 0, 0, 0, 0])
const answerEnd = /"cursor":"([^"]+)"/

class Reader {
  joined = false
  closedAt: number | undefined
  /** When it was told to come back later. */
  sentAwayAt: number | undefined
  /** How late each stamped message came, in ms. */
  readonly late: number[] = []
  readonly socket: Socket
  readonly #setup: CrowdSetup
  readonly #room: string
  readonly #cookie: string
  #answer = ''

  constructor(setup: CrowdSetup, index: number, cookie: string) {
    this.#setup = setup
    this.#cookie = cookie
    this.#room = `${setup.prefix ?? 'room'}${index % setup.rooms}`
    const { port, host } = setup
    this.socket = connect(
      host === undefined ? { port, host: '127.0.0.1', localAddress: `127.0.0.${2 + (index % sources)}` } : { port, host },
    )
    this.socket.setNoDelay(true)
    this.socket.on('error', () => {}).on('close', () => (this.closedAt ??= now()))
    this.socket.on('data', (data: Buffer) => {
      // No text ends so: it is a ping.
      if (data.at(-2) === 0x89 && data.at(-1) === 0) this.socket.write(pong)
      this.#read(data.toString('latin1'))
    })
    this.#ask()
  }

  #ask(since = ''): void {
    const { wire, port, host = '127.0.0.1', query = '' } = this.#setup
    const parameters = [since && `since=${since}`, query].filter(Boolean).join('&')
    const upgrade =
      wire === 'websocket'
        ? 'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n'
        : ''
    const cookie = this.#cookie === '' ? '' : `Cookie: ${this.#cookie}\r\n`
    this.socket.write(`GET /rooms/${this.#room}/${wire}?${parameters} HTTP/1.1\r\nHost: ${host}:${port}\r\n${cookie}${upgrade}\r\n`)
  }

  #read(text: string): void {
    const at = now()
    // Our own messages are short: none but the longest flood is split, and there nobody looks at stamps.
    for (const [, stamp] of text.matchAll(/"t=([\d.]+)"/g)) this.late.push(at - Number(stamp))
    if (text.includes('"retryMs"')) this.sentAwayAt ??= at
    const { wire } = this.#setup
    if (this.joined && wire !== 'long-poll') return
    this.#answer += text
    const cursor = answerEnd.exec(this.#answer)?.[1]
    if (cursor === undefined || (wire === 'long-poll' && !this.#answer.endsWith('}'))) return
    this.joined = true
    this.#answer = ''
    if (wire === 'long-poll') this.#ask(cursor)
  }
}

const readers: Reader[] = []
const dripping = new Set<Socket>()
const cutAt: number[] = []

function drip(port: number, index: number): void {
  const socket = connect({ port, host: '127.0.0.1', localAddress: `127.0.0.${2 + (index % sources)}` }).on('error', () => {})
  const since = now()
  const timer = setInterval(() => socket.write('X-More: 1\r\n'), 1_000)
  dripping.add(socket)
  socket.write(`GET /rooms/slow/poll HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n`)
  socket
    .on('data', () => {})
    .on('close', () => {
      clearInterval(timer)
      dripping.delete(socket)
      cutAt.push(now() - since)
      drip(port, index)
    })
}

async function session({ port, host = '127.0.0.1' }: CrowdSetup): Promise<string> {
  const response = await fetch(`http://${host}:${port}/session`, { method: 'POST' })
  await response.text()
  return response.headers.getSetCookie()[0]?.split(';')[0] ?? ''
}

const methods = {
  /** Joins all, beside those who are here; resolves once each has had its first batch, with how many. */
  async join(setup: CrowdSetup): Promise<number> {
    const patience = now() + joinMs
    const mine: Reader[] = []
    const waiting = (): number => mine.filter(({ joined, closedAt }) => !joined && closedAt === undefined).length
    for (let index = 0; index < setup.readers;) {
      const next = Math.min(joining - waiting(), setup.readers - index)
      const cookies = await Promise.all(Array.from({ length: next }, async () => (setup.members === true ? session(setup) : '')))
      for (const cookie of cookies) {
        const reader = new Reader(setup, index++, cookie)
        mine.push(reader)
        readers.push(reader)
      }
      if (now() > patience) throw new Error(`${setup.readers - index} of ${setup.readers} readers were not let in`)
      await sleep(5)
    }
    while (waiting() > 0 && now() < patience) await sleep(5)
    return mine.filter(({ joined }) => joined).length
  },
  /** Comes, has a first batch and is gone at once, so many times: `setup.readers` is how often. */
  async churn(setup: CrowdSetup, atOnce: number): Promise<number> {
    let cycle = 0
    let failed = 0
    const come = async (): Promise<void> => {
      while (cycle < setup.readers) {
        const reader = new Reader(setup, cycle++, '')
        for (const patience = now() + 10_000; !reader.joined && reader.closedAt === undefined && now() < patience;) await sleep(1)
        if (!reader.joined) failed++
        if (cycle % 2 === 0) reader.socket.resetAndDestroy()
        else reader.socket.destroy()
      }
    }
    await Promise.all(Array.from({ length: atOnce }, come))
    return failed
  },
  /** From now on nobody reads. */
  stall(): void {
    for (const { socket } of readers) socket.pause()
  },
  /** Sockets that say a little of a request's head every second, and never its end; who is cut is followed by another. */
  async drip(port: number, count: number): Promise<void> {
    for (let index = 0; index < count; index++) {
      drip(port, index)
      // 250 a second, as the tools of this attack do: all at once would be another one.
      if (index % 10 === 9) await sleep(40)
    }
  },
  /** Those that are open now; and how old each was that the server has cut, in ms. */
  dripping: (): { open: number; cutAt: number[] } => ({ open: dripping.size, cutAt }),
  /** How late stamped messages came, in ms; each is told once. */
  late: (): number[] => readers.flatMap((reader) => reader.late.splice(0)),
  /** When each was told to come back later, of this machine's clock. */
  sentAway: (): number[] => readers.flatMap(({ sentAwayAt }) => sentAwayAt ?? []),
  leave(): void {
    for (const { socket } of readers.splice(0)) socket.destroy()
    for (const socket of dripping) socket.removeAllListeners('close').destroy()
    dripping.clear()
  },
}
export type Crowd = typeof methods

answer(methods)
