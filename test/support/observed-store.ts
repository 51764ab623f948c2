/** A store that counts what is asked of it, and that can be away: every call fails then, wakes come all the same. */
import type { Batch, Draft, Member, Since } from '../../src/protocol/message.ts'
import type { Appended, RoomStore, Unwatch, Wake } from '../../src/store/store.ts'

export class ObservedStore implements RoomStore {
  away = false
  reads = 0
  /** Watches that have not been undone. */
  watches = 0
  readonly #store: RoomStore

  constructor(store: RoomStore) {
    this.#store = store
  }

  async has(room: string): Promise<boolean> {
    this.#answer()
    return this.#store.has(room)
  }
  async append(room: string, member: Member, draft: Draft): Promise<Appended> {
    this.#answer()
    return this.#store.append(room, member, draft)
  }
  async find(room: string, member: Member, draft: Draft): Promise<Appended | undefined> {
    this.#answer()
    return this.#store.find(room, member, draft)
  }
  async read(room: string, since: Since, limit?: number): Promise<Batch> {
    this.reads++
    this.#answer()
    return this.#store.read(room, since, limit)
  }
  async watch(room: string, wake: Wake): Promise<Unwatch> {
    this.#answer()
    const unwatch = await this.#store.watch(room, wake)
    this.watches++
    return () => {
      this.watches--
      unwatch()
    }
  }
  async clear(room: string): Promise<void> {
    this.#answer()
    return this.#store.clear(room)
  }
  close(): Promise<void> {
    return this.#store.close()
  }

  #answer(): void {
    if (this.away) throw new Error('the store is away on purpose')
  }
}
