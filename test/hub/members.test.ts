/** Leases in time, and what is told of them. */
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { Members, type MembersOptions } from '../../src/hub/members.ts'
import { Wheel } from '../../src/hub/wheel.ts'
import type { Change, Member, Present, TransportName } from '../../src/protocol/message.ts'
import { nobody } from '../../src/protocol/version.ts'
import { withDefaults } from '../../src/server/options.ts'

const ann: Member = { id: 'm_annannann', name: 'Ann' }
const bob: Member = { id: 'm_bobbobbob', name: 'Bob' }
const room = 'lobby'
const defaults: MembersOptions = { ...withDefaults({}), maxMembers: 100 }

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance', 'setInterval', 'clearInterval'] })
  onTestFinished(() => void vi.useRealTimers())
})
const pass = (ms: number): void => void vi.advanceTimersByTime(ms)

interface World {
  readonly members: Members
  readonly wheel: Wheel
  /** When it was told that there is something new, in ms since the beginning. */
  readonly toldAt: number[]
  /** The names that are here, with their wires. */
  here(): Record<string, readonly TransportName[]>
}

function setUp(changes: Partial<MembersOptions> = {}): World {
  const wheel = new Wheel(50)
  const toldAt: number[] = []
  const begun = performance.now()
  const members = new Members(wheel, { ...defaults, ...changes }, (_room, aside) => {
    if (aside === 'members') toldAt.push(performance.now() - begun)
  })
  const here = (): Record<string, readonly TransportName[]> =>
    Object.fromEntries(members.list(room).map(({ name, wires }) => [name, wires.map(({ transport }) => transport)]))
  return { members, wheel, toldAt, here }
}

/** A reader of the changes, as the client is one. */
class Reader {
  version = '0'
  readonly present = new Map<string, Present>()
  readonly changes: Change<Present>[] = []
  read({ members }: World): this {
    const next = () => members.since(room, 'members', this.version) as Change<Present> | undefined
    for (let change = next(); change !== undefined; change = next()) {
      this.changes.push(change)
      if (change.version.split('.')[0] !== this.version.split('.')[0]) this.present.clear()
      this.version = change.version
      for (const [id, present] of Object.entries(change.list)) {
        if (present === null) this.present.delete(id)
        else this.present.set(id, present)
      }
    }
    return this
  }
  get names(): string[] {
    return [...this.present.values()].map(({ name }) => name).toSorted()
  }
}

describe('a lease', () => {
  it('ends by itself, not early and soon, where nothing renews it', () => {
    const world = setUp()
    world.members.hold(room, ann, 'websocket', 30_000)
    pass(29_900)
    expect(world.members.size).toBe(1)
    pass(200)
    expect(world.members.size).toBe(0)
    expect(world.here()).toEqual({})
  })

  it('goes on for its whole length from each renewal', () => {
    const world = setUp()
    const lease = world.members.hold(room, ann, 'websocket', 30_000)
    for (let renewals = 0; renewals < 5; renewals++) {
      pass(29_000)
      lease.renew()
    }
    pass(29_900)
    expect(world.members.size).toBe(1)
    pass(200)
    expect(world.members.size).toBe(0)
    // The connection was open all the time: what comes over it counts again.
    lease.renew()
    expect(world.here()).toEqual({ Ann: ['websocket'] })
  })

  it('keeps its member for the time of grace after the last wire was closed, and no longer', () => {
    const world = setUp()
    const lease = world.members.hold(room, ann, 'websocket', 30_000)
    lease.leave()
    pass(9_900)
    expect(world.here()).toEqual({ Ann: ['websocket'] })
    pass(200)
    expect(world.here()).toEqual({})
  })

  it('is not made longer by grace: what would have ended sooner does', () => {
    const world = setUp()
    const lease = world.members.hold(room, ann, 'sse', 12_000)
    pass(11_000)
    lease.leave()
    pass(1_100)
    expect(world.here()).toEqual({})
  })

  it('holds while one of two tabs is open', () => {
    const world = setUp()
    const [one, other] = [world.members.hold(room, ann, 'websocket', 30_000), world.members.hold(room, ann, 'websocket', 30_000)]
    expect(world.members.size).toBe(1)
    one.leave()
    pass(20_000)
    expect(world.here()).toEqual({ Ann: ['websocket'] })
    other.renew()
    pass(20_000)
    expect(world.here()).toEqual({ Ann: ['websocket'] })
    other.leave()
    pass(10_100)
    expect(world.here()).toEqual({})
  })

  it('runs on where its request ended as it was to', () => {
    const world = setUp()
    const lease = world.members.hold(room, ann, 'long-poll', 90_000)
    pass(25_000)
    lease.renew()
    lease.end()
    pass(89_900)
    expect(world.here()).toEqual({ Ann: ['long-poll'] })
    pass(200)
    expect(world.here()).toEqual({})
  })

  it('has the grace of a change where another wire is held instead, and its own again once it is asked for again', () => {
    const world = setUp()
    const asked = world.members.hold(room, ann, 'long-poll', 90_000)
    const socket = world.members.hold(room, ann, 'websocket', 30_000)
    // Answered, not left: what changed ended it.
    asked.end()
    pass(9_000)
    expect(world.here()).toEqual({ Ann: ['long-poll', 'websocket'] })
    pass(1_200)
    expect(world.here()).toEqual({ Ann: ['websocket'] })
    const tab = world.members.hold(room, ann, 'long-poll', 90_000)
    pass(11_000)
    socket.renew()
    expect(world.here()).toEqual({ Ann: ['long-poll', 'websocket'] })
    tab.end()
    const next = world.members.hold(room, ann, 'long-poll', 90_000)
    pass(15_000)
    expect(world.here()).toEqual({ Ann: ['long-poll', 'websocket'] })
    next.leave()
    pass(500)
    expect(world.here()).toEqual({ Ann: ['websocket'] })
  })

  it('is not shortened by another tab that asks more often', () => {
    const world = setUp()
    world.members.seen(room, ann, 'poll', 150_000)
    world.members.seen(room, ann, 'poll', 10_000)
    pass(149_000)
    expect(world.here()).toEqual({ Ann: ['poll'] })
  })

  it('is given its grace where the process was too late to hear of a renewal', () => {
    const world = setUp()
    const lease = world.members.hold(room, ann, 'websocket', 30_000)
    // The event loop stands still: time passes, and no timer fires.
    const real = performance.now.bind(performance)
    const skipped = vi.spyOn(performance, 'now').mockImplementation(() => real() + 40_000)
    onTestFinished(() => skipped.mockRestore())
    pass(100)
    expect(world.here()).toEqual({ Ann: ['websocket'] })
    lease.renew()
    pass(29_000)
    expect(world.here()).toEqual({ Ann: ['websocket'] })
  })

  it('of a stream is renewed from beside it only while that stream is open', () => {
    const world = setUp()
    world.members.renew(room, ann, 'sse', 60_000)
    expect(world.here()).toEqual({})
    const lease = world.members.hold(room, ann, 'sse', 60_000)
    pass(61_000)
    expect(world.here()).toEqual({})
    world.members.renew(room, ann, 'sse', 60_000)
    expect(world.here()).toEqual({ Ann: ['sse'] })
    lease.leave()
    world.members.renew(room, ann, 'sse', 60_000)
    pass(10_100)
    expect(world.here()).toEqual({})
  })

  it('is nobody’s for an observer, and for who comes when there is no room for more members', () => {
    const world = setUp({ maxMembers: 1 })
    const lease = world.members.hold(room, undefined, 'websocket', 30_000)
    lease.renew()
    world.members.seen(room, undefined, 'poll', 10_000)
    expect(world.here()).toEqual({})
    world.members.seen(room, ann, 'poll', 10_000)
    world.members.hold(room, bob, 'sse', 60_000).renew()
    world.members.hold(room, ann, 'sse', 60_000)
    expect(world.here()).toEqual({ Ann: ['poll', 'sse'] })
  })
})

describe('a member', () => {
  it('is one by all its wires, and in each room by itself', () => {
    const world = setUp()
    for (const transport of ['sse', 'websocket'] as const) world.members.hold(room, ann, transport, 60_000)
    world.members.hold('lounge', ann, 'sse', 60_000)
    expect(world.here()).toEqual({ Ann: ['sse', 'websocket'] })
    expect(world.members.size).toBe(2)
  })

  it('that changes its transport is here by the new one, and never away', () => {
    const world = setUp()
    const reader = new Reader()
    let lease = world.members.hold(room, ann, 'websocket', 30_000)
    for (const transport of ['sse', 'long-poll', 'websocket'] as const) {
      const next = world.members.hold(room, ann, transport, 60_000)
      lease.leave()
      lease = next
      pass(3_000)
      expect(world.here()).toEqual({ Ann: [transport] })
      expect(reader.read(world).names).toEqual(['Ann'])
    }
    expect(reader.changes.flatMap(({ list }) => Object.values(list)).filter((present) => present === null)).toEqual([])
  })

  it('that reloads is told of to nobody', () => {
    const world = setUp()
    let lease = world.members.hold(room, ann, 'websocket', 30_000)
    pass(2_000)
    const { length } = world.toldAt
    for (let reloads = 0; reloads < 50; reloads++) {
      lease.leave()
      pass(200)
      lease = world.members.hold(room, ann, 'websocket', 30_000)
    }
    pass(2_000)
    expect(world.toldAt).toHaveLength(length)
  })

  it('has the name that it last came with', () => {
    const world = setUp()
    const old = world.members.hold(room, ann, 'websocket', 30_000)
    world.members.seen(room, { ...ann, name: 'Anna' }, 'poll', 10_000)
    old.renew()
    expect(world.here()).toEqual({ Anna: ['poll', 'websocket'] })
  })

  it('whose session ended has left every room at once, and its open wires are nobody’s', () => {
    const world = setUp()
    const lease = world.members.hold(room, ann, 'websocket', 30_000)
    world.members.seen('lounge', ann, 'poll', 10_000)
    world.members.hold(room, bob, 'websocket', 30_000)
    world.members.forget(ann.id)
    lease.renew()
    expect(world.here()).toEqual({ Bob: ['websocket'] })
    expect(world.members.size).toBe(1)
    lease.leave()
    expect(world.members.size).toBe(1)
  })
})

describe('what is told', () => {
  it('is everything to who knows nothing, and then only what changed', () => {
    const world = setUp()
    const reader = new Reader()
    world.members.hold(room, ann, 'sse', 60_000)
    pass(100)
    reader.read(world)
    const bobs = world.members.hold(room, bob, 'websocket', 60_000)
    pass(1_100)
    reader.read(world)
    bobs.leave()
    pass(11_100)
    reader.read(world)
    expect(reader.changes.map(({ list }) => ({ ...list }))).toEqual([
      { [ann.id]: { name: 'Ann', wires: ['sse'] } },
      { [bob.id]: { name: 'Bob', wires: ['websocket'] } },
      { [bob.id]: null },
    ])
  })

  it('is told at most once in its time, however much changes', () => {
    const world = setUp()
    for (let change = 0; change < 100; change++) {
      world.members.seen(room, { id: `m_member${change}`, name: 'N' }, 'poll', 20_000)
      pass(100)
    }
    expect(world.toldAt.length).toBeGreaterThanOrEqual(8)
    for (const [index, at] of world.toldAt.slice(1).entries()) expect(at - (world.toldAt[index] ?? 0)).toBeGreaterThanOrEqual(1_000)
  })

  it('is told to nobody before its time, also where one asks before', () => {
    const world = setUp()
    world.members.seen(room, ann, 'poll', 10_000)
    const reader = new Reader()
    expect(reader.read(world).changes).toEqual([])
    pass(100)
    world.members.seen(room, bob, 'poll', 10_000)
    expect(reader.read(world).names).toEqual(['Ann'])
    pass(1_100)
    expect(reader.read(world).names).toEqual(['Ann', 'Bob'])
  })

  it('is nothing where a renewal changed nothing', () => {
    const world = setUp()
    const lease = world.members.hold(room, ann, 'websocket', 30_000)
    pass(2_000)
    const reader = new Reader().read(world)
    for (let frames = 0; frames < 20; frames++) {
      lease.renew()
      pass(1_000)
    }
    expect(world.toldAt).toHaveLength(1)
    expect(reader.read(world).changes).toHaveLength(1)
  })

  it('is everything again where the version is not known: of another process, of another time', () => {
    const before = setUp()
    before.members.seen(room, bob, 'poll', 10_000)
    pass(100)
    const reader = new Reader().read(before)
    const after = setUp()
    after.members.seen(room, ann, 'poll', 10_000)
    pass(100)
    expect(reader.read(after).names).toEqual(['Ann'])
  })

  it('comes in parts where it is long, and is complete', () => {
    const world = setUp({ membersPerBatch: 3 })
    for (let n = 0; n < 10; n++) world.members.seen(room, { id: `m_${n}`, name: `N${n}` }, 'poll', 20_000)
    pass(100)
    const reader = new Reader().read(world)
    expect(reader.changes.map(({ list }) => Object.keys(list).length)).toEqual([3, 3, 3, 1])
    expect(reader.names).toHaveLength(10)
  })

  it('is the same of every room in which nobody is, whatever was before', () => {
    const world = setUp()
    const reader = new Reader().read(world)
    expect(reader.changes).toEqual([{ version: nobody, list: {} }])
    world.members.seen(room, ann, 'poll', 10_000)
    pass(100)
    expect(reader.read(world).names).toEqual(['Ann'])
    pass(12_000)
    expect(reader.read(world).names).toEqual([])
    expect(reader.version).toBe(nobody)
    expect(reader.read(world).changes).toHaveLength(3)
  })

  it('is right for who missed that nobody was here for a while', () => {
    const world = setUp()
    const bobs = world.members.hold(room, bob, 'sse', 60_000)
    pass(100)
    const [early, late] = [new Reader().read(world), new Reader().read(world)]
    bobs.leave()
    pass(10_100)
    expect(early.read(world).version).toBe(nobody)
    world.members.seen(room, ann, 'poll', 20_000)
    pass(1_100)
    expect(early.read(world).names).toEqual(['Ann'])
    expect(late.read(world).names).toEqual(['Ann'])
  })

  it('is right for every reader however long ago it last asked, also where more have gone than are remembered', () => {
    const world = setUp({ maxMembers: 10_000 })
    world.members.hold(room, ann, 'websocket', 100_000_000)
    for (let n = 0; n < 5; n++) world.members.seen(room, { id: `m_early_${n}`, name: 'Early' }, 'poll', 500)
    pass(100)
    const readers = [1, 3, 21].map((every) => ({ every, reader: new Reader().read(world) }))
    for (const { reader } of readers) expect(reader.names).toHaveLength(6)
    for (let round = 1; round <= 21; round++) {
      for (let n = 0; n < 100; n++) world.members.seen(room, { id: `m_${round}_${n}`, name: `N${round}` }, 'poll', 500)
      pass(2_000)
      for (const { every, reader } of readers) if (round % every === 0) expect(reader.read(world).names).toEqual(['Ann'])
    }
  })

  it('is of no prototype, whatever a host calls its members', () => {
    const world = setUp()
    world.members.seen(room, { id: '__proto__', name: 'P' }, 'poll', 10_000)
    world.members.seen(room, { id: 'constructor', name: 'C' }, 'poll', 10_000)
    pass(100)
    const change = world.members.since(room, 'members', '0')
    expect(JSON.stringify(change?.list)).toBe('{"__proto__":{"name":"P","wires":["poll"]},"constructor":{"name":"C","wires":["poll"]}}')
  })
})

it('leaves no timer and no member behind when all have gone', () => {
  const world = setUp()
  const leases = [world.members.hold(room, ann, 'sse', 60_000), world.members.hold('lounge', bob, 'websocket', 30_000)]
  world.members.seen(room, bob, 'poll', 10_000)
  const expired = world.members.hold('hall', ann, 'sse', 1_000)
  pass(5_000)
  for (const lease of [...leases, expired]) lease.leave()
  pass(12_000)
  expect([world.members.size, world.members.rooms, world.wheel.size]).toEqual([0, 0, 0])
  expect(vi.getTimerCount()).toBe(0)
})
