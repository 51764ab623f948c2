/** Plays a schedule over a real server and four real clients, one on each wire: all show what the model says (I12). */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { type TransportName, transportNames } from '../../src/protocol/message.ts'
import type { RoomStore } from '../../src/store/store.ts'
import { Follower } from '../support/follower.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { History, placeOf, type Shown } from './history.ts'
import type { Keeping, Kept } from './kept.ts'
import { limits } from './play.ts'
import type { Step } from './schedule.ts'
import { Authors, room } from './writing.ts'

/** A client that begins on one of the wires, and what its application is shown. */
class Client {
  readonly follower: Follower
  readonly shown: Shown[] = []
  #at = { epoch: '', at: 0 }

  constructor(url: string, transport: TransportName, history: History) {
    this.follower = new Follower({ url, room, transport, since: 'earliest', observe: true })
    const { channel } = this.follower
    channel.on('batch', ({ cursor, messages }) => {
      history.cursor(cursor)
      const { epoch, seq } = placeOf(cursor)
      this.#at = { epoch, at: seq - messages.length }
      if (this.shown.length === 0) this.shown.push({ kind: 'begin', ...this.#at })
    })
    channel.on('gap', (gap) => this.shown.push({ kind: 'gap', gap, ...this.#at }))
    channel.on('message', (message) => this.shown.push({ kind: 'message', message }))
  }
}

class Play {
  readonly history = new History(limits.keepMessages)
  clients: readonly Client[] = []
  readonly #authors = new Authors(this.history, () => this.#store as RoomStore)
  readonly #kept: Kept
  #store: RoomStore | undefined
  #server: TestServer | undefined

  constructor(kept: Kept) {
    this.#kept = kept
  }

  async begin(port = 0): Promise<void> {
    this.#store = await this.#kept.open()
    this.#server = await startServer({ store: this.#store, lingerMs: 50 }, port)
    await this.#authors.learn()
    const { url } = this.#server
    if (this.clients.length === 0) this.clients = transportNames.map((transport) => new Client(url, transport, this.history))
  }

  async play(step: Step): Promise<void> {
    if ('atRest' in step && step.atRest) await this.rest()
    switch (step.kind) {
      case 'say':
      case 'repeat':
      case 'look':
      case 'clear':
        return this.#authors.play(step)
      case 'switch': {
        const { channel } = this.clients[step.reader]?.follower ?? {}
        const next = transportNames[(transportNames.indexOf(channel?.state.wanted ?? 'poll') + 1) % transportNames.length]
        return channel?.switchTo(next ?? 'poll')
      }
      case 'cut':
        return this.#server?.cut()
      case 'restart': {
        const { port } = this.#server ?? {}
        await this.#stop()
        return this.begin(port)
      }
      default:
        return nextTurn()
    }
  }

  /** Everybody has come to the head. */
  async rest(): Promise<void> {
    const head = await this.#authors.head()
    await Promise.all(this.clients.map(({ follower }) => follower.until(`at ${head}`, () => follower.channel.cursor === head)))
  }

  async end(): Promise<void> {
    for (const { follower } of this.clients) follower.channel.close()
    await this.#stop()
  }

  async #stop(): Promise<void> {
    this.#server?.cut()
    await this.#server?.close()
  }
}

/**
 * One schedule over four wires and one store.
 * @throws Error that says what was not as the model says
 */
export async function playOverWires(steps: readonly Step[], keeping: Keeping, seed: number): Promise<void> {
  const kept = await keeping.keep(limits, seed)
  const game = new Play(kept)
  try {
    await game.begin()
    for (const step of steps) await game.play(step)
    await game.rest()
    for (const [n, { shown }] of game.clients.entries()) game.history.check(`${transportNames[n]}`, shown, { exact: false })
  } finally {
    await game.end()
    await kept.dispose()
  }
}
