/** Plays a schedule over a hub and a store, and holds all that was answered and shown against the model. */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { Hub } from '../../src/hub/hub.ts'
import { Wheel } from '../../src/hub/wheel.ts'
import { Problem } from '../../src/protocol/problem.ts'
import { withDefaults } from '../../src/server/options.ts'
import { punctual } from '../../src/store/punctual.ts'
import type { RoomStore } from '../../src/store/store.ts'
import { Reader } from './audience.ts'
import { History } from './history.ts'
import type { Keeping, Kept } from './kept.ts'
import { readers, type Step } from './schedule.ts'
import { Authors } from './writing.ts'

/** Few, so that a reader that stalls for some steps falls behind what is kept. */
const keepMessages = 12
export const limits = { keepMessages, history: 200 }

/** How long a room may take to come to rest, in ms. */
const patienceMs = 15_000

class Play {
  readonly history = new History(keepMessages)
  readonly readers = Array.from({ length: readers }, () => new Reader((cursor) => this.history.cursor(cursor)))
  readonly authors = new Authors(this.history, () => this.#store as RoomStore)
  readonly #kept: Kept
  #store: RoomStore | undefined
  #wheel = new Wheel(5)
  #hub: Hub | undefined

  constructor(kept: Kept) {
    this.#kept = kept
  }

  async begin(): Promise<void> {
    this.#store = await this.#kept.open()
    this.#wheel = new Wheel(5)
    const door = punctual(
      this.#store,
      2_000,
      (ms, fire) => this.#wheel.after(ms, fire),
      () => {},
    )
    this.#hub = new Hub(door, this.#wheel, { ...withDefaults({}), lingerMs: 10 })
    for (const reader of this.readers) {
      reader.hub = this.#hub
      if (reader.here) reader.join()
    }
    await this.authors.learn()
  }

  async end(): Promise<void> {
    for (const reader of this.readers) {
      reader.hub = undefined
      reader.cut()
    }
    this.#wheel.stop()
    await this.#store?.close()
  }

  async play(step: Step): Promise<void> {
    if ('atRest' in step && step.atRest) await this.rest()
    switch (step.kind) {
      case 'say':
      case 'repeat':
      case 'look':
      case 'clear':
        return this.authors.play(step)
      case 'turn':
        return nextTurn()
      case 'send away':
        return this.#hub?.drain(0, () => new Problem('draining', undefined, { retryAfterMs: 1 }))
      case 'restart':
        await this.end()
        return this.begin()
      default:
        return this.readers[step.reader]?.[step.kind]()
    }
  }

  /** Whoever is there stands at the head, on one wire. */
  async rest(): Promise<void> {
    for (const reader of this.readers) reader.drain()
    const until = performance.now() + patienceMs
    const head = await this.authors.head()
    const late = (): readonly Reader[] => this.readers.filter((reader) => reader.here && (reader.cursor !== head || reader.wires !== 1))
    for (let turn = 0; late().length > 0; turn++) {
      if (performance.now() > until) throw new Error(`reader ${this.readers.indexOf(late()[0] as Reader)} never comes to ${head}`)
      await (turn < 50 ? nextTurn() : new Promise((resolve) => setTimeout(resolve, 1)))
    }
  }
}

/**
 * One schedule over one store.
 * @throws Error that says what was not as the model says
 */
export async function play(steps: readonly Step[], keeping: Keeping, seed: number): Promise<void> {
  const kept = await keeping.keep(limits, seed)
  const game = new Play(kept)
  try {
    await game.begin()
    for (const step of steps) await game.play(step)
    for (const reader of game.readers) reader.join()
    await game.rest()
    const exact = !steps.some(({ kind }) => kind === 'switch')
    for (const [n, reader] of game.readers.entries()) game.history.check(`reader ${n}`, reader.shown, { exact })
  } finally {
    await game.end()
    await kept.dispose()
  }
}
