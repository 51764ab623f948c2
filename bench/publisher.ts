/** The publisher: sends at the times it was told to, however late the answers are (an open loop), in a process of its own. */
import { now, until } from './clock.ts'
import { Connection, type Head, headerOf, newTally, type Owner, since, type Tally } from './connection.ts'
import { dialects, type PeerName } from './dialects/index.ts'
import { answer } from './processes.ts'
import { type Busy, idle as idleSelf, watchSelf } from './self.ts'
import { stamp } from './stamp.ts'
import { Trips } from './trips.ts'
import { upgradeLines } from './headers.ts'

export interface Publication {
  readonly url: string
  readonly peer?: PeerName
  /** The start of the round, in ms of the clock. */
  readonly start: number
  /** For each room the times to send at, in ms since the start, rising. A message's number is its place here. */
  readonly schedules: Readonly<Record<string, Float64Array>>
  /** Bytes of a message's text. */
  readonly payload: number
  /** POST, or frames up one WebSocket (Fourwires alone). */
  readonly by?: 'post' | 'websocket'
}

export interface Published {
  readonly accepted: number
  readonly failures: readonly string[]
  /** Since the first connect, and since the first message was due. */
  readonly total: Tally
  readonly window: Tally
  /** From sending to the answer; and from when it was meant to be sent to the answer. Encoded. */
  readonly answers: string
  readonly intendedAnswers: string
  readonly busy: Busy
}

/** Connections at the most: more would be an attack, not a publisher. */
const connectionsAtMost = 64

interface Sending {
  readonly intended: number
  readonly sent: number
}

class Publisher implements Owner {
  readonly tally = newTally()
  readonly #to: URL
  readonly #peer: PeerName
  readonly #idle: Connection[] = []
  readonly #all = new Set<Connection>()
  readonly #queue: (() => void)[] = []
  readonly #sending = new Map<Connection, Sending[]>()
  #cookie = ''
  #entered: (() => void) | undefined
  #finished: (() => void) | undefined
  #left = 0
  accepted = 0
  failures: string[] = []
  answers = new Trips()
  intendedAnswers = new Trips()

  constructor(url: string, peer: PeerName) {
    this.#to = new URL(url)
    this.#peer = peer
  }

  get dialect() {
    return dialects[this.#peer]
  }
  get cookie(): string {
    return this.#cookie
  }

  /** Becomes a member, where the server wants one. */
  async enter(): Promise<void> {
    const { enter } = this.dialect
    if (enter === undefined || this.#cookie !== '') return
    const entered = new Promise<void>((resolve) => (this.#entered = resolve))
    this.#post(enter, 0)
    await entered
  }

  async run({ start, schedules, payload, by = 'post' }: Publication): Promise<Published> {
    const due = Object.entries(schedules).flatMap(([room, times]) => Array.from(times, (time, number) => ({ room, time, number })))
    due.sort((a, b) => a.time - b.time)
    this.accepted = 0
    this.failures = []
    this.answers = new Trips()
    this.intendedAnswers = new Trips()
    this.#left = due.length
    const finished = new Promise<void>((resolve) => (this.#finished = resolve))
    const rooms = by === 'websocket' ? this.#openRooms(Object.keys(schedules)) : undefined
    const before = { ...this.tally }
    const watched = watchSelf()
    for (const { room, time, number } of due) {
      if (start + time > now()) await until(start + time)
      const id = number.toString(36).padStart(8, '0')
      const text = stamp(number, time, payload)
      const socket = rooms?.get(room)
      if (socket === undefined) this.#post(this.dialect.publish(room, id, text), start + time)
      else {
        this.#sent(socket, start + time)
        // What is due at once goes out in one piece.
        socket.socket.cork()
        socket.frame(1, Buffer.from(JSON.stringify({ type: 'publish', id, text })))
        process.nextTick(() => socket.socket.uncork())
      }
    }
    const busy = due.length === 0 ? idleSelf : watched()
    if (due.length > 0) await Promise.race([finished, until(now() + 10_000)])
    const { accepted, failures, tally, answers, intendedAnswers } = this
    return {
      accepted,
      failures,
      total: { ...tally },
      window: since(before, tally),
      answers: answers.encode(),
      intendedAnswers: intendedAnswers.encode(),
      busy,
    }
  }

  close(): void {
    for (const connection of this.#all) connection.destroy()
  }

  hear(body: Buffer, head: Head, connection: Connection): boolean {
    const cookie = headerOf(head, 'set-cookie')?.split(';')[0]
    if (cookie !== undefined) this.#cookie = cookie
    const isFrame = head.status === 101
    // Of what comes down a socket only answers to publishes are ours; batches are for readers.
    if (isFrame && !/"type":"(ack|problem)"/.test(body.toString('latin1', 0, 64))) return true
    const entering = this.#entered
    this.#entered = undefined
    if (entering !== undefined) entering()
    else this.#answeredOne(connection, head.status < 300 && !body.includes('"type":"problem"'), body)
    return false
  }

  answered(connection: Connection): void {
    const next = this.#queue.shift()
    this.#idle.push(connection)
    next?.()
  }

  lost(connection: Connection, error?: Error): void {
    this.#all.delete(connection)
    const idle = this.#idle.indexOf(connection)
    if (idle !== -1) this.#idle.splice(idle, 1)
    for (const _ of this.#sending.get(connection) ?? [])
      this.#answeredOne(connection, false, Buffer.from(error?.message ?? 'the connection was closed'))
  }

  #answeredOne(connection: Connection, accepted: boolean, body: Buffer): void {
    const sending = this.#sending.get(connection)?.shift()
    if (sending === undefined) return
    const at = now()
    if (accepted) {
      this.accepted++
      this.answers.record(at - sending.sent)
      this.intendedAnswers.record(at - sending.intended)
    } else this.failures.push(body.toString().slice(0, 200))
    if (--this.#left === 0) this.#finished?.()
  }

  #sent(connection: Connection, intended: number): void {
    const sending = this.#sending.get(connection) ?? []
    this.#sending.set(connection, sending)
    sending.push({ intended, sent: now() })
  }

  #post(request: { readonly path: string; readonly headers?: readonly string[]; readonly body: string }, intended: number): void {
    const connection = this.#idle.pop() ?? (this.#all.size < connectionsAtMost ? this.#connect() : undefined)
    if (connection === undefined) {
      this.#queue.push(() => this.#post(request, intended))
      return
    }
    const { path, headers = [], body } = request
    const cookie = this.#cookie === '' ? [] : [`Cookie: ${this.#cookie}`]
    if (intended > 0) this.#sent(connection, intended)
    connection.ask(this.#head('POST', path, [...headers, ...cookie, `Content-Length: ${Buffer.byteLength(body)}`]), body)
  }

  #head(method: string, path: string, lines: readonly string[]): string {
    const prefix = this.#to.pathname === '/' ? '' : this.#to.pathname
    return [`${method} ${prefix}${path} HTTP/1.1`, `Host: ${this.#to.host}`, ...lines, ''].join('\r\n')
  }

  /** One socket for each room, read by nobody else. */
  #openRooms(rooms: readonly string[]): Map<string, Connection> {
    return new Map(
      rooms.map((room) => {
        const connection = this.#connect()
        connection.ask(this.#head('GET', `/rooms/${room}/websocket`, [...upgradeLines, `Cookie: ${this.#cookie}`]))
        return [room, connection]
      }),
    )
  }

  #connect(): Connection {
    const connection = new Connection(this.#to, this)
    this.#all.add(connection)
    return connection
  }
}

let publisher: Publisher | undefined

const methods = {
  /** Becomes a member; returns its cookie, for subscribers that are to carry one. */
  async enter(url: string, peer: PeerName): Promise<string> {
    publisher = new Publisher(url, peer)
    await publisher.enter()
    return publisher.cookie
  },
  async run(publication: Publication): Promise<Published> {
    publisher ??= new Publisher(publication.url, publication.peer ?? 'fourwires')
    return publisher.run(publication)
  },
  /** All its bytes by now. */
  tally: (): Tally => ({ ...(publisher?.tally ?? newTally()) }),
  close(): void {
    publisher?.close()
    publisher = undefined
  },
}
export type PublisherMethods = typeof methods

answer(methods)
