/** How much a room keeps costs nothing to who is nearly up to date: work is compared, on the same machine, turn by turn. */
import { expect, test } from 'vitest'
import type { Cursor } from '../../src/protocol/message.ts'
import { MemoryStore } from '../../src/store/memory.ts'

const author = { id: 'm_history00001', name: 'History' }

interface Room {
  readonly store: MemoryStore
  /** Of the newest message but one. */
  readonly cursor: Cursor
}

async function room(messages: number): Promise<Room> {
  const limits = { keepMessages: 100_000, keepBytes: 256 * 1024 * 1024, dedupeIds: 100, history: 100_000 }
  const store = new MemoryStore({ ...limits, totalBytes: 2 * limits.keepBytes })
  let cursor = ''
  for (let n = 1; n <= messages; n++) {
    const { ack } = (await store.append('r', author, { id: `message-${n}`, text: 'hi' })) as { ack: { cursor: Cursor } }
    if (n === messages - 1) cursor = ack.cursor
  }
  return { store, cursor }
}

/** What so many reads take, in ms. */
async function readsMs({ store, cursor }: Room): Promise<number> {
  const begun = performance.now()
  for (let read = 0; read < 200; read++) await store.read('r', cursor)
  return performance.now() - begun
}

test('a cursor of the newest is found among 25,000 messages with the work that it takes among 25', async () => {
  const [small, large] = [await room(25), await room(25_000)]
  expect((await large.store.read('r', large.cursor)).messages.map(({ seq }) => seq)).toEqual([25_000])
  const least = { small: Infinity, large: Infinity }
  // The least of many turns is what the work takes; whatever else the machine does makes some of them longer, not all.
  for (let turn = 0; turn < 30; turn++) {
    least.small = Math.min(least.small, await readsMs(small))
    least.large = Math.min(least.large, await readsMs(large))
  }
  // A search from the oldest on would take a thousand times as much.
  expect(least.large / least.small).toBeLessThan(20)
  await Promise.all([small.store.close(), large.store.close()])
})
