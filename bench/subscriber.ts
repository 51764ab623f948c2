/** Subscribers: each follows one room over one wire, on sockets of its own, and counts what comes. */
import type { TransportName } from '../src/protocol/message.ts'
import { now } from './clock.ts'
import { Connection, type Head, newTally, type Owner, type Tally } from './connection.ts'
import type { Dialect, Heard } from './dialects/dialect.ts'
import { dialects, type PeerName } from './dialects/index.ts'
import { type HeaderSet, headerLines, upgradeLines } from './headers.ts'
import { readStamp, type Stamp } from './stamp.ts'
import { Trips } from './trips.ts'

/** A number of like subscribers of one room. */
export interface GroupSetup {
  readonly lane: string
  readonly wire: TransportName
  readonly room: string
  readonly clients: number
  /** Where the server is, or a relay before it; a path is put before every path. */
  readonly url: string
  readonly peer?: PeerName
  /** How many messages the room will get: their numbers are 0 to one less. */
  readonly messages: number
  readonly headers?: HeaderSet
  /** The whole value of the header Cookie. */
  readonly cookie?: string
  /** Poll: the interval at which it asks, in ms; each subscriber at a phase of its own. */
  readonly pollMs?: number
  /** Poll: does it ask although the last answer has not come? Then on another connection. */
  readonly overlap?: boolean
  /** Poll without a cursor, for the newest message alone. */
  readonly latest?: boolean
  /** Long poll: how long the server may hold the question, in s, and how long the client waits before it asks again, in ms. */
  readonly holdSeconds?: number
  readonly pauseMs?: number
  /** False: a connection for each request. */
  readonly keepAlive?: boolean
  /** False: it has joined once it is connected, for what stands between may hold the first answer back. */
  readonly greeted?: boolean
  /** False: reads no more once it has joined. */
  readonly reads?: boolean
  /** After a cut it comes back within so many ms, drawn uniformly (full jitter); without it a cut is a failure. */
  readonly comeBackMs?: number
}

/** When what is measured, in ms of the clock and since its start. */
export interface Window {
  readonly start: number
  readonly fromMs: number
  readonly toMs: number
}

const noStamps: readonly Stamp[] = []

/** What like subscribers share. */
export class Group {
  readonly setup: GroupSetup
  readonly tally = newTally()
  readonly trips = new Trips()
  readonly returns = new Trips()
  readonly to: URL
  readonly dialect: Dialect
  /** Set once everybody has joined. */
  window: Window = { start: 0, fromMs: Infinity, toMs: Infinity }
  readonly #base: string
  #heardPayload: Buffer = Buffer.alloc(0)
  #heard: Heard & { readonly stamps: readonly Stamp[] } = { texts: [], stamps: noStamps }
  ready = 0
  #phases = 0
  failures: string[] = []

  constructor(setup: GroupSetup) {
    this.setup = setup
    this.to = new URL(setup.url)
    this.dialect = dialects[setup.peer ?? 'fourwires']
    const sent = headerLines(setup.headers ?? 'minimal', setup.wire, this.to.host)
    const lines = [`Host: ${this.to.host}`, ...sent.filter((line) => setup.keepAlive !== false || !/^connection:/i.test(line))]
    if (setup.cookie !== undefined) lines.push(`Cookie: ${setup.cookie}`)
    if (setup.keepAlive === false) lines.push('Connection: close')
    if (setup.wire === 'websocket' && !lines.some((line) => line.startsWith('Upgrade'))) lines.push(...upgradeLines)
    this.#base = lines.map((line) => `${line}\r\n`).join('')
  }

  /** From when on its readers miss nothing. */
  get joins(): ReturnType<Dialect['joins']> {
    return this.setup.greeted === false ? 'connected' : this.dialect.joins(this.setup.wire)
  }

  /** The head of a question, without its blank line. */
  head(method: 'GET' | 'POST', path: string, headers: readonly string[] = []): string {
    const prefix = this.to.pathname === '/' ? '' : this.to.pathname
    return `${method} ${prefix}${path} HTTP/1.1\r\n${this.#base}${headers.map((line) => `${line}\r\n`).join('')}`
  }

  /** Where in its interval the next poller begins, a share: drawn, and one in each of as many equal parts as there are pollers. */
  nextPhase(): number {
    return ((this.#phases++ % this.setup.clients) + Math.random()) / this.setup.clients
  }

  /** What a payload says. Most are the same for every subscriber, and are read once. */
  read(payload: Buffer, head: Head): Heard & { readonly stamps: readonly Stamp[] } {
    if (payload.equals(this.#heardPayload) && payload.length > 0) return this.#heard
    const heard = this.dialect.read(payload, head)
    this.#heardPayload = Buffer.from(payload)
    return (this.#heard = { ...heard, stamps: heard.texts.length === 0 ? noStamps : heard.texts.map(readStamp) })
  }
}

/** A subscriber's trips, for what differs from one to the next: sums of ms and of their squares. */
export interface Sums {
  count: number
  sum: number
  squares: number
}

export class Subscriber implements Owner {
  readonly tally: Tally
  readonly sums: Sums = { count: 0, sum: 0, squares: 0 }
  /** How often each message has come. */
  readonly seen: Uint8Array
  /** The connections that are free, and those in use. */
  readonly #idle: Connection[] = []
  readonly #busy = new Set<Connection>()
  readonly #group: Group
  #cursor: string | undefined
  #joined = false
  #resting = false
  #timer: NodeJS.Timeout | undefined
  #due = 0
  #overdue = false
  #reply: string | undefined
  #lostAt: number | undefined
  #more = false

  constructor(group: Group) {
    this.#group = group
    this.tally = group.tally
    this.seen = new Uint8Array(group.setup.messages)
  }

  /** Joins, and follows from then on. */
  start(): void {
    this.#ask()
    if (this.#group.joins === 'connected')
      this.#busy.forEach((connection) => connection.socket.once('connect', () => this.#join(connection)))
    const { wire, pollMs = 1000 } = this.#group.setup
    if (wire !== 'poll') return
    this.#due = now() + this.#group.nextPhase() * pollMs
    this.#wait(() => this.#poll())
  }

  /** Asks no more. What was asked may still be answered. */
  rest(): void {
    this.#resting = true
    clearTimeout(this.#timer)
  }

  /** Its side of every connection that it has now. */
  get ports(): number[] {
    return [...this.#idle, ...this.#busy].flatMap(({ socket }) => socket.localPort ?? [])
  }

  stop(): void {
    this.rest()
    for (const connection of [...this.#idle, ...this.#busy]) connection.destroy()
  }

  opened({ status }: Head, connection: Connection): void {
    if (!this.#joined && status < 300 && this.#group.joins === 'head') this.#join(connection)
  }

  hear(payload: Buffer, head: Head, connection: Connection): boolean {
    if (head.status >= 400) {
      this.#group.failures.push(`${this.#group.setup.lane} was answered ${head.status}: ${payload.toString().slice(0, 200)}`)
      return false
    }
    const { stamps, cursor, reply, more, joined } = this.#group.read(payload, head)
    if (cursor !== undefined) this.#cursor = cursor
    this.#more = more === true
    if (!this.#joined && joined !== false) this.#join(connection)
    if (this.#lostAt !== undefined) this.#group.returns.record(now() - this.#lostAt)
    this.#lostAt = undefined
    if (reply !== undefined) this.#answer(reply, connection)
    if (stamps.length > 0) this.#receive(stamps)
    return stamps.length > 0
  }

  answered(connection: Connection): void {
    this.#busy.delete(connection)
    if (this.#group.setup.keepAlive !== false) this.#idle.push(connection)
    if (this.#resting) return
    const { wire, pauseMs = 0 } = this.#group.setup
    if (this.#reply !== undefined) {
      const body = this.#reply
      this.#reply = undefined
      const path = this.#group.dialect.replyTo?.(this.#cursor ?? '') ?? ''
      this.#send('POST', path, ['Content-Type: text/plain;charset=UTF-8'], body)
    } else if (wire === 'long-poll') {
      if (pauseMs === 0) this.#ask()
      else this.#timer = setTimeout(() => this.#ask(), pauseMs)
    } else if (this.#more || this.#overdue) {
      this.#overdue = false
      this.#ask()
    }
  }

  lost(connection: Connection, error?: Error): void {
    const idle = this.#idle.indexOf(connection)
    if (idle !== -1) this.#idle.splice(idle, 1)
    const asked = this.#busy.delete(connection)
    const { lane, wire, comeBackMs, keepAlive } = this.#group.setup
    if (this.#resting || (keepAlive === false && !asked)) return
    if (comeBackMs === undefined) this.#group.failures.push(`${lane} lost its connection${error ? `: ${error.message}` : ''}`)
    if (comeBackMs === undefined) return
    this.#lostAt ??= now()
    // Who had asked nothing asks when its time comes; who has asked again meanwhile does not ask twice.
    const asksAnyway = !asked && (wire === 'poll' || wire === 'long-poll')
    if (!asksAnyway) setTimeout(() => this.#resting || this.#busy.size > 0 || this.#ask(), Math.random() * comeBackMs)
  }

  #join(connection: Connection): void {
    this.#joined = true
    this.#group.ready++
    if (this.#group.setup.reads === false) connection.socket.pause()
  }

  #ask(): void {
    const { wire, room, holdSeconds = 25, latest = false } = this.#group.setup
    const { path, headers } = this.#group.dialect.subscribe(wire, { room, cursor: this.#cursor, holdSeconds, latest })
    this.#send('GET', path, headers)
  }

  #send(method: 'GET' | 'POST', path: string, headers: readonly string[] = [], body = ''): void {
    const connection = this.#idle.pop() ?? new Connection(this.#group.to, this)
    this.#busy.add(connection)
    const length = method === 'POST' ? [`Content-Length: ${Buffer.byteLength(body)}`] : []
    connection.ask(this.#group.head(method, path, [...headers, ...length]), body)
  }

  /** Says what the protocol wants: on a socket at once, otherwise with the next request. */
  #answer(reply: string, connection: Connection): void {
    if (this.#group.setup.wire === 'websocket') connection.frame(1, Buffer.from(reply))
    else this.#reply = reply
  }

  /** At a fixed rate: a late answer delays no later question. */
  #poll(): void {
    const { pollMs = 1000, overlap = false } = this.#group.setup
    if (overlap || this.#busy.size === 0) this.#ask()
    else this.#overdue = true
    this.#due += pollMs
    this.#wait(() => this.#poll())
  }

  #wait(then: () => void): void {
    this.#timer = setTimeout(then, Math.max(0, this.#due - now()))
  }

  #receive(stamps: readonly Stamp[]): void {
    const at = now()
    const { trips, window } = this.#group
    for (const { number, intendedMs } of stamps) {
      const times = (this.seen[number] ?? 0) + 1
      this.seen[number] = Math.min(times, 255)
      if (times > 1) {
        this.tally.repeated++
        continue
      }
      this.tally.delivered++
      if (intendedMs < window.fromMs || intendedMs >= window.toMs) continue
      const trip = at - window.start - intendedMs
      trips.record(trip)
      this.sums.count++
      this.sums.sum += trip
      this.sums.squares += trip * trip
    }
  }
}
