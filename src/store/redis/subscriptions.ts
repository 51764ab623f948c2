/** Channels listened to: by one connection for all of them, again whenever it was lost. */
import type { Cluster, Redis } from 'ioredis'

/** How long who begins to listen waits until it does, in ms. What it misses then it is told by other ways. */
const patienceMs = 250

interface Channel {
  readonly listeners: Set<(message: string) => void>
  listens: boolean
  asked: Promise<void> | undefined
}

export class Subscriptions {
  readonly #client: Redis | Cluster
  readonly #channels = new Map<string, Channel>()

  constructor(client: Redis | Cluster) {
    this.#client = client
    client.on('smessage', (channel: string, message: string) => {
      for (const listener of this.#channels.get(channel)?.listeners ?? []) listener(message)
    })
    client.on('ready', () => this.again())
    client.on('close', () => {
      for (const channel of this.#channels.values()) channel.listens = false
    })
  }

  async add(name: string, listener: (message: string) => void): Promise<() => void> {
    let channel = this.#channels.get(name)
    if (channel === undefined) {
      channel = { listeners: new Set(), listens: false, asked: undefined }
      this.#channels.set(name, channel)
    }
    // A function of its own: the same one may listen twice, and undo one of the two.
    const own = (message: string): void => listener(message)
    channel.listeners.add(own)
    if (!channel.listens) await inPatience(this.#ask(name, channel))
    return () => this.#remove(name, own)
  }

  /** Asks again for those that are not listened to: the connection was lost, or could not be asked. */
  again(): void {
    for (const [name, channel] of this.#channels) if (!channel.listens) void this.#ask(name, channel)
  }

  /** An answer is due then: a connection that is dead without a word is found out. */
  ping(): void {
    if ('nodes' in this.#client) return
    this.#client.ping().catch(() => {})
  }

  #ask(name: string, channel: Channel): Promise<void> {
    channel.asked ??= this.#subscribe(name, channel).finally(() => (channel.asked = undefined))
    return channel.asked
  }

  /** Where it fails it is asked again. Neither rejects: a cluster that knows no node for a slot throws at once, out of a timer of ours. */
  async #subscribe(name: string, channel: Channel): Promise<void> {
    try {
      await this.#client.ssubscribe(name)
      channel.listens = true
    } catch {
      // A cluster notes each name that it was asked for, as often as it was asked.
      if ('nodes' in this.#client && this.#channels.get(name) === channel) await this.#unsubscribe(name)
    }
  }

  async #unsubscribe(name: string): Promise<void> {
    try {
      await this.#client.sunsubscribe(name)
    } catch {
      // Who is not connected listens to nothing.
    }
  }

  #remove(name: string, listener: (message: string) => void): void {
    const channel = this.#channels.get(name)
    if (channel === undefined || !channel.listeners.delete(listener) || channel.listeners.size > 0) return
    this.#channels.delete(name)
    void this.#unsubscribe(name)
  }
}

async function inPatience(asked: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  await Promise.race([asked, new Promise<void>((resolve) => (timer = setTimeout(resolve, patienceMs)))])
  clearTimeout(timer)
}
