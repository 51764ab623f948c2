/** The way to Redis: functions are called, channels listened to, and whatever fails fails soon. */
import { Redis } from 'ioredis'
import { type Clients, clientsOf, explain } from './address.ts'
import type { Library } from './library.ts'
import { Subscriptions } from './subscriptions.ts'

export interface ConnectionOptions {
  /** What all our keys and channels begin with: several applications may share a Redis. */
  readonly prefix?: string
  /** How long an answer may take, in ms. */
  readonly timeoutMs?: number
  /** Told of what goes wrong by itself: connections lost, functions that cannot be loaded. */
  readonly report?: (error: Error) => void
}

/** So many questions may wait for an answer; more would only fill memory while Redis is stuck. */
const mostWaiting = 20_000
const secondMs = 1_000
/** How often the connection that only listens is asked whether it still is one, in seconds. */
const pingSeconds = 5

/** Every call rejects within `timeoutMs`, at once while Redis is away, and may have happened all the same. Nothing is sent twice. */
export class Connection {
  readonly prefix: string
  readonly #clients: Clients
  readonly #subscriptions: Subscriptions
  readonly #libraries = new Set<Library>()
  readonly #everySecond = new Set<() => void>()
  readonly #timeoutMs: number
  readonly #report: (error: Error) => void
  #loading: Promise<void> | undefined
  #timer: NodeJS.Timeout | undefined
  #seconds = 0
  #lastError: Error | undefined
  /** Questions without an answer, and when one was last answered, or the first of them asked. */
  #waiting = 0
  #heardAt = 0
  #opened = false
  #closed = false

  /**
   * Connects, and loads these functions.
   * @throws Error in one sentence that says what to do, where it cannot
   */
  static async open(url: string, libraries: readonly Library[], options: ConnectionOptions = {}): Promise<Connection> {
    const connection = new Connection(url, options)
    try {
      await connection.#connect()
      for (const library of libraries) await connection.add(library)
      connection.#begin()
      return connection
    } catch (error) {
      const reason = connection.#lastError ?? (error as Error)
      await connection.close()
      throw new Error(explain(url, reason), { cause: error })
    }
  }

  private constructor(url: string, { prefix = 'fourwires', timeoutMs = 2_000, report = () => {} }: ConnectionOptions) {
    this.prefix = prefix
    this.#timeoutMs = timeoutMs
    this.#report = report
    this.#clients = clientsOf(url, () => this.#opened && !this.#closed)
    const { asked, told } = this.#clients
    this.#subscriptions = new Subscriptions(told)
    // Without a listener the process would end. What was asked meanwhile is told by its own rejection.
    for (const client of new Set([asked, told])) {
      client.on('error', (error: Error) => {
        // Told once, not at every attempt to come back.
        if (this.#opened && !this.#closed && this.#lastError === undefined) this.#report(error)
        this.#lastError = error
      })
    }
    asked.on('ready', () => {
      this.#lastError = undefined
      // A server that came back may have come back empty.
      if (this.#opened) void this.#loadAgain().catch((error: Error) => this.#report(error))
    })
  }

  /** A cluster has its rooms on several nodes: a call has the keys of one room only. */
  get cluster(): boolean {
    return this.#clients.cluster
  }

  /** A key, or a channel, of a room. The braces: all of a room is on one node of a cluster, and rooms spread over all. */
  key(room: string, part: string): string {
    return `${this.prefix}:{${room}}:${part}`
  }

  /** Loads a library, now and whenever Redis has lost it. */
  async add(library: Library): Promise<void> {
    this.#libraries.add(library)
    await this.#inTime(() => this.#load())
  }

  /** Calls a function of a library that was added. `only: 'read'` may be asked for where it writes nothing. */
  async call(
    library: Library,
    name: string,
    keys: readonly string[],
    args: readonly (string | number)[],
    { only }: { readonly only?: 'read' } = {},
  ): Promise<unknown> {
    const { asked } = this.#clients
    const spelled = `${library.name}_${name}`
    const ask = (): Promise<unknown> =>
      only === 'read' ? asked.fcall_ro(spelled, keys.length, ...keys, ...args) : asked.fcall(spelled, keys.length, ...keys, ...args)
    return this.#inTime(async () => {
      try {
        return await ask()
      } catch (error) {
        // Nothing was done then: it may be asked again.
        if (!/function not found/i.test((error as Error).message)) throw error
        await this.#loadAgain()
        return ask()
      }
    })
  }

  /**
   * Calls `listener` with what functions publish by SPUBLISH on this channel of a room, until the returned function is called.
   * A hint: what is published while the connection is lost is never heard. Resolves when it listens, or soon after it could not.
   */
  subscribe(channel: string, listener: (message: string) => void): Promise<() => void> {
    return this.#subscriptions.add(channel, listener)
  }

  /** Calls `listener` every second, until the returned function is called. */
  everySecond(listener: () => void): () => void {
    const own = (): void => listener()
    this.#everySecond.add(own)
    return () => void this.#everySecond.delete(own)
  }

  async close(): Promise<void> {
    this.#closed = true
    clearInterval(this.#timer)
    this.#everySecond.clear()
    for (const client of new Set([this.#clients.asked, this.#clients.told])) client.disconnect()
  }

  async #connect(): Promise<void> {
    const { asked, told, cluster } = this.#clients
    await this.#inTime(() => Promise.all([...new Set([asked, told])].map((client) => client.connect())))
    if (!cluster && (await this.#inTime(() => asked.info('cluster'))).includes('cluster_enabled:1')) throw new Error('MOVED')
    // The library passes over a database that is not there, and uses the first. Asked for by us it is refused.
    const database = asked instanceof Redis ? (asked.options.db ?? 0) : 0
    if (database !== 0) await this.#inTime(() => asked.select(database))
    this.#lastError = undefined
  }

  #begin(): void {
    this.#opened = true
    this.#timer = setInterval(() => {
      this.#subscriptions.again()
      if (++this.#seconds % pingSeconds === 0) this.#subscriptions.ping()
      for (const listener of this.#everySecond) listener()
    }, secondMs).unref()
  }

  /** Once for all calls that miss them: whatever was under way when Redis lost them. */
  #loadAgain(): Promise<void> {
    return (this.#loading ??= this.#load().finally(() => (this.#loading = undefined)))
  }

  /** On every node that may be asked. One that has a library of this name has this one: its name says so. */
  async #load(): Promise<void> {
    const { asked } = this.#clients
    const nodes = 'nodes' in asked ? asked.nodes('master') : [asked]
    await Promise.all(nodes.flatMap((node) => [...this.#libraries].map((library) => load(node, library))))
  }

  #inTime<T>(ask: () => Promise<T>): Promise<T> {
    if (this.#closed) return Promise.reject(new Error('the connection to Redis is closed'))
    const now = performance.now()
    if (this.#waiting === 0) this.#heardAt = now
    // Others wait in vain already: nothing more is piled up behind them.
    if (this.#waiting >= mostWaiting || now - this.#heardAt > this.#timeoutMs) {
      return Promise.reject(new Error(`Redis has answered nothing for ${Math.round(now - this.#heardAt)} ms`))
    }
    this.#waiting++
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`Redis answered nothing for ${this.#timeoutMs} ms`)), this.#timeoutMs)
      const answered = (): void => {
        clearTimeout(timer)
        this.#waiting--
        this.#heardAt = performance.now()
      }
      ask().then(
        (value) => {
          answered()
          resolve(value)
        },
        (error: Error) => {
          answered()
          reject(error)
        },
      )
    })
  }
}

async function load(node: Redis, { code }: Library): Promise<void> {
  try {
    await node.function('LOAD', code)
  } catch (error) {
    if (!/already exists/.test((error as Error).message)) throw error
  }
}
