import { describe, expect, it, vi } from 'vitest'
import type { Batch, Member } from '../../src/protocol/message.ts'
import { Problem } from '../../src/protocol/problem.ts'
import { type After, punctual } from '../../src/store/punctual.ts'
import type { Appended, RoomStore, Unwatch } from '../../src/store/store.ts'

const ann: Member = { id: 'm_annannann', name: 'Ann' }
const limitMs = 2_000

/** A store that answers when and how the test says. */
class Held implements RoomStore {
  readonly answers: { readonly resolve: (value: never) => void; readonly reject: (error: unknown) => void }[] = []
  closed = false

  #hold<T>(): Promise<T> {
    return new Promise((resolve, reject) => this.answers.push({ resolve, reject }))
  }
  has(): Promise<boolean> {
    return this.#hold()
  }
  append(): Promise<Appended> {
    return this.#hold()
  }
  find(): Promise<Appended | undefined> {
    return this.#hold()
  }
  read(): Promise<Batch> {
    return this.#hold()
  }
  watch(): Promise<Unwatch> {
    return this.#hold()
  }
  clear(): Promise<void> {
    return this.#hold()
  }
  async close(): Promise<void> {
    this.closed = true
  }
}

/** Time that passes when the test says so. */
function setUp(): { held: Held; store: RoomStore; waiting: Map<() => void, number>; failed: unknown[]; pass: () => void } {
  const waiting = new Map<() => void, number>()
  const after: After = (ms, fire) => {
    waiting.set(fire, ms)
    return () => void waiting.delete(fire)
  }
  const pass = (): void => {
    for (const fire of waiting.keys()) {
      waiting.delete(fire)
      fire()
    }
  }
  const held = new Held()
  const failed: unknown[] = []
  return { held, store: punctual(held, limitMs, after, (error) => failed.push(error)), waiting, failed, pass }
}

const batch: Batch = { messages: [], cursor: 'ZkT0aQ1mB7xY.0.AAAAAA' }
const calls: [string, (store: RoomStore) => Promise<unknown>, unknown][] = [
  ['has', (store) => store.has('lobby'), true],
  ['append', (store) => store.append('lobby', ann, { id: 'c1f09b2e', text: 'hi' }), { outcome: 'mismatch' } satisfies Appended],
  ['find', (store) => store.find('lobby', ann, { id: 'c1f09b2e', text: 'hi' }), undefined],
  ['read', (store) => store.read('lobby', undefined, 7), batch],
  ['watch', (store) => store.watch('lobby', () => {}), () => {}],
  ['clear', (store) => store.clear('lobby'), undefined],
]
const unknown = { name: 'Problem', code: 'store-unavailable', status: 503, outcome: 'unknown' }

describe.each(calls)('a punctual store: %s', (_name, call, answer) => {
  it('in time is answered as it is, and leaves no timer behind', async () => {
    const { held, store, waiting, failed } = setUp()
    const called = call(store)
    expect([...waiting.values()]).toEqual([limitMs])
    held.answers[0]?.resolve(answer as never)
    expect(await called).toBe(answer)
    expect(waiting.size).toBe(0)
    expect(failed).toEqual([])
  })

  it('that is answered by nothing ends in time, as store-unavailable with its outcome unknown', async () => {
    const { store, failed, pass } = setUp()
    const called = call(store)
    pass()
    await expect(called).rejects.toMatchObject(unknown)
    expect(failed).toMatchObject([{ message: expect.stringContaining('2000') as string }])
  })

  it('tells when to come back, another time to each', async () => {
    const { store, pass } = setUp()
    const refused = Array.from({ length: 50 }, () => call(store).catch((error: Problem) => error.retryAfterMs ?? NaN))
    pass()
    const times = (await Promise.all(refused)) as number[]
    for (const ms of times) {
      expect(ms).toBeGreaterThanOrEqual(500)
      expect(ms).toBeLessThanOrEqual(2000)
    }
    expect(new Set(times).size).toBeGreaterThan(10)
  })

  it('that is refused by a problem is refused by the same', async () => {
    const { held, store, waiting, failed } = setUp()
    const problem = new Problem('room-limit')
    const called = call(store)
    held.answers[0]?.reject(problem)
    await expect(called).rejects.toBe(problem)
    expect(waiting.size).toBe(0)
    expect(failed).toEqual([])
  })

  it.each([
    ['an Error', new Error('ECONNRESET')],
    ['anything else', 'gone'],
    ['undefined', undefined],
  ])('that fails with %s is store-unavailable, and what it was is told to the log only', async (_what, error) => {
    const { held, store, waiting, failed } = setUp()
    const called = call(store)
    held.answers[0]?.reject(error)
    await expect(called).rejects.toMatchObject({ ...unknown, message: expect.not.stringContaining('ECONNRESET') as string })
    expect(waiting.size).toBe(0)
    expect(failed).toEqual([error])
  })

  it('that fails after it has ended is passed over', async () => {
    const { held, store, failed, pass } = setUp()
    const called = call(store)
    pass()
    await expect(called).rejects.toMatchObject(unknown)
    held.answers[0]?.reject(new Error('too late'))
    // Were it left unhandled, the run would fail.
    await new Promise((resolve) => setImmediate(resolve))
    expect(failed).toHaveLength(1)
  })
})

describe('a punctual store', () => {
  it('undoes a watch that comes too late', async () => {
    const { held, store, pass } = setUp()
    const unwatch = vi.fn<Unwatch>()
    const called = store.watch('lobby', () => {})
    pass()
    await expect(called).rejects.toMatchObject(unknown)
    expect(unwatch).not.toHaveBeenCalled()
    held.answers[0]?.resolve(unwatch as never)
    await vi.waitFor(() => expect(unwatch).toHaveBeenCalledOnce())
  })

  it('hands a watch in time to its caller, who alone undoes it', async () => {
    const { held, store } = setUp()
    const unwatch = vi.fn<Unwatch>()
    const called = store.watch('lobby', () => {})
    held.answers[0]?.resolve(unwatch as never)
    expect(await called).toBe(unwatch)
    expect(unwatch).not.toHaveBeenCalled()
  })

  it('holds one late call up for no other', async () => {
    const { held, store } = setUp()
    void store.read('lobby', undefined).catch(() => {})
    const second = store.has('lobby')
    held.answers[1]?.resolve(true as never)
    expect(await second).toBe(true)
  })

  it('rejects, and does not throw, where the store throws at once', async () => {
    const { held, store } = setUp()
    held.read = () => {
      throw new Error('not connected')
    }
    // Nobody who calls an asynchronous function looks for what it throws.
    const called = (async () => store.read('lobby', undefined))()
    await expect(called).rejects.toMatchObject(unknown)
  })

  it('closes the store behind it', async () => {
    const { held, store } = setUp()
    await store.close()
    expect(held.closed).toBe(true)
  })
})
