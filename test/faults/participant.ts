/** Somebody in the room: the client itself, through a faulty proxy of their own, writing a journal of all it is told. */
import { Channel } from '../../src/client/channel.ts'
import { node } from '../../src/client/node.ts'
import type { ChannelOptions } from '../../src/client/state.ts'
import { Problem } from '../../src/protocol/problem.ts'
import type { FaultyProxy } from '../support/faulty-proxy.ts'
import type { Journal } from '../support/journal.ts'

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
  readonly #platform = node()
  readonly #write: ReturnType<Journal['writer']>
  readonly #checks = new Set<() => void>()
  #harmedAt: number | undefined

  constructor(name: string, proxy: FaultyProxy, journal: Journal, options: Omit<ChannelOptions, 'url'>) {
    this.name = name
    this.proxy = proxy
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

  /** Resolves once `holds()`, which is looked at after every event. */
  async until(what: string, holds: () => boolean, patienceMs: number): Promise<void> {
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

  live(patienceMs = 20_000): Promise<void> {
    return this.until('live', () => this.channel.state.status === 'live', patienceMs)
  }

  /** Tries again at once where it waits: a scenario of thousands of cuts does not wait half a second for each. */
  hurry(): () => void {
    return this.channel.on('state', ({ status }) => {
      if (status === 'waiting') setImmediate(() => this.channel.nudge(true))
    })
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
