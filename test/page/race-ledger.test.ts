/** The books of the race: whatever passes, in whatever order it is told, each byte belongs to one lane or to the rest. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Block, ConnectionState, Counts, PieceKind, Report } from '../../src/lab/events.ts'
import { RaceLedger } from '../../src/page/race/ledger.ts'
import { Slots } from '../../src/page/race/slots.ts'
import { type TransportName, transportNames } from '../../src/protocol/message.ts'

const room = 'race~m_AbCdEfGhIjKl~x1y2z3'
type Owner = TransportName | 'rest'
type Pieces = Block['pieces']

/** What the server does on one connection, and whose each byte is: what the ledger has to find out. */
class Line {
  readonly id: number
  readonly truth: Record<Owner, number> = { poll: 0, 'long-poll': 0, sse: 0, websocket: 0, rest: 0 }
  readonly counts: Record<'up' | 'down', Partial<Record<PieceKind, number>>> = { up: {}, down: {} }
  exchange = 0
  #blocks = 0

  constructor(id: number) {
    this.id = id
  }

  pass(owner: Owner, direction: 'up' | 'down', pieces: Pieces): void {
    for (const [kind, bytes] of pieces) {
      this.counts[direction][kind] = (this.counts[direction][kind] ?? 0) + bytes
      this.truth[owner] += bytes
    }
  }
  block(direction: 'up' | 'down', what: Block['what'], detail: string, pieces: Pieces): Block {
    return { connection: this.id, block: ++this.#blocks, direction, what, at: 0, until: 0, exchange: this.exchange, detail, pieces }
  }
  ask(owner: Owner, bytes = 300): Block {
    this.exchange++
    const pieces: Pieces = [
      ['request-line', 20],
      ['headers', bytes - 20],
    ]
    this.pass(owner, 'up', pieces)
    const target = owner === 'rest' ? '/rooms/lobby/poll?since=x' : `/rooms/${room}/${owner}?since=x`
    return this.block('up', owner === 'websocket' ? 'handshake' : 'request', `GET ${target}`, pieces)
  }
  answer(owner: Owner, payload: number): Block {
    const pieces: Pieces = [
      ['status-line', 17],
      ['headers', 177],
      ['body', payload],
    ]
    this.pass(owner, 'down', pieces)
    return this.block('down', 'response', '200 OK', pieces)
  }
  push(owner: 'sse' | 'websocket', payload: number): Block {
    const framing: Pieces =
      owner === 'websocket'
        ? [['frame-header', 4]]
        : [
            ['chunk', 6],
            ['field', 40],
          ]
    const pieces: Pieces = [...framing, ['payload', payload]]
    this.pass(owner, 'down', pieces)
    return this.block('down', owner === 'sse' ? 'event' : 'frame', '', pieces)
  }
  get bytes(): number {
    return this.state.up.bytes + this.state.down.bytes
  }
  get state(): ConnectionState {
    const side = (counts: Counts) => ({ bytes: Object.values(counts).reduce((sum, bytes) => sum + bytes, 0), counts: { ...counts } })
    const { id, exchange, counts } = this
    return { connection: id, port: 50_000 + id, openedAt: id, requests: exchange, up: side(counts.up), down: side(counts.down) }
  }
}

const report = (lines: readonly Line[], blocks: readonly Block[], skipped = 0, at = 0): Report => ({
  type: 'report',
  at,
  connections: lines.map(({ state }) => state),
  blocks,
  skipped,
  observer: { up: 0, down: 0 },
})
const booked = (ledger: RaceLedger): Record<Owner, number> => ({
  poll: ledger.lane('poll').bytes,
  'long-poll': ledger.lane('long-poll').bytes,
  sse: ledger.lane('sse').bytes,
  websocket: ledger.lane('websocket').bytes,
  rest: ledger.rest,
})
const truthOf = (lines: readonly Line[], owner: Owner): number => lines.reduce((sum, { truth }) => sum + truth[owner], 0)
const totalOf = (lines: readonly Line[]): number => lines.reduce((sum, { bytes }) => sum + bytes, 0)

/** What passes next. Two connections are shared by all that asks; a stream has its own. */
const step = fc.oneof(
  fc.record({ line: fc.nat(1), owner: fc.constantFrom<Owner>('poll', 'long-poll', 'rest'), payload: fc.nat(500) }),
  fc.record({ line: fc.constant(2), owner: fc.constant<Owner>('sse'), payload: fc.nat(500) }),
  fc.record({ line: fc.constant(3), owner: fc.constant<Owner>('websocket'), payload: fc.nat(500) }),
)

function race() {
  const lines: [Line, Line, Line, Line] = [new Line(1), new Line(2), new Line(3), new Line(4)]
  return { lines, first: [lines[2].ask('sse'), lines[3].ask('websocket')] }
}
function play(lines: readonly Line[], { line, owner, payload }: { line: number; owner: Owner; payload: number }): Block[] {
  const on = lines[line] as Line
  return owner === 'sse' || owner === 'websocket' ? [on.push(owner, payload)] : [on.ask(owner), on.answer(owner, payload)]
}

describe('the books of the race', () => {
  it('give every byte to whose it is, and to nobody twice, however reports cut what passes', () => {
    fc.assert(
      fc.property(fc.array(fc.array(step, { maxLength: 8 }), { maxLength: 12 }), fc.integer({ min: 1, max: 5 }), (reports, cut) => {
        const ledger = new RaceLedger(room)
        const { lines, first } = race()
        let told = first
        ledger.take(report(lines, told))
        told = []
        for (const steps of reports) {
          told = [...told, ...steps.flatMap((each) => play(lines, each))]
          // The last blocks are counted already, and told with the next report.
          const late = told.splice(told.length - (told.length % cut))
          ledger.take(report(lines, told))
          expect(Object.values(booked(ledger)).reduce((sum, bytes) => sum + bytes)).toBe(totalOf(lines))
          told = late
        }
        ledger.take(report(lines, told))
        for (const owner of [...transportNames, 'rest'] as const)
          expect([owner, booked(ledger)[owner]]).toEqual([owner, truthOf(lines, owner)])
      }),
    )
  })

  it('are exact for the streams though blocks were not told, and say that who asks may have had more', () => {
    const tells = fc.array(fc.boolean(), { minLength: 80, maxLength: 80 })
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 40 }), tells, (steps, tell) => {
        const ledger = new RaceLedger(room)
        const { lines, first } = race()
        ledger.take(report(lines, first, 0, 1))
        const blocks = steps.flatMap((each) => play(lines, each))
        const told = blocks.filter((_, index) => tell[index])
        ledger.take(report(lines, told, blocks.length - told.length, 2))
        expect(ledger.lane('sse').bytes).toBe(truthOf(lines, 'sse'))
        expect(ledger.lane('websocket').bytes).toBe(truthOf(lines, 'websocket'))
        expect(ledger.total).toBe(totalOf(lines))
        for (const name of ['poll', 'long-poll'] as const) {
          const missing = truthOf(lines, name) - ledger.lane(name).bytes
          expect(missing).toBeGreaterThanOrEqual(0)
          if (missing > 0) expect(ledger.doubtfulAt).toBe(2)
        }
      }),
    )
  })

  it('leave to nobody what passed before anybody looked, and take of a block under way what came after', () => {
    const ledger = new RaceLedger(room)
    const line = new Line(1)
    line.ask('rest', 5_000)
    line.answer('rest', 80_000)
    const asked = line.ask('poll')
    line.pass('poll', 'down', [['headers', 100]])
    ledger.take(report([line], [asked]))
    expect(booked(ledger)).toMatchObject({ poll: 300, rest: 85_294 })
    line.pass('poll', 'down', [['body', 60]])
    const answered = line.block('down', 'response', '200 OK', [
      ['headers', 100],
      ['body', 60],
    ])
    ledger.take(report([line], [answered]))
    expect(booked(ledger).poll).toBe(360)
    expect(ledger.total).toBe(85_654)
  })

  it('go on where the line to the lab was away, and begin anew with a server that was started again', () => {
    const ledger = new RaceLedger(room)
    const line = new Line(1)
    ledger.take(report([line], [line.ask('sse')]))
    line.push('sse', 500)
    line.push('sse', 500)
    ledger.take(report([line], [line.push('sse', 100)]))
    expect(ledger.lane('sse')).toMatchObject({ bytes: line.truth.sse, payload: 1_100 })
    const anew = new Line(1)
    const asked = anew.ask('poll')
    ledger.take({ ...report([], [asked]), connections: [{ ...anew.state, openedAt: 99 }] })
    expect(booked(ledger)).toMatchObject({ sse: line.truth.sse, poll: 300, rest: 0 })
  })

  it('know the room by its whole name, wherever the server is mounted', () => {
    const ledger = new RaceLedger(room)
    const line = new Line(1)
    const targets = [`/chat/rooms/${room}/poll?since=a`, `/rooms/${room}2/poll`, `/rooms/${room}/members`, '/rooms/race/poll']
    const blocks = targets.map((target) => ({ ...line.ask('rest', 100), detail: `GET ${target}` }))
    ledger.take(report([line], blocks))
    expect(booked(ledger)).toMatchObject({ poll: 100, rest: 300 })
    expect(ledger.lane('poll').requests).toBe(1)
  })
})

it('counts the connections of which a browser has no more than six, and no WebSocket among them', () => {
  const slots = new Slots()
  const { lines } = race()
  lines[3].push('websocket', 10)
  slots.take(report(lines, []))
  expect(slots.taken).toBe(3)
  slots.take({ ...report([], []), connections: [{ ...lines[0].state, closedAt: 5 }] })
  expect(slots.taken).toBe(2)
})
