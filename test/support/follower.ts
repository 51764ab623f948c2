/** A reader that keeps what it is shown, and waits for what it is to be shown: the client itself, on any transport. */
import { Channel } from '../../src/client/channel.ts'
import type { ChannelOptions } from '../../src/client/state.ts'
import { node } from '../../src/client/node.ts'
import type { Gap, Message, TransportName } from '../../src/protocol/message.ts'

/** How long an event may take to come before a test says that it never did, in ms. */
const patienceMs = 15_000

export interface Seen {
  readonly message: Message
  readonly transport: TransportName
}

export class Follower implements Disposable {
  readonly channel: Channel
  readonly seen: Seen[] = []
  readonly gaps: Gap[] = []
  readonly #checks = new Set<() => void>()

  constructor(options: ChannelOptions, platform = node()) {
    this.channel = new Channel(platform, { pollMs: 250, ...options })
    this.channel.on('message', (message, transport) => this.seen.push({ message, transport }))
    this.channel.on('gap', (gap) => this.gaps.push(gap))
    const check = (): void => this.#checks.forEach((run) => run())
    for (const event of ['message', 'gap', 'state', 'batch', 'members', 'states', 'unsent'] as const)
      this.channel.on(event, () => setImmediate(check))
  }

  get texts(): string[] {
    return this.seen.map(({ message }) => message.text)
  }
  get seqs(): number[] {
    return this.seen.map(({ message }) => message.seq)
  }

  /** Resolves once `holds()`, which is looked at after every event of the channel. */
  async until(what: string, holds: () => boolean): Promise<void> {
    if (holds()) return
    await new Promise<void>((resolve, reject) => {
      const check = (): void => {
        if (!holds()) return
        done()
        resolve()
      }
      const timer = setTimeout(() => {
        done()
        const { status, transport, problem } = this.channel.state
        reject(new Error(`never: ${what} (${status} on ${transport}, ${this.seen.length} messages, ${String(problem)})`))
      }, patienceMs)
      const done = (): void => {
        clearTimeout(timer)
        this.#checks.delete(check)
      }
      this.#checks.add(check)
    })
  }

  live(transport?: TransportName): Promise<void> {
    return this.until(`live ${transport ?? ''}`, () => {
      const { state } = this.channel
      return state.status === 'live' && (transport ?? state.transport) === state.transport && state.opening === undefined
    })
  }
  count(messages: number): Promise<void> {
    return this.until(`${messages} messages`, () => this.seen.length >= messages)
  }

  [Symbol.dispose](): void {
    this.channel.close()
  }
}

/** Calls until it succeeds: what a client does where a store fails now and then. */
export async function persistently<T>(call: () => Promise<T>): Promise<T> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await call()
    } catch (error) {
      if (attempt === 20) throw error
    }
  }
}
