/** A paused picture stays as it stood: whatever is told, ends and is forgotten meanwhile. */
import { expect, it } from 'vitest'
import type { Block, ConnectionState, Report } from '../../src/lab/events.ts'
import { handshakeOf } from '../../src/page/wire/accept.ts'
import { asItStands, figureOf, seenIn, stretchOf } from '../../src/page/wire/figure.ts'
import { Playback } from '../../src/page/wire/playback.ts'
import { labelKey, lastingOf } from '../../src/page/wire/row-label.ts'
import { type WireBlock, WireModel } from '../../src/page/wire/wire-model.ts'

const state: ConnectionState = {
  connection: 1,
  port: 50_001,
  openedAt: 1_000,
  requests: 1,
  up: { bytes: 0, counts: {} },
  down: { bytes: 0, counts: {} },
}

const report = (at: number, change: Partial<Report> = {}): Report => ({
  type: 'report',
  at,
  connections: [],
  blocks: [],
  skipped: 0,
  observer: { up: 0, down: 0 },
  ...change,
})

const block = (number: number, at: number, change: Partial<Block>): Block => ({
  connection: 1,
  block: number,
  exchange: 1,
  direction: 'up',
  what: 'frame',
  at,
  until: at,
  detail: 'text',
  pieces: [['payload', 10]],
  ...change,
})

const upgrade = { what: 'handshake', detail: 'GET /rooms/lobby/websocket' } as const
const blocks = [
  block(1, 2_000, upgrade),
  block(2, 2_010, { ...upgrade, direction: 'down', detail: '101' }),
  block(3, 4_000, {}),
  block(4, 4_001, { direction: 'down' }),
]

it('stays as it stood while the model forgets, and its handshake is still whole', () => {
  const model = new WireModel()
  const underWay = { exchange: 1, detail: upgrade.detail, at: 2_000 }
  model.take(report(5_000, { connections: [{ ...state, underWay }], blocks }))
  const playback = new Playback()
  playback.toggle(5_000)
  const span = playback.span(5_000, 0, model.newest)
  const [live] = model.connections.filter((each) => seenIn(each, span)).map((each) => stretchOf(each, span))
  const paused = asItStands(live!)
  const look = () => ({ figure: figureOf([paused], playback.span(65_000, 7, model.newest), 700), label: labelKey(paused) })
  const stood = structuredClone(look())
  expect(stood.figure.rows[0]?.bars).toHaveLength(4)
  expect(lastingOf(stood.figure.rows[0])).toBe('open 3.0\u202fs')
  // A byte more, then a minute without any, and the end.
  model.take(report(6_000, { connections: [state], blocks: [block(5, 5_500, {})] }))
  model.take(report(65_000, { connections: [{ ...state, closedAt: 64_000 }] }))
  expect(model.connections[0]?.blocks).toEqual([])
  expect(look()).toEqual(stood)
  expect(handshakeOf(paused.connection, paused.blocks[1] as WireBlock)).toMatchObject({ asked: { block: 1 }, answered: { block: 2 } })
})

it.each([1, 10] as const)('keeps its stretch of time at 1/%i of real speed, whatever the clocks are found to be meanwhile', (slowness) => {
  const playback = new Playback()
  playback.slow(slowness)
  playback.span(2_000, 50_000, 51_000)
  playback.toggle(3_000)
  const stood = playback.span(3_000, 50_000, 51_000)
  expect(playback.span(60_000, 50_003, 109_000)).toEqual(stood)
  playback.toggle(60_000)
  expect(playback.span(60_500, 50_003, 109_000)).not.toEqual(stood)
})
