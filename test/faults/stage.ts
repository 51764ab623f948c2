/** What a scenario acts on: a server, those who talk in its room, each through a proxy of their own, and their journal. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { ChannelOptions } from '../../src/client/state.ts'
import type { Batch, GapReason, TransportName } from '../../src/protocol/message.ts'
import type { ServerOptions } from '../../src/server/options.ts'
import { type Choose, startFaultyProxy } from '../support/faulty-proxy.ts'
import { Journal } from '../support/journal.ts'
import { seeded } from '../support/late-store.ts'
import { type Manner, Participant } from './participant.ts'
import { mixed } from './seed.ts'
import { type Backing, type Host, type StoreName, stores } from './stores.ts'

export interface StageOptions {
  readonly transport: TransportName
  readonly store: StoreName
  readonly seed: number
  readonly quick: boolean
  readonly ownProcess: boolean
  readonly options: Partial<ServerOptions>
  /** Hears how far a long scenario is. */
  readonly progress: (words: string) => void
}

const room = 'lobby'

/** Draws what becomes of each exchange of one participant: from numbers of their own, so that others' timing changes nothing. */
export type Harm = (random: () => number) => Choose

/** Chooses a fault so many times, and none after that. */
export function atMost(most: number, choose: Choose): Choose {
  let chosen = 0
  return (exchange) => {
    const fault = chosen < most ? choose(exchange) : undefined
    if (fault !== undefined) chosen++
    return fault
  }
}

type Entering = Partial<ChannelOptions> & Manner & { readonly harm?: Harm | undefined }

/**
 * Harm, not load, is what is tried: nobody is refused for talking fast or often. And who comes without a cursor is given
 * nothing of what was: a client that forgets where it was would be helped by the newest fifty.
 */
const unlimited: Partial<ServerOptions> = { publishesPerSecond: 0, roomsPerMinute: 0, lingerMs: 200, history: 0, maxLagMs: 60_000 }

export class Stage implements AsyncDisposable {
  readonly transport: TransportName
  readonly store: StoreName
  readonly quick: boolean
  readonly progress: (words: string) => void
  readonly random: () => number
  readonly journal = new Journal()
  readonly participants: Participant[] = []
  readonly backing: Backing
  host: Host
  /** Harm done beside the proxies: a process killed, say. */
  injections = 0
  readonly #dueGaps = new Map<string, { readonly reason: GapReason; readonly times: number | undefined }>()
  readonly #options: Partial<ServerOptions>
  readonly #own: boolean
  readonly #seed: number
  #settled = false

  private constructor(given: StageOptions, backing: Backing, host: Host) {
    this.transport = given.transport
    this.store = given.store
    this.quick = given.quick
    this.progress = given.progress
    this.random = seeded(given.seed)
    this.backing = backing
    this.host = host
    this.#options = { ...unlimited, ...given.options }
    this.#own = given.ownProcess
    this.#seed = given.seed
  }

  static async set(given: StageOptions): Promise<Stage> {
    const backing = await stores[given.store].open(given.seed)
    try {
      const host = await backing.serve({ ...unlimited, ...given.options }, given.ownProcess)
      return new Stage(given, backing, host)
    } catch (error) {
      await backing[Symbol.asyncDispose]()
      throw error
    }
  }

  /** Does the store keep what was acknowledged when the server is killed? */
  get survives(): boolean {
    return stores[this.store].survives
  }
  chance(share: number): boolean {
    return this.random() < share
  }
  /** A whole number from `least` to `most`. */
  between(least: number, most: number): number {
    return least + Math.floor(this.random() * (most - least + 1))
  }

  /** Somebody comes in, on this cell's transport if nothing else is said, and is live before anything else happens. */
  async join(name: string, options: Entering = {}): Promise<Participant> {
    const participant = await this.enter(name, options)
    await participant.live()
    return participant
  }

  /** Somebody comes to the door: not waited for. */
  async enter(name: string, { harm, ...options }: Entering = {}): Promise<Participant> {
    const seed = mixed(this.#seed, name)
    const proxy = await startFaultyProxy(this.host.port, harm?.(seeded(seed)))
    const participant = new Participant(name, proxy, this.journal, { room, transport: this.transport, ...options })
    this.participants.push(participant)
    return participant
  }

  /** The usual company: who talks, and who listens. */
  async company(harm?: Harm, manner: Manner = {}): Promise<{ readonly talkers: Participant[]; readonly listener: Participant }> {
    const [listener, ...talkers] = await Promise.all([
      this.join('eve', { observe: true, harm, ...manner }),
      this.join('ann', { harm, ...manner }),
      this.join('bob', { harm, ...manner }),
    ])
    return { talkers, listener }
  }

  /** Each says so many things, about `paceMs` after one another. Resolves when all is answered for. */
  async chat(talkers: readonly Participant[], each: number, paceMs: number, text = (n: number): string => `${n}`): Promise<void> {
    const begun = this.#said
    this.#said += each
    let answered = 0
    const answer = (): void => {
      if (++answered % 50 === 0) this.progress(`${answered} of ${each * talkers.length} messages answered`)
    }
    await Promise.all(
      talkers.map(async (talker) => {
        const answers: Promise<void>[] = []
        for (let n = 1; n <= each; n++) {
          answers.push(talker.say(`${talker.name} ${text(begun + n)}`).then(answer))
          await sleep(this.random() * 2 * paceMs)
        }
        await Promise.all(answers)
      }),
    )
  }
  #said = 0

  /** Harm from elsewhere: everybody counts from now until something comes again. */
  harm(): void {
    this.injections++
    for (const participant of this.participants) participant.harmed()
  }

  /** The server comes back, at the port where it was. */
  async serveAgain(): Promise<void> {
    this.host = await this.backing.serve(this.#options, this.#own, this.host.port)
  }

  /** One more server on the same store. */
  serveBeside(): Promise<Host> {
    return this.backing.serve(this.#options, this.#own)
  }

  /** A gap that is due: to everybody who stays, or to the one named, so many times, or at all. */
  dueGap(reason: GapReason, times?: number, who = ''): void {
    this.#dueGaps.set(who, { reason, times })
  }

  /** Resolves once everybody has had answers to all they said, and has read to the end of the log. */
  async settle(): Promise<void> {
    if (this.#settled) return
    this.#settled = true
    const here = this.participants.filter(({ left }) => !left)
    await Promise.all(here.map((each) => each.until('all is answered', () => each.pending === 0)))
    const head = await this.#witness()
    await Promise.all(here.map((each) => each.until(`at ${head}`, () => each.channel.cursor === head)))
  }

  /** What of the gaps that were told is not as it is to be, in a sentence. */
  wrongGaps(): string | undefined {
    // Once through the journal, not once for each: with thousands of readers that stops every cell of this process for a minute.
    const toldTo = new Map<string, GapReason[]>()
    for (const entry of this.journal.entries)
      if (entry.did === 'gap') toldTo.set(entry.who, [...(toldTo.get(entry.who) ?? []), entry.reason])
    for (const { name, left } of this.participants) {
      const told = toldTo.get(name) ?? []
      const due = this.#dueGaps.get(name) ?? this.#dueGaps.get('')
      const wrong = told.some((reason) => reason !== due?.reason)
      const missing = due !== undefined && !left && (due.times === undefined ? told.length === 0 : told.length !== due.times)
      if (wrong || missing) {
        const expected = due === undefined ? 'none' : `${due.reason}${due.times === undefined ? '' : `, ${due.times} times`}`
        return `${name} was told the gaps [${told.join(', ')}]; due: ${expected}`
      }
    }
    return undefined
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.participants.map((each) => each[Symbol.asyncDispose]()))
    await this.host[Symbol.asyncDispose]()
    await this.backing[Symbol.asyncDispose]()
  }

  /** Reads the whole log at last, past every proxy, and writes it down as one more reader's. Returns its end. */
  async #witness(): Promise<string> {
    const write = this.journal.writer('the log')
    write({ did: 'joined', since: 'earliest' })
    for (let since = 'earliest', failures = 0; ;) {
      const answer = await fetch(`http://127.0.0.1:${this.host.port}/rooms/${room}/poll?since=${since}`).catch(() => undefined)
      if (answer?.ok !== true) {
        if (++failures > 50) throw new Error(`the log cannot be read: ${answer?.status}`)
        await sleep(100)
        continue
      }
      const batch = (await answer.json()) as Batch
      write({ did: 'read', cursor: batch.cursor, messages: batch.messages.length })
      for (const { seq, id, member, text } of batch.messages) write({ did: 'saw', seq, id, member, text })
      since = batch.cursor
      if (batch.more !== true) return since
    }
  }
}
