/** What a freeze looks like to an open and a closed loop, on a clock that does not wobble. */
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { combSentence, delayed, heldUpMs, measure, noticedMs } from '../../src/page/hall/combs.ts'

const spoken = (text: string): string => text.replaceAll('\u202f', ' ')

/** A server that answers within a millisecond, but not while it is frozen. */
class Freezer {
  #until = 0
  asked = 0

  readonly ask = (): Promise<void> => {
    this.asked++
    return this.#answer()
  }

  readonly freeze = (ms: number) => async (): Promise<{ readonly ms: number }> => {
    this.#until = performance.now() + ms
    await this.#answer()
    return { ms }
  }

  #answer(): Promise<void> {
    return new Promise((resolve) => setTimeout(resolve, Math.max(1, this.#until - performance.now())))
  }
}

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

async function combsOf(ms: number) {
  const server = new Freezer()
  const measuring = measure(server.ask, server.freeze(ms))
  await vi.advanceTimersByTimeAsync(2 * ms + 2_000)
  return measuring
}

it('sees every delayed answer of a freeze of 2 s in the open loop, and one in the closed loop', async () => {
  const combs = await combsOf(2_000)
  expect(combs.open.map(({ ms }) => ms).filter((ms) => ms > heldUpMs)).toEqual([1_875, 1_625, 1_375, 1_125, 875, 625, 375, 125])
  expect(combs.closed.map(({ ms }) => ms).filter((ms) => ms > heldUpMs)).toEqual([1_875])
  expect([delayed(combs, combs.open, noticedMs), delayed(combs, combs.closed, noticedMs)]).toEqual([7, 1])
  expect(spoken(combSentence(combs))).toBe(
    'The freeze held everybody up for 2,000 ms. An open loop, asking every 250 ms whatever happens, saw 8 delayed answers, ' +
      '7 of them over 300 ms. A closed loop, which waits for each answer before it asks again, recorded 1.',
  )
})

it('shows before and after that nobody is held up, on the same times', async () => {
  const { open, closed, freezeAt, frozenMs } = await combsOf(500)
  const calm = (at: number): boolean => at < freezeAt || at > freezeAt + frozenMs
  for (const samples of [open, closed]) {
    const well = samples.filter(({ at }) => calm(at))
    expect(well.length).toBeGreaterThanOrEqual(3)
    expect(well.filter(({ ms }) => ms > heldUpMs)).toEqual([])
  }
  expect(open.map(({ at }) => at)).toEqual(open.map((_, index) => 250 * index))
})

it('counts what the freeze met, and not what was slow before or after it', () => {
  const slow = [0, 450, 900, 1_600].map((at) => ({ at, ms: 90 }))
  const combs = { freezeAt: 500, frozenMs: 1_000, overAt: 1_500, open: slow, closed: [] }
  expect(delayed(combs, slow, heldUpMs)).toBe(2)
})

it('ends with the refusal of a freeze, and asks no more', async () => {
  const server = new Freezer()
  const measuring = measure(server.ask, () => Promise.reject(new Error('a moment ago')))
  const refused = expect(measuring).rejects.toThrow('a moment ago')
  await vi.advanceTimersByTimeAsync(1_000)
  await refused
  const { asked } = server
  await vi.advanceTimersByTimeAsync(5_000)
  expect(server.asked).toBe(asked)
})

it('leaves out what was not answered at all', async () => {
  const measuring = measure(
    () => Promise.reject(new Error('no network')),
    async () => ({ ms: 1 }),
  )
  await vi.advanceTimersByTimeAsync(3_000)
  expect(await measuring).toMatchObject({ open: [], closed: [] })
})
