/** Our own state on its way: the latest, one tick apart at the least, one under way at a time. */
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { OwnState } from '../../src/client/own-state.ts'
import { Problem } from '../../src/protocol/problem.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

/** A wire on which the test says what becomes of each. */
function setUp() {
  const closing = new AbortController()
  const sent: { readonly state: unknown; readonly at: number; answer: (error?: Error) => void }[] = []
  const begun = Date.now()
  const wire = { open: true, answers: true }
  const own = new OwnState((state) => {
    if (!wire.open) return undefined
    return new Promise<void>((resolve, reject) => {
      const answer = (error?: Error): void => (error === undefined ? resolve() : reject(error))
      sent.push({ state, at: Date.now() - begun, answer })
      if (wire.answers) answer()
    })
  }, closing.signal)
  return { own, sent, wire, closing, states: () => sent.map(({ state }) => state), times: () => sent.map(({ at }) => at) }
}
const pass = (ms: number): Promise<unknown> => vi.advanceTimersByTimeAsync(ms)

it('goes out at once, then 20 times a second at the most, and the last one always', async () => {
  const { own, states, times } = setUp()
  for (let n = 0; n <= 100; n++) {
    own.set(n)
    await pass(2)
  }
  await pass(1_000)
  expect(times()).toEqual([0, 50, 100, 150, 200, 250])
  expect(states()[0]).toBe(0)
  expect(states().at(-1)).toBe(100)
  expect(vi.getTimerCount()).toBe(0)
})

it('waits for the answer to one before the next: they cannot overtake each other', async () => {
  const { own, sent, wire, states } = setUp()
  wire.answers = false
  own.set(1)
  own.set(2)
  own.set(3)
  await pass(5_000)
  expect(states()).toEqual([1])
  sent[0]?.answer()
  await pass(0)
  expect(states()).toEqual([1, 3])
})

it('waits for a wire, and goes out on each new one', async () => {
  const { own, wire, states } = setUp()
  own.flush()
  wire.open = false
  own.set('kept')
  own.set('newer')
  await pass(1_000)
  expect(states()).toEqual([])
  wire.open = true
  own.flush()
  await pass(1_000)
  own.flush()
  await pass(1_000)
  expect(states()).toEqual(['newer', 'newer'])
})

it.each<[string, Error]>([
  ['got no answer', new Error('the network was away')],
  ['came too often', new Problem('rate-limited', undefined, { retryAfterMs: 40 })],
  ['came to a server that was busy', new Problem('overloaded')],
])('is sent again where it %s, and what is newer by then in its place', async (_what, error) => {
  const { own, sent, wire, states } = setUp()
  wire.answers = false
  own.set('old')
  sent[0]?.answer(error)
  wire.answers = true
  await pass(500)
  own.set('new')
  expect(states()).toEqual(['old'])
  await pass(5_000)
  expect(states()).toEqual(['old', 'new'])
})

it('is let go where it is refused for good, until there is another', async () => {
  const { own, sent, wire, states } = setUp()
  wire.answers = false
  own.set('refused')
  sent[0]?.answer(new Problem('forbidden'))
  await pass(60_000)
  expect(states()).toEqual(['refused'])
  own.set('another')
  expect(states()).toEqual(['refused', 'another'])
})

it('ends with the channel, whatever is under way', async () => {
  const { own, sent, wire, closing, states } = setUp()
  wire.answers = false
  own.set(1)
  own.set(2)
  closing.abort()
  sent[0]?.answer(new Error('closed'))
  await pass(60_000)
  expect(states()).toEqual([1])
  expect(vi.getTimerCount()).toBe(0)
})
