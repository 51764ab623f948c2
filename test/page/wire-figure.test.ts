/** From blocks to bars: areas are to scale, times are where they belong, nothing jumps. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { barAt, nextBar } from '../../src/page/wire/choosing.ts'
import { type Figure, figureOf, reach, rowHeight, sizeOf, type Stretch } from '../../src/page/wire/figure.ts'
import { sampleBytes } from '../../src/page/wire/legend.ts'
import { Playback, type Span } from '../../src/page/wire/playback.ts'
import { Slots } from '../../src/page/wire/slots.ts'
import type { Exchange, WireBlock } from '../../src/page/wire/wire-model.ts'

const width = 700
const span: Span = { from: 5_000, to: 15_000, until: 15_000 }
const connection = {
  id: 1,
  state: { connection: 1, port: 50_001, openedAt: 7_000, requests: 0, up: { bytes: 0, counts: {} }, down: { bytes: 0, counts: {} } },
  blocks: [],
  exchanges: new Map(),
  lost: false,
}

function block(change: Partial<WireBlock> = {}): WireBlock {
  const told = { connection: 1, block: 1, direction: 'down', what: 'frame', at: 9_000, until: 9_000, exchange: 1, detail: 'text' } as const
  return { ...told, pieces: [], carries: 'websocket', bytes: 42, payload: 40, shown: true, ...change }
}
const stretch = (blocks: readonly WireBlock[], exchanges: readonly Exchange[] = []): Stretch => ({ connection, blocks, exchanges })
const draw = (blocks: readonly WireBlock[], exchanges: readonly Exchange[] = [], within = span): Figure =>
  figureOf([stretch(blocks, exchanges)], within, width)
const held = (from: number, until?: number): Exchange => ({ exchange: 1, carries: 'long-poll', from, answeredAt: undefined, until })

const anyBlock = fc
  .record({
    block: fc.integer({ min: 1, max: 9_999 }),
    at: fc.integer({ min: span.from, max: span.to }),
    bytes: fc.integer({ min: 1, max: 70_000 }),
    share: fc.double({ min: 0, max: 1, noNaN: true }),
    direction: fc.constantFrom('up' as const, 'down' as const),
    carries: fc.constantFrom('poll' as const, 'long-poll' as const, 'sse' as const, 'websocket' as const, 'publish' as const),
  })
  .map(({ share, ...each }) => block({ ...each, until: each.at, payload: Math.floor(each.bytes * share) }))

describe('a bar', () => {
  it('has the area of its bytes, its payload the area of its own, at one scale for the whole figure', () => {
    fc.assert(
      fc.property(fc.array(anyBlock, { maxLength: 200 }), (blocks) => {
        const { rows, scale } = draw(blocks)
        const bars = rows[0]?.bars ?? []
        expect(bars.map((bar) => bar.block)).toEqual(blocks)
        for (const { block: told, width: wide, height, payloadHeight } of bars) {
          expect(wide * height).toBeCloseTo(told.bytes * scale, 6)
          expect(wide * payloadHeight).toBeCloseTo(told.payload * scale, 6)
          expect(height).toBeLessThanOrEqual(reach + 1e-9)
        }
      }),
    )
  })

  it('stands where its first byte passed, above the line going up, below it coming down', () => {
    fc.assert(
      fc.property(anyBlock, (told) => {
        const [bar] = draw([told]).rows[0]?.bars ?? []
        expect(bar?.x).toBeCloseTo(((told.at - span.from) / 10_000) * width)
        if (told.direction === 'up') expect((bar?.y ?? 0) + (bar?.height ?? 0)).toBeLessThan(0)
        else expect(bar?.y).toBeGreaterThan(0)
        expect(Math.abs(bar?.y ?? 0) + (told.direction === 'up' ? 0 : (bar?.height ?? 0))).toBeLessThanOrEqual(rowHeight / 2)
      }),
    )
  })

  it('is found by a point of it, and by the keys', () => {
    const figure = draw([block({ block: 1, at: 6_000 }), block({ block: 2, at: 9_000 }), block({ block: 3, at: 12_000, direction: 'up' })])
    const at = (number: number) => figure.rows[0]?.bars.find((bar) => bar.block.block === number)
    for (const number of [1, 2, 3]) {
      const { x = 0, y = 0, width: wide = 0, height = 0 } = at(number) ?? {}
      expect(barAt(figure, x + wide / 2, rowHeight / 2 + y + height / 2)?.block.block).toBe(number)
    }
    expect(barAt(figure, 350, rowHeight / 2)).toBeUndefined()
    const pressed = (from: number | undefined, key: string) =>
      nextBar(figure, from === undefined ? undefined : at(from)?.block, key)?.block.block
    expect(pressed(undefined, 'ArrowRight')).toBe(3)
    expect(pressed(3, 'ArrowLeft')).toBe(2)
    expect(pressed(1, 'ArrowLeft')).toBe(1)
    expect(pressed(2, 'Home')).toBe(1)
    expect(pressed(2, 'Enter')).toBe(2)
    expect(pressed(2, 'x')).toBeUndefined()
  })
})

describe('the scale', () => {
  it('is printed by a sample of its own rule', () => {
    for (const scale of [1, 0.5, 0.2, 0.01, 0.0001]) {
      const bytes = sampleBytes(scale)
      expect(String(bytes)).toMatch(/^[125]0*$/)
      const { width: wide, height } = sizeOf(bytes * scale)
      expect(wide * height).toBeCloseTo(bytes * scale)
      expect(wide * height).toBeGreaterThan(40)
    }
  })

  it('gets smaller where a block or a row has no room at it', () => {
    expect(draw([block()]).scale).toBe(1)
    expect(draw([block({ bytes: 64_000 })]).scale).toBeLessThan(0.05)
    expect(draw(Array.from({ length: 500 }, () => block({ bytes: 750 }))).scale).toBeLessThan(0.05)
  })
})

describe('what is held', () => {
  it('grows until it is answered, and stays as long as it was', () => {
    const open = draw([], [held(10_000)]).rows[0]?.held[0]
    expect(open).toMatchObject({ from: 350, to: 700, later: true, ms: 5_000 })
    expect(draw([], [held(10_000, 12_000)]).rows[0]?.held[0]).toMatchObject({ from: 350, to: expect.closeTo(490), later: false, ms: 2_000 })
    expect(draw([], [held(1_000)]).rows[0]?.held[0]).toMatchObject({ from: 0, earlier: true, ms: 14_000 })
    expect(draw([], [held(1_000, 2_000)]).rows[0]?.held).toEqual([])
  })

  it('grows in a replay as it grew then, whatever has become of it since', () => {
    const replay: Span = { from: 10_000, to: 11_000, until: 10_500 }
    expect(draw([], [held(10_200, 10_900)], replay).rows[0]?.held[0]).toMatchObject({ from: 140, to: 350, later: true })
    expect(draw([], [held(10_600, 10_900)], replay).rows[0]?.held).toEqual([])
    expect(draw([block({ at: 10_600 })], [], replay).rows[0]?.bars[0]?.ahead).toBe(true)
  })
})

describe('the time axis', () => {
  it('is the last ten seconds, on the clock of the server', () => {
    expect(new Playback().span(2_000, 50_000, 1)).toEqual({ from: 42_000, to: 52_000, until: 52_000 })
  })

  it('is held by a pause, and goes on from now', () => {
    const playback = new Playback()
    playback.toggle(2_000)
    expect(playback.span(9_000, 0, 1).to).toBe(2_000)
    playback.toggle(9_000)
    expect(playback.span(9_500, 0, 1).to).toBe(9_500)
  })

  it.each([10, 100] as const)('replays what passed last %i times slower, over ten seconds, then what passed since', (slowness) => {
    const playback = new Playback()
    playback.slow(slowness)
    const first = playback.span(20_000, 0, 19_000)
    expect(first.to - first.from).toBeCloseTo(10_000 / slowness)
    expect(first.to).toBeGreaterThan(19_000)
    expect(first.until).toBe(first.from)
    const later = playback.span(25_000, 0, 24_000)
    expect(later).toEqual({ ...first, until: first.from + 5_000 / slowness })
    expect(playback.span(30_001, 0, 29_000).to).toBeGreaterThan(29_000)
  })

  it('replays the same again where nothing has passed since', () => {
    const playback = new Playback()
    playback.slow(10)
    const first = playback.span(20_000, 0, 19_990)
    expect(playback.span(30_500, 0, 19_990)).toEqual(first)
  })

  it('goes on with a replay from where it was held', () => {
    const playback = new Playback()
    playback.slow(10)
    playback.span(20_000, 0, 19_000)
    const { until } = playback.span(23_000, 0, 19_000)
    playback.toggle(23_000)
    expect(playback.span(60_000, 0, 19_000).until).toBe(until)
    playback.toggle(60_000)
    expect(playback.span(61_000, 0, 19_000).until).toBe(until + 100)
  })
})

it('gives a connection one row for as long as it is seen', () => {
  const slots = new Slots()
  expect(slots.assign([3, 1, 2], 6)).toEqual([1, 2, 3])
  expect(slots.assign([2, 3], 6)).toEqual([undefined, 2, 3])
  expect(slots.assign([9, 3, 2], 6)).toEqual([9, 2, 3])
  expect(slots.assign([9, 7, 3, 2], 3)).toEqual([9, 7, 3])
})
