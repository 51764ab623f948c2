/** The books behind the wire view: what is told of connections adds up, in whatever pieces it is told. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Block, type ConnectionState, type Counts, type PieceKind, pieceKinds, type Report } from '../../src/lab/events.ts'
import { WireModel } from '../../src/page/wire/wire-model.ts'
import { since } from '../../src/page/wire/sums.ts'

const sum = (counts: Counts): number => Object.values(counts).reduce((all, bytes) => all + bytes, 0)
const side = (counts: Counts): ConnectionState['up'] => ({ bytes: sum(counts), counts })

function state(connection: number, change: Partial<ConnectionState> = {}): ConnectionState {
  return { connection, port: 50_000 + connection, openedAt: 1, requests: 0, up: side({}), down: side({}), ...change }
}

function report(at: number, change: Partial<Report> = {}): Report {
  return { type: 'report', at, connections: [], blocks: [], skipped: 0, observer: { up: 0, down: 0 }, ...change }
}

function block(change: Partial<Block> = {}): Block {
  const told = { connection: 1, block: 1, direction: 'up', what: 'request', at: 10, until: 10, exchange: 1, detail: '' } as const
  return { ...told, pieces: [['headers', 100]], ...change }
}

const ask = (exchange: number, at: number, detail = 'GET /rooms/lobby/long-poll?since=x'): Block =>
  block({ block: 2 * exchange - 1, exchange, at, until: at, detail })
const answer = (exchange: number, at: number): Block =>
  block({ block: 2 * exchange, exchange, at, until: at, direction: 'down', what: 'response', detail: '200 OK' })

const exchangesOf = (model: WireModel): readonly unknown[] => [...(model.connections[0]?.exchanges.values() ?? [])]

/** Counts of a connection only ever grow. */
const growth = fc.record({
  connection: fc.integer({ min: 1, max: 4 }),
  up: fc.dictionary(fc.constantFrom(...pieceKinds), fc.integer({ min: 0, max: 10_000 })),
  down: fc.dictionary(fc.constantFrom(...pieceKinds), fc.integer({ min: 0, max: 10_000 })),
  requests: fc.integer({ min: 0, max: 3 }),
  closes: fc.boolean(),
})
type Growth = typeof growth extends fc.Arbitrary<infer Each> ? Each : never

const add = (one: Counts, other: Counts): Counts =>
  Object.fromEntries(pieceKinds.map((kind: PieceKind) => [kind, (one[kind] ?? 0) + (other[kind] ?? 0)]))

/** What the server would tell after each step, and how it stands at last. A closed connection is followed by another. */
function tell(steps: readonly Growth[]): {
  readonly states: readonly ConnectionState[]
  readonly last: ReadonlyMap<number, ConnectionState>
} {
  const last = new Map<number, ConnectionState>()
  const current = new Map<number, number>()
  const states = steps.map(({ connection, up, down, requests, closes }, index) => {
    const id = current.get(connection) ?? connection + 10 * last.size
    current.set(connection, id)
    const before = last.get(id) ?? state(id)
    const now: ConnectionState = {
      ...before,
      requests: before.requests + requests,
      up: side(add(before.up.counts, up)),
      down: side(add(before.down.counts, down)),
      ...(closes && { closedAt: index + 2 }),
    }
    if (closes) current.delete(connection)
    last.set(id, now)
    return now
  })
  return { states, last }
}

describe('the totals', () => {
  it('are what the sockets count, and attributed and unattributed bytes add up to them, however it is told', () => {
    fc.assert(
      fc.property(fc.array(growth, { maxLength: 120 }), fc.array(fc.boolean()), (steps, cuts) => {
        const { states, last } = tell(steps)
        const model = new WireModel()
        let told: ConnectionState[] = []
        for (const [index, each] of states.entries()) {
          told = [...told.filter(({ connection }) => connection !== each.connection), each]
          if (!(cuts[index] ?? true)) continue
          model.take(report(index + 1, { connections: told }))
          told = []
        }
        model.take(report(states.length + 1, { connections: told }))
        const { connections, requests, up, down, attributed, unattributed } = model.totals
        expect(attributed + unattributed).toBe(up + down)
        const all = [...last.values()]
        expect(connections).toBe(all.length)
        expect(requests).toBe(all.reduce((count, each) => count + each.requests, 0))
        expect(up).toBe(all.reduce((bytes, each) => bytes + each.up.bytes, 0))
        expect(down).toBe(all.reduce((bytes, each) => bytes + each.down.bytes, 0))
        expect(unattributed).toBe(all.reduce((bytes, each) => bytes + sum(pick(each)), 0))
      }),
      { numRuns: 100 },
    )
  })

  it('count from any moment on, and still add up', () => {
    fc.assert(
      fc.property(fc.array(growth, { minLength: 2, maxLength: 60 }), fc.nat(), (steps, from) => {
        const { states } = tell(steps)
        const reset = from % states.length
        const model = new WireModel()
        const settled = { up: 0, down: 0 }
        for (const [index, each] of states.entries()) {
          model.take(report(index + 1, { connections: [each] }))
          if (index !== reset) continue
          for (const one of new Map(states.slice(0, index + 1).map((known) => [known.connection, known])).values()) {
            settled.up += one.up.bytes - (one.closedAt === undefined ? (one.up.counts.unattributed ?? 0) : 0)
            settled.down += one.down.bytes - (one.closedAt === undefined ? (one.down.counts.unattributed ?? 0) : 0)
          }
          model.reset()
        }
        const { up, down, attributed, unattributed } = model.totals
        const last = [...new Map(states.map((known) => [known.connection, known])).values()]
        expect(attributed + unattributed).toBe(up + down)
        expect(up).toBe(last.reduce((bytes, each) => bytes + each.up.bytes, 0) - settled.up)
        expect(down).toBe(last.reduce((bytes, each) => bytes + each.down.bytes, 0) - settled.down)
      }),
    )
  })

  it('count connections that are long gone, and keep few of them', () => {
    const model = new WireModel()
    for (let id = 1; id <= 200; id++) {
      const gone = state(id, { closedAt: id, requests: 1, up: side({ headers: 10 }), down: side({ body: 3, unattributed: 1 }) })
      model.take(report(id, { connections: [gone] }))
    }
    expect(model.totals).toEqual({
      connections: 200,
      requests: 200,
      up: 2_000,
      down: 800,
      payload: 600,
      attributed: 2_600,
      unattributed: 200,
    })
    expect(model.connections.length).toBeLessThanOrEqual(50)
    model.reset()
    expect(model.totals).toMatchObject({ connections: 0, up: 0, down: 0 })
  })

  it('know what had passed before anybody looked, until they count anew', () => {
    const model = new WireModel()
    const page = { up: side({ headers: 500 }), down: side({ body: 90_000, headers: 900 }), requests: 3 }
    model.take(report(1, { connections: [state(1, page)] }))
    expect(model.before).toMatchObject({ requests: 3, up: 500, down: 90_900, payload: 90_000 })
    // Opened before, and known to be ours only now.
    model.take(report(2, { connections: [state(2, { down: side({ body: 9_100 }) })] }))
    expect(model.before).toMatchObject({ requests: 3, up: 500, down: 100_000, payload: 99_100 })
    model.take(report(3, { connections: [state(3, { openedAt: 2, down: side({ body: 40 }) })] }))
    expect(model.before).toMatchObject({ down: 100_000 })
    model.take(report(4, { connections: [state(1, { ...page, down: side({ body: 90_040, headers: 1_060 }) })] }))
    expect(since(model.totals, model.before)).toMatchObject({ up: 0, down: 240, payload: 80 })
    model.reset()
    expect(model.before).toMatchObject({ up: 0, down: 0 })
  })

  it('leave out what belongs to somebody else', () => {
    const model = new WireModel()
    model.take(report(1, { connections: [state(1, { up: side({ headers: 7 }) }), state(2, { up: side({ headers: 5 }) })] }))
    model.take(report(2, { connections: [state(1, { hidden: true, up: side({ headers: 70 }) })] }))
    expect(model.totals).toMatchObject({ connections: 1, up: 5 })
  })
})

const pick = ({ up, down }: ConnectionState): Counts => ({ unattributed: (up.counts.unattributed ?? 0) + (down.counts.unattributed ?? 0) })

describe('an exchange', () => {
  it('is under way from its question to its answer', () => {
    const model = new WireModel()
    model.take(report(20, { connections: [state(1, { requests: 1, underWay: ask(1, 9) })], blocks: [ask(1, 10)] }))
    const [held] = exchangesOf(model)
    expect(held).toMatchObject({ carries: 'long-poll', from: 10, until: undefined })
    model.take(report(900, { connections: [state(1, { requests: 1 })], blocks: [answer(1, 800)] }))
    expect(exchangesOf(model)).toMatchObject([{ from: 10, answeredAt: 800, until: 800 }])
  })

  it('that began before anybody watched is known by what is told of it', () => {
    const model = new WireModel()
    const underWay = { exchange: 3, detail: 'GET /rooms/lobby/sse?since=x', at: 5 }
    model.take(report(20, { connections: [state(1, { requests: 3, underWay })] }))
    expect(exchangesOf(model)).toMatchObject([{ exchange: 3, carries: 'sse', from: 5, until: undefined }])
    const event = block({ direction: 'down', what: 'event', exchange: 3, at: 30, until: 30 })
    model.take(report(40, { connections: [state(1, { requests: 3, underWay })], blocks: [event] }))
    expect(model.connections[0]?.blocks).toMatchObject([{ carries: 'sse' }])
    expect(exchangesOf(model)).toMatchObject([{ until: undefined }])
  })

  it('is over when its answer was one too many to be told', () => {
    const model = new WireModel()
    model.take(report(20, { connections: [state(1, { requests: 1, underWay: ask(1, 10) })], blocks: [ask(1, 10)] }))
    model.take(report(120, { connections: [state(1, { requests: 1 })], skipped: 1 }))
    expect(exchangesOf(model)).toMatchObject([{ until: 120 }])
  })

  it('ends with its connection', () => {
    const model = new WireModel()
    const underWay = { exchange: 1, detail: 'GET /rooms/lobby/websocket?since=x', at: 5 }
    model.take(report(20, { connections: [state(1, { requests: 1, underWay })] }))
    model.take(report(120, { connections: [state(1, { requests: 1, closedAt: 100 })] }))
    expect(exchangesOf(model)).toMatchObject([{ carries: 'websocket', until: 100 }])
  })
})

it.each([
  ['GET /rooms/lobby/poll?since=1&every=1000', 'poll'],
  ['GET /rooms/a.b~c/long-poll', 'long-poll'],
  ['GET /mounted/here/rooms/lobby/sse?since=1', 'sse'],
  ['GET /rooms/lobby/websocket', 'websocket'],
  ['POST /rooms/lobby/messages', 'publish'],
  ['GET /rooms/lobby/polls', 'other'],
  ['POST /session', 'other'],
  ['GET /?t=/rooms/x/poll/y', 'other'],
])('knows %s as %s', (detail, carries) => {
  const model = new WireModel()
  model.take(report(20, { connections: [state(1)], blocks: [block({ detail })] }))
  expect(model.connections[0]?.blocks[0]?.carries).toBe(carries)
})

describe('too many events', () => {
  it('are thinned evenly, questions and answers alike, and it is told how much', () => {
    const model = new WireModel()
    const many = Array.from({ length: 100 }, (_, index) => (index % 2 === 0 ? ask(index, 10 + index) : answer(index - 1, 10 + index)))
    for (let at = 100; at <= 2_000; at += 100) model.take(report(at, { connections: [state(1)], blocks: many, skipped: 20 }))
    expect(model.eventsPerSecond).toBe(1_200)
    expect(model.oneOf).toBe(6)
    const last = model.connections[0]?.blocks.slice(-300).filter(({ shown }) => shown) ?? []
    expect(last.length).toBeCloseTo(300 / model.oneOf, -1)
    expect(last.filter(({ direction }) => direction === 'up').length).toBeCloseTo(last.length / 2, -1)
    expect(model.skipped).toBe(400)
    model.take(report(3_500))
    expect(model.oneOf).toBe(1)
  })

  it('are not kept without end', () => {
    const model = new WireModel()
    for (let at = 0; at < 40_000; at += 100) {
      const blocks = Array.from({ length: 100 }, (_, index) => ask(at + index, at))
      model.take(report(at, { connections: [state(1), state(2)], blocks }))
    }
    const kept = model.connections.reduce((count, { blocks }) => count + blocks.length, 0)
    expect(kept).toBeLessThanOrEqual(4_000)
    expect(model.connections[0]?.blocks.at(-1)?.at).toBe(39_900)
    expect(exchangesOf(model).length).toBeLessThanOrEqual(1_000)
  })
})

describe('the line to the lab', () => {
  it('that was away tells by its first report which connections are gone', () => {
    const model = new WireModel()
    model.take(report(20, { connections: [state(1, { up: side({ headers: 7 }) }), state(2, { up: side({ headers: 5 }) })] }))
    model.reopened()
    model.take(report(900, { connections: [state(2, { up: side({ headers: 9 }) })] }))
    expect(model.connections).toMatchObject([
      { id: 1, lost: true, state: { closedAt: 20 } },
      { id: 2, lost: false },
    ])
    expect(model.open).toBe(1)
    expect(model.totals.up).toBe(16)
  })

  it('to another life of the server begins anew', () => {
    const model = new WireModel()
    model.take(report(5_000, { connections: [state(1, { openedAt: 10, up: side({ headers: 7 }) })] }))
    model.reopened()
    model.take(report(9_000, { connections: [state(1, { openedAt: 8_000, up: side({ headers: 3 }) })] }))
    expect(model.totals).toMatchObject({ connections: 1, up: 3 })
  })

  it('says what watching costs a second', () => {
    const model = new WireModel()
    for (let at = 0; at <= 4_000; at += 100) model.take(report(at, { observer: { up: at, down: 2 * at } }))
    expect(model.observerBytesPerSecond).toBeCloseTo(3_000)
  })
})
