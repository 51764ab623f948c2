import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Problem, type ProblemCode, problems, titleOf } from '../../src/protocol/problem.ts'

const codes = Object.keys(problems) as ProblemCode[]

/** Contract §11, line by line. */
const statuses: Record<number, string> = {
  400: 'invalid-request invalid-json invalid-utf8 invalid-cursor invalid-room bad-host',
  401: 'session-required',
  403: 'origin-denied forbidden presenter-only muted',
  404: 'not-found',
  405: 'method-not-allowed',
  406: 'not-acceptable',
  408: 'request-timeout',
  413: 'body-too-large',
  414: 'uri-too-long',
  415: 'unsupported-media-type',
  417: 'expectation-failed',
  422: 'invalid-message idempotency-mismatch',
  426: 'upgrade-required',
  429: 'rate-limited',
  431: 'headers-too-large',
  500: 'internal',
  503: 'overloaded draining store-unavailable room-limit',
}
const closeCodes: Partial<Record<ProblemCode, number>> = {
  draining: 1012,
  overloaded: 1013,
  'rate-limited': 4429,
  'store-unavailable': 4503,
  'invalid-request': 4500,
  forbidden: 4501,
  'invalid-room': 4504,
}

describe('the table of problems', () => {
  it.each(Object.entries(statuses))('answers %s to what the contract says', (status, line) => {
    expect(codes.filter((code) => problems[code].status === Number(status))).toEqual(line.split(' '))
  })

  it('has no other codes', () => {
    expect(codes.toSorted()).toEqual(Object.values(statuses).join(' ').split(' ').toSorted())
  })

  it.each(codes)('says of %s what it is and what to do about it', (code) => {
    const { remedy, status } = problems[code]
    const title = titleOf(code)
    expect(title).toMatch(/^\S.{2,40}\S$/)
    expect(remedy).toMatch(/^[A-Z].{10,}/)
    expect(remedy).not.toBe(title)
    expect(status).toBeGreaterThanOrEqual(400)
    expect(status).toBeLessThan(600)
  })

  it.each(Object.entries(closeCodes))('closes a WebSocket for %s with %i', (code, close) => {
    expect(problems[code as ProblemCode]).toMatchObject({ close })
  })

  it('keeps the ranges of close codes: 4000–4499, 1012 and 1013 come back, 4500–4999 do not', () => {
    for (const code of codes) {
      const { close } = problems[code] as { close?: number }
      if (close === undefined) continue
      const comesBack = close === 1012 || close === 1013 || (close >= 4000 && close <= 4499)
      const staysAway = close >= 4500 && close <= 4999
      // 1011 is RFC 6455's own word for a fault of the server.
      if (close !== 1011) expect(comesBack || staysAway).toBe(true)
      // A store away is temporary: its 4503 is the one number that its range does not tell.
      if (code !== 'store-unavailable') expect(problems[code].comeBack).toBe(comesBack)
    }
  })

  it('lets come back exactly what waiting may help', () => {
    const temporary = ['request-timeout', 'rate-limited', 'overloaded', 'draining', 'store-unavailable', 'room-limit']
    expect(codes.filter((code) => problems[code].comeBack)).toEqual(temporary)
  })
})

describe('a problem', () => {
  const bodies = fc.record(
    { code: fc.constantFrom(...codes), detail: fc.string(), retryAfterMs: fc.nat(), outcome: fc.constant('unknown' as const) },
    { requiredKeys: ['code'] },
  )

  it('is read back from its JSON as it was', () => {
    fc.assert(
      fc.property(bodies, ({ code, detail, ...extra }) => {
        const problem = new Problem(code, detail, extra)
        const again = Problem.from(JSON.parse(JSON.stringify(problem)))
        expect(again).toBeInstanceOf(Problem)
        expect(again?.toJSON()).toEqual(problem.toJSON())
        expect(again).toMatchObject({ code, message: problem.message, status: problem.status, comeBack: problem.comeBack })
      }),
    )
  })

  it('travels as RFC 9457 says, with nothing in it that is not set', () => {
    expect(new Problem('invalid-room').toJSON()).toEqual({
      type: 'urn:problem-type:fourwires:invalid-room',
      title: 'Invalid room',
      status: 400,
      code: 'invalid-room',
      detail: problems['invalid-room'].remedy,
    })
    expect(new Problem('draining', 'Bye.', { retryAfterMs: 0, outcome: 'unknown' }).toJSON()).toMatchObject({
      detail: 'Bye.',
      retryAfterMs: 0,
      outcome: 'unknown',
    })
  })

  it('carries no stack', () => {
    expect(JSON.stringify(new Problem('internal'))).not.toMatch(/stack|\.ts/)
  })

  it.each<[string, unknown]>([
    ['null', null],
    ['undefined', undefined],
    ['a text', 'draining'],
    ['a list', ['draining']],
    ['an unknown code', { code: 'teapot' }],
    ['a code of another type', { code: 503 }],
    ['a key of every object', { code: 'constructor' }],
    ['__proto__', { code: '__proto__' }],
    ['the body of another server', { type: 'about:blank', title: 'Bad Gateway', status: 502 }],
  ])('is not %s', (_what, value) => {
    expect(Problem.from(value)).toBeUndefined()
  })

  it('of any value is one of the table, or none', () => {
    const nearly = fc.record({
      code: fc.constantFrom(...codes),
      detail: fc.anything(),
      retryAfterMs: fc.anything(),
      outcome: fc.anything(),
    })
    fc.assert(
      fc.property(fc.oneof(fc.anything(), nearly), (value) => {
        const problem = Problem.from(value)
        if (problem === undefined) return
        expect(codes).toContain(problem.code)
        expect(typeof problem.message).toBe('string')
        expect(['number', 'undefined']).toContain(typeof problem.retryAfterMs)
        expect(['unknown', undefined]).toContain(problem.outcome)
      }),
      { numRuns: 500 },
    )
  })
})
