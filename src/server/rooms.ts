/** The room server behind its routes: what every transport and the publisher share. */
import { randomBytes } from 'node:crypto'
import type { FastifyBaseLogger, FastifyReply, FastifyRequest } from 'fastify'
import type { Server } from 'node:http'
import type { Registry } from 'prom-client'
import { Hub } from '../hub/hub.ts'
import type { Lease } from '../hub/members.ts'
import { Wheel } from '../hub/wheel.ts'
import type { Member, TransportName } from '../protocol/message.ts'
import { Problem } from '../protocol/problem.ts'
import { drawMs } from '../protocol/random.ts'
import { MemoryStore } from '../store/memory.ts'
import { punctual } from '../store/punctual.ts'
import type { Attendance } from '../store/attendance.ts'
import type { RoomStore } from '../store/store.ts'
import { Drain } from './drain.ts'
import type { LiveHall } from './hall.ts'
import { Load } from './load.ts'
import { Metrics } from './metrics.ts'
import { type ServerOptions, withDefaults } from './options.ts'
import { Rate } from './rate.ts'
import { type Authenticate, Sessions } from './session.ts'

/** A host's own say in who may read or publish where. Asked at every request and every publish. */
export type Authorize = (member: Member | undefined, room: string, action: 'read' | 'publish') => boolean | Promise<boolean>

/** What an embedding application may set: every option of the contract, and its own hooks and store. */
export interface RoomServerOptions extends Partial<ServerOptions> {
  /** Where rooms are kept. In this process's memory, if nothing else is said. Closed with the server. */
  readonly store?: RoomStore
  /** What nodes that share a store tell each other of who is here; without it only this process's own are. Closed with the server. */
  readonly attendance?: Attendance
  /** Who somebody is, in place of our session cookie. */
  readonly authenticate?: Authenticate
  readonly authorize?: Authorize
  /** Where the metrics go, in place of a registry of our own. */
  readonly registry?: Registry
}

/** The wires that are held; a poll is not. */
type HeldWire = Exclude<TransportName, 'poll'>

export class Rooms {
  readonly options: ServerOptions
  readonly store: RoomStore
  readonly wheel = new Wheel()
  readonly hub: Hub
  readonly sessions: Sessions
  readonly load: Load
  readonly metrics: Metrics
  readonly drain: Drain
  readonly publishRate: Rate
  readonly stateRate: Rate
  /** Where there is a lab: who may speak now, and who has come. */
  hall: LiveHall | undefined
  readonly #createRate: Rate
  /** Questions under way whether a room is there, by who asks for which. */
  readonly #creating = new Map<string, Promise<number>>()
  readonly #attendance: Attendance | undefined
  readonly #authenticate: Authenticate | undefined
  readonly #authorize: Authorize | undefined

  constructor(options: RoomServerOptions, server: Server, log: FastifyBaseLogger, prefix: string) {
    this.options = withDefaults(options)
    const { storeTimeoutMs, publishesPerSecond, publishBurst, statesPerSecond, stateBurst, roomsPerMinute } = this.options
    const store = options.store ?? new MemoryStore(this.options)
    this.store = punctual(
      store,
      storeTimeoutMs,
      (ms, fire) => this.wheel.after(ms, fire),
      (error) => log.warn({ err: error }, 'the store failed'),
    )
    this.hub = new Hub(this.store, this.wheel, this.options, options.attendance)
    this.load = new Load(server)
    this.metrics = new Metrics(this.load, this.hub, options.registry)
    this.drain = new Drain(this.hub, this.options)
    this.publishRate = new Rate(publishesPerSecond, publishBurst)
    this.stateRate = new Rate(statesPerSecond, stateBurst)
    // Half at once and half over the minute: never more than all of them within one.
    this.#createRate = new Rate(roomsPerMinute / 120, Math.ceil(roomsPerMinute / 2))
    this.sessions = new Sessions({
      secret: this.options.sessionSecret || randomBytes(32).toString('base64url'),
      cookie: this.options.sessionCookie,
      path: prefix || '/',
      maxAgeSeconds: this.options.sessionDays * 24 * 3600,
    })
    this.#attendance = options.attendance
    this.#authenticate = options.authenticate
    this.#authorize = options.authorize
  }

  /** Who asks; undefined for an observer. */
  async member(request: FastifyRequest): Promise<Member | undefined> {
    return this.#authenticate === undefined ? this.sessions.read(request) : this.#authenticate(request)
  }

  /**
   * Who asks is a member from now on: by our cookie, which is set, or because the host knows who it is.
   * @throws Problem `session-required` where the host does not
   */
  async enter(request: FastifyRequest, reply: FastifyReply, name: string | undefined): Promise<Member> {
    if (this.#authenticate === undefined) return this.sessions.issue(request, reply, name)
    const member = await this.#authenticate(request)
    if (member === undefined) throw this.stranger()
    return member
  }

  /** What who is nobody is told, where one must be somebody. */
  stranger(): Problem {
    return new Problem('session-required', this.#authenticate && 'Sign in where this application asks you to.')
  }

  /**
   * Lets a reader in, and says who it is (undefined for an observer): as `allow`, and not into more new rooms than one
   * address may create.
   * @throws Problem `draining`, `overloaded`, `forbidden`, `room-limit`, `store-unavailable`
   */
  async admit(request: FastifyRequest, room: string): Promise<Member | undefined> {
    // Of who goes while it is being admitted there is no address any more.
    const address: string | undefined = request.ip
    const member = await this.allow(request, room)
    await this.createRoom(room, address)
    // All that was awaited took time: what began meanwhile holds for this one too.
    this.refuseWhenBusy()
    if (address !== undefined) this.hall?.arrived(member, address)
    return member
  }

  /**
   * Who asks of a room that it may read: not while shutting down or overloaded, and only where the host allows it.
   * @throws Problem `draining`, `overloaded`, `forbidden`
   */
  async allow(request: FastifyRequest, room: string): Promise<Member | undefined> {
    this.refuseWhenBusy()
    const member = await this.member(request)
    await this.authorize(member, room, 'read')
    return member
  }

  /** The lease of a member whose wire is open from now on; an observer's is nobody's. */
  hold(room: string, member: Member | undefined, transport: HeldWire): Lease {
    const { websocketLeaseMs, sseLeaseMs, longPollLeaseMs } = this.options
    const leaseMs = { websocket: websocketLeaseMs, sse: sseLeaseMs, 'long-poll': longPollLeaseMs }[transport]
    return this.hub.members.hold(room, member, transport, leaseMs)
  }

  /** A member asks every so many ms, as it says. */
  polled(room: string, member: Member | undefined, everyMs = 0): void {
    const { pollLeaseMs, pollLeasePercent } = this.options
    this.hub.members.seen(room, member, 'poll', Math.max(pollLeaseMs, (everyMs * pollLeasePercent) / 100))
  }

  /** Heard of a member beside its event stream, which cannot say so itself. */
  renew(room: string, member: Member): void {
    this.hub.members.renew(room, member, 'sse', this.options.sseLeaseMs)
  }

  /** Resolves once it is known who is in this room, on whatever node; to false where that takes as long as a store may. */
  known(room: string): Promise<boolean> {
    return this.hub.members.known(room, this.options.storeTimeoutMs)
  }

  /** @throws Problem `draining`, `overloaded` */
  refuseWhenBusy(): void {
    if (this.drain.draining) throw this.drain.problem()
    if (this.load.lateMs > this.options.maxLagMs || this.load.connections > this.options.maxConnections) {
      throw new Problem('overloaded', undefined, { retryAfterMs: drawMs(1_000, 5_000) })
    }
  }

  /** @throws Problem `forbidden` */
  async authorize(member: Member | undefined, room: string, action: 'read' | 'publish'): Promise<void> {
    if (this.#authorize !== undefined && !(await this.#authorize(member, room, action))) throw new Problem('forbidden')
  }

  /** @throws Problem `room-limit` where this address has created too many rooms lately, and this would be one more */
  async createRoom(room: string, address: string | undefined): Promise<void> {
    if (this.options.roomsPerMinute === 0 || this.hub.has(room)) return
    // Who asks while it is being asked is answered the same: many at once create one room, not many.
    const asker = `${address} ${room}`
    const asked = this.#creating.get(asker) ?? this.#takeRoom(room, address).finally(() => this.#creating.delete(asker))
    this.#creating.set(asker, asked)
    const retryAfterMs = await asked
    if (retryAfterMs > 0) throw new Problem('room-limit', 'This address has created too many rooms within a minute.', { retryAfterMs })
  }

  async #takeRoom(room: string, address: string | undefined): Promise<number> {
    return (await this.store.has(room)) ? 0 : this.#createRate.take(String(address))
  }

  async close(): Promise<void> {
    this.wheel.stop()
    this.load.stop()
    // Who was sent away is told to be, before those who go on without us.
    await this.hub.members.close()
    await Promise.all([this.#attendance?.close(), this.store.close()])
  }
}
