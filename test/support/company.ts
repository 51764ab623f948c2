/** A server and those who read its room, for one test of many that run at once: all of it goes with the test. */
import { it } from 'vitest'
import { node } from '../../src/client/node.ts'
import type { ChannelOptions } from '../../src/client/state.ts'
import type { TransportName } from '../../src/protocol/message.ts'
import type { AppOptions } from '../../src/server/app.ts'
import type { RoomStore, StoreLimits } from '../../src/store/store.ts'
import { Follower } from './follower.ts'
import { startServer, type TestServer } from './server.ts'

/** A store of its own for one test, with these limits and the contract's for the rest; after a restart, another one. */
export type MakeStore = (limits: Partial<StoreLimits>) => RoomStore | Promise<RoomStore>

/** What is between a server and its clients, and where clients find it. */
export interface Front extends AsyncDisposable {
  readonly url: string
}
export type MakeFront = (server: TestServer) => Promise<Front>

/** Short enough to watch, long enough for a client that comes back after its store failed, on a machine that does something else. */
const shortened = {
  leaseGraceMs: 200,
  pollLeaseMs: 1_500,
  pollLeasePercent: 100,
  // Who leaves between an answer and their next question stays for this long.
  longPollLeaseMs: 10_000,
  membersMs: 50,
  lingerMs: 50,
  publishesPerSecond: 0,
} as const

/** Starts what a company meets: one server, or several behind one address. */
export type Start = (options: AppOptions, port: number) => Promise<TestServer>

export class Company {
  readonly followers: Follower[] = []
  readonly #transport: TransportName
  readonly #options: AppOptions
  readonly #start: Start
  readonly #makeFront: MakeFront | undefined
  #server: TestServer | undefined
  #front: Front | undefined

  constructor(transport: TransportName, start: Start, options: AppOptions, makeFront?: MakeFront) {
    this.#makeFront = makeFront
    this.#transport = transport
    this.#start = start
    this.#options = { ...shortened, ...options }
  }

  async begin(port = 0): Promise<void> {
    this.#server = await this.#start(this.#options, port)
    this.#front ??= await this.#makeFront?.(this.#server)
  }

  get server(): TestServer {
    if (this.#server === undefined) throw new Error('not begun')
    return this.#server
  }

  /** Where clients find the server. */
  get url(): string {
    return (this.#front ?? this.server).url
  }

  /** Everybody is cut off, and another process takes the same port. `between` is called while there is none. */
  async restart(between: () => void = () => {}): Promise<void> {
    const { port } = this.server
    this.server.cut()
    await this.server.close()
    between()
    await this.begin(port)
  }

  follow(options: Partial<ChannelOptions> = {}, platform = node()): Follower {
    const follower = new Follower({ url: this.url, room: 'lobby', transport: this.#transport, ...options }, platform)
    this.followers.push(follower)
    return follower
  }

  async close(): Promise<void> {
    for (const { channel } of this.followers) channel.close()
    // With what is before it go the connections that a server would wait for.
    await this.#front?.[Symbol.asyncDispose]()
    await this.#server?.close()
  }
}

/** Most of such a test is waiting for leases, ticks and grace: several at once, each with a company of its own. */
export function promise(
  transport: TransportName,
  makeStore: MakeStore,
  unlessSaid: AppOptions = {},
  makeFront?: MakeFront,
  start: Start = async (options, port) => startServer({ ...options, store: await makeStore(options) }, port),
): (title: string, body: (company: Company) => Promise<void>, options?: AppOptions) => void {
  return (title, body, options = {}) => {
    it.concurrent(title, async () => {
      const company = new Company(transport, start, { ...unlessSaid, ...options }, makeFront)
      try {
        await company.begin()
        await body(company)
      } finally {
        await company.close()
      }
    })
  }
}
