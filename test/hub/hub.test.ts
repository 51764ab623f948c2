import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { Delivery, type Envelope } from '../../src/hub/delivery.ts'
import { Hub } from '../../src/hub/hub.ts'
import type { MembersOptions } from '../../src/hub/members.ts'
import type { RoomOptions } from '../../src/hub/room.ts'
import { Wheel } from '../../src/hub/wheel.ts'
import { parseCursor } from '../../src/protocol/cursor.ts'
import type { Member, Since } from '../../src/protocol/message.ts'
import { Problem } from '../../src/protocol/problem.ts'
import { withDefaults } from '../../src/server/options.ts'
import { MemoryStore } from '../../src/store/memory.ts'
import { punctual } from '../../src/store/punctual.ts'
import type { RoomStore, Wake } from '../../src/store/store.ts'
import { LateStore, seeded } from '../support/late-store.ts'
import { ObservedStore } from '../support/observed-store.ts'
import { Reader } from '../support/reader.ts'

const ann: Member = { id: 'm_annannann', name: 'Ann' }
const room = 'lobby'
const patience = { interval: 5, timeout: 10_000 }
const streaming = { greet: true, heartbeatMs: 3_600_000 }
const leases: MembersOptions = withDefaults({})
const defaults = { highWaterBytes: 65_536, stallMs: 90_000, storeAwayMs: 10_000, lingerMs: 30, ...leases } satisfies RoomOptions

const upTo = (last: number, first = 1): number[] => Array.from({ length: last - first + 1 }, (_, index) => first + index)
const cursors = ({ deliveries }: Reader): string[] => deliveries.map(({ batch }) => batch.cursor)

interface World {
  readonly hub: Hub
  readonly wheel: Wheel
  /** What the hub sees of the store. */
  readonly observed: ObservedStore
  /** The n-th message of the room, into the store itself; tells its cursor. */
  say(n: number, text?: string): Promise<string>
  join(reader?: Reader, since?: Since): Reader
}

/** A hub over a store behind the same punctual door as in the server; `wrap` may make that store late. */
function setUp(changes: Partial<RoomOptions & MembersOptions> = {}, wrap: (store: RoomStore) => RoomStore = (store) => store): World {
  const store = new MemoryStore()
  const observed = new ObservedStore(wrap(store))
  const wheel = new Wheel(5)
  const door = punctual(
    observed,
    2_000,
    (ms, fire) => wheel.after(ms, fire),
    () => {},
  )
  const hub = new Hub(door, wheel, { ...defaults, ...changes })
  onTestFinished(async () => {
    wheel.stop()
    await store.close()
  })
  return {
    hub,
    wheel,
    observed,
    say: async (n, text = `text ${n}`) => {
      const appended = await store.append(room, ann, { id: `draft-${String(n).padStart(6, '0')}`, text })
      return appended.outcome === 'mismatch' ? '' : appended.ack.cursor
    },
    join: (reader = new Reader(), since?: Since) => {
      const subscription = hub.subscribe(room, since, reader, streaming)
      subscriptions.set(reader, subscription)
      return reader
    },
  }
}
const subscriptions = new WeakMap<Reader, ReturnType<Hub['subscribe']>>()
const leave = (reader: Reader): void => subscriptions.get(reader)?.leave()

const seen = (reader: Reader, seqs: number[]): Promise<void> => vi.waitFor(() => expect(reader.seqs).toEqual(seqs), patience)
const greeted = (...readers: Reader[]): Promise<void> =>
  vi.waitFor(() => {
    for (const { deliveries } of readers) expect(deliveries.length).toBeGreaterThan(0)
  }, patience)
const allSaid = (world: World, ns: number[]): Promise<string[]> => Promise.all(ns.map((n) => world.say(n)))

describe('members', () => {
  const asking = { ...streaming, known: { members: '0' } }

  it('are told in one delivery, the same object, to all who know the same and stand at the same cursor', async () => {
    const world = setUp({ membersMs: 20, leaseGraceMs: 20 })
    const envelope = vi.fn<Envelope>(({ json }) => Buffer.from(json))
    const readers = Array.from({ length: 100 }, () => new Reader({ envelope }))
    for (const reader of readers) world.hub.subscribe(room, undefined, reader, asking)
    // Where they stand, and that nobody is here.
    await vi.waitFor(() => expect(readers.map(({ deliveries }) => deliveries.length)).toEqual(readers.map(() => 2)), patience)
    world.hub.members.hold(room, ann, 'sse', 60_000)
    await vi.waitFor(() => expect(readers.map(({ deliveries }) => deliveries.length)).toEqual(readers.map(() => 3)), patience)
    expect(new Set(readers.map(({ deliveries }) => deliveries[2])).size).toBe(1)
    expect(envelope).toHaveBeenCalledTimes(3)
  })

  it('are told each reader at its own cursor, before what it has to read', async () => {
    const world = setUp({ membersMs: 20 })
    world.hub.members.hold(room, ann, 'sse', 60_000)
    const since = await allSaid(world, upTo(3))
    await vi.waitFor(() => expect(world.hub.members.since(room, 'members', '0')).toBeDefined(), patience)
    const readers = since.map((cursor) => {
      const reader = new Reader()
      world.hub.subscribe(room, cursor, reader, { ...asking, greet: false })
      return { cursor, reader }
    })
    for (const { cursor, reader } of readers) {
      await vi.waitFor(() => expect(reader.deliveries.length).toBeGreaterThan(0), patience)
      expect(reader.deliveries[0]?.batch).toMatchObject({ messages: [], cursor, members: { list: { [ann.id]: { name: 'Ann' } } } })
    }
  })

  it('are told once each time, however often somebody comes to an empty room and goes', async () => {
    const world = setUp({ membersMs: 20, leaseGraceMs: 20 })
    const reader = new Reader()
    world.hub.subscribe(room, undefined, reader, asking)
    const told = (count: number): Promise<void> => vi.waitFor(() => expect(reader.deliveries).toHaveLength(count), patience)
    await told(2)
    for (let count = 3; count < 9; count += 2) {
      const lease = world.hub.members.hold(room, ann, 'sse', 60_000)
      await told(count)
      lease.leave()
      await told(count + 1)
    }
    const sizes = reader.deliveries.slice(1).map(({ batch }) => Object.values(batch.members?.list ?? {}).length)
    expect(sizes).toEqual([0, 1, 0, 1, 0, 1, 0])
  })
})

describe('the hub', () => {
  it('hands one delivery, the same object, to all who stand at the same cursor, and it is encoded once', async () => {
    const world = setUp()
    const envelope = vi.fn<Envelope>(({ json }) => Buffer.from(json))
    const readers = Array.from({ length: 100 }, () => world.join(new Reader({ envelope })))
    await greeted(...readers)
    // Who joins together reads together.
    expect(world.observed.reads).toBe(1)
    expect(envelope).toHaveBeenCalledTimes(1)
    await world.say(1)
    await Promise.all(readers.map((reader) => seen(reader, [1])))
    expect(new Set(readers.map((reader) => reader.deliveries[1])).size).toBe(1)
    expect(envelope).toHaveBeenCalledTimes(2)
    expect(world.observed.reads).toBe(2)
    expect(world.observed.watches).toBe(1)
  })

  it('hands on what was appended in one turn as one batch, one delivery to each', async () => {
    const world = setUp()
    const readers = Array.from({ length: 10 }, () => world.join())
    await greeted(...readers)
    await allSaid(world, upTo(10))
    // Awaiting a store that answers at once ends no turn.
    for (const n of upTo(25, 11)) await world.say(n)
    await Promise.all(readers.map((reader) => seen(reader, upTo(25))))
    for (const { deliveries } of readers) expect(deliveries).toHaveLength(2)
  })

  it('believes no wake: one that comes late, or twice, with an older head hides nothing', async () => {
    const wakes: Wake[] = []
    const world = setUp({}, (store) => ({
      has: (name) => store.has(name),
      append: (name, member, draft) => store.append(name, member, draft),
      find: (name, member, draft) => store.find(name, member, draft),
      read: (name, since, limit) => store.read(name, since, limit),
      // Who watches hears what the test says.
      watch: async (_name, wake) => {
        wakes.push(wake)
        return () => {}
      },
      clear: (name) => store.clear(name),
      close: () => store.close(),
    }))
    const first = await world.say(1)
    const reader = world.join()
    await seen(reader, [1])
    const second = await world.say(2)
    for (const head of [second, first]) wakes[0]?.(head)
    await seen(reader, [1, 2])
    // And the other way round: nothing is shown twice.
    for (const head of [first, second, first, second]) wakes[0]?.(head)
    await world.say(3)
    wakes[0]?.(second)
    await seen(reader, [1, 2, 3])
  })

  it('reads once for each cursor, wherever its readers come from', async () => {
    const world = setUp()
    const [first = ''] = await allSaid(world, upTo(6))
    const at = {
      start: world.join(new Reader(), 'earliest'),
      first: world.join(new Reader(), first),
      again: world.join(new Reader(), first),
    }
    await seen(at.start, upTo(6))
    await seen(at.first, upTo(6, 2))
    await seen(at.again, upTo(6, 2))
    expect(at.again.deliveries[0]).toBe(at.first.deliveries[0])
    // From here on they stand at the same cursor.
    await world.say(7)
    await seen(at.start, upTo(7))
    await seen(at.first, upTo(7, 2))
    expect(at.start.deliveries.at(-1)).toBe(at.first.deliveries.at(-1))
  })

  it('reads on by itself where there is more than a batch holds', async () => {
    const world = setUp()
    await allSaid(world, upTo(1_203))
    const reader = world.join(new Reader(), 'earliest')
    await seen(reader, upTo(1_203))
    expect(reader.deliveries.map(({ batch }) => batch.messages.length)).toEqual([500, 500, 203])
  })

  it('greets at once: an empty room gives a cursor', async () => {
    const world = setUp()
    const reader = world.join()
    await greeted(reader)
    expect(reader.deliveries.map(({ batch }) => batch.messages)).toEqual([[]])
    expect(parseCursor(cursors(reader)[0] ?? '')).toMatchObject({ seq: 0 })
  })

  it('wakes who does not greet, and only with something', async () => {
    const world = setUp()
    const cursor = await world.say(1)
    const reader = new Reader()
    world.hub.subscribe(room, cursor, reader, { ...streaming, greet: false })
    const other = world.join(new Reader(), cursor)
    await greeted(other)
    expect(reader.deliveries).toEqual([])
    await world.say(2)
    await seen(reader, [2])
    expect(reader.deliveries).toHaveLength(1)
  })

  it('sends a heartbeat to all of a room as one delivery', async () => {
    const world = setUp()
    const readers = [new Reader(), new Reader(), new Reader()]
    for (const reader of readers) world.hub.subscribe(room, undefined, reader, { greet: true, heartbeatMs: 50 })
    await vi.waitFor(() => {
      for (const { deliveries } of readers) expect(deliveries.length).toBeGreaterThanOrEqual(3)
    }, patience)
    expect(new Set(readers.map(({ deliveries }) => deliveries[1])).size).toBe(1)
    expect(readers[0]?.deliveries[1]?.batch).toEqual({ messages: [], cursor: cursors(readers[0] ?? new Reader())[0] })
  })

  it('closes who asks for a cursor that does not parse, and nobody else', async () => {
    const world = setUp()
    const [good, bad] = [world.join(), world.join(new Reader(), 'nonsense')]
    await vi.waitFor(() => expect(bad.closed?.problem.code).toBe('invalid-cursor'), patience)
    await world.say(1)
    await seen(good, [1])
    expect([good.closed, world.hub.size]).toEqual([undefined, 1])
  })
})

describe('a slow reader of the hub', () => {
  it('over the high-water mark stops reading the log, others go on, and it resumes with everything in order', async () => {
    const world = setUp({ highWaterBytes: 500 })
    const slow = world.join(new Reader({ wire: 'full' }))
    const healthy = world.join()
    await greeted(slow, healthy)
    let stopped: number[] = []
    for (let n = 1; n <= 40; n++) {
      await world.say(n, 'x'.repeat(100))
      await seen(healthy, upTo(n))
      if (n === 20) stopped = slow.seqs
    }
    // At most the mark and one batch wait, and what came later was not even looked at for it.
    expect(stopped).toEqual(upTo(stopped.length))
    expect(stopped.length).toBeLessThan(10)
    expect(slow.seqs).toEqual(stopped)
    while (slow.seqs.length < 40) {
      slow.waiting = 0
      const before = slow.deliveries.length
      subscriptions.get(slow)?.resume()
      await vi.waitFor(() => expect(slow.deliveries.length).toBeGreaterThan(before), patience)
    }
    expect(slow.seqs).toEqual(upTo(40))
    slow.waiting = 0
    subscriptions.get(slow)?.resume()
    await world.say(41)
    await seen(slow, upTo(41))
  })

  it('without progress is cut, and its room forgets it', async () => {
    const world = setUp({ highWaterBytes: 10, stallMs: 60 })
    const slow = world.join(new Reader({ wire: 'full' }))
    const healthy = world.join()
    const begin = performance.now()
    await vi.waitFor(() => expect(slow.cuts).toBe(1), patience)
    expect(performance.now() - begin).toBeGreaterThanOrEqual(55)
    expect([slow.closed, healthy.cuts, world.hub.size]).toEqual([undefined, 0, 1])
    await world.say(1)
    await seen(healthy, [1])
    expect(slow.seqs).toEqual([])
  })

  it('whose wire throws holds up nobody else', async () => {
    const world = setUp()
    const sick = new Reader()
    sick.deliver = () => {
      throw new Error('this wire is broken on purpose')
    }
    const before = world.join()
    world.join(sick)
    const after = world.join()
    await world.say(1)
    await seen(before, [1])
    await seen(after, [1])
  })
})

describe('joining while others write', () => {
  /** One hub over one late store: readers join at any moment and from anywhere, some leave; all the others see everything. */
  async function race(seed: number): Promise<void> {
    const last = 60
    const late = { seed, maxDelayMs: 15, failureRate: 0.1 }
    const world = setUp({}, (store) => new LateStore(store, late))
    const random = seeded(seed)
    const said: string[] = []
    const readers: { reader: Reader; since: Since; leaves: boolean }[] = []
    const join = (): void => {
      const choice = random()
      const since = choice < 0.4 ? undefined : choice < 0.7 ? 'earliest' : said[Math.floor(random() * said.length)]
      readers.push({ reader: world.join(new Reader(), since), since, leaves: random() < 0.2 })
    }
    join()
    for (let n = 1; n <= last; n++) {
      said.push(await world.say(n))
      if (random() < 0.4 && n < last) join()
      // Sometimes several come in one turn, sometimes the loop turns in between.
      if (random() < 0.6)
        await new Promise<void>((resolve) => void (random() < 0.5 ? setImmediate(resolve) : setTimeout(resolve, random() * 8)))
      for (const { reader, leaves } of readers) if (leaves && random() < 0.05) leave(reader)
    }
    await vi.waitFor(() => {
      for (const { reader, leaves } of readers) if (!leaves) expect(reader.seqs.at(-1)).toBe(last)
    }, patience)
    for (const { reader, since, leaves } of readers) {
      const { seqs } = reader
      // Without a cursor it begins where the room stood: its first message says where.
      if (since !== undefined && seqs.length > 0) expect(seqs[0]).toBe((parseCursor(since)?.seq ?? 0) + 1)
      const first = seqs[0] ?? last + 1
      expect(seqs).toEqual(upTo(leaves ? first + seqs.length - 1 : last, first))
      expect(reader.closed).toBeUndefined()
      for (const { batch } of reader.deliveries) expect(batch.gap).toBeUndefined()
    }
    for (const { reader } of readers) leave(reader)
    await vi.waitFor(
      () => expect([world.hub.size, world.hub.rooms, world.observed.watches, world.wheel.size]).toEqual([0, 0, 0, 0]),
      patience,
    )
  }

  it('hears of the last message too, though no other ever follows it', async () => {
    const hears = async (seed: number): Promise<void> => {
      const world = setUp({}, (store) => new LateStore(store, { seed, maxDelayMs: 15, failureRate: 0 }))
      const random = seeded(seed)
      const { cursor } = await world.observed.read(room, undefined)
      const readers = [world.join(), world.join(new Reader(), cursor)]
      await new Promise<void>((resolve) => void setTimeout(resolve, random() * 30))
      await world.say(1)
      await Promise.all(readers.map((reader) => seen(reader, [1])))
    }
    await Promise.all(upTo(60).map((seed) => hears(seed)))
  })

  it('leaves no gap and shows nothing twice, however late the store is, and leaves nothing behind', async () => {
    await Promise.all(upTo(40).map((seed) => race(seed)))
  })
})

describe('a store that is away', () => {
  it('keeps its subscribers, and they catch up when it is back', async () => {
    const world = setUp()
    const readers = [world.join(), world.join(), world.join()]
    await greeted(...readers)
    world.observed.away = true
    const failed = world.observed.reads
    await allSaid(world, upTo(5))
    await vi.waitFor(() => expect(world.observed.reads).toBeGreaterThan(failed + 1), patience)
    const late = world.join()
    expect(readers[0]?.seqs).toEqual([])
    world.observed.away = false
    await Promise.all([...readers, late].map((reader) => seen(reader, upTo(5))))
    for (const { closed } of [...readers, late]) expect(closed).toBeUndefined()
  })

  it('may be away when the first reader comes: it is watched once it is back', async () => {
    const world = setUp()
    world.observed.away = true
    const reader = world.join()
    // One that comes while the watch is failing joins it.
    await new Promise((resolve) => setImmediate(resolve))
    const second = world.join(new Reader(), 'earliest')
    world.observed.away = false
    await greeted(reader, second)
    await world.say(1)
    await seen(reader, [1])
    await seen(second, [1])
    expect(world.observed.watches).toBe(1)
  })

  it('for too long sends them away, to come back to where they stood', async () => {
    const world = setUp({ storeAwayMs: 300 })
    const readers = [world.join(), world.join()]
    await greeted(...readers)
    world.observed.away = true
    const begin = performance.now()
    await world.say(1)
    await vi.waitFor(() => {
      for (const { closed } of readers) expect(closed?.problem).toMatchObject({ code: 'store-unavailable', comeBack: true })
    }, patience)
    for (const reader of readers) {
      expect((reader.closed?.at ?? 0) - begin).toBeGreaterThanOrEqual(295)
      expect(reader.closed?.last?.batch).toMatchObject({ messages: [], cursor: cursors(reader)[0] })
      expect(reader.closed?.last?.batch.retryMs).toBe(reader.closed?.problem.retryAfterMs)
    }
    expect(world.hub.size).toBe(0)
  })

  it('for too long sends away all of them, wherever they stand', async () => {
    const world = setUp({ storeAwayMs: 600 })
    const [first = '', second = '', third = ''] = await allSaid(world, upTo(3))
    world.observed.away = true
    const begin = performance.now()
    const readers = [undefined, 'earliest', first, second, third].map((since) => world.join(new Reader(), since))
    await vi.waitFor(() => {
      for (const { closed } of readers) expect(closed?.problem.code).toBe('store-unavailable')
    }, patience)
    // One time for all of them, and not one after the other.
    for (const { closed } of readers) expect((closed?.at ?? 0) - begin).toBeLessThan(1_200)
  })

  it('watches nothing when it is back and everybody has left meanwhile', async () => {
    const world = setUp({ lingerMs: 20 })
    world.observed.away = true
    const reader = world.join()
    await vi.waitFor(() => expect(world.wheel.size).toBeGreaterThan(1), patience)
    leave(reader)
    await vi.waitFor(() => expect(world.hub.rooms).toBe(0), patience)
    world.observed.away = false
    await vi.waitFor(() => expect(world.wheel.size).toBe(0), patience)
    // Whatever was still being asked of the store has been answered by the next turn.
    await new Promise((resolve) => setImmediate(resolve))
    expect(world.observed.watches).toBe(0)
  })
})

describe('draining', () => {
  it('sends everybody away evenly, each with a time to come back of its own', async () => {
    const world = setUp()
    const readers = Array.from({ length: 20 }, () => world.join())
    await greeted(...readers)
    let drawn = 0
    const begin = performance.now()
    await world.hub.drain(500, () => new Problem('draining', undefined, { retryAfterMs: 1000 + drawn++ }))
    const after = readers.map(({ closed }) => (closed?.at ?? NaN) - begin)
    // Five steps of four: the first at once, the last a step before the end.
    expect(after.toSorted((a, b) => a - b)).toEqual(after)
    expect(new Set(readers.map(({ closed }) => closed?.last?.batch.retryMs)).size).toBe(20)
    for (const [index, ms] of after.entries()) expect(ms).toBeGreaterThanOrEqual(Math.floor(index / 4) * 100)
    expect(after[3]).toBeLessThan(100)
    for (const reader of readers) {
      expect(reader.closed?.problem.code).toBe('draining')
      expect(reader.closed?.last?.batch).toEqual({ messages: [], cursor: cursors(reader)[0], retryMs: reader.closed?.problem.retryAfterMs })
    }
    expect(world.hub.size).toBe(0)
  })

  it('sends away who comes meanwhile too, and passes over who has left', async () => {
    const world = setUp()
    const readers = [world.join(), world.join(), world.join()]
    await greeted(...readers)
    const drained = world.hub.drain(300, () => new Problem('draining'))
    leave(readers[2] ?? new Reader())
    const late = world.join()
    await drained
    expect(late.closed?.problem.code).toBe('draining')
    expect(readers.map(({ closed }) => closed?.problem.code)).toEqual(['draining', 'draining', undefined])
    expect(world.hub.size).toBe(0)
  })

  it('of nobody is over at once', async () => {
    const world = setUp()
    await world.hub.drain(5_000, () => new Problem('draining'))
    expect(world.wheel.size).toBe(0)
  })
})

describe('when all have left', () => {
  it('nothing is left: no subscription, no room, no watch, no timer', async () => {
    const world = setUp()
    const readers = ['lobby', 'other', 'third'].flatMap((name) =>
      Array.from({ length: 10 }, () => {
        const reader = new Reader()
        subscriptions.set(reader, world.hub.subscribe(name, undefined, reader, streaming))
        return reader
      }),
    )
    await greeted(...readers)
    expect([world.hub.size, world.hub.rooms, world.observed.watches]).toEqual([30, 3, 3])
    for (const reader of readers) leave(reader)
    expect(world.hub.size).toBe(0)
    await vi.waitFor(() => expect([world.hub.rooms, world.observed.watches, world.wheel.size]).toEqual([0, 0, 0]), patience)
  })

  it('a room is watched on for a moment: who comes back within it misses nothing and asks for no second watch', async () => {
    const world = setUp({ lingerMs: 60_000 })
    const first = world.join()
    await greeted(first)
    leave(first)
    await world.say(1)
    const second = world.join(new Reader(), cursors(first)[0])
    await seen(second, [1])
    expect([world.hub.rooms, world.observed.watches]).toEqual([1, 1])
  })

  it('before its watch stands, the watch is undone all the same', async () => {
    const world = setUp({ lingerMs: 5 }, (store) => new LateStore(store, { seed: 1, maxDelayMs: 100, failureRate: 0 }))
    leave(world.join())
    await vi.waitFor(() => expect([world.hub.rooms, world.wheel.size]).toEqual([0, 0]), patience)
    expect(world.observed.watches).toBe(0)
  })
})

describe('a delivery', () => {
  it('is encoded once for each envelope', () => {
    const delivery = new Delivery({ messages: [], cursor: 'ZkT0aQ1mB7xY.0.AAAAAA' })
    const [one, two] = [vi.fn<Envelope>(({ json }) => Buffer.from(json)), vi.fn<Envelope>(({ json }) => Buffer.from(`data: ${json}\n\n`))]
    expect(delivery.as(one)).toBe(delivery.as(one))
    expect(delivery.as(two)).not.toBe(delivery.as(one))
    expect([one.mock.calls.length, two.mock.calls.length]).toEqual([1, 1])
    expect(delivery.json).toBe('{"messages":[],"cursor":"ZkT0aQ1mB7xY.0.AAAAAA"}')
  })
})
