/** The hall as it is: what the presenter has set, who has joined, and who may speak. Told to every page that listens. */
import type { FastifyBaseLogger, FastifyRequest } from 'fastify'
import type { AddressInfo } from 'node:net'
import { type Hall, presenterLimits } from '../lab/events.ts'
import type { Member } from '../protocol/message.ts'
import { Problem } from '../protocol/problem.ts'
import { isOwnAddress, lanAddresses } from './addresses.ts'
import { Metronome } from './metronome.ts'
import { PresenterKey } from './presenter-key.ts'
import { Rate } from './rate.ts'
import type { Rooms } from './rooms.ts'
import { Swarm } from './swarm.ts'

/** Changes within so many ms are told at once: a hundred phones that join are a few news. */
const tellMs = 100
/** Sessions that are counted as joined; of more it is not told. */
const joinedAtMost = 100_000

export interface HallOptions {
  /** Hears how the hall is, now and whenever it changes. */
  readonly told?: (hall: Hall) => void
  /** Started as a hall: for everybody on the network. */
  readonly open?: boolean
  /** Is this address this machine's own? By its interfaces, if nothing else is said. */
  readonly isOwn?: (address: string) => boolean
}

/** What the presenter sets, as much of it as is to change. */
export type HallOrder = Partial<Pick<Hall, 'muted' | 'blurred' | 'bot'>> & { readonly swarm?: Pick<Hall['swarm'], 'members' | 'room'> }

export class LiveHall {
  readonly swarm: Swarm
  readonly #key: PresenterKey
  readonly #rooms: Rooms
  readonly #options: HallOptions
  readonly #listening: () => AddressInfo | null
  readonly #metronome: Metronome
  readonly #freezes = new Rate(1000 / presenterLimits.freezeEveryMs, 1)
  readonly #joined = new Set<string>()
  readonly #presenters = new Set<string>()
  readonly #listeners = new Set<(hall: Hall) => void>()
  #muted = false
  #blurred = false
  #frozen: Hall['frozen']
  #cleared: Hall['cleared']
  #telling: NodeJS.Timeout | undefined

  /** `key` proves the presenter; `listening` is where the server does, once it does. */
  constructor(rooms: Rooms, key: string, listening: () => AddressInfo | null, log: FastifyBaseLogger, options: HallOptions) {
    this.#key = new PresenterKey(key)
    this.#rooms = rooms
    this.#listening = listening
    this.#options = options
    this.#metronome = new Metronome(rooms.store)
    this.swarm = new Swarm(
      () => ({ url: loopback(listening()), key }),
      () => this.#changed(),
      log,
    )
    if (options.told !== undefined) this.follow(options.told)
  }

  get now(): Hall {
    const { crowd, live } = this.swarm
    const listening = this.#listening()
    return {
      open: this.#options.open === true,
      muted: this.#muted,
      blurred: this.#blurred,
      bot: this.#metronome.beat,
      swarm: { ...crowd, live },
      textUnits: this.#rooms.options.textUnits,
      generatedNames: this.#rooms.options.generatedNames,
      joined: this.#joined.size,
      // Looked up each time: a laptop changes its network in the middle of a lecture.
      addresses: listening === null ? [] : lanAddresses(listening),
      ...(this.#cleared && { cleared: this.#cleared }),
      ...(this.#frozen && { frozen: this.#frozen }),
    }
  }

  /** Tells how the hall is, now and whenever it changes, until the returned function is called. */
  follow(listener: (hall: Hall) => void): () => void {
    // A function of its own: the same one may follow twice.
    const own = (hall: Hall): void => listener(hall)
    this.#listeners.add(own)
    own(this.now)
    return () => void this.#listeners.delete(own)
  }

  /** @throws Problem `draining`: what would begin now nobody would end */
  set({ muted = this.#muted, blurred = this.#blurred, bot, swarm }: HallOrder): void {
    if (this.#rooms.drain.draining) throw this.#rooms.drain.problem()
    this.#muted = muted
    this.#blurred = blurred
    if (bot !== undefined) this.#metronome.set(bot)
    if (swarm !== undefined) this.swarm.set(swarm)
    this.#changed()
  }

  /** Empties a room: in the store for who comes, and on every page for who is here. @throws Problem `store-unavailable` */
  async clear(room: string): Promise<void> {
    await this.#rooms.store.clear(room)
    this.#cleared = { room, at: Date.now() }
    this.#changed()
  }

  /** This session is the presenter's for as long as the process lives. */
  present({ id }: Member): void {
    this.#presenters.add(id)
  }

  presents(member: Member | undefined): boolean {
    return member !== undefined && this.#presenters.has(member.id)
  }

  /** Does this request carry the presenter's key? @throws Problem `rate-limited` */
  proves(request: FastifyRequest): boolean {
    return this.#key.proves(request, this.presents(this.#rooms.sessions.read(request)))
  }

  /** @throws Problem `presenter-only`, `rate-limited` */
  require(request: FastifyRequest): void {
    if (!this.proves(request)) throw new Problem('presenter-only')
  }

  /** May this member publish now? */
  maySpeak(member: Member): boolean {
    return !this.#muted || this.presents(member)
  }

  /** A member opens a wire from this address. */
  arrived(member: Member | undefined, address: string): void {
    if (member === undefined || this.#joined.has(member.id) || this.#joined.size >= joinedAtMost) return
    const { isOwn = isOwnAddress } = this.#options
    if (isOwn(address)) return
    this.#joined.add(member.id)
    this.#changed()
  }

  /**
   * Holds up everybody: the one thread of this process does nothing else for so long. Returns how long it was, in ms.
   * @throws Problem `rate-limited` within `freezeEveryMs` of the last one
   */
  freeze(ms: number): number {
    const retryAfterMs = this.#freezes.take('freeze')
    if (retryAfterMs > 0) throw new Problem('rate-limited', 'The server was frozen a moment ago.', { retryAfterMs })
    const begun = performance.now()
    while (performance.now() - begun < ms);
    const at = performance.now()
    this.#frozen = { ms: at - begun, at }
    // Who waited is answered late, as by any busy server; they are not sent away: that would be another lesson.
    this.#rooms.load.forgive()
    this.#changed()
    return this.#frozen.ms
  }

  /** Ends all that it has started. Resolves once no process is left. */
  async close(): Promise<void> {
    this.#metronome.stop()
    clearTimeout(this.#telling)
    this.#listeners.clear()
    await this.swarm.end()
  }

  #changed(): void {
    if (this.#listeners.size === 0) return
    this.#telling ??= setTimeout(() => {
      this.#telling = undefined
      const { now } = this
      for (const listener of this.#listeners) listener(now)
    }, tellMs).unref()
  }
}

/** Where a process of this machine reaches the server: by loopback, unless it listens on another address only. */
function loopback(listening: AddressInfo | null): string {
  if (listening === null) throw new Error('the server does not listen yet')
  const { address, port } = listening
  const host = address === '0.0.0.0' || address === '::' ? '127.0.0.1' : address
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`
}
