/** Any schedule shows over the file store what it shows over the memory store, whatever ends the process in between. */
import * as fc from 'fast-check'
import { expect, it, onTestFinished, vi } from 'vitest'
import { parseCursor } from '../../src/protocol/cursor.ts'
import type { Batch, Cursor, Member, Since } from '../../src/protocol/message.ts'
import { FileStore } from '../../src/store/file.ts'
import { MemoryStore } from '../../src/store/memory.ts'
import type { RoomStore, StoreLimits } from '../../src/store/store.ts'
import { ann, Directories } from '../support/kept.ts'

const ben: Member = { id: 'm_benbenben', name: 'Ben' }
const directories = new Directories()

/** Small enough that a schedule of forty steps meets each of them. */
const limits: Partial<StoreLimits> = {
  keepMessages: 6,
  keepBytes: 3_000,
  keepSeconds: 20,
  dedupeIds: 4,
  dedupeSeconds: 10,
  history: 3,
  idleSeconds: 1e6,
  emptySeconds: 1e6,
}

const room = fc.constantFrom('lobby', 'Lobby')
const append = fc.record({
  do: fc.constant('append' as const),
  room,
  member: fc.constantFrom(ann, ben),
  id: fc.nat(5),
  text: fc.constantFrom('a', 'b', 'ä"\n'.repeat(100)),
})
const since = fc.oneof({ weight: 4, arbitrary: fc.nat(30) }, fc.constantFrom('earliest' as const, undefined))
const read = fc.record({ do: fc.constant('read' as const), room, since, limit: fc.integer({ min: 1, max: 8 }) })
const wait = fc.record({ do: fc.constant('wait' as const), ms: fc.nat(8_000) })
const clear = fc.record({ do: fc.constant('clear' as const), room })
const end = fc.record({ do: fc.constantFrom('restart' as const, 'crash' as const, 'compact' as const) })
const step = fc.oneof({ weight: 8, arbitrary: append }, { weight: 4, arbitrary: read }, { weight: 2, arbitrary: end }, wait, {
  weight: 1,
  arbitrary: clear,
})
type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never

/** One store and the cursors that it gave, in their order: two stores draw other epochs and tags, and give as many. */
class Side {
  store: RoomStore
  readonly #cursors: Cursor[] = []
  constructor(store: RoomStore) {
    this.store = store
  }

  /** What a step shows: cursors as where they were first given. */
  async show(now: Step): Promise<unknown> {
    if (now.do === 'append') return this.#plain(await this.store.append(now.room, now.member, { id: `draft-${now.id}000`, text: now.text }))
    if (now.do === 'clear') return this.store.clear(now.room)
    if (now.do !== 'read') return undefined
    const from: Since = typeof now.since === 'number' ? this.#cursors[now.since % Math.max(1, this.#cursors.length)] : now.since
    const { messages, ...batch }: Batch = await this.store.read(now.room, from, now.limit)
    return { ...(this.#plain(batch) as object), messages: messages.map((message) => ({ ...message, at: 0 })) }
  }

  #plain(shown: object): unknown {
    return JSON.parse(JSON.stringify(shown), (key, value: unknown) => (key === 'cursor' ? this.#nameOf(String(value)) : value))
  }
  #nameOf(cursor: Cursor): unknown {
    if (!this.#cursors.includes(cursor)) this.#cursors.push(cursor)
    return { nth: this.#cursors.indexOf(cursor), seq: parseCursor(cursor)?.seq }
  }
}

it('file: any schedule of appends, reads, clearings, time, compactions, restarts and crashes shows what the memory store shows', async () => {
  vi.useFakeTimers({ toFake: ['performance', 'Date', 'setInterval', 'clearInterval'], now: 1_763_683_200_000 })
  onTestFinished(() => void vi.useRealTimers())
  const open = (directory: string): Promise<FileStore> => FileStore.open(directory, { limits, fsync: 'never', batchMs: 0, compactBytes: 0 })
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (schedule) => {
      let directory = directories.next()
      let kept = await open(directory)
      const file = new Side(kept)
      const memory = new Side(new MemoryStore(limits))
      for (const now of schedule) {
        if (now.do === 'wait') vi.advanceTimersByTime(now.ms)
        else if (now.do === 'compact') await kept.sweep()
        else if (now.do === 'restart' || now.do === 'crash') {
          const left = now.do === 'crash' ? directories.afterCrash(directory) : directory
          await kept.close()
          directory = left
          file.store = kept = await open(directory)
        } else expect(await file.show(now)).toEqual(await memory.show(now))
      }
      await Promise.all([kept.close(), memory.store.close()])
    }),
    { numRuns: 100 },
  )
}, 60_000)
