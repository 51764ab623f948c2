import * as fc from 'fast-check'
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { parseCursor } from '../../src/protocol/cursor.ts'
import type { Batch, Cursor, Member, Since } from '../../src/protocol/message.ts'
import { MemoryStore } from '../../src/store/memory.ts'
import { defaultLimits, type StoreLimits } from '../../src/store/store.ts'

const ann: Member = { id: 'm_annannann', name: 'Ann' }
const ben: Member = { id: 'm_benbenben', name: 'Ben' }

// The store's own clock and its sweep are ours to move: what goes after an hour goes at once.
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance', 'setInterval', 'clearInterval'] })
  onTestFinished(() => void vi.useRealTimers())
})
const pass = (seconds: number): void => void vi.advanceTimersByTime(seconds * 1000)

function open(limits: Partial<StoreLimits> = {}): MemoryStore {
  const store = new MemoryStore(limits)
  onTestFinished(() => store.close())
  return store
}

let drawn = 0
async function say(store: MemoryStore, room: string, text = 'hi'): Promise<number> {
  const appended = await store.append(room, ann, { id: `draft-${String(++drawn).padStart(6, '0')}`, text })
  return appended.outcome === 'mismatch' ? NaN : appended.ack.seq
}
const kept = async (store: MemoryStore, room: string): Promise<number> => (await store.read(room, 'earliest')).messages.length

describe('memory: the bytes of all rooms', () => {
  const text = 'x'.repeat(1000)

  it('stay under the cap of the process, whatever is said where', async () => {
    const store = open({ totalBytes: 50_000 })
    await fc.assert(
      fc.asyncProperty(fc.nat(9), fc.integer({ min: 1, max: 4096 }), async (room, length) => {
        await say(store, `room${room}`, '€'.repeat(length))
        expect(store.size.bytes).toBeLessThanOrEqual(50_000)
        expect(store.size.bytes).toBeGreaterThanOrEqual(0)
      }),
      { numRuns: 300 },
    )
  })

  it('are made room for by the longest idle room first', async () => {
    const store = open({ totalBytes: 40_000 })
    for (const room of ['first', 'second', 'third']) for (let n = 0; n < 8; n++) await say(store, room, text)
    // A reader does not make it less idle: its last message counts.
    await store.read('first', undefined)
    expect(await Promise.all(['first', 'second', 'third'].map((room) => kept(store, room)))).toEqual([8, 8, 8])
    for (let n = 0; n < 8; n++) await say(store, 'third', text)
    expect(await kept(store, 'first')).toBeLessThan(8)
    expect(await kept(store, 'second')).toBe(8)
    expect(await kept(store, 'third')).toBe(16)
    // Who wrote last goes last.
    await say(store, 'first', text)
    const [first, second] = [await kept(store, 'first'), await kept(store, 'second')]
    for (let n = 0; n < 3; n++) await say(store, 'third', text)
    expect(await kept(store, 'first')).toBe(first)
    expect(await kept(store, 'second')).toBeLessThan(second)
  })

  it('that gave way are a gap to who read them, and the room counts on', async () => {
    const store = open({ totalBytes: 20_000 })
    const { cursor } = await store.read('first', undefined)
    for (let n = 0; n < 5; n++) await say(store, 'first', text)
    for (let n = 0; n < 20; n++) await say(store, 'second', text)
    expect(await store.read('first', cursor)).toMatchObject({ messages: [], gap: { reason: 'trimmed', missed: 5 } })
    expect(await say(store, 'first', text)).toBe(6)
  })

  it('are exactly none once messages and ids have aged', async () => {
    const store = open({ keepSeconds: 60, dedupeSeconds: 120 })
    for (let n = 0; n < 200; n++) await say(store, `room${n % 7}`, '€"\n😀'.repeat(1 + (n % 50)))
    const full = store.size.bytes
    expect(full).toBeGreaterThan(0)
    pass(61)
    store.sweep()
    expect(store.size.bytes).toBeLessThan(full)
    expect(store.size.bytes).toBeGreaterThan(0)
    pass(60)
    store.sweep()
    expect(store.size).toEqual({ bytes: 0, rooms: 7 })
  })

  it('are exactly none once their rooms are gone', async () => {
    const store = open({ totalBytes: 100_000, keepMessages: 20, dedupeIds: 30, keepSeconds: 1e6, dedupeSeconds: 1e6, idleSeconds: 600 })
    for (let n = 0; n < 500; n++) await say(store, `room${n % 11}`, 'x'.repeat(n))
    expect(store.size.bytes).toBeGreaterThan(0)
    pass(601)
    store.sweep()
    expect(store.size).toEqual({ bytes: 0, rooms: 0 })
  })

  it('are none once it is closed', async () => {
    const store = open()
    await say(store, 'lobby')
    await store.close()
    expect(store.size).toEqual({ bytes: 0, rooms: 0 })
  })

  it('of one room stay under its cap, the ids kept to find repeats included', async () => {
    const store = open({ keepBytes: 10_000 })
    for (let n = 0; n < 200; n++) {
      await say(store, 'lobby')
      expect(store.size.bytes).toBeLessThanOrEqual(10_000)
    }
  })
})

describe('memory: a room', () => {
  it('that was never written to goes some time after its last reader', async () => {
    const store = open()
    await store.read('read', undefined)
    pass(200)
    await store.read('read', undefined)
    pass(200)
    store.sweep()
    expect(await store.has('read')).toBe(true)
    pass(101)
    store.sweep()
    expect(store.size.rooms).toBe(0)
  })

  it('goes some time after its last message', async () => {
    const store = open()
    await say(store, 'lobby')
    pass(1800)
    await say(store, 'lobby')
    pass(1801)
    store.sweep()
    expect(await store.has('lobby')).toBe(true)
    pass(1800)
    store.sweep()
    expect(await store.has('lobby')).toBe(false)
  })

  it('goes by itself: nobody has to ask for the sweep', async () => {
    const store = open()
    await say(store, 'lobby')
    pass(3610)
    expect(store.size).toEqual({ bytes: 0, rooms: 0 })
  })

  it('stays while somebody watches it, and goes some time after', async () => {
    const store = open()
    const unwatch = await store.watch('empty', () => {})
    await say(store, 'idle')
    const unwatchIdle = await store.watch('idle', () => {})
    pass(10_000)
    expect(await store.has('empty')).toBe(true)
    expect(await store.has('idle')).toBe(true)
    unwatch()
    unwatchIdle()
    store.sweep()
    expect(store.size.rooms).toBe(2)
    pass(299)
    expect(await store.has('empty')).toBe(true)
    pass(10)
    expect(store.size.rooms).toBe(0)
  })

  it('stays while somebody polls it', async () => {
    const store = open()
    await say(store, 'lobby')
    for (let asked = 0; asked < 100; asked++) {
      pass(60)
      await store.read('lobby', undefined)
    }
    expect(await store.has('lobby')).toBe(true)
  })

  it('that went and comes back is another log, and says so', async () => {
    const store = open()
    await say(store, 'lobby')
    const { cursor } = await store.read('lobby', undefined)
    pass(3700)
    await say(store, 'lobby')
    const batch = await store.read('lobby', cursor)
    expect(batch).toMatchObject({ messages: [{ seq: 1 }], gap: { reason: 'epoch' } })
    expect(parseCursor(batch.cursor)?.epoch).not.toBe(parseCursor(cursor)?.epoch)
  })

  it('that went makes room for another', async () => {
    const store = open({ rooms: 1 })
    await store.read('one', undefined)
    await expect(store.read('two', undefined)).rejects.toMatchObject({ code: 'room-limit' })
    pass(310)
    expect((await store.read('two', undefined)).messages).toEqual([])
  })
})

describe('memory: the wall clock', () => {
  it.each([
    ['a year ahead', 365 * 24 * 3600 * 1000],
    ['a year back', -365 * 24 * 3600 * 1000],
  ])('may jump %s: nothing ages by it', async (_where, jumpMs) => {
    const store = open()
    const before = Date.now()
    await store.append('lobby', ann, { id: 'c1f09b2e', text: 'hi' })
    await store.read('empty', undefined)
    vi.spyOn(Date, 'now').mockReturnValue(before + jumpMs)
    onTestFinished(() => void vi.restoreAllMocks())
    store.sweep()
    expect(await kept(store, 'lobby')).toBe(1)
    expect(await store.has('empty')).toBe(true)
    expect(await store.append('lobby', ann, { id: 'c1f09b2e', text: 'hi' })).toMatchObject({ outcome: 'duplicate' })
    // The next one is dated by it all the same, and is neither older nor younger to the store.
    await say(store, 'lobby')
    expect((await store.read('lobby', 'earliest')).messages.map(({ at }) => at >= before && at < before + 60_000)).toEqual([true, false])
    pass(3601)
    expect(await kept(store, 'lobby')).toBe(0)
  })

  it('may stand still: of a thousand messages of one millisecond each is read once, one at a time', async () => {
    const store = open()
    vi.spyOn(Date, 'now').mockReturnValue(1_763_683_200_000)
    onTestFinished(() => void vi.restoreAllMocks())
    const said: number[] = []
    for (let n = 0; n < 1000; n++) said.push(await say(store, 'lobby'))
    const seen: number[] = []
    let since: Since = 'earliest'
    for (let page = 0; page < 1000; page++) {
      const { messages, cursor } = await store.read('lobby', since, 1)
      seen.push(...messages.map(({ seq }) => seq))
      since = cursor
    }
    expect(seen).toEqual(said)
  })
})

/** What a room is, told in an array: nothing is ever dropped from it, only passed over. */
class Model {
  readonly said: { id: string; member: string; text: string; at: number; cursor: Cursor }[] = []
  readonly #limits: StoreLimits
  #oldest = 1
  constructor(limits: StoreLimits) {
    this.#limits = limits
  }
  find(member: string, id: string, now: number): number | undefined {
    const { dedupeIds, dedupeSeconds } = this.#limits
    const window = this.said.slice(-dedupeIds).filter(({ at }) => now - at < dedupeSeconds * 1000)
    const found = window.find((message) => message.id === id && message.member === member)
    return found && this.said.indexOf(found) + 1
  }
  /** The oldest message kept: it only ever rises. */
  oldest(now: number): number {
    const { keepMessages, keepSeconds } = this.#limits
    const young = this.said.findIndex(({ at }) => now - at < keepSeconds * 1000)
    const byAge = young === -1 ? this.said.length + 1 : young + 1
    this.#oldest = Math.max(this.#oldest, byAge, this.said.length - keepMessages + 1)
    return this.#oldest
  }
  read(since: Since | number, limit: number, origin: Cursor, now: number): Batch {
    const oldest = this.oldest(now)
    const head = this.said.length
    let from = typeof since === 'number' ? since : since === 'earliest' ? 0 : head - this.#limits.history
    const missed = oldest - 1 - from
    const gap = typeof since === 'number' && missed > 0 ? { gap: { reason: 'trimmed' as const, missed } } : {}
    from = Math.max(from, oldest - 1)
    const end = Math.min(head, from + limit)
    const messages = this.said
      .slice(from, end)
      .map(({ id, member, text }, index) => ({ seq: from + index + 1, id, member, text }) as Batch['messages'][0])
    return { messages, cursor: this.said[end - 1]?.cursor ?? origin, ...gap, ...(end < head && { more: true as const }) }
  }
}

describe('memory: any schedule', () => {
  const append = fc.record({
    do: fc.constant('append' as const),
    member: fc.constantFrom(ann, ben),
    id: fc.nat(5),
    text: fc.constantFrom('a', 'b'),
  })
  const since = fc.oneof({ weight: 4, arbitrary: fc.nat(30) }, fc.constantFrom('earliest' as const, undefined))
  const read = fc.record({ do: fc.constant('read' as const), since, limit: fc.integer({ min: 1, max: 8 }) })
  const wait = fc.record({ do: fc.constant('wait' as const), ms: fc.nat(8_000) })
  const schedules = fc.array(fc.oneof({ weight: 4, arbitrary: append }, { weight: 2, arbitrary: read }, wait), { maxLength: 60 })

  it('of appends, reads and time shows what an array shows', async () => {
    const limits: StoreLimits = { ...defaultLimits, keepMessages: 6, keepSeconds: 20, dedupeIds: 4, dedupeSeconds: 10, history: 3 }
    await fc.assert(
      fc.asyncProperty(schedules, async (schedule) => {
        const store = new MemoryStore(limits)
        const model = new Model(limits)
        const { cursor: origin } = await store.read('lobby', undefined)
        for (const step of schedule) {
          const now = performance.now()
          if (step.do === 'wait') {
            vi.advanceTimersByTime(step.ms)
          } else if (step.do === 'append') {
            const draft = { id: `draft-${step.id}000`, text: step.text }
            const seq = model.find(step.member.id, draft.id, now)
            const appended = await store.append('lobby', step.member, draft)
            if (seq === undefined) {
              expect(appended).toMatchObject({ outcome: 'appended', ack: { id: draft.id, seq: model.said.length + 1, duplicate: false } })
              const cursor = appended.outcome === 'appended' ? appended.ack.cursor : ''
              model.said.push({ ...draft, member: step.member.id, at: now, cursor })
            } else if (model.said[seq - 1]?.text === draft.text) {
              const ack = { id: draft.id, seq, cursor: model.said[seq - 1]?.cursor, duplicate: true }
              expect(appended).toEqual({ outcome: 'duplicate', ack })
            } else {
              expect(appended).toEqual({ outcome: 'mismatch' })
            }
            model.oldest(now)
          } else {
            const from = typeof step.since === 'number' ? step.since % (model.said.length + 1) : step.since
            const cursor = typeof from === 'number' ? (model.said[from - 1]?.cursor ?? origin) : from
            const batch = await store.read('lobby', cursor, step.limit)
            const messages = batch.messages.map(({ seq, id, member, text }) => ({ seq, id, member, text }))
            expect({ ...batch, messages }).toEqual(model.read(from, step.limit, origin, now))
          }
        }
        await store.close()
      }),
      { numRuns: 300 },
    )
  })
})

it('gives back what a cleared room held, and keeps within its limits as before', async () => {
  const store = open({ keepMessages: 3, idleSeconds: 60 })
  const empty = store.size
  const unwatch = await store.watch('lobby', () => {})
  for (let said = 0; said < 5; said++) await say(store, 'lobby')
  await store.clear('lobby')
  expect(store.size).toEqual({ ...empty, rooms: 1 })
  for (let said = 0; said < 5; said++) await say(store, 'lobby')
  expect(await kept(store, 'lobby')).toBe(3)
  unwatch()
  pass(3600)
  expect(store.size).toEqual(empty)
})
