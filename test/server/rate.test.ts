import { expect, it } from 'vitest'
import { Rate } from '../../src/server/rate.ts'

it('allows a burst, then its rate, and says how long to wait', () => {
  const rate = new Rate(20, 40)
  for (let n = 0; n < 40; n++) expect(rate.take('ann', 0)).toBe(0)
  expect(rate.take('ann', 0)).toBe(50)
  expect(rate.take('ben', 0)).toBe(0)
  expect(rate.take('ann', 49)).toBe(1)
  expect(rate.take('ann', 50)).toBe(0)
  expect(rate.take('ann', 50)).toBe(50)
})

it('says how long to wait without taking anything', () => {
  const rate = new Rate(20, 2)
  expect(rate.waitMs('ann', 0)).toBe(0)
  expect(rate.take('ann', 0)).toBe(0)
  expect(rate.waitMs('ann', 0)).toBe(0)
  expect(rate.take('ann', 0)).toBe(0)
  for (let asked = 0; asked < 3; asked++) expect(rate.waitMs('ann', 10)).toBe(40)
  expect(rate.take('ann', 10)).toBe(40)
  expect(rate.waitMs('ann', 50)).toBe(0)
  expect(new Rate(0, 2).waitMs('ann', 0)).toBe(0)
})

it('remembers nobody who has been quiet', () => {
  const rate = new Rate(20, 40)
  for (let n = 0; n < 10_000; n++) rate.take(`member ${n}`, 0)
  expect(rate.size).toBe(10_000)
  rate.take('ann', 60_000)
  expect(rate.size).toBe(1)
})

it('is no limit where it is 0', () => {
  const rate = new Rate(0, 40)
  for (let n = 0; n < 1000; n++) expect(rate.take('ann', 0)).toBe(0)
  expect(rate.size).toBe(0)
})
