import * as fc from 'fast-check'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { Wheel } from '../../src/hub/wheel.ts'

function fakeTime(): void {
  vi.useFakeTimers({ toFake: ['performance', 'setInterval', 'clearInterval'] })
  onTestFinished(() => void vi.useRealTimers())
}

/** Keeps the event loop from turning. */
function block(ms: number): void {
  const end = performance.now() + ms
  while (performance.now() < end);
}

describe('the wheel', () => {
  it('fires each once, never early and at most a tick late, whatever its size', () => {
    fakeTime()
    const delays = fc.array(fc.tuple(fc.nat(500), fc.double({ min: 0, max: 3000, noNaN: true })), { minLength: 1, maxLength: 40 })
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 1, max: 20 }), delays, (tickMs, slots, timers) => {
        const wheel = new Wheel(tickMs, slots)
        const late: number[] = []
        for (const [passMs, ms] of timers) {
          vi.advanceTimersByTime(passMs)
          const due = performance.now() + ms
          wheel.after(ms, () => late.push(performance.now() - due))
        }
        vi.advanceTimersByTime(3000 + 3 * tickMs)
        expect(late).toHaveLength(timers.length)
        for (const ms of late) {
          expect(ms).toBeGreaterThanOrEqual(-1e-6)
          // Its interval does not begin at a multiple of the tick: one for the slot, one for the interval.
          expect(ms).toBeLessThanOrEqual(2 * tickMs)
        }
        expect(wheel.size).toBe(0)
      }),
      { numRuns: 200 },
    )
  })

  it('fires never early in real time, and soon', async () => {
    const wheel = new Wheel(5)
    const lateMs = await Promise.all(
      Array.from({ length: 200 }, (_, index) => {
        const due = performance.now() + index
        return new Promise<number>((resolve) => wheel.after(index, () => resolve(performance.now() - due)))
      }),
    )
    expect(Math.min(...lateMs)).toBeGreaterThanOrEqual(0)
    // Most of them: a machine that is busy may hold up some.
    expect(lateMs.toSorted((a, b) => a - b)[100]).toBeLessThan(100)
  })

  it('fires nothing that was cancelled, and a cancel may come twice or late', () => {
    fakeTime()
    const wheel = new Wheel(10)
    const [kept, cancelled] = [vi.fn(), vi.fn()]
    const cancelKept = wheel.after(50, kept)
    const cancel = wheel.after(50, cancelled)
    cancel()
    cancel()
    expect(wheel.size).toBe(1)
    vi.advanceTimersByTime(100)
    expect(kept).toHaveBeenCalledOnce()
    expect(cancelled).not.toHaveBeenCalled()
    cancelKept()
    expect(wheel.size).toBe(0)
    wheel.after(10, kept)
    cancelKept()
    expect(wheel.size).toBe(1)
    wheel.stop()
  })

  it('lets one that fires cancel another of the same tick', () => {
    fakeTime()
    const wheel = new Wheel(10)
    const second = vi.fn()
    wheel.after(50, () => cancel())
    const cancel = wheel.after(50, second)
    vi.advanceTimersByTime(100)
    expect(second).not.toHaveBeenCalled()
    expect(wheel.size).toBe(0)
  })

  it('lets one that fires enter the next: a heartbeat goes on at its pace', () => {
    fakeTime()
    const wheel = new Wheel(10, 8)
    const beats: number[] = []
    const beat = (): void => {
      beats.push(performance.now())
      wheel.after(100, beat)
    }
    wheel.after(100, beat)
    vi.advanceTimersByTime(1200)
    expect(beats.length).toBeGreaterThanOrEqual(9)
    expect(beats.length).toBeLessThanOrEqual(12)
    for (const [index, at] of beats.slice(1).entries()) expect(at - (beats[index] ?? 0)).toBeGreaterThanOrEqual(100)
    wheel.stop()
  })

  it('does not fire within the same turn what asks for no time at all', () => {
    fakeTime()
    const wheel = new Wheel(10)
    let fired = 0
    const again = (): void => {
      fired++
      wheel.after(0, again)
    }
    again()
    expect(fired).toBe(1)
    vi.advanceTimersByTime(10)
    expect(fired).toBeLessThanOrEqual(2)
    vi.advanceTimersByTime(100)
    expect(fired).toBeGreaterThan(5)
    expect(fired).toBeLessThanOrEqual(12)
    wheel.stop()
  })

  it('has one interval for thousands of timers, and none where nothing waits', () => {
    fakeTime()
    const wheel = new Wheel(10)
    expect(vi.getTimerCount()).toBe(0)
    const cancels = Array.from({ length: 5000 }, (_, ms) => wheel.after(ms, () => {}))
    expect(wheel.size).toBe(5000)
    expect(vi.getTimerCount()).toBe(1)
    for (const cancel of cancels.slice(2500)) cancel()
    expect(vi.getTimerCount()).toBe(1)
    vi.advanceTimersByTime(2600)
    expect(wheel.size).toBe(0)
    expect(vi.getTimerCount()).toBe(0)
    wheel.after(10, () => {})
    expect(vi.getTimerCount()).toBe(1)
    wheel.stop()
    expect(wheel.size).toBe(0)
    expect(vi.getTimerCount()).toBe(0)
  })

  it('goes on after it has stood still for longer than it lasts', () => {
    fakeTime()
    const wheel = new Wheel(10, 8)
    const fired = vi.fn()
    wheel.after(10, fired)
    vi.advanceTimersByTime(100)
    vi.advanceTimersByTime(100_000)
    wheel.after(10, fired)
    vi.advanceTimersByTime(30)
    expect(fired).toHaveBeenCalledTimes(2)
  })

  it('fires each once after an event loop that was blocked for several turns of it', async () => {
    const wheel = new Wheel(1, 16)
    const early: number[] = []
    const fired: number[] = []
    const begin = performance.now()
    const enter = (ms: number): void => {
      wheel.after(ms, () => {
        fired.push(ms)
        if (performance.now() - begin < ms) early.push(ms)
      })
    }
    for (let ms = 0; ms < 200; ms += 2) enter(ms)
    block(100)
    await new Promise<void>((resolve) => wheel.after(0, resolve))
    // All that was due is behind it now: nothing waits for another turn of the wheel.
    for (let ms = 0; ms < 90; ms += 2) expect(fired).toContain(ms)
    await new Promise<void>((resolve) => wheel.after(220, resolve))
    expect(fired.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, index) => index * 2))
    expect(early).toEqual([])
    expect(wheel.size).toBe(0)
  })
})
