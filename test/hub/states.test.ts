/** States on their tick, and what is told of them. */
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import type { Envelope } from '../../src/hub/delivery.ts'
import { Hub } from '../../src/hub/hub.ts'
import { type Lease, Members, type MembersOptions } from '../../src/hub/members.ts'
import { Wheel } from '../../src/hub/wheel.ts'
import type { Change, Member } from '../../src/protocol/message.ts'
import { nobody } from '../../src/protocol/version.ts'
import { withDefaults } from '../../src/server/options.ts'
import { MemoryStore } from '../../src/store/memory.ts'
import { Reader } from '../support/reader.ts'

const room = 'lobby'
const defaults: MembersOptions = { ...withDefaults({}), maxMembers: 1_000 }
const memberOf = (n: number): Member => ({ id: `m_${String(n).padStart(12, '0')}`, name: `N${n}` })
const [ann, bob] = [memberOf(1), memberOf(2)]

interface World {
  readonly members: Members
  readonly wheel: Wheel
  /** When there was something new to tell of states, in ms since the beginning. */
  readonly toldAt: number[]
  here(...who: readonly Member[]): Lease[]
  /** All that is told to who knows this version. */
  told(known?: string): Change<unknown>[]
}

function setUp(changes: Partial<MembersOptions> = {}): World {
  vi.useFakeTimers({ toFake: ['performance', 'setInterval', 'clearInterval'] })
  onTestFinished(() => void vi.useRealTimers())
  const wheel = new Wheel(50)
  const toldAt: number[] = []
  const begun = performance.now()
  const members = new Members(wheel, { ...defaults, ...changes }, (_room, aside) => {
    if (aside === 'states') toldAt.push(performance.now() - begun)
  })
  return {
    members,
    wheel,
    toldAt,
    here: (...who) => who.map((member) => members.hold(room, member, 'websocket', 600_000)),
    told: (known = '0') => {
      const all: Change<unknown>[] = []
      for (let version = known; ;) {
        const change = members.since(room, 'states', version)
        if (change === undefined) return all
        all.push({ version: change.version, list: { ...change.list } })
        version = change.version
      }
    },
  }
}
const pass = (ms: number): void => void vi.advanceTimersByTime(ms)

describe('a state', () => {
  it('is told on the next tick, and to nobody before', () => {
    const world = setUp()
    world.here(ann)
    world.members.carry(room, ann.id, { x: 1 })
    expect(world.told()).toEqual([])
    pass(50)
    expect(world.told().map(({ list }) => list)).toEqual([{ [ann.id]: { x: 1 } }])
  })

  it('is told 20 times a second at the most, and no less often, to all at once', () => {
    const world = setUp()
    // Ticks do not begin where the clock's do.
    pass(3)
    world.here(ann, bob)
    for (let ms = 0; ms < 1_000; ms += 5) {
      world.members.carry(room, ann.id, ms)
      world.members.carry(room, bob.id, -ms)
      pass(5)
    }
    expect(world.toldAt).toEqual(Array.from({ length: 20 }, (_, index) => 50 * (index + 1) + 3))
  })

  it('that changes all the time is told of to who asks between two ticks, as it was at the last', () => {
    const world = setUp()
    world.here(ann)
    for (let ms = 0; ms < 200; ms += 10) {
      world.members.carry(room, ann.id, ms)
      if (ms >= 50) expect(world.told().map(({ list }) => list)).toEqual([{ [ann.id]: ms - (ms % 50) - 10 }])
      pass(10)
    }
  })

  it('that is what it was before anybody was told is no change', () => {
    const world = setUp()
    world.here(ann)
    for (const state of [1, null]) world.members.carry(room, ann.id, state)
    pass(50)
    world.members.carry(room, ann.id, 1)
    pass(50)
    for (const state of [2, 1]) world.members.carry(room, ann.id, state)
    pass(50)
    expect(world.toldAt).toEqual([100])
  })

  it('is told less often where that is asked for', () => {
    const world = setUp({ statesMs: 200 })
    world.here(ann)
    for (let ms = 0; ms < 1_000; ms += 10) {
      world.members.carry(room, ann.id, ms)
      pass(10)
    }
    expect(world.toldAt).toEqual([50, 250, 450, 650, 850])
  })

  it('that is the same again is no change: nobody is woken, and no timer waits', () => {
    const world = setUp()
    world.here(ann)
    world.members.carry(room, ann.id, { x: 1 })
    pass(1_000)
    const timers = world.wheel.size
    for (let again = 0; again < 10; again++) {
      world.members.carry(room, ann.id, { x: 1 })
      expect(world.wheel.size).toBe(timers)
      pass(100)
    }
    expect(world.toldAt).toHaveLength(1)
  })

  it('of who is not here is not kept, and makes no room', () => {
    const world = setUp()
    world.members.carry(room, ann.id, 1)
    world.here(ann)
    world.members.carry(room, bob.id, 1)
    world.members.carry('lounge', ann.id, 1)
    pass(100)
    expect([world.members.states, world.members.rooms, world.toldAt]).toEqual([0, 1, []])
  })

  it('is gone when it is cleared, when the lease of its member ends, and when its session does', () => {
    const world = setUp()
    const [, bobs] = world.here(ann, bob, memberOf(3))
    for (const { id } of [ann, bob, memberOf(3)]) world.members.carry(room, id, id)
    pass(50)
    const version = world.told()[0]?.version ?? ''
    world.members.carry(room, ann.id, null)
    pass(50)
    bobs?.leave()
    pass(10_100)
    world.members.forget(memberOf(3).id)
    pass(50)
    expect(world.told(version)).toEqual([{ version: nobody, list: {} }])
    expect(world.members.states).toBe(0)
    // Who comes again begins without one.
    world.here(bob)
    pass(1_000)
    expect(world.told()).toEqual([{ version: nobody, list: {} }])
  })

  it('that is gone is null to who knew it, and nothing to who did not', () => {
    const world = setUp()
    world.here(ann, bob)
    for (const { id } of [ann, bob]) world.members.carry(room, id, 'here')
    pass(50)
    const version = world.told()[0]?.version ?? ''
    world.members.carry(room, ann.id, null)
    pass(50)
    expect(world.told(version).map(({ list }) => list)).toEqual([{ [ann.id]: null }])
    expect(world.told().map(({ list }) => list)).toEqual([{ [bob.id]: 'here' }])
  })
})

describe('what is told of states', () => {
  it('is in one batch what changed within one tick, and in several what one does not take', () => {
    const world = setUp()
    const many = Array.from({ length: 250 }, (_, n) => memberOf(n))
    world.here(...many)
    for (const { id } of many.slice(0, 100)) world.members.carry(room, id, { x: 0.25, y: 0.75 })
    pass(50)
    expect(world.told().map(({ list }) => Object.keys(list).length)).toEqual([100])
    for (const { id } of many) world.members.carry(room, id, 1)
    pass(50)
    expect(world.told().map(({ list }) => Object.keys(list).length)).toEqual([200, 50])
  })

  it('is never more than the bytes of a batch, whatever the states and the names of members', () => {
    const world = setUp({ statesPerBatch: 1_000_000, batchBytes: 5_000 })
    const many = Array.from({ length: 40 }, (_, n) => ({ id: `"${'ü'.repeat(n)}"`, name: 'N' }))
    world.here(...many)
    for (const { id } of many) world.members.carry(room, id, 'é'.repeat(127))
    pass(50)
    const told = world.told()
    expect(told.length).toBeGreaterThan(1)
    expect(told.flatMap(({ list }) => Object.keys(list))).toEqual(many.map(({ id }) => id))
    for (const states of told) {
      const batch = { messages: [], cursor: `${'E'.repeat(12)}.${'9'.repeat(15)}.EEEEEE`, states }
      expect(Buffer.byteLength(JSON.stringify(batch))).toBeLessThanOrEqual(5_000)
    }
  })

  it('is everything where the version is not known, and nobody’s where there are none', () => {
    const world = setUp()
    expect(world.told()).toEqual([{ version: nobody, list: {} }])
    expect(world.told('EEEEEEEEEEEE.7')).toEqual([{ version: nobody, list: {} }])
    world.here(ann)
    pass(1_000)
    expect(world.told('EEEEEEEEEEEE.7')).toEqual([{ version: nobody, list: {} }])
    world.members.carry(room, ann.id, 1)
    pass(50)
    expect(world.told('EEEEEEEEEEEE.7').map(({ list }) => list)).toEqual([{ [ann.id]: 1 }])
    expect(world.told(nobody).map(({ list }) => list)).toEqual([{ [ann.id]: 1 }])
  })

  it('is of no prototype', () => {
    const world = setUp()
    world.here({ id: '__proto__', name: 'P' })
    world.members.carry(room, '__proto__', 1)
    pass(50)
    expect(JSON.stringify(world.members.since(room, 'states', '0')?.list)).toBe('{"__proto__":1}')
  })
})

it('leaves no timer and no state behind when all have gone', () => {
  const world = setUp({ statesMs: 5_000 })
  const leases = world.here(ann, bob)
  for (const { id } of [ann, bob]) world.members.carry(room, id, 1)
  pass(100)
  for (const { id } of [ann, bob]) world.members.carry(room, id, 2)
  for (const lease of leases) lease.leave()
  pass(20_000)
  expect([world.members.size, world.members.states, world.members.rooms, world.wheel.size]).toEqual([0, 0, 0, 0])
  expect(vi.getTimerCount()).toBe(0)
})

describe('the readers of a room', () => {
  const patience = { interval: 5, timeout: 10_000 }
  beforeEach(() => void vi.useRealTimers())

  it('share one delivery of a hundred states, encoded once, and those who do not ask hear of none', async () => {
    const wheel = new Wheel(5)
    const store = new MemoryStore()
    const hub = new Hub(store, wheel, {
      ...defaults,
      statesMs: 5,
      highWaterBytes: 65_536,
      stallMs: 90_000,
      storeAwayMs: 10_000,
      lingerMs: 30,
    })
    onTestFinished(async () => {
      wheel.stop()
      await store.close()
    })
    const envelope = vi.fn<Envelope>(({ json }) => Buffer.from(json))
    const readers = Array.from({ length: 20 }, () => new Reader({ envelope }))
    const unasked = new Reader()
    const streaming = { greet: true, heartbeatMs: 3_600_000 }
    for (const reader of readers) hub.subscribe(room, undefined, reader, { ...streaming, known: { states: '0' } })
    hub.subscribe(room, undefined, unasked, streaming)
    const all = (count: number): Promise<void> =>
      vi.waitFor(() => expect(readers.map(({ deliveries }) => deliveries.length)).toEqual(readers.map(() => count)), patience)
    await all(2)
    const many = Array.from({ length: 100 }, (_, n) => memberOf(n))
    for (const member of many) {
      hub.members.hold(room, member, 'sse', 60_000)
      hub.members.carry(room, member.id, { x: 1 })
    }
    await all(3)
    const told = readers.map(({ deliveries }) => deliveries[2])
    expect(new Set(told).size).toBe(1)
    expect(Object.keys(told[0]?.batch.states?.list ?? {})).toHaveLength(100)
    // Where they stand, that there were none, and the hundred.
    expect(envelope).toHaveBeenCalledTimes(3)
    expect(unasked.deliveries).toHaveLength(1)
  })
})
