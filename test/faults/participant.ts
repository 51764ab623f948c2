/** Somebody in the room: the client itself, through a faulty proxy of their own, writing a journal of all it is told. */
import { Channel } from '../../src/client/channel.ts'
import { node } from '../../src/client/node.ts'
import type { ChannelOptions } from '../../src/client/state.ts'
import { Problem } from '../../src/protocol/problem.ts'
import type { FaultyProxy } from '../support/faulty-proxy.ts'
import type { Journal } from '../support/journal.ts'

/** So long anything may take: of a dozen failures in a row the client waits ever longer for the next try, and a machine may be slow. */
const patienceMs = 100_000

export interface Manner {
  /** Tries again at once where it waits: a scenario of many cuts does not wait half a second and more for each. */
  readonly hurried?: boolean | undefined
}

export class Participant implements AsyncDisposable {
  readonly name: string
  readonly proxy: FaultyProxy
  channel: Channel
  /** How long it took from each harm until something came again, in ms. */
  readonly recoveries: number[] = []
  /** What it says and has no answer to. */
  pending = 0
  left = false
  readonly #options: ChannelOptions
  readonly #hurried: boolean
  readonly #platform = node()
  readonly #write: ReturnType<Journal['writer']>
  readonly #checks = new Set<() => void>()
  #harmedAt: number | undefined

  constructor(name: string, proxy: FaultyProxy, journal: Journal, { hurried = false, ...options }: Manner & Omit<ChannelOptions, 'url'>) {
    this.name = name
    this.proxy = proxy
    this.#hurried = hurried
    this.#options = { pollMs: 250, name, ...options, url: proxy.url }
    this.#write = journal.writer(name)
    this.channel = this.#connect(options.since)
    proxy.onInjected = () => this.harmed()
  }

  /** From now on it counts how long it takes until something comes. */
  harmed(): void {
    this.#harmedAt ??= performance.now()
  }

  /** Says it, and writes down what became of it. Resolves when that is known. */
  async say(text: string): Promise<void> {
    this.#write({ did: 'attempted', text })
    this.pending++
    try {
      const ack = await this.channel.send(text)
      this.#write({ did: 'acked', text, member: this.channel.state.member?.id ?? '', ack })
      this.#heard()
    } catch (error) {
      if (error instanceof Problem) this.#write({ did: 'refused', text })
    }
    this.pending--
    for (const check of this.#checks) check()
  }

  /** Resolves once `holds()`; rejects where it never does. It is looked at after every event. */
  async until(what: string, holds: () => boolean): Promise<void> {
    if (holds()) return
    await new Promise<void>((resolve, reject) => {
      const done = (): void => {
        clearTimeout(timer)
        this.#checks.delete(check)
      }
      const check = (): void => {
        if (!holds()) return
        done()
        resolve()
      }
      const timer = setTimeout(() => {
        done()
        const { status, transport, problem } = this.channel.state
        reject(new Error(`${this.name} never: ${what} (${status} on ${transport}, at ${this.channel.cursor}, ${String(problem)})`))
      }, patienceMs)
      this.#checks.add(check)
    })
  }

  live(): Promise<void> {
    return this.until('live', () => this.channel.state.status === 'live')
  }

  /** Goes away, and is held to nothing that comes after. */
  leave(): void {
    this.left = true
    this.channel.close()
    this.#write({ did: 'left' })
  }

  /** Comes back with the cursor it left with. */
  rejoin(): void {
    this.left = false
    this.channel = this.#connect(this.channel.cursor)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.channel.close()
    await this.proxy[Symbol.asyncDispose]()
  }

  #connect(since: ChannelOptions['since']): Channel {
    this.#write({ did: 'joined', since })
    const channel = new Channel(this.#platform, { ...this.#options, ...(since !== undefined && { since }) })
    channel.on('batch', ({ cursor, messages }) => {
      this.#heard()
      this.#write({ did: 'read', cursor, messages: messages.length })
    })
    channel.on('gap', ({ reason, missed }) => this.#write({ did: 'gap', reason, ...(missed !== undefined && { missed }) }))
    channel.on('message', ({ seq, id, member, text }) => this.#write({ did: 'saw', seq, id, member, text }))
    if (this.#hurried) {
      channel.on('state', ({ status }) => {
        if (status === 'waiting') setImmediate(() => channel.nudge(true))
      })
    }
    const check = (): void => this.#checks.forEach((run) => run())
    for (const event of ['message', 'gap', 'state', 'batch', 'unsent'] as const) channel.on(event, () => setImmediate(check))
    return channel
  }

  #heard(): void {
    if (this.#harmedAt === undefined) return
    this.recoveries.push(performance.now() - this.#harmedAt)
    this.#harmedAt = undefined
  }
}
