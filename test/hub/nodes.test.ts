/** Leases over two nodes, in time: who is here is the same at both, and little is told for it. */
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { Members, type MembersOptions } from '../../src/hub/members.ts'
import { Wheel } from '../../src/hub/wheel.ts'
import type { Aside, Change, Member, TransportName } from '../../src/protocol/message.ts'
import { nobody, parseVersion } from '../../src/protocol/version.ts'
import { withDefaults } from '../../src/server/options.ts'
import type { Attendance, Listener, Notice } from '../../src/store/attendance.ts'
import { SharedAttendance } from '../support/attendance.ts'

const room = 'lobby'
const ann: Member = { id: 'm_annannann', name: 'Ann' }
const bob: Member = { id: 'm_bobbobbob', name: 'Bob' }
const defaults: MembersOptions = { ...withDefaults({}), maxMembers: 1_000 }

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance', 'setInterval', 'clearInterval'] })
  onTestFinished(() => void vi.useRealTimers())
})

/** Lets all that is told in this turn of the event loop come to where it is told. */
const turn = async (): Promise<void> => {
  for (let turns = 0; turns < 3; turns++) await new Promise((resolve) => setImmediate(resolve))
}
const pass = async (ms: number): Promise<void> => {
  for (let passed = 0; passed < ms; passed += 50) {
    vi.advanceTimersByTime(50)
    await turn()
  }
}

interface Node {
  readonly members: Members
  readonly wheel: Wheel
  /** What it told the others, and how much at once. */
  readonly notices: Notice[]
  readonly calls: number[]
  /** Does anybody read the room here? */
  readers: boolean
  here(): Record<string, readonly TransportName[]>
}

function setUp(changes: Partial<MembersOptions> = {}): { readonly a: Node; readonly b: Node; readonly shared: SharedAttendance } {
  const shared = new SharedAttendance()
  const begin = (): Node => {
    const notices: Notice[] = []
    const calls: number[] = []
    const inner = shared.node()
    const attendance: Attendance = Object.create(inner, {
      tell: { value: (name: string, told: readonly Notice[]) => (calls.push(told.length), notices.push(...told), inner.tell(name, told)) },
    }) as Attendance
    const wheel = new Wheel(50)
    const options = { attendance, lingerMs: 2_000, read: () => node.readers }
    const members = new Members(wheel, { ...defaults, ...changes }, () => {}, options)
    const here = (): Record<string, readonly TransportName[]> =>
      Object.fromEntries(members.list(room).map(({ name, wires }) => [name, wires.map(({ transport }) => transport)]))
    const node = { members, wheel, notices, calls, readers: true, here }
    // As a reader asks who enters the room.
    members.since(room, 'members', '0')
    return node
  }
  return { a: begin(), b: begin(), shared }
}

/** A reader of changes, as the client is one: within an epoch it takes only later numbers. */
class Reader {
  version = '0'
  readonly known = new Map<string, unknown>()
  changes = 0
  /** How many it knew after each change. */
  readonly sizes: number[] = []
  read({ members }: Node, aside: Aside = 'members'): this {
    const next = (): Change<unknown> | undefined => members.since(room, aside, this.version)
    for (let change = next(); change !== undefined; change = next()) {
      if (++this.changes > 10_000) throw new Error('it is told without end')
      const [before, now] = [parseVersion(this.version), parseVersion(change.version)]
      if (now === undefined) throw new Error(`no version: ${change.version}`)
      if (before?.epoch !== now.epoch) this.known.clear()
      else expect(now.number).toBeGreaterThan(before.number)
      this.version = change.version
      for (const [id, value] of Object.entries(change.list)) {
        if (value === null) this.known.delete(id)
        else this.known.set(id, value)
      }
      this.sizes.push(this.known.size)
    }
    return this
  }
}

describe('a lease', () => {
  it('ends at both nodes at the same time, however often it was renewed, and little is told of that', async () => {
    const { a, b } = setUp()
    const lease = a.members.hold(room, ann, 'websocket', 30_000)
    for (let passed = 0; passed < 61_000; passed += 50) {
      await pass(50)
      lease.renew()
    }
    expect(a.notices.length).toBeLessThanOrEqual(2 + 61 / 5)
    await pass(29_900)
    expect([a.here(), b.here()]).toEqual([{ Ann: ['websocket'] }, { Ann: ['websocket'] }])
    await pass(200)
    expect([a.here(), b.here()]).toEqual([{}, {}])
  })

  it('of a poll goes on where its questions come to one node and the other in turn', async () => {
    const { a, b } = setUp()
    for (let polls = 0; polls < 10; polls++) {
      const node = polls % 2 === 0 ? a : b
      node.members.seen(room, ann, 'poll', 10_000)
      await pass(8_000)
      expect([a.here(), b.here()]).toEqual([{ Ann: ['poll'] }, { Ann: ['poll'] }])
    }
    await pass(2_200)
    expect([a.here(), b.here()]).toEqual([{}, {}])
  })

  it('is renewed at a node for the wire that another holds, once in a while where it is asked for all the time', async () => {
    const { a, b } = setUp()
    a.members.hold(room, ann, 'sse', 60_000)
    await pass(50_000)
    for (let renewals = 0; renewals < 160; renewals++) {
      b.members.renew(room, ann, 'sse', 60_000)
      await pass(50)
    }
    const notice = { id: ann.id, renewed: { transport: 'sse', leaseMs: 60_000 } }
    expect(b.notices).toEqual([notice, notice])
    // The second of them was told 5 s after the first.
    await pass(56_800)
    expect([a.here(), b.here()]).toEqual([{ Ann: ['sse'] }, { Ann: ['sse'] }])
    await pass(500)
    expect([a.here(), b.here()]).toEqual([{}, {}])
    // The connection is open all the time.
    b.members.renew(room, ann, 'sse', 60_000)
    await pass(100)
    expect([a.here(), b.here()]).toEqual([{ Ann: ['sse'] }, { Ann: ['sse'] }])
  })

  it('that was changed for a wire of another node has its grace, without leaving in between', async () => {
    const { a, b } = setUp()
    const stream = a.members.hold(room, ann, 'sse', 60_000)
    await pass(5_000)
    const sizes = new Reader().read(a)
    stream.leave()
    await pass(9_000)
    expect(b.here()).toEqual({ Ann: ['sse'] })
    const question = b.members.hold(room, ann, 'long-poll', 90_000)
    await pass(100)
    expect([a.here(), b.here()]).toEqual([{ Ann: ['long-poll'] }, { Ann: ['long-poll'] }])
    await pass(1_900)
    expect([a.here(), b.here()]).toEqual([{ Ann: ['long-poll'] }, { Ann: ['long-poll'] }])
    // Answered, and from now on by a socket of the first node.
    question.end()
    a.members.hold(room, ann, 'websocket', 30_000)
    await pass(9_900)
    expect(a.here()).toEqual({ Ann: ['long-poll', 'websocket'] })
    await pass(300)
    expect([a.here(), b.here()]).toEqual([{ Ann: ['websocket'] }, { Ann: ['websocket'] }])
    expect(sizes.read(a).sizes).not.toContain(0)
  })

  it('of one long poll after the other goes on, and little is told of that', async () => {
    const { a, b } = setUp()
    for (let questions = 0; questions < 100; questions++) {
      const question = (questions % 2 === 0 ? a : b).members.hold(room, ann, 'long-poll', 90_000)
      await pass(150)
      question.renew()
      question.end()
      await pass(50)
    }
    for (const { notices } of [a, b]) expect(notices.length).toBeLessThanOrEqual(2 + 20 / 5)
    expect([a.here(), b.here()]).toEqual([{ Ann: ['long-poll'] }, { Ann: ['long-poll'] }])
    a.members.hold(room, ann, 'long-poll', 90_000).leave()
    await pass(9_800)
    expect([a.here(), b.here()]).toEqual([{ Ann: ['long-poll'] }, { Ann: ['long-poll'] }])
    await pass(500)
    expect([a.here(), b.here()]).toEqual([{}, {}])
  })

  it('of long polls at both nodes in turn ends with the grace of the last one that was closed', async () => {
    const { a, b } = setUp()
    for (const node of [a, b, a]) {
      const question = node.members.hold(room, ann, 'long-poll', 90_000)
      await pass(1_000)
      question.renew()
      question.end()
    }
    // Opened and closed at once: that it was open nobody else is told.
    b.members.hold(room, ann, 'long-poll', 90_000).leave()
    await pass(9_800)
    expect([a.here(), b.here()]).toEqual([{ Ann: ['long-poll'] }, { Ann: ['long-poll'] }])
    await pass(500)
    expect([a.here(), b.here()]).toEqual([{}, {}])
  })

  it('ends at every node with its session, at whatever node that ends', async () => {
    const { a, b } = setUp()
    const lease = a.members.hold(room, ann, 'websocket', 30_000)
    await pass(1_000)
    b.members.forget(ann.id)
    await pass(100)
    lease.renew()
    await pass(100)
    expect([a.here(), b.here()]).toEqual([{}, {}])
  })

  it('shows its member by the name that was given last, whichever node heard it', async () => {
    const { a, b } = setUp()
    const old = a.members.hold(room, ann, 'websocket', 30_000)
    await pass(1_000)
    b.members.hold(room, { ...ann, name: 'Anna' }, 'sse', 60_000)
    await pass(1_000)
    for (let renewals = 0; renewals < 4; renewals++) {
      old.renew()
      await pass(4_000)
    }
    expect([a.here(), b.here()]).toEqual([{ Anna: ['sse', 'websocket'] }, { Anna: ['sse', 'websocket'] }])
  })

  it('shows its member by its new name where it was never heard but by another node', async () => {
    const { a, b } = setUp()
    const old = a.members.hold(room, ann, 'websocket', 30_000)
    await pass(1_000)
    old.leave()
    a.members.hold(room, { ...ann, name: 'Anna' }, 'websocket', 30_000)
    await pass(1_000)
    expect([a.here(), b.here()]).toEqual([{ Anna: ['websocket'] }, { Anna: ['websocket'] }])
  })

  it('of a node that tells nothing any more ends by itself', async () => {
    const { a, b } = setUp()
    a.members.hold(room, ann, 'websocket', 30_000)
    await pass(1_000)
    a.wheel.stop()
    await pass(28_900)
    expect(b.here()).toEqual({ Ann: ['websocket'] })
    await pass(300)
    expect(b.here()).toEqual({})
  })
})

describe('while nothing can be told', () => {
  it('all stay for as long as they had proved to be here, and those who closed do not', async () => {
    const { a, b, shared } = setUp()
    const lease = a.members.hold(room, ann, 'websocket', 30_000)
    const leaving = a.members.hold(room, bob, 'websocket', 30_000)
    await pass(1_000)
    leaving.leave()
    await pass(18_000)
    shared.away(true)
    // Longer than what was left of her lease when she was last told of, and not longer than all of it.
    for (let passed = 0; passed < 27_000; passed += 1_000) {
      lease.renew()
      await pass(1_000)
      expect(Object.keys(b.here())).toContain('Ann')
    }
    expect([a.here(), b.here()]).toEqual([{ Ann: ['websocket'] }, { Ann: ['websocket'] }])
    lease.renew()
    shared.away(false)
    await pass(2_000)
    shared.away(true)
    // Longer than its lease: nobody can say that she is still here.
    await pass(31_500)
    expect(b.here()).toEqual({})
  })

  it('what is to be told is kept once for each member, and told when it can be', async () => {
    const { a, b, shared } = setUp()
    const lease = a.members.hold(room, ann, 'websocket', 30_000)
    await pass(1_000)
    shared.away(true)
    await pass(100)
    for (let x = 0; x < 500; x++) {
      a.members.carry(room, ann.id, { x })
      lease.renew()
      await pass(20)
    }
    // One a second: no more is tried while it is away.
    expect(a.notices.length).toBeLessThan(40)
    a.notices.length = 0
    shared.away(false, true)
    await pass(1_500)
    expect(a.notices.map(({ id }) => id)).toEqual([ann.id])
    expect(new Reader().read(b, 'states').known.get(ann.id)).toEqual({ x: 499 })
    expect(b.here()).toEqual({ Ann: ['websocket'] })
  })
})

describe('a state', () => {
  it('that was set last stays, though the one before it, of another node, is heard only now', async () => {
    const shared = new SharedAttendance()
    const inner = shared.node()
    const late: (() => void)[] = []
    const attendance: Attendance = Object.create(inner, {
      watch: {
        value: (name: string, listener: Listener) =>
          inner.watch(name, {
            lost: () => listener.lost(),
            heard: (all) => void (delayed ? late.push(() => listener.heard(all)) : listener.heard(all)),
          }),
      },
    }) as Attendance
    let delayed = false
    const nodes = { lingerMs: 2_000, read: () => true }
    const other = new Members(new Wheel(50), defaults, () => {}, { ...nodes, attendance: shared.node() })
    const members = new Members(new Wheel(50), defaults, () => {}, { ...nodes, attendance })
    for (const one of [other, members]) one.hold(room, ann, 'sse', 60_000)
    await pass(1_000)
    delayed = true
    other.carry(room, ann.id, 'earlier')
    await pass(100)
    shared.away(true)
    members.carry(room, ann.id, 'later')
    await pass(500)
    const reader = new Reader()
    const state = (): unknown => reader.read({ members } as Node, 'states').known.get(ann.id)
    expect(state()).toBe('later')
    delayed = false
    for (const hear of late) hear()
    await pass(500)
    expect(state()).toBe('later')
    shared.away(false)
    await pass(2_000)
    expect(state()).toBe('later')
    other.carry(room, ann.id, 'last')
    await pass(500)
    expect(state()).toBe('last')
  })

  it('is not taken back where the one before is told back to the node that it came to', async () => {
    const { a } = setUp()
    a.members.hold(room, ann, 'sse', 60_000)
    await pass(1_000)
    const reader = new Reader()
    for (let x = 1; x < 40; x++) {
      a.members.carry(room, ann.id, 2 * x)
      await new Promise((resolve) => setImmediate(resolve))
      a.members.carry(room, ann.id, 2 * x + 1)
      await pass(50)
      expect(reader.read(a, 'states').known.get(ann.id)).toBe(2 * x + 1)
    }
  })

  it('is the one that was set last, though it was told first', async () => {
    const { a, b, shared } = setUp()
    a.members.hold(room, ann, 'sse', 60_000)
    await pass(1_000)
    shared.away(true)
    a.members.carry(room, ann.id, 'earlier')
    await pass(500)
    shared.away(false)
    b.members.carry(room, ann.id, 'later')
    await pass(3_000)
    for (const node of [a, b]) expect(new Reader().read(node, 'states').known.get(ann.id)).toBe('later')
  })

  it('that is set where its member is not known yet is told once it is, and is nobody’s where it never is', async () => {
    const { a, b } = setUp()
    b.readers = false
    await pass(5_000)
    b.members.carry(room, ann.id, 'early')
    b.members.carry(room, bob.id, 'never')
    await pass(300)
    a.members.hold(room, ann, 'sse', 60_000)
    await pass(2_000)
    a.members.hold(room, bob, 'sse', 60_000)
    await pass(1_000)
    expect([...new Reader().read(a, 'states').known]).toEqual([[ann.id, 'early']])
  })
})

describe('who asks both nodes in turn', () => {
  it('is told what changed, once, and never what it knows to be over', async () => {
    const { a, b } = setUp()
    const reader = new Reader()
    const leases = []
    for (let n = 0; n < 20; n++) {
      const node = n % 3 === 0 ? a : b
      leases.push(node.members.hold(room, { id: `m_${n}`, name: `N${n}` }, 'websocket', 600_000))
      for (let questions = 0; questions < 6; questions++) {
        await pass(350)
        reader.read(questions % 2 === 0 ? a : b)
      }
    }
    expect(reader.sizes).toEqual(reader.sizes.toSorted((one, other) => one - other))
    expect(reader.known.size).toBe(20)
    // Once each, and some again where a node had not told yet what the other had.
    expect(reader.changes).toBeLessThanOrEqual(25)
    const { changes } = reader
    for (let questions = 0; questions < 20; questions++) reader.read(questions % 2 === 0 ? a : b)
    expect(reader.changes).toBe(changes)
  })

  it('is told what changed by a node that has told less often', async () => {
    const { a, b } = setUp()
    b.readers = false
    const reader = new Reader()
    for (let n = 0; n < 10; n++) {
      a.members.hold(room, { id: `m_${n}`, name: `N${n}` }, 'websocket', 600_000)
      await pass(1_100)
      reader.read(a)
    }
    b.readers = true
    await b.members.known(room, 1_000)
    await pass(2_000)
    const { changes } = reader
    for (let n = 10; n < 13; n++) {
      a.members.hold(room, { id: `m_${n}`, name: `N${n}` }, 'websocket', 600_000)
      await pass(1_500)
      reader.read(n % 2 === 0 ? b : a)
    }
    expect([reader.known.size, reader.changes - changes]).toEqual([13, 3])
    expect(Math.min(...reader.sizes.slice(-3))).toBe(11)
  })

  it('is told everything where it knows what no node ever told, after a moment, and of nobody where nobody is', async () => {
    const { a, b } = setUp()
    a.members.hold(room, ann, 'websocket', 600_000)
    await pass(3_000)
    const stranger = new Reader()
    stranger.version = 'AbcdefghijkL.8589934599'
    stranger.known.set('m_ghost', {})
    expect(stranger.read(b).changes).toBe(0)
    await pass(2_000)
    expect([...stranger.read(b).known.keys()]).toEqual([ann.id])
    b.members.forget(ann.id)
    await pass(3_000)
    expect([...stranger.read(a).known.keys(), ...stranger.read(b).known.keys()]).toEqual([])
    const late = new Reader()
    expect([late.read(a).version, late.read(b).version]).toEqual([nobody, nobody])
  })

  it('is told a long list in parts, by one node, and what changes of many', async () => {
    const { a, b } = setUp({ membersPerBatch: 3 })
    const leases = Array.from({ length: 10 }, (_, n) => a.members.hold(room, { id: `m_${n}`, name: `N${n}` }, 'websocket', 600_000))
    await pass(3_000)
    const reader = new Reader().read(b)
    expect([reader.known.size, reader.changes]).toEqual([10, 4])
    for (const lease of leases) lease.leave()
    await pass(12_000)
    expect(reader.read(a).read(b).known.size).toBe(0)
  })
})

it('lets go of a room that nobody here is in or reads, and tells all when somebody comes again', async () => {
  const { a, b } = setUp()
  const lease = a.members.hold(room, ann, 'websocket', 30_000)
  await pass(1_000)
  expect(b.members.size).toBe(1)
  b.readers = false
  await pass(4_500)
  expect([b.members.size, b.members.rooms, b.wheel.size]).toEqual([0, 0, 0])
  expect(await b.members.known(room, 1_000)).toBe(true)
  expect(new Reader().read(b).known.size).toBe(1)
  a.readers = b.readers = false
  lease.leave()
  await pass(18_000)
  for (const { members, wheel } of [a, b]) expect([members.size, members.rooms, wheel.size]).toEqual([0, 0, 0])
})

it('waits for what other nodes say of a room for as long as it was asked to, and not for ever', async () => {
  const { a, b, shared } = setUp()
  a.members.hold(room, ann, 'websocket', 600_000)
  b.readers = false
  await pass(5_000)
  expect(b.wheel.size).toBe(0)
  shared.away(true)
  const [soon, never] = [b.members.known(room, 9_000), b.members.known('another', 5_000)]
  await pass(6_000)
  shared.away(false)
  await pass(1_500)
  expect([await soon, await never]).toEqual([true, false])
  expect(b.here()).toEqual({ Ann: ['websocket'] })
  await pass(6_000)
  expect([b.members.rooms, b.wheel.size]).toEqual([0, 0])
})

it('tells who asks of nobody, where it is known only later that nobody is here', async () => {
  const shared = new SharedAttendance()
  const wheel = new Wheel(50)
  const asides: Aside[] = []
  const nodes = { attendance: shared.node(), lingerMs: 2_000, read: () => true }
  const members: Members = new Members(wheel, defaults, (_, aside) => void asides.push(aside), nodes)
  shared.away(true)
  const known = 'AbcdefghijkL.8589934599'
  expect(members.since(room, 'members', known)).toBeUndefined()
  await pass(3_000)
  expect(asides).toEqual([])
  shared.away(false)
  await pass(1_500)
  // It is asked by who waits only when it says that there is news.
  expect(asides).toContain('members')
  expect(members.since(room, 'members', known)).toEqual({ version: nobody, list: {} })
})

it('keeps those who came into a room that was empty for a moment, whatever a reader of before knew', async () => {
  const { a, b } = setUp()
  const first = a.members.hold(room, bob, 'websocket', 30_000)
  await pass(5_000)
  a.members.forget(bob.id)
  first.leave()
  await pass(950)
  // Told by another node, say: nobody here has ever told it.
  a.members.since(room, 'members', 'AbcdefghijkL.8589934599')
  await pass(300)
  const lease = a.members.hold(room, ann, 'websocket', 30_000)
  for (let passed = 0; passed < 12_000; passed += 1_000) {
    await pass(1_000)
    lease.renew()
    expect([a.here(), b.here()]).toEqual([{ Ann: ['websocket'] }, { Ann: ['websocket'] }])
  }
})

it('has no timer left and asks nobody once it is closed, whatever it waited for', async () => {
  let watches = 0
  let fail: (error: Error) => void = () => {}
  const attendance: Attendance = Object.create(new SharedAttendance().node(), {
    watch: { value: () => (watches++, new Promise((_, reject) => (fail = reject))) },
    leave: { value: () => new Promise((_, reject) => setImmediate(reject, new Error('away'))) },
    tell: { value: () => new Promise((_, reject) => setImmediate(reject, new Error('away'))) },
  }) as Attendance
  const wheel = new Wheel(50)
  const members = new Members(wheel, defaults, () => {}, { attendance, lingerMs: 2_000, read: () => true })
  members.hold(room, ann, 'websocket', 30_000)
  members.forget(ann.id)
  wheel.stop()
  await members.close()
  fail(new Error('closed'))
  await pass(10_000)
  expect([watches, wheel.size]).toEqual([1, 0])
})

it('asks for a room no more that nobody here asks for, where it could not be asked, or is told so only then', async () => {
  const fails: ((error: Error) => void)[] = []
  const attendance: Attendance = Object.create(new SharedAttendance().node(), {
    watch: { value: () => new Promise((_, reject) => fails.push(reject)) },
  }) as Attendance
  const wheel = new Wheel(50)
  const members = new Members(wheel, defaults, () => {}, { attendance, lingerMs: 400, read: () => false })
  members.since('one', 'members', '0')
  members.since('another', 'members', '0')
  fails[0]?.(new Error('away'))
  await pass(600)
  fails[1]?.(new Error('away'))
  await pass(50)
  expect([fails.length, wheel.size]).toEqual([2, 0])
  await pass(3_000)
  expect(fails).toHaveLength(2)
})

it('wakes those who wait once for all that nobody ever told, and remembers nothing of it', async () => {
  const wheel = new Wheel(50)
  const asides: Aside[] = []
  const nodes = { attendance: new SharedAttendance().node(), lingerMs: 2_000, read: () => true }
  const members: Members = new Members(wheel, defaults, (_, aside) => void asides.push(aside), nodes)
  members.hold(room, ann, 'websocket', 600_000)
  await pass(5_000)
  const timers = wheel.size
  asides.length = 0
  for (let print = 0; print < 600; print++) {
    members.since(room, 'members', `AbcdefghijkL.${8_589_934_592 + print}`)
    if (print % 100 === 0) await pass(50)
  }
  await pass(3_000)
  expect(asides.length).toBeGreaterThanOrEqual(1)
  expect(asides.length).toBeLessThanOrEqual(2)
  await pass(3_000)
  expect(wheel.size).toBe(timers)
})

it('keeps little of rooms that somebody only names, while nothing can be told', async () => {
  const { a, shared } = setUp()
  shared.away(true)
  a.readers = false
  for (let n = 0; n < 22_000; n++) a.members.renew(`room-${n}`, ann, 'sse', 60_000)
  await pass(50)
  // A timer for each that waits to be told of.
  expect(a.wheel.size).toBeLessThan(20_100)
  a.members.hold(room, ann, 'websocket', 30_000)
  expect(a.here()).toEqual({ Ann: ['websocket'] })
})

it('tells of thousands in calls of hundreds, and keeps only so many of those who say that they are here and hold nothing', async () => {
  const { a, b, shared } = setUp({ maxMembers: 1_000_000 })
  await pass(1_000)
  for (let n = 0; n < 2_000; n++) a.members.hold(room, { id: `m_${n}`, name: 'N' }, 'websocket', 60_000)
  await pass(500)
  expect(b.members.size).toBe(2_000)
  expect(Math.max(...a.calls)).toBe(500)
  shared.away(true)
  for (let n = 0; n < 200_000; n++) a.members.renew(room, { id: `n_${n}`, name: 'N' }, 'sse', 60_000)
  a.members.hold(room, ann, 'websocket', 30_000)
  await pass(200)
  shared.away(false)
  a.notices.length = 0
  await pass(4_000)
  expect(a.notices.length).toBeLessThan(2_000 + 10_000)
  expect(b.members.size).toBe(2_001)
})
