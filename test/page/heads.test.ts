/** What is drawn of heads is what came, and nothing in between. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { faceOf, homeOf } from '../../src/page/heads/face.ts'
import { place, positionAt } from '../../src/page/heads/field-drawing.ts'
import { summary } from '../../src/page/heads/heads-words.ts'
import { Heads, readPosition, rounded, trailMs, windowMs, withPosition } from '../../src/page/heads/heads.ts'

const states = (list: Record<string, unknown>): ReadonlyMap<string, unknown> => new Map(Object.entries(list))

const heads = (): Heads => {
  const made = new Heads()
  made.field = { width: 1000, height: 500 }
  return made
}

describe('a state', () => {
  it('is a position where x and y are from 0 to 1, whatever else is in it', () => {
    expect(readPosition({ x: 0, y: 1, vote: 'sse' })).toEqual({ x: 0, y: 1 })
    for (const none of [
      null,
      undefined,
      7,
      'x',
      [],
      {},
      { vote: 1 },
      { x: 0.5 },
      { x: -0.1, y: 0 },
      { x: 0, y: 1.1 },
      { x: '0', y: 0 },
      { x: null, y: 0 },
    ]) {
      expect(readPosition(none)).toBeUndefined()
    }
  })

  it('never makes a head of what is no position', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (list) => {
        const model = heads()
        model.take(new Map(Object.entries(list)), 'sse', 0, undefined)
        for (const [, trail] of model.trails) for (const { x, y } of trail) expect(x >= 0 && x <= 1 && y >= 0 && y <= 1).toBe(true)
        expect([...model.trails.keys()].every((id) => readPosition(list[id]) !== undefined)).toBe(true)
      }),
    )
  })

  it('keeps what others put into ours, and fits into 256 bytes', () => {
    expect(withPosition({ vote: 'sse', x: 0 }, { x: 0.25, y: 0.5 })).toEqual({ vote: 'sse', x: 0.25, y: 0.5 })
    expect(withPosition(['no object'], { x: 0, y: 0 })).toEqual({ x: 0, y: 0 })
    expect(JSON.stringify(withPosition(undefined, rounded({ x: 1 / 3, y: 2 / 3 })))).toBe('{"x":0.3333,"y":0.6667}')
  })
})

describe('heads', () => {
  it('keep each sample as it came, and none of a head that stands still', () => {
    const model = heads()
    model.take(states({ a: { x: 0.1, y: 0.1 }, b: { x: 0.5, y: 0.5 } }), 'poll', 0, undefined)
    model.take(states({ a: { x: 0.4, y: 0.5 }, b: { x: 0.5, y: 0.5 } }), 'sse', 1_000, undefined)
    expect(model.trails.get('a')).toEqual([
      { x: 0.1, y: 0.1, at: 0, transport: 'poll' },
      { x: 0.4, y: 0.5, at: 1_000, transport: 'sse' },
    ])
    expect(model.trails.get('b')).toHaveLength(1)
  })

  it('are gone with their member, or with their position', () => {
    const model = heads()
    model.take(states({ a: { x: 0, y: 0 }, b: { x: 0, y: 0 } }), 'sse', 0, undefined)
    model.take(states({ b: { vote: 'x' } }), 'sse', 1, undefined)
    expect(model.trails.size).toBe(0)
  })

  it('leave a trail of three seconds, of five samples at the least and forty at the most', () => {
    const model = heads()
    const move = (at: number): void => model.take(states({ a: { x: (at % 997) / 997, y: 0 } }), 'poll', at, undefined)
    for (let at = 0; at <= 10_000; at += 1_000) move(at)
    expect(model.trails.get('a')).toHaveLength(5)
    for (let at = 10_100; at <= 20_000; at += 100) move(at)
    expect(model.trails.get('a')?.[0]?.at).toBeGreaterThan(20_000 - trailMs)
    for (let at = 20_010; at <= 22_000; at += 10) move(at)
    expect(model.trails.get('a')).toHaveLength(40)
  })

  it('count jumps in px of the field, by the wire that brought them', () => {
    const model = heads()
    model.take(states({ a: { x: 0, y: 0 }, me: { x: 0, y: 0 } }), 'poll', 0, 'me')
    model.take(states({ a: { x: 0.03, y: 0.08 }, me: { x: 1, y: 1 } }), 'poll', 100, 'me')
    model.take(states({ a: { x: 0.53, y: 0.08 }, me: { x: 1, y: 1 } }), 'websocket', 200, 'me')
    expect(model.brought('poll')).toEqual({ batches: 2, samples: 2, meanJump: 50 })
    expect(model.brought('websocket')).toMatchObject({ batches: 1, meanJump: 500 })
    expect(model.brought('sse').meanJump).toBeUndefined()
    expect(model.recent('websocket', 200)).toMatchObject({ batches: 1, meanJump: 500 })
    expect(model.recent('websocket', 201 + windowMs).batches).toBe(0)
  })

  it('know by their echo how long ours was on its way', () => {
    const model = heads()
    model.move({ x: 0.1, y: 0.1 }, 1_000)
    model.move({ x: 0.2, y: 0.2 }, 1_040)
    model.take(states({ me: { x: 0.2, y: 0.2 } }), 'long-poll', 1_100, 'me')
    expect(model.roundTripMs).toBe(60)
    expect(model.recent('long-poll', 1_100)).toMatchObject({ moved: 2, back: 1, batches: 0 })
  })

  it('say it in a sentence, its numbers the figure’s', () => {
    const quiet = { batches: 0, samples: 0, meanJump: undefined, moved: 0, back: 0 }
    expect(summary(1, 'sse', quiet, undefined)).toBe('1 head. Nobody has moved one in the last 5\u202fs.')
    expect(summary(12, 'poll', { batches: 45, samples: 90, meanJump: 83.6, moved: 38, back: 4 }, 811.6)).toBe(
      '12 heads. In the last 5\u202fs, over polling: others moved in 45 batches, 9.0 a second, a mean jump of 84\u202fpx each; you moved yours 38 times, and 4 positions came back, the last after 812\u202fms.',
    )
  })
})

describe('the field', () => {
  it('puts a head where it was pointed at, and never over its edge', () => {
    const size = [600, 300] as const
    for (const [left, top] of [
      [100, 100],
      [22, 22],
      [578, 262],
    ] as const) {
      expect(place(positionAt(left, top, ...size), ...size).map(Math.round)).toEqual([left, top])
    }
    expect(rounded(positionAt(-50, 900, ...size))).toEqual({ x: 0, y: 1 })
  })

  it('gives a member the same face and home each time, and members different ones', () => {
    const ids = Array.from({ length: 200 }, (_, index) => `m_${index.toString(36).padStart(12, 'abcdefgh')}`)
    expect(faceOf('m_8QdXw2abcdef')).toEqual(faceOf('m_8QdXw2abcdef'))
    expect(new Set(ids.map((id) => JSON.stringify(faceOf(id)))).size).toBeGreaterThan(80)
    for (const { x, y } of ids.map(homeOf)) expect(Math.min(x, y) >= 0.1 && Math.max(x, y) <= 0.9).toBe(true)
  })
})
