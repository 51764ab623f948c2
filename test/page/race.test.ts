/** What the race says of its lanes: from what is counted to a sentence, and from the model to the rate at which it flips. */
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { dialsQuery, intervals, placeOfRate, rateAtPlace, rates, readDials, roomQuery } from '../../src/page/race/dials.ts'
import { Pacer } from '../../src/page/race/pacer.ts'
import { predict, type Weighed } from '../../src/page/race/prediction.ts'
import { type LaneFigure, LaneRecord, quantile } from '../../src/page/race/record.ts'
import { anchorOf, endFor, labelled, shareOf, ticksTo } from '../../src/page/race/scale.ts'
import { type Figures, judge, predictionText } from '../../src/page/race/verdict.ts'
import { BallotBox, tally } from '../../src/page/race/votes.ts'
import { type TransportName, transportNames } from '../../src/protocol/message.ts'

const dials = { rate: 10, pollMs: 1_000 }
const plain = (text: string): string => text.replaceAll('\u202f', ' ')

function figure(perMessage: number, meanMs: number, n = 100, deviationMs = 1): LaneFigure {
  const rest = { seconds: 10, requests: 0, batches: n, payload: 100 * n, delays: Array<number>(n).fill(meanMs) }
  return { n, bytes: perMessage * n, meanMs, deviationMs, ...rest }
}
const figures = (polling: number, pollingMs = 500): Figures => ({
  poll: figure(polling, pollingMs, 100, 290),
  'long-poll': figure(1_064, 3),
  sse: figure(239, 3),
  websocket: figure(202, 2),
})

describe('the sentence of the race', () => {
  it('names who needs the fewest bytes and who is first, with their numbers', () => {
    const { text, bytes, delay } = judge(figures(300), transportNames, dials)
    expect(plain(text)).toBe(
      'At 10 messages a second WebSocket needs the fewest bytes: 202 B a message; SSE 239 B, polling 300 B and long polling 1,064 B. ' +
        'On average WebSocket 2.0 ms after it was said; long polling 3.0 ms, SSE 3.0 ms and polling 500 ms.',
    )
    expect([bytes, delay]).toEqual([['websocket'], ['websocket']])
  })

  it('flips when the winner flips', () => {
    expect(judge(figures(156), transportNames, { ...dials, rate: 100 })).toMatchObject({
      bytes: ['poll'],
      text: expect.stringMatching(/^At 100 messages a second polling needs the fewest bytes: 156\u202fB a message; WebSocket/) as string,
    })
  })

  it('names nobody alone where two are as good as equal', () => {
    const { bytes, text } = judge(figures(204), transportNames, dials)
    expect(bytes).toEqual(['websocket', 'poll'])
    expect(plain(text)).toContain('WebSocket and polling need the fewest bytes, as good as equal: 202 B and 204 B a message; SSE')
    const noisy = { poll: figure(300, 5, 25, 40), sse: figure(239, 3, 25, 40) }
    const judged = judge(noisy, ['poll', 'sse'], dials)
    expect(judged.delay).toEqual(['sse', 'poll'])
    expect(plain(judged.text)).toContain('In delay nobody is ahead: on average SSE 3.0 ms and polling 5.0 ms.')
  })

  it('says that it is too early while a lane that runs has fewer than 20 messages', () => {
    const early = { ...figures(300), sse: figure(239, 3, 19) }
    expect(judge(early, transportNames, dials)).toMatchObject({ bytes: [], delay: [] })
    expect(judge(early, transportNames, dials).text).toMatch(/^Too early to say \(n = 19 of 20\)\./)
    expect(judge({}, transportNames, dials).text).toBe('Too early to say (n = 0 of 20).')
    const three = transportNames.filter((name) => name !== 'sse')
    expect(judge(early, three, dials)).toMatchObject({ bytes: ['websocket'], text: expect.not.stringContaining('SSE') as string })
  })

  it('has the bytes from 5 messages on, with no winner, where they are exact', () => {
    const few = (n: number): Figures => ({ ...figures(300), sse: figure(239, 3, n) })
    expect(plain(judge(few(5), transportNames, dials).text)).toBe(
      'Too early to say (n = 5 of 20). Bytes a message so far: WebSocket 202 B, SSE 239 B, polling 300 B and long polling 1,064 B.',
    )
    expect(judge(few(4), transportNames, dials).text).toBe('Too early to say (n = 4 of 20).')
    expect(judge(few(5), transportNames, dials, false).text).toBe('Too early to say (n = 5 of 20).')
  })

  it('names all four in delay too, and says that a lane is left out', () => {
    for (const pollingMs of [1, 3, 500]) {
      const [, delays = ''] = judge(figures(300, pollingMs), transportNames, dials).text.split('B. ')
      expect(delays).toMatch(/WebSocket/)
      for (const word of [/\blong polling \d/, /\bSSE \d/, /(?<!long )\bpolling \d/]) expect(delays).toMatch(word)
    }
    const text = (lanes: readonly TransportName[]): string => judge(figures(300), lanes, dials).text
    expect(text(transportNames)).not.toContain('not compared')
    expect(text(['poll', 'long-poll', 'sse'])).toMatch(/polling 500\u202fms\. One lane does not run and is not compared\.$/)
    expect(text(['poll', 'sse'])).toMatch(/Two lanes do not run and are not compared\.$/)
  })

  it('names no winner in bytes where bytes are in doubt', () => {
    const { bytes, text } = judge(figures(300), transportNames, dials, false)
    expect(bytes).toEqual([])
    expect(text).toMatch(/^The counters are not exact in this window/)
  })

  it('is never finer than the clock', () => {
    const { text } = judge({ sse: figure(239, 0.04, 100, 0), websocket: figure(202, 0.02, 100, 0) }, ['sse', 'websocket'], dials)
    expect(plain(text)).toContain('WebSocket under 0.1 ms and SSE under 0.1 ms')
  })
})

describe('what a lane has done over a while', () => {
  it('is counted between two moments at which bytes and messages belong together', () => {
    const lane = new LaneRecord()
    const seen = { bytes: 0, payload: 0, requests: 0 }
    for (let at = 0; at <= 5_000; at += 100) {
      // Ten messages come with a poll each second; the bytes of the last one are told before it has arrived.
      if (at % 1_000 === 0 && at > 0)
        Object.assign(seen, { bytes: seen.bytes + 2_000, payload: seen.payload + 1_500, requests: seen.requests + 1 })
      const movedAt = at % 1_000 === 0 ? at - 1 : -Infinity
      lane.mark(at, { ...seen, movedAt }, movedAt)
      if (at % 1_000 !== 0 || at === 0) continue
      lane.batch()
      for (let index = 0; index < 10; index++) lane.deliver(at + 5, 100 * index)
    }
    expect(lane.delivered).toBe(50)
    expect(lane.since(500)).toMatchObject({ n: 40, bytes: 8_000, payload: 6_000, requests: 4, batches: 4, seconds: 4.4, meanMs: 450 })
    expect(lane.since(4_950)).toBeUndefined()
  })

  it('counts a lane that is never quiet too, and forgets what is old', () => {
    const lane = new LaneRecord()
    for (let at = 0; at < 100_000; at += 10) {
      lane.batch()
      lane.deliver(at, 1)
      if (at % 100 === 0) lane.mark(at, { bytes: 200 * lane.delivered, payload: 0, requests: 0, movedAt: at }, at)
    }
    const { n = 0, bytes = 0, delays = [] } = lane.since(89_000) ?? {}
    expect(n).toBeGreaterThanOrEqual(900)
    expect(bytes).toBe(200 * n)
    expect(delays.length).toBe(n)
    expect(lane.since(0)?.n).toBeLessThan(5_000)
  })

  it('has the quantiles that are defined as the least value that so many do not exceed', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(1_000), { minLength: 1 }), fc.double({ min: 0.01, max: 1, noNaN: true }), (delays, q) => {
        const value = quantile(delays, q)
        expect(delays.filter((delay) => delay <= value).length).toBeGreaterThanOrEqual(q * delays.length - 1e-9)
        expect(delays.filter((delay) => delay < value).length).toBeLessThan(q * delays.length)
      }),
    )
    expect(() => quantile([], 0.5)).toThrow(RangeError)
  })
})

describe('the predicted flip', () => {
  const cursor = 'AAAAAAAAAAAA.1234.BBBBBB'
  const emptyBatch = 27 + cursor.length
  // Ten polls of 700 B up and 194 B of head down, ten messages of 150 B in each; events and frames with one.
  const weighed: Weighed = {
    poll: { requests: 10, requestBytes: 7_000, answers: 10, answerFraming: 1_970 + 10, answerPayload: 10 * (emptyBatch + 1_509) },
    sse: { requests: 1, requestBytes: 650, answers: 100, answerFraming: 4_300, answerPayload: 100 * (emptyBatch + 150) },
    pushed: { payload: 100 * (emptyBatch + 150), batches: 100, messages: 100 },
    cursor,
    roundTripMs: 0,
  }

  it('is where a poll that brings so many is as dear as so many events: fixed cost over what each saves', () => {
    const prediction = predict(dials, weighed)
    // A poll: 700 + 194 + 4 digits + 51, and 151 a message, less one comma. An event: 150 + 51 + 43.
    expect(prediction?.emptyPoll).toBe(700 + 194 + 2 + emptyBatch)
    expect(prediction?.belowSse).toBeCloseTo((700 + 194 + 4 + emptyBatch - 1) / (150 + emptyBatch + 43 - 151), 0)
    expect(prediction?.belowSse).toBeLessThan(prediction?.belowWebSocket ?? 0)
    const twice = predict({ ...dials, pollMs: 500 }, weighed)
    expect((twice?.belowSse ?? 0) / (prediction?.belowSse ?? 1)).toBeCloseTo(2, 1)
  })

  it('agrees with itself on both sides, and says so beside what is measured', () => {
    for (const [rate, sign] of [
      [5, 1],
      [50, -1],
    ] as const) {
      const prediction = predict({ ...dials, rate }, weighed)
      if (prediction === undefined) throw new Error('nothing was predicted')
      expect(Math.sign(prediction.poll - prediction.sse)).toBe(sign)
      const text = plain(predictionText(prediction, figures(prediction.poll), { ...dials, rate }))
      expect(text).toMatch(
        /^Predicted from an empty poll of 947 B every 1\.0 s: polling gets below SSE at 1\d\/s and below WebSocket at \d+\/s\. /,
      )
      expect(text).toMatch(new RegExp(`Measured at ${rate}/s: SSE 239 B, polling \\d+ B; as predicted\\.$`))
      expect(predictionText(prediction, figures(239), dials)).toMatch(/this is where it flips\.$/)
      expect(predictionText(prediction, figures(239 - 50 * sign), dials)).toMatch(/not as predicted\.$/)
    }
  })

  it('waits until there is something to go by', () => {
    expect(predict(dials, { ...weighed, poll: { ...weighed.poll, requests: 2 } })).toBeUndefined()
    expect(predict(dials, { ...weighed, pushed: { payload: 0, batches: 0, messages: 0 } })).toBeUndefined()
  })
})

describe('the pace of the sender', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }))
  afterEach(() => void vi.useRealTimers())

  it('is kept evenly, changes at once, and rests', () => {
    const act = vi.fn<() => void>()
    const pacer = new Pacer(act)
    pacer.pace(100)
    vi.advanceTimersByTime(1_000)
    expect(act).toHaveBeenCalledTimes(100)
    pacer.pace(2)
    vi.advanceTimersByTime(2_000)
    expect(act).toHaveBeenCalledTimes(104)
    pacer.pace(0)
    vi.advanceTimersByTime(60_000)
    expect(act).toHaveBeenCalledTimes(104)
  })

  it('catches up with a timer that was late, but makes no burst of a long sleep', () => {
    const at: number[] = []
    const pacer = new Pacer(() => at.push(performance.now()))
    pacer.pace(100)
    vi.advanceTimersByTime(10)
    const late = vi.spyOn(performance, 'now').mockReturnValue(performance.now() + 100)
    vi.advanceTimersToNextTimer()
    expect(at.length).toBe(11)
    late.mockReturnValue(performance.now() + 10_000)
    vi.advanceTimersToNextTimer()
    expect(at.length).toBeLessThanOrEqual(11 + 26)
    pacer.pace(0)
  })
})

describe('the dials', () => {
  it('are in the address, within their bounds, and leave alone what else is there', () => {
    expect(readDials('?rate=50&poll=250')).toEqual({ rate: 50, pollMs: 250 })
    expect(readDials('')).toEqual({ rate: rates.usual, pollMs: intervals.usual })
    expect(readDials('?rate=1e9&poll=-1')).toEqual({ rate: rates.usual, pollMs: intervals.usual })
    expect(readDials('?rate=0&poll=60000')).toEqual({ rate: rates.least, pollMs: intervals.most })
    expect(dialsQuery('?room=attic&t=sse&rate=5&poll=250', { rate: 50, pollMs: 1_000 })).toBe('?room=attic&t=sse&rate=50')
    expect(roomQuery('?room=attic&t=sse&rate=50&poll=250&reveal=')).toBe('?room=attic&t=sse&poll=250')
    expect([dialsQuery('', { rate: 10, pollMs: 1_000 }), roomQuery('?reveal')]).toEqual(['', ''])
  })

  it('reach every end, and rise', () => {
    expect([rateAtPlace(0), rateAtPlace(50), rateAtPlace(100)]).toEqual([1, 10, 100])
    for (let rate = 1; rate < 100; rate++) expect(placeOfRate(rate + 1)).toBeGreaterThanOrEqual(placeOfRate(rate))
  })
})

it('draws on scales that hold what they show, with ticks within them', () => {
  fc.assert(
    fc.property(fc.double({ min: 0.001, max: 1e7, noNaN: true }), (value) => {
      const end = endFor(value)
      expect(end).toBeGreaterThanOrEqual(value * (1 - 1e-5))
      expect(end).toBeLessThanOrEqual(value * 1.6)
      const ticks = ticksTo(end)
      expect(ticks.length).toBeGreaterThanOrEqual(3)
      expect(ticks.length).toBeLessThanOrEqual(5)
      expect(ticks.at(-1)).toBeLessThanOrEqual(end)
    }),
  )
  expect([shareOf(25, 100), shareOf(300, 100), shareOf(-1, 100)]).toEqual(['25%', '100%', '0%'])
})

it('labels as many ticks as have room, evenly, and the first of them always', () => {
  const widthOf = (tick: number): number => 8 * (tick.toLocaleString('en').length + 3)
  const labels = (width: number) => labelled(ticksTo(1_000), 1_000, width, widthOf)
  expect([labels(600), labels(320), labels(60)]).toEqual([
    [0, 250, 500, 750, 1_000],
    [0, 500, 1_000],
    [0, 1_000],
  ])
  // On a phone half of the last label would leave the page.
  expect([0, 1_000, 1_500, 1_600].map((tick) => anchorOf(tick, 1_600))).toEqual(['start', 'middle', 'end', 'end'])
  fc.assert(
    fc.property(fc.double({ min: 0.001, max: 1e7, noNaN: true }), fc.integer({ min: 200, max: 900 }), (value, width) => {
      const end = endFor(value)
      const shown = labelled(ticksTo(end), end, width, widthOf)
      const spans = shown.map((tick) => {
        const from = (tick / end) * width - widthOf(tick) * { start: 0, middle: 0.5, end: 1 }[anchorOf(tick, end)]
        return [from, from + widthOf(tick)] as const
      })
      expect(shown[0]).toBe(0)
      // Two are left whatever their width: an axis has an origin and a unit.
      if (shown.length > 2) for (const [index, [from]] of spans.slice(1).entries()) expect(from).toBeGreaterThan(spans[index]?.[1] ?? 0)
    }),
  )
})

it('does not count votes that come after the reveal, and counts the own one though it was not told back yet', () => {
  const box = new BallotBox()
  const states = new Map<string, unknown>([
    ['ann', { vote: 'poll' }],
    ['ben', { vote: 'sse' }],
  ])
  box.count(states)
  expect(box.votes).toMatchObject({ total: 2, of: { poll: 1, sse: 1 } })
  box.close(states, { member: 'ann', vote: 'websocket' })
  const revealed = { total: 2, of: { poll: 0, 'long-poll': 0, sse: 1, websocket: 1 } }
  expect(box.votes).toEqual(revealed)
  states.set('ben', { vote: 'websocket' }).set('eve', { vote: 'websocket' })
  box.count(states)
  expect(box.votes).toEqual(revealed)
})

it('counts one vote a member, and what is no vote not at all', () => {
  const states = new Map<string, unknown>([
    ['a', { vote: 'sse' }],
    ['b', { vote: 'sse' }],
    ['c', { vote: 'websocket', x: 1 }],
    ['d', { vote: 'toString' }],
    ['e', 'sse'],
    ['f', null],
  ])
  expect(tally(states)).toEqual({ total: 3, of: { poll: 0, 'long-poll': 0, sse: 2, websocket: 1 } })
})
