import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { Delivery } from '../../src/hub/delivery.ts'
import { type Reading, type Subscriber, Subscription, type SubscriptionOptions } from '../../src/hub/subscription.ts'
import { Wheel } from '../../src/hub/wheel.ts'
import type { Aside, Asides, Batch, Change, Cursor, Present, Since } from '../../src/protocol/message.ts'
import { Problem } from '../../src/protocol/problem.ts'
import { Reader } from '../support/reader.ts'

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance', 'setInterval', 'clearInterval'] })
  onTestFinished(() => void vi.useRealTimers())
})
const pass = (ms: number): void => void vi.advanceTimersByTime(ms)

/** A room that reads when the test says so. */
class Room implements Reading {
  readonly wheel = new Wheel()
  reads = 0
  left = 0
  /** What there is to tell beside the log. */
  change: Asides = {}
  read(subscription: Subscription): void {
    this.reads++
    subscription.reading()
  }
  heartbeat(cursor: Cursor): Delivery {
    return new Delivery({ messages: [], cursor })
  }
  told(aside: Aside, known: string, cursor: Cursor): Delivery | undefined {
    const change = this.change[aside]
    return change === undefined || change.version === known ? undefined : new Delivery({ messages: [], cursor, [aside]: change })
  }
  leave(): void {
    this.left++
  }
}

const options: SubscriptionOptions = { greet: false, heartbeatMs: 20_000, highWaterBytes: 1_000, stallMs: 90_000 }
const cursorAt = (seq: number): Cursor => `ZkT0aQ1mB7xY.${seq}.q3Xv_a`
const batchOf = (seq: number, text = 'hi'): Batch => ({
  messages: [{ seq, id: 'c1f09b2e', member: 'm_annannann', author: 'Ann', text, at: 0 }],
  cursor: cursorAt(seq),
})
const emptyAt = (seq: number): Batch => ({ messages: [], cursor: cursorAt(seq) })

function follow(
  reader: Subscriber,
  changes: Partial<SubscriptionOptions & { since: Since }> = {},
): { room: Room; subscription: Subscription } {
  const room = new Room()
  const { since, ...others } = { since: cursorAt(0), ...options, ...changes }
  return { room, subscription: new Subscription(room, since, reader, others) }
}
const take = (subscription: Subscription, batch: Batch): void => subscription.take(new Delivery(batch))

describe('a subscription', () => {
  it('that greets delivers its first batch even if it is empty, and no later one', () => {
    const reader = new Reader()
    const { subscription } = follow(reader, { greet: true })
    take(subscription, emptyAt(0))
    take(subscription, emptyAt(0))
    expect(reader.deliveries.map(({ batch }) => batch)).toEqual([emptyAt(0)])
  })

  it('that does not greet delivers nothing before there is something', () => {
    const reader = new Reader()
    const { subscription } = follow(reader)
    take(subscription, emptyAt(0))
    expect(reader.deliveries).toEqual([])
    take(subscription, batchOf(1))
    expect(reader.seqs).toEqual([1])
  })

  it('delivers a gap though no message is left', () => {
    const reader = new Reader()
    const { subscription } = follow(reader)
    take(subscription, { ...emptyAt(9), gap: { reason: 'trimmed', missed: 9 } })
    expect(reader.deliveries[0]?.batch.gap).toEqual({ reason: 'trimmed', missed: 9 })
  })

  it('stands where its last batch has left it, delivered or not', () => {
    const { subscription } = follow(new Reader(), { since: undefined })
    expect(subscription.cursor).toBeUndefined()
    take(subscription, emptyAt(3))
    expect(subscription.cursor).toBe(cursorAt(3))
    take(subscription, batchOf(4))
    expect(subscription.cursor).toBe(cursorAt(4))
  })

  it('that has left is given nothing more, and has left once', () => {
    const reader = new Reader()
    const { room, subscription } = follow(reader)
    subscription.leave()
    subscription.leave()
    take(subscription, batchOf(1))
    subscription.close(new Problem('draining'))
    subscription.resume()
    expect([room.left, room.reads, room.wheel.size]).toEqual([1, 0, 0])
    expect([reader.deliveries, reader.closed, reader.cuts]).toEqual([[], undefined, 0])
  })

  it('may leave within its delivery, as a long poll does', () => {
    const { room, subscription } = follow({
      waiting: 5_000,
      deliver: () => (subscription.leave(), 5_000),
      close: () => {},
      taken: () => {},
      cut: () => {},
    })
    take(subscription, batchOf(1))
    expect([room.left, room.wheel.size, subscription.closed]).toEqual([1, 0, true])
  })

  it('that is closed is told why, where it stood and when to come back, once', () => {
    const reader = new Reader()
    const { room, subscription } = follow(reader)
    take(subscription, batchOf(1))
    const problem = new Problem('draining', undefined, { retryAfterMs: 1234 })
    subscription.close(problem)
    subscription.close(new Problem('internal'))
    expect(reader.closed?.problem).toBe(problem)
    expect(reader.closed?.last?.batch).toEqual({ ...emptyAt(1), retryMs: 1234 })
    expect([room.left, room.wheel.size]).toEqual([1, 0])
  })

  it.each<[string, Since]>([
    ['without a cursor', undefined],
    ['from "earliest"', 'earliest'],
  ])('%s that is closed before it stood anywhere has no last batch', (_where, since) => {
    const reader = new Reader()
    const { subscription } = follow(reader, { since })
    subscription.close(new Problem('draining', undefined, { retryAfterMs: 1 }))
    expect(reader.closed).toMatchObject({ problem: { code: 'draining' }, last: undefined })
  })
})

describe('a heartbeat', () => {
  it('is an empty batch every so often, with the cursor of the subscription', () => {
    const reader = new Reader()
    const { subscription } = follow(reader)
    take(subscription, batchOf(7))
    pass(20_100)
    expect(reader.deliveries.slice(1).map(({ batch }) => batch)).toEqual([emptyAt(7)])
    pass(60_200)
    expect(reader.deliveries.slice(1).map(({ batch }) => batch)).toEqual(Array.from({ length: 4 }, () => emptyAt(7)))
    subscription.leave()
    pass(60_000)
    expect(reader.deliveries).toHaveLength(5)
  })

  it('comes however busy the wire is', () => {
    const reader = new Reader()
    const { subscription } = follow(reader)
    for (let seq = 1; seq <= 65; seq++) {
      take(subscription, batchOf(seq))
      pass(1_000)
    }
    expect(reader.deliveries.filter(({ batch }) => batch.messages.length === 0)).toHaveLength(3)
  })

  it('is not sent while bytes wait, and comes soon after they have gone', () => {
    const reader = new Reader({ wire: 'full' })
    const { subscription } = follow(reader)
    take(subscription, batchOf(1))
    expect(reader.waiting).toBeGreaterThan(0)
    pass(60_000)
    expect(reader.deliveries).toHaveLength(1)
    reader.waiting = 0
    pass(1_100)
    expect(reader.deliveries.map(({ batch }) => batch)).toEqual([batchOf(1), emptyAt(1)])
  })

  it('is not sent within a read: its cursor would be of yesterday', () => {
    const reader = new Reader()
    const { room, subscription } = follow(reader)
    take(subscription, batchOf(1))
    room.read(subscription)
    pass(30_000)
    expect(reader.deliveries).toHaveLength(1)
    take(subscription, batchOf(2))
    pass(1_100)
    expect(reader.deliveries.map(({ batch }) => batch)).toEqual([batchOf(1), batchOf(2), emptyAt(2)])
  })

  it('is not sent before the reader stands anywhere', () => {
    const reader = new Reader()
    follow(reader, { since: 'earliest' })
    pass(60_000)
    expect(reader.deliveries).toEqual([])
  })
})

describe('a slow reader', () => {
  it('under the high-water mark reads on', () => {
    const { subscription } = follow(new Reader({ wire: 'full' }))
    take(subscription, batchOf(1))
    expect(subscription.wants(undefined)).toBe(true)
  })

  it('with so many bytes waiting does not read the log on, until its wire has drained', () => {
    const reader = new Reader({ wire: 'full' })
    const { room, subscription } = follow(reader)
    take(subscription, batchOf(1, 'x'.repeat(1_000)))
    expect(subscription.wants(undefined)).toBe(false)
    expect(room.reads).toBe(0)
    reader.waiting = 0
    subscription.resume()
    expect(room.reads).toBe(1)
    expect(subscription.cursor).toBe(cursorAt(1))
    // Under way already: a second drain asks for nothing.
    subscription.resume()
    expect(room.reads).toBe(1)
  })

  it('that drains while it is live asks for nothing', () => {
    const { room, subscription } = follow(new Reader())
    take(subscription, batchOf(1))
    subscription.resume()
    expect(room.reads).toBe(0)
  })

  it('without progress is cut after 90 s, hard and not politely', () => {
    const reader = new Reader({ wire: 'full' })
    const { room, subscription } = follow(reader)
    take(subscription, batchOf(1))
    pass(89_000)
    expect(reader.cuts).toBe(0)
    pass(32_000)
    expect(reader.cuts).toBe(1)
    expect(reader.closed).toBeUndefined()
    expect([room.left, room.wheel.size]).toEqual([1, 0])
  })

  it('is not cut while there is progress, however little', () => {
    const reader = new Reader({ wire: 'full' })
    const { subscription } = follow(reader, { highWaterBytes: 1e6 })
    take(subscription, batchOf(1, 'x'.repeat(100)))
    while (reader.waiting > 1) {
      pass(58_000)
      reader.waiting--
    }
    expect(reader.cuts).toBe(0)
    pass(125_000)
    expect(reader.cuts).toBe(1)
  })

  it('is not cut while there is progress, though as much comes as goes', () => {
    const reader = new Reader({ wire: 'full' })
    const { subscription } = follow(reader, { highWaterBytes: 1e6 })
    for (let seq = 1; seq <= 30; seq++) {
      const before = reader.waiting
      take(subscription, batchOf(seq, 'x'.repeat(500)))
      if (seq > 1) reader.waiting = before
      pass(30_000)
    }
    expect(reader.cuts).toBe(0)
  })

  it('that takes nothing is cut, though more and more comes', () => {
    const reader = new Reader({ wire: 'full' })
    const { subscription } = follow(reader, { highWaterBytes: 1e6 })
    for (let seq = 1; seq <= 12; seq++) {
      take(subscription, batchOf(seq))
      pass(10_000)
    }
    expect(reader.cuts).toBe(1)
  })

  it('that took everything long ago is given its whole time when it stalls', () => {
    const reader = new Reader({ wire: 'full' })
    const { subscription } = follow(reader, { heartbeatMs: 1e9 })
    take(subscription, batchOf(1))
    reader.waiting = 0
    pass(300_000)
    take(subscription, batchOf(2))
    pass(89_000)
    expect(reader.cuts).toBe(0)
    pass(32_000)
    expect(reader.cuts).toBe(1)
  })

  it('has no timer of its own once its wire has drained', () => {
    const reader = new Reader({ wire: 'full' })
    const { room, subscription } = follow(reader)
    const atRest = room.wheel.size
    take(subscription, batchOf(1))
    expect(room.wheel.size).toBe(atRest + 1)
    reader.waiting = 0
    pass(16_000)
    expect(room.wheel.size).toBe(atRest)
    subscription.leave()
    expect(room.wheel.size).toBe(0)
  })
})

describe('a subscription that asks for the members', () => {
  const change: Change<Present> = { version: 'EEEEEEEEEEEE.1', list: { m_annannann: { name: 'Ann', wires: ['sse'] } } }

  it('is told where it stands first, then who is here, in a batch without messages at its own cursor', () => {
    const reader = new Reader()
    const { room, subscription } = follow(reader, { since: undefined, greet: true, known: { members: '0' } })
    room.change = { members: change }
    subscription.tell('members')
    expect(reader.deliveries).toHaveLength(0)
    take(subscription, batchOf(3))
    expect(reader.deliveries.map(({ batch }) => batch)).toEqual([batchOf(3), { ...emptyAt(3), members: change }])
  })

  it('is told each change once, and nothing while it reads or its wire is full', () => {
    const reader = new Reader()
    const { room, subscription } = follow(reader, { known: { members: '0' } })
    room.change = { members: change }
    subscription.reading()
    subscription.tell('members')
    expect(reader.deliveries).toHaveLength(0)
    take(subscription, emptyAt(0))
    subscription.tell('members')
    expect(reader.deliveries).toHaveLength(1)

    const slow = new Reader({ wire: 'full' })
    const { room: other, subscription: full } = follow(slow, { known: { members: '0' }, highWaterBytes: 10 })
    take(full, batchOf(1))
    other.change = { members: change }
    full.tell('members')
    expect(slow.deliveries).toHaveLength(1)
    slow.waiting = 0
    full.resume()
    take(full, emptyAt(1))
    expect(slow.deliveries.map(({ batch }) => batch.members)).toEqual([undefined, change])
    full.leave()
    subscription.leave()
    expect([room.wheel.size, other.wheel.size]).toEqual([0, 0])
  })

  it('is the only one that is: others never hear of it', () => {
    const reader = new Reader()
    const { room, subscription } = follow(reader)
    room.change = { members: change }
    subscription.tell('members')
    take(subscription, emptyAt(0))
    expect(reader.deliveries).toHaveLength(0)
  })
})

describe('a subscription that asks for states', () => {
  const at = (number: number): Change<unknown> => ({ version: `EEEEEEEEEEEE.${number}`, list: { m_annannann: { x: number } } })
  const states = ({ deliveries }: Reader): unknown[] => deliveries.map(({ batch }) => batch.states?.list['m_annannann'])

  it('is told the newest, where its wire drains: ticks are skipped while bytes wait on it, however few', () => {
    const reader = new Reader({ wire: 'full' })
    const { room, subscription } = follow(reader, { known: { states: '0' }, highWaterBytes: 100_000 })
    room.change = { states: at(1) }
    subscription.tell('states')
    for (let number = 2; number <= 9; number++) {
      room.change = { states: at(number) }
      subscription.tell('states')
    }
    expect(states(reader)).toEqual([{ x: 1 }])
    reader.drain()
    expect(states(reader)).toEqual([{ x: 1 }, { x: 9 }])
    subscription.leave()
    expect(room.wheel.size).toBe(0)
  })

  it('is told of messages all the same while bytes wait, and of states once it has read on', () => {
    const reader = new Reader({ wire: 'full' })
    const { room, subscription } = follow(reader, { known: { states: '0' }, highWaterBytes: 100 })
    room.change = { states: at(1) }
    take(subscription, batchOf(1))
    expect(reader.deliveries.map(({ batch }) => batch)).toEqual([batchOf(1)])
    reader.drain()
    // Its wire was full: it reads on first.
    expect([room.reads, reader.deliveries.length]).toEqual([1, 1])
    take(subscription, emptyAt(1))
    expect(states(reader)).toEqual([undefined, { x: 1 }])
  })
})
