/** Plays a schedule over a hub and a store, and holds all that was answered and shown against the model. */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import { Hub } from '../../src/hub/hub.ts'
import { Wheel } from '../../src/hub/wheel.ts'
import type { Draft, Member } from '../../src/protocol/message.ts'
import { Problem } from '../../src/protocol/problem.ts'
import { withDefaults } from '../../src/server/options.ts'
import { punctual } from '../../src/store/punctual.ts'
import type { Appended, RoomStore } from '../../src/store/store.ts'
import { persistently } from '../support/follower.ts'
import { Reader, room } from './audience.ts'
import { History, summary } from './history.ts'
import type { Keeping, Kept } from './kept.ts'
import { authors, readers, type Step } from './schedule.ts'

/** Few, so that a reader that stalls for some steps falls behind what is kept. */
const keepMessages = 12
const limits = { keepMessages, history: 200 }

/** How long a room may take to come to rest, in ms. */
const patienceMs = 15_000

const people: readonly Member[] = Array.from({ length: authors }, (_, n) => ({ id: `m_author${n}-----`.slice(0, 14), name: `Author ${n}` }))

class Play {
  readonly history = new History(keepMessages)
  readonly readers = Array.from({ length: readers }, () => new Reader((cursor) => this.history.cursor(cursor)))
  readonly #kept: Kept
  #store: RoomStore | undefined
  #wheel = new Wheel(5)
  #hub: Hub | undefined
  #drawn = 0

  constructor(kept: Kept) {
    this.#kept = kept
  }

  get store(): RoomStore {
    if (this.#store === undefined) throw new Error('no server runs')
    return this.#store
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
    // The epoch is known before anything else happens in it.
    this.history.cursor((await persistently(() => this.store.read(room, undefined))).cursor)
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
    switch (step.kind) {
      case 'say':
        return void (await Promise.all(people.slice(0, step.together).map((author) => this.#say(author))))
      case 'repeat':
        return this.#repeat(step.which, step.otherText)
      case 'look':
        return this.#look(step.which, step.limit)
      case 'turn':
        return nextTurn()
      case 'send away':
        if (step.atRest) await this.rest()
        return this.#hub?.drain(0, () => new Problem('draining', undefined, { retryAfterMs: 1 }))
      case 'clear':
        if (step.atRest) await this.rest()
        await persistently(() => this.store.clear(room))
        return void this.history.cursor((await persistently(() => this.store.read(room, undefined))).cursor)
      case 'restart':
        if (step.atRest) await this.rest()
        await this.end()
        return this.begin()
      default:
        return this.readers[step.reader]?.[step.kind]()
    }
  }

  /** Whoever is there stands at the head, on one wire; who was away comes back for it. */
  async rest(): Promise<void> {
    for (const reader of this.readers) reader.drain()
    const until = performance.now() + patienceMs
    const { cursor } = await persistently(() => this.store.read(room, undefined))
    const late = (): readonly Reader[] => this.readers.filter((reader) => reader.here && (reader.cursor !== cursor || reader.wires !== 1))
    for (let turn = 0; late().length > 0; turn++) {
      if (performance.now() > until) throw new Error(`reader ${this.readers.indexOf(late()[0] as Reader)} never comes to ${cursor}`)
      await (turn < 50 ? nextTurn() : new Promise((resolve) => setTimeout(resolve, 1)))
    }
  }

  async #say(author: Member): Promise<void> {
    const n = ++this.#drawn
    const draft = { id: `draft-${String(n).padStart(6, '0')}`, text: `text ${n}` }
    const appended = await this.#append(author, draft)
    if (appended.outcome === 'mismatch') throw new Error(`${draft.id} was never used before`)
    this.history.acknowledged(author, draft, appended.ack)
  }

  async #repeat(which: number, otherText: boolean): Promise<void> {
    const said = this.history.said[which % Math.max(1, this.history.said.length)]
    if (said === undefined) return
    const { author } = said
    const draft = otherText ? { ...said.draft, text: 'another text' } : said.draft
    const expected = this.history.repeated(author, draft)
    const appended = await this.#append(author, draft)
    if (expected !== undefined) {
      if (!isDeepStrictEqual(appended, expected)) throw new Error(`${draft.id} again: ${JSON.stringify(appended)}`)
      return
    }
    if (appended.outcome === 'mismatch') throw new Error(`${draft.id} was never used in this epoch`)
    this.history.acknowledged(author, draft, appended.ack)
  }

  async #look(which: number, limit: number): Promise<void> {
    const said = this.history.said[which % Math.max(1, this.history.said.length)]
    if (said === undefined) return
    const read = summary(await persistently(() => this.store.read(room, said.ack.cursor, limit)))
    const expected = this.history.expected(said.ack.cursor, limit)
    if (!isDeepStrictEqual(read, expected)) throw new Error(`read ${JSON.stringify(read)}, expected ${JSON.stringify(expected)}`)
  }

  #append(author: Member, draft: Draft): Promise<Appended> {
    return persistently(() => this.store.append(room, author, draft))
  }
}

/**
 * One schedule over one store.
 * @throws Error that says what was not as the model says
 */
export async function play(steps: readonly Step[], keeping: Keeping, seed: number): Promise<void> {
  const kept = await keeping(limits, seed)
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
