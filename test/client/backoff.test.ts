import { expect, it } from 'vitest'
import { backoffMs } from '../../src/client/backoff.ts'

it('comes back after 0.5 to 20 s, drawn evenly below a ceiling that doubles', () => {
  const most = [0, 1, 2, 3, 4, 5, 6, 50].map((attempt) => backoffMs(attempt, () => 1))
  expect(most).toEqual([1000, 2000, 4000, 8000, 16_000, 20_000, 20_000, 20_000])
  expect([0, 3, 50].map((attempt) => backoffMs(attempt, () => 0))).toEqual([500, 500, 500])
  expect(backoffMs(1, () => 0.5)).toBe(1250)
})
