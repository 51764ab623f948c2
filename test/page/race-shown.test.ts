/** What the race shows while it measures anew: old figures marked as old, then bytes so far, then all of it. */
import { describe, expect, it } from 'vitest'
import type { LaneFigure } from '../../src/page/race/record.ts'
import { ageLabel, type Before, headline, isWhole, keepOf, shownOf } from '../../src/page/race/shown.ts'
import { type Figures, judge } from '../../src/page/race/verdict.ts'
import { type TransportName, transportNames } from '../../src/protocol/message.ts'

const fast = { rate: 29, pollMs: 1_000 }
const slow = { rate: 1, pollMs: 1_000 }
const plain = (text: string): string => text.replaceAll('\u202f', ' ')

function figure(perMessage: number, n: number): LaneFigure {
  const rest = { seconds: 10, requests: 0, batches: n, payload: 100 * n, delays: Array<number>(n).fill(3) }
  return { n, bytes: perMessage * n, meanMs: 3, deviationMs: 1, ...rest }
}
function standing(n: number, { running = transportNames, exact = true }: { running?: readonly TransportName[]; exact?: boolean } = {}) {
  const figures: Figures = Object.fromEntries(running.map((name, index) => [name, figure(200 + index, name === 'sse' ? n : n + 1)]))
  return { figures, running, exact, verdict: judge(figures, running, slow, exact) }
}
const before: Before = { dials: fast, figures: Object.fromEntries(transportNames.map((name) => [name, figure(500, 100)])) }
const ages = (...given: Parameters<typeof shownOf>) =>
  transportNames.map((name) => {
    const { bytes, delay } = shownOf(...given)[name]
    return [bytes?.age, delay?.age]
  })
const onAll = (...pair: readonly unknown[]) => transportNames.map(() => pair)

describe('after a dial was moved', () => {
  it('the old figures stay, marked, on all lanes until all have enough new ones', () => {
    expect(ages(undefined, before)).toEqual(onAll('before', 'before'))
    // SSE has one less than the others: nobody changes over alone.
    expect(ages(standing(4), before)).toEqual(onAll('before', 'before'))
    expect(ages(standing(5), before)).toEqual(onAll('so-far', 'before'))
    expect(ages(standing(18), before)).toEqual(onAll('so-far', 'before'))
    expect(ages(standing(20), before)).toEqual(onAll('now', 'now'))
    expect(ages(standing(5, { exact: false }), before)).toEqual(onAll('before', 'before'))
    expect(shownOf(standing(5), before).poll).toMatchObject({ bytes: { figure: { n: 6 } }, delay: { figure: { n: 100 } } })
  })

  it('the sentence says at once what is measured, and of what the figures are', () => {
    const reads = (n: number | undefined, measuring = true): string =>
      plain(headline(n === undefined ? undefined : standing(n), before, slow, measuring))
    expect(reads(undefined)).toBe('Now 1 message a second: measuring, n = 0 of 20. Below are still the figures of 29 a second.')
    expect(reads(3)).toBe('Now 1 message a second: measuring, n = 3 of 20. Below are still the figures of 29 a second.')
    expect(reads(7)).toBe(
      'Now 1 message a second: measuring, n = 7 of 20. Bytes a message so far: polling 200 B, long polling 201 B, SSE 202 B and WebSocket 203 B. ' +
        'Delays below are still of 29 a second.',
    )
    expect(reads(20)).toMatch(/^At 1 message a second .* the fewest bytes/)
    expect(reads(undefined, false)).toMatch(/^Now 1 message a second: not measured yet\. Below are still/)
  })

  it('names the dials that differ, and no others', () => {
    const reads = (dials: typeof slow): [string, string] => [
      plain(headline(undefined, before, dials, true)),
      plain(ageLabel('before', before, dials)),
    ]
    expect(reads({ ...fast, pollMs: 250 })).toEqual([
      'Now a poll every 250 ms: measuring, n = 0 of 20. Below are still the figures of a poll every 1,000 ms.',
      'poll 1,000 ms',
    ])
    expect(reads({ rate: 1, pollMs: 250 })).toEqual([
      'Now 1 message a second and a poll every 250 ms: measuring, n = 0 of 20. ' +
        'Below are still the figures of 29 a second and a poll every 1,000 ms.',
      'before',
    ])
    expect(reads(fast)).toEqual([
      'Now 29 messages a second again: measuring, n = 0 of 20. Below are still the figures of before.',
      'before',
    ])
    expect([ageLabel('before', before, slow), ageLabel('so-far', before, slow), ageLabel('now', before, slow)]).toEqual([
      'at 29/s',
      'so far',
      '',
    ])
  })

  it('only figures that were whole are kept, over as many moves as it takes', () => {
    const whole = standing(20)
    expect([isWhole(whole), isWhole(standing(19)), isWhole(undefined)]).toEqual([true, false, false])
    const kept = keepOf(whole, undefined, fast)
    expect(kept).toEqual({ dials: fast, figures: whole.figures })
    expect(keepOf(standing(19), kept, slow)).toBe(kept)
    expect(keepOf(undefined, kept, slow)).toBe(kept)
    expect(keepOf(standing(19), undefined, slow)).toBeUndefined()
  })

  it('a lane that does not run any more has no figures, old or new', () => {
    const running = transportNames.filter((name) => name !== 'sse')
    expect(shownOf(standing(2, { running }), before).sse).toEqual({ bytes: undefined, delay: undefined })
    expect(shownOf(standing(2, { running }), before).poll.bytes?.age).toBe('before')
  })
})

it('has each lane for itself in the beginning, bytes first', () => {
  const started = standing(4)
  expect(ages(started, undefined)).toEqual([
    ['so-far', undefined],
    ['so-far', undefined],
    [undefined, undefined],
    ['so-far', undefined],
  ])
  expect(headline(undefined, undefined, slow, true)).toBe('Too early to say.')
  expect(headline(started, undefined, slow, true)).toBe('Too early to say (n = 4 of 20).')
})
