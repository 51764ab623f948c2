/** What authors do, and what a store is asked: the same whoever reads along. Each answer is held against the model. */
import { isDeepStrictEqual } from 'node:util'
import type { Draft, Member } from '../../src/protocol/message.ts'
import type { Appended, RoomStore } from '../../src/store/store.ts'
import { persistently } from '../support/follower.ts'
import type { History } from './history.ts'
import { placeOf } from './history.ts'
import { authors, type Step } from './schedule.ts'

export const room = 'lobby'

const people: readonly Member[] = Array.from({ length: authors }, (_, n) => ({ id: `m_author${n}-----`, name: `Author ${n}` }))

type Writing = Extract<Step, { readonly kind: 'say' | 'repeat' | 'look' | 'clear' }>

export class Authors {
  readonly #history: History
  readonly #store: () => RoomStore
  #drawn = 0

  /** `store` tells the one that is open now. */
  constructor(history: History, store: () => RoomStore) {
    this.#history = history
    this.#store = store
  }

  async play(step: Writing): Promise<void> {
    switch (step.kind) {
      case 'say':
        return void (await Promise.all(people.slice(0, step.together).map((author) => this.#say(author))))
      case 'repeat':
        return this.#repeat(step.which, step.otherText)
      case 'look':
        return this.#look(step.which, step.limit)
      case 'clear':
        await persistently(() => this.#store().clear(room))
        return this.learn()
    }
  }

  /** The epoch is known before anything else happens in it. */
  async learn(): Promise<void> {
    this.#history.cursor(await this.head())
  }

  async head(): Promise<string> {
    return (await persistently(() => this.#store().read(room, undefined))).cursor
  }

  async #say(author: Member): Promise<void> {
    const n = ++this.#drawn
    const draft = { id: `draft-${String(n).padStart(6, '0')}`, text: `text ${n}` }
    this.#acknowledged(author, draft, await this.#append(author, draft))
  }

  async #repeat(which: number, otherText: boolean): Promise<void> {
    const said = this.#history.said[which % Math.max(1, this.#history.said.length)]
    if (said === undefined) return
    const draft = otherText ? { ...said.draft, text: 'another text' } : said.draft
    const expected = this.#history.repeated(said.author, draft)
    const appended = await this.#append(said.author, draft)
    if (expected === undefined) return this.#acknowledged(said.author, draft, appended)
    if (!isDeepStrictEqual(appended, expected)) throw new Error(`${draft.id} again: ${JSON.stringify(appended)}`)
  }

  async #look(which: number, limit: number): Promise<void> {
    const said = this.#history.said[which % Math.max(1, this.#history.said.length)]
    if (said === undefined) return
    const { messages, cursor, gap, more } = await persistently(() => this.#store().read(room, said.ack.cursor, limit))
    const read = { texts: messages.map(({ text }) => text), at: placeOf(cursor).seq, gap, more: more === true }
    const expected = this.#history.expected(said.ack.cursor, limit)
    if (!isDeepStrictEqual(read, expected)) throw new Error(`read ${JSON.stringify(read)}, expected ${JSON.stringify(expected)}`)
  }

  #acknowledged(author: Member, draft: Draft, appended: Appended): void {
    if (appended.outcome === 'mismatch') throw new Error(`${draft.id} was never used in this epoch`)
    this.#history.acknowledged(author, draft, appended.ack)
  }

  #append(author: Member, draft: Draft): Promise<Appended> {
    return persistently(() => this.#store().append(room, author, draft))
  }
}
