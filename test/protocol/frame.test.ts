import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  encodeAck,
  encodeCloseReason,
  encodeProblem,
  encodePublish,
  encodeState,
  maxCloseReason,
  parseClientFrame,
  parseCloseReason,
  parseServerFrame,
} from '../../src/protocol/frame.ts'
import { gapReasons } from '../../src/protocol/message.ts'
import { Problem, type ProblemCode, problems } from '../../src/protocol/problem.ts'
import { hostileTexts, promptly } from '../support/hostile.ts'

const codes = Object.keys(problems) as ProblemCode[]
const text = fc.string({ unit: 'binary' })
const messages = fc.array(fc.record({ seq: fc.nat(), id: text, member: text, author: text, text, at: fc.nat() }))
const gaps = fc.record({ reason: fc.constantFrom(...gapReasons), missed: fc.nat() }, { requiredKeys: ['reason'] })
const batches = fc.record(
  { messages, cursor: text, gap: gaps, more: fc.constant(true), retryMs: fc.nat() },
  { requiredKeys: ['messages', 'cursor'] },
)

describe('a frame up the socket', () => {
  it('is a publish, and its draft is handed to the gate as it is', () => {
    fc.assert(
      fc.property(fc.record({ id: text, text }), (draft) => {
        const frame: unknown = JSON.parse(encodePublish(draft))
        expect(frame).toEqual({ type: 'publish', ...draft })
        expect(parseClientFrame(frame)).toEqual({ kind: 'publish', id: draft.id, body: draft })
      }),
    )
  })

  it('is a state, and has no id to be answered under', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (state) => {
        const frame: unknown = JSON.parse(encodeState(state))
        expect(parseClientFrame(frame)).toEqual({ kind: 'state', id: undefined, body: { state: JSON.parse(JSON.stringify(state)) } })
      }),
    )
  })

  it('hands on what is not known too: the gate refuses it', () => {
    expect(parseClientFrame({ type: 'publish', id: 7, text: 'hi', at: 1 })).toEqual({
      kind: 'publish',
      id: undefined,
      body: { id: 7, text: 'hi', at: 1 },
    })
    expect(parseClientFrame({ type: 'publish' })).toEqual({ kind: 'publish', id: undefined, body: {} })
  })

  it.each<[string, unknown]>([
    ['null', null],
    ['a text', 'publish'],
    ['a list', ['publish']],
    ['a batch', { messages: [], cursor: '' }],
    ['no type', { id: 'c1f09b2e', text: 'hi' }],
    ['another type', { type: 'ack' }],
    ['a type that is a list', { type: ['publish'] }],
  ])('of %s is an invalid-request', (_what, value) => {
    expect(() => parseClientFrame(value)).toThrowError(expect.objectContaining({ code: 'invalid-request' }))
  })

  it('of any value is a publish, a state or an invalid-request', () => {
    fc.assert(
      fc.property(fc.anything(), (value) => {
        try {
          parseClientFrame(value)
        } catch (error) {
          expect((error as Problem).code).toBe('invalid-request')
        }
      }),
    )
  })
})

describe('a frame down the socket', () => {
  it('without a type is a batch', () => {
    fc.assert(
      fc.property(batches, (batch) => {
        expect(parseServerFrame(JSON.stringify(batch))).toEqual({ kind: 'batch', batch })
      }),
    )
  })

  it('of type ack answers a publish', () => {
    const acks = fc.record({ id: text, seq: fc.nat(), cursor: text, duplicate: fc.boolean() })
    fc.assert(
      fc.property(acks, (ack) => {
        expect(JSON.parse(encodeAck(ack))).toEqual({ type: 'ack', ...ack })
        expect(parseServerFrame(encodeAck(ack))).toEqual({ kind: 'ack', ack })
      }),
    )
  })

  it('of type problem tells a problem, and which publish it answers', () => {
    const sent = fc.record(
      { code: fc.constantFrom(...codes), detail: text, id: text, retryAfterMs: fc.nat(), outcome: fc.constant('unknown' as const) },
      { requiredKeys: ['code', 'detail'] },
    )
    fc.assert(
      fc.property(sent, ({ code, detail, id, ...extra }) => {
        const problem = new Problem(code, detail, extra)
        const frame = parseServerFrame(encodeProblem(problem, id))
        expect(frame).toMatchObject({ kind: 'problem', id })
        expect(frame?.kind === 'problem' && frame.problem.toJSON()).toEqual(problem.toJSON())
      }),
    )
  })

  it('has a type where it is no batch, and a batch has none', () => {
    const ack = { id: 'c1f09b2e', seq: 1, cursor: 'ZkT0aQ1mB7xY.1.q3Xv_a', duplicate: false }
    for (const frame of [
      encodePublish({ id: 'c1f09b2e', text: 'hi' }),
      encodeAck(ack),
      encodeProblem(new Problem('internal'), 'c1f09b2e'),
    ]) {
      expect(JSON.parse(frame)).toHaveProperty('type')
    }
    expect(parseServerFrame('{"type":"later","messages":[],"cursor":""}')).toBeUndefined()
  })

  it.each([
    '',
    'hi',
    'null',
    '1',
    '"ack"',
    '[]',
    '{}',
    '{"messages":[]}',
    '{"cursor":""}',
    '{"messages":{},"cursor":""}',
    '{"messages":[],"cursor":1}',
    '{"type":null,"messages":[],"cursor":""}',
    '{"type":"problem"}',
    '{"type":"problem","code":"teapot"}',
    '{"type":"members"}',
    '{"messages":[],"cursor":""',
  ])('of %j is passed over', (frame) => {
    expect(parseServerFrame(frame)).toBeUndefined()
  })

  it('of type ack is passed over where it does not say what it acknowledges', () => {
    for (const ack of [{}, { id: 1, seq: 1 }, { id: 'c1f09b2e' }, { id: 'c1f09b2e', seq: '1', cursor: '' }]) {
      expect(parseServerFrame(JSON.stringify({ type: 'ack', ...ack }))).toBeUndefined()
    }
  })

  it('of any text is a frame or passed over, promptly', () => {
    fc.assert(fc.property(fc.oneof(text, fc.json()), (frame) => void parseServerFrame(frame)))
    for (const frame of [...hostileTexts, '{"a":'.repeat(13_000)]) promptly(() => expect(parseServerFrame(frame)).toBeUndefined())
  })
})

describe('the reason of a close', () => {
  it.each(codes)('says %s and when to come back in at most 123 bytes', (code) => {
    const reason = encodeCloseReason(code, 2 ** 31)
    expect(new TextEncoder().encode(reason).length).toBeLessThanOrEqual(maxCloseReason)
    expect(parseCloseReason(reason)).toMatchObject({ code, retryAfterMs: 2 ** 31 })
    expect(parseCloseReason(encodeCloseReason(code))).toMatchObject({ code, retryAfterMs: undefined })
  })

  it.each(['', 'going away', 'null', '1', '[]', '{}', '{"code":"teapot"}', '{"code":1}', '{"code":"toString"}', '{"code":"draining"'])(
    'of %j tells of no problem',
    (reason) => {
      expect(parseCloseReason(reason)).toBeUndefined()
    },
  )

  it('of any text tells of a problem or of none, promptly', () => {
    fc.assert(fc.property(fc.oneof(text, fc.json()), (reason) => void parseCloseReason(reason)))
    for (const reason of hostileTexts) promptly(() => expect(parseCloseReason(reason)).toBeUndefined())
  })
})
