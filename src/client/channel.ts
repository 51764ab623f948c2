/** The facade: follows one room over one wire at a time, and never asks which. */
import { checkState, checkText, drawId } from '../protocol/draft.ts'
import type { Ack, Batch, Cursor, Known, Member, Present, TransportName } from '../protocol/message.ts'
import { Problem } from '../protocol/problem.ts'
import { backoffMs, sleep } from './backoff.ts'
import { Http, type Platform } from './http.ts'
import { Emitter } from './emitter.ts'
import { below, transports } from './ladder.ts'
import { Outbox, type Unsent } from './outbox.ts'
import { OwnState } from './own-state.ts'
import { Sequence } from './sequence.ts'
import { Session } from './session.ts'
import {
  type ChannelCounts,
  type ChannelEvents,
  type ChannelOptions,
  type ChannelState,
  checkOptions,
  type PresentMember,
} from './state.ts'
import { Told } from './told.ts'
import { Silence, Wire } from './wire.ts'

/** After so long on a lower transport the wanted one is tried again. */
const upwardMs = 5 * 60_000
/** A wire that lived so long has earned a fresh start: the next failure is a first one. */
const soundMs = 5_000
/** So many failures in a row, with the server in reach: it is the transport that does not get through. */
const failuresToFall = 2

export class Channel {
  readonly #http: Http
  readonly #options: ChannelOptions
  readonly #closing = new AbortController()
  readonly #sequence = new Sequence()
  readonly #members = new Told<Present>()
  readonly #states = new Told<unknown>()
  readonly #own = new OwnState((state) => this.#wire?.transport.state(state, this.closed), this.closed)
  readonly #outbox: Outbox
  readonly #session: Session
  readonly #events = new Emitter<ChannelEvents>()
  readonly #counts = { delivered: 0, gaps: 0, repeats: 0 }
  #wire: Wire | undefined
  #opening: Wire | undefined
  #wanted: TransportName
  /** Wires lost in a row, none of them sound. */
  #failures = 0
  /** Times in a row that a wire could not be opened with the server in reach. */
  #unopened = 0
  #state: ChannelState
  /** The next try, while one is due: aborted, it comes at once; replaced or gone, it does not come. */
  #due: AbortController | undefined
  /** When that try comes, in ms since 1970. */
  #dueAt = 0
  /** When the wanted transport is tried again, in ms since 1970, while we are on a lower one. */
  #upwardAt: number | undefined
  #upward: ReturnType<typeof setTimeout> | undefined

  constructor(platform: Platform, options: ChannelOptions) {
    checkOptions(options)
    this.#options = options
    this.#wanted = options.transport ?? 'websocket'
    this.#http = new Http(platform, options.url, options.room)
    this.#session = new Session(this.#http, options.name, this.closed, () => this.#reopen())
    this.#outbox = new Outbox(
      {
        wire: () => this.#wire,
        send: (draft, signal) => this.#wire?.transport.send(draft, signal) ?? Promise.reject(new Error('no wire is open')),
        member: () => this.#session.member?.id,
        renew: () => this.#session.renew().then(() => this.#reopen()),
        changed: () => this.#events.emit('unsent', this.#outbox.unsent),
      },
      this.closed,
    )
    this.#state = {
      status: 'connecting',
      transport: this.#wanted,
      wanted: this.#wanted,
      opening: undefined,
      since: Date.now(),
      retryAt: undefined,
      problem: undefined,
      member: undefined,
    }
    this.#open(this.#wanted)
  }

  get state(): ChannelState {
    return this.#state
  }
  get counts(): ChannelCounts {
    return { ...this.#counts }
  }
  /** Where to resume, once something has come. Keep it to begin from there another time. */
  get cursor(): Cursor | undefined {
    return this.#sequence.cursor
  }
  /** Who is here, as far as was told; nobody where it was not asked. */
  get members(): readonly PresentMember[] {
    return [...this.#members.list].map(([id, present]) => ({ id, ...present }))
  }
  /** The states that members carry, by their id, as far as was told; none where it was not asked. */
  get states(): ReadonlyMap<string, unknown> {
    return this.#states.list
  }
  get unsent(): readonly Unsent[] {
    return this.#outbox.unsent
  }
  /** Aborts when the channel is closed. */
  get closed(): AbortSignal {
    return this.#closing.signal
  }

  /** Calls `listener` at each event, until the returned function is called. */
  on<Name extends keyof ChannelEvents>(name: Name, listener: (...args: ChannelEvents[Name]) => void): () => void {
    return this.#events.on(name, listener)
  }

  /**
   * Publishes, now or as soon as there is a wire. Resolves when it is in the room's log.
   * @throws Problem that refused it: a bad text at once, all that waits where the room will not have us
   */
  async send(text: string): Promise<Ack> {
    this.#refuseObserver()
    if (this.#state.status === 'refused') throw this.#state.problem
    return this.#outbox.add({ id: drawId(), text: checkText(text) })
  }

  /**
   * Carries a small state with us (a pointer's position, say): up to 256 bytes of JSON, told to who asks for states, gone
   * with us, never in the log; null for none. The latest wins: of many only some are sent, 20 a second at the most, the last
   * one always. Sent again on every new wire.
   * @throws Problem for what is no JSON or too long
   */
  setState(state: unknown): void {
    this.#refuseObserver()
    this.#own.set(checkState(state))
  }

  #refuseObserver(): void {
    if (this.#options.observe) throw new Problem('session-required', 'Connect without `observe` to publish.')
  }

  /** A person's answer for an unsent message that asks: again, or not. */
  resend(id: string, again: boolean): void {
    this.#outbox.answer(id, again)
  }

  /** Goes over to another transport: the old wire is left when the new one has brought its first batch. */
  switchTo(transport: TransportName): void {
    this.#wanted = transport
    this.#failures = this.#unopened = 0
    this.#upwardAt = undefined
    if (this.#wire?.name !== transport) return this.#open(transport)
    // Back before the other was there: this one still runs.
    this.#giveUp()
    this.#tell({ problem: undefined })
  }

  /** Another name, from the next message on. @throws Problem where it cannot be shown */
  async rename(name: string): Promise<Member> {
    const member = await this.#session.rename(name)
    this.#reopen()
    return member
  }

  /** Looks at once whether the wire is still alive, and tries again at once where it waits: after sleep, or back online. */
  nudge(online = false): void {
    this.#wire?.check()
    this.#opening?.check()
    if (!online) return
    this.#due?.abort()
    if (this.#wire !== undefined && this.#wire.name !== this.#wanted && this.#opening === undefined) this.#open(this.#wanted)
  }

  /** Leaves the room. No listener is called any more; what is unsent is rejected. */
  close(): void {
    this.#events.clear()
    this.#tell({ status: 'closed' })
    this.#closing.abort(new Error('closed'))
    this.#giveUp()
    this.#wire?.leave()
    this.#wire = undefined
  }

  /** A socket speaks for whom it was opened by: somebody else needs another, and what is sent meanwhile waits for it. */
  #reopen(): void {
    const name = this.#opening?.name ?? this.#wire?.name ?? this.#wanted
    this.#wire?.leave()
    this.#wire = undefined
    this.#open(name)
  }

  #open(name: TransportName): void {
    if (this.closed.aborted) return
    this.#giveUp()
    const { pollMs = 1000, observe = false, members, states } = this.#options
    const known = (): Known => ({
      members: members ? this.#members.version : undefined,
      states: states ? this.#states.version : undefined,
    })
    const wire = new Wire(transports[name](this.#http, { pollMs, observe, known }))
    this.#opening = wire
    this.#tell(this.#wire === undefined ? { status: 'connecting', transport: name } : {})
    void this.#follow(wire)
  }

  /** No other wire is opened any more, now or later. */
  #giveUp(): void {
    clearTimeout(this.#upward)
    this.#due?.abort()
    this.#due = undefined
    this.#opening?.leave()
    this.#opening = undefined
  }

  async #follow(wire: Wire): Promise<void> {
    let failure: unknown
    let retryMs: number | undefined
    try {
      if (!this.#options.observe) await this.#session.join()
      for await (const batch of wire.receive(this.#sequence.cursor ?? this.#options.since)) {
        if (wire.left) return
        retryMs = batch.retryMs
        this.#take(batch, wire)
        if (wire.left) return
      }
    } catch (error) {
      failure = error
    }
    if (wire.left || this.closed.aborted) return
    wire.leave()
    if (wire === this.#wire) this.#wire = undefined
    else this.#opening = undefined
    // Another is on its way already.
    if (this.#opening !== undefined) return this.#tell({ status: 'connecting', transport: this.#opening.name })
    const toldMs = retryMs ?? (failure instanceof Problem ? failure.retryAfterMs : undefined)
    // A try of the wanted one is due, and does for both, but where we are told a time.
    if (this.#due !== undefined && toldMs === undefined) {
      return this.#tell({ status: 'waiting', transport: this.#wanted, retryAt: this.#dueAt })
    }
    await this.#comeBack(wire, failure, toldMs)
  }

  #take(batch: Batch, wire: Wire): void {
    const accepted = this.#sequence.accept(batch)
    if (wire === this.#opening) this.#promote(wire)
    this.#events.emit('batch', batch, wire.name)
    if (accepted.gap !== undefined) {
      this.#counts.gaps++
      this.#events.emit('gap', accepted.gap, wire.name)
      // Where the log is another, the server may be too.
      this.#own.flush()
      // What another wire is being opened at is a cursor of a log that is no more.
      if (this.#opening !== undefined) this.#open(this.#opening.name)
    }
    this.#counts.delivered += accepted.messages.length
    this.#counts.repeats += accepted.repeats
    for (const message of accepted.messages) this.#events.emit('message', message, wire.name)
    if (this.#members.accept(batch.members)) this.#events.emit('members', this.members)
    const ours = this.#session.member?.id ?? ''
    const carried = this.states.has(ours)
    if (this.#states.accept(batch.states)) this.#events.emit('states', this.states, wire.name)
    // We were forgotten meanwhile: a lease that ran out while the page slept, say.
    if (carried && !this.states.has(ours)) this.#own.flush()
  }

  /** The new wire has brought its first batch: it is the wire. */
  #promote(wire: Wire): void {
    this.#wire?.leave()
    this.#wire = wire
    this.#opening = undefined
    const fallen = wire.name !== this.#wanted
    if (fallen) this.#lookUp()
    else this.#upwardAt = undefined
    this.#unopened = 0
    this.#tell({ status: 'live', transport: wire.name, ...(!fallen && { problem: undefined }) })
    this.#outbox.flush()
    this.#own.flush()
  }

  /** Tries the wanted transport again in time, however often the lower one is opened anew meanwhile. */
  #lookUp(): void {
    this.#upwardAt ??= Date.now() + upwardMs
    this.#upward = setTimeout(() => {
      this.#upwardAt = undefined
      this.#open(this.#wanted)
    }, this.#upwardAt - Date.now())
  }

  /** A wire ended or could not be opened: the same again later, the next one down, or not at all. */
  async #comeBack(wire: Wire, failure: unknown, retryMs: number | undefined): Promise<void> {
    const problem = failure instanceof Error ? failure : undefined
    if (failure instanceof Problem && !failure.comeBack && failure.code !== 'internal') {
      // The person hears of it; a wire that still runs goes on.
      if (this.#wire !== undefined) return this.#tell({ problem: failure })
      this.#tell({ status: 'refused', problem: failure })
      return this.#outbox.refuse(failure)
    }
    if (wire.liveAt !== undefined && Date.now() - wire.liveAt > soundMs) this.#failures = 0
    const due = new AbortController()
    this.#due = due
    this.#dueAt = Date.now()
    const blocked = retryMs === undefined && (await this.#blocked(wire, failure))
    if (this.#due !== due) return
    if (blocked) {
      this.#due = undefined
      const next = below(wire.name)
      this.#unopened = 0
      this.#tell({ problem: new Error(`${wire.name} does not get through (${problem?.message ?? 'it ended'})`) })
      if (next !== undefined && next !== this.#wire?.name) this.#open(next)
      else if (this.#wire !== undefined) this.#lookUp()
      return
    }
    const waitMs = retryMs ?? backoffMs(this.#failures++)
    this.#dueAt = Date.now() + waitMs
    this.#tell({ problem, ...(this.#wire === undefined && { status: 'waiting', transport: wire.name, retryAt: this.#dueAt }) })
    await sleep(waitMs, due.signal)
    if (this.#due === due) this.#open(wire.name)
  }

  /** Is it this transport that does not get through, rather than the server that is away? */
  async #blocked(wire: Wire, failure: unknown): Promise<boolean> {
    if (wire.liveAt !== undefined || failure instanceof Problem || below(wire.name) === undefined) return false
    if (!(await this.#http.reachable(this.closed))) return false
    // Opened, and nothing came through: a proxy holds it back. Not opened: once may be an accident.
    return failure instanceof Silence || ++this.#unopened >= failuresToFall
  }

  #tell(change: Partial<ChannelState>): void {
    const statusChanged = change.status !== undefined && change.status !== this.#state.status
    this.#state = {
      ...this.#state,
      retryAt: undefined,
      ...change,
      wanted: this.#wanted,
      opening: this.#opening?.name,
      member: this.#session.member,
      ...((statusChanged || change.transport) && { since: Date.now() }),
    }
    this.#events.emit('state', this.#state)
  }
}
