/** A tab that nobody has seen for minutes, as Chromium treats it: hidden, and its timers come once a minute, when the test says that one is over. */
import type { Page } from 'playwright-core'

interface Held {
  readonly id: number
  readonly run: () => void
  readonly dueMs: number
}

type Turned = Window & { slow?: () => void; nextMinute?: () => Promise<void>; seen?: () => void }

/**
 * From now on. As in Chromium its timers come as before until it has been hidden for a while: here until it, which polls, has
 * told so. Resolves then.
 */
export async function hide(page: Page): Promise<void> {
  const told = page.waitForResponse(/\/poll\?.*\bevery=60000\b/)
  await page.evaluate(() => {
    const minuteMs = 60_000
    const native = window.setTimeout.bind(window)
    const nativeClear = window.clearTimeout.bind(window)
    const turn = (hidden: boolean): void => {
      Object.defineProperty(document, 'hidden', { value: hidden, configurable: true })
      Object.defineProperty(document, 'visibilityState', { value: hidden ? 'hidden' : 'visible', configurable: true })
      document.dispatchEvent(new Event('visibilitychange'))
    }
    let held: Held[] = []
    let drawn = 0
    let slow = false
    const run = (id: number): void => {
      const due = held.find((each) => each.id === id)
      held = held.filter((each) => each !== due)
      due?.run()
    }
    const set = (callback: () => void, ms = 0): number => {
      // No browser's own timer has such a number.
      const id = --drawn
      held.push({ id, run: callback, dueMs: performance.now() + ms })
      native(() => slow || run(id), ms)
      return id
    }
    const clear = (id?: number): void => {
      held = held.filter((each) => each.id !== id)
      nativeClear(id)
    }
    Object.assign(window, { setTimeout: set, clearTimeout: clear })
    const turned: Turned = window
    turned.slow = () => (slow = true)
    turned.nextMinute = async () => {
      const due = held.filter(({ dueMs }) => dueMs <= performance.now() + minuteMs).toSorted((one, other) => one.dueMs - other.dueMs)
      for (const { id } of due) {
        // Nothing, where an earlier one of the same minute took it back.
        run(id)
        await new Promise((resolve) => native(resolve))
      }
    }
    turned.seen = () => {
      Object.assign(window, { setTimeout: native, clearTimeout: clear })
      for (const each of held.splice(0)) native(each.run)
      turn(false)
    }
    turn(true)
  })
  await told
  await page.evaluate(() => (window as Turned).slow?.())
}

/** A minute is over: what was due in it comes now, in its order, and what that sets waits for the next. */
export const passMinute = (page: Page): Promise<void> => page.evaluate(() => (window as Turned).nextMinute?.())

/** Somebody looks at it again, and its timers are a browser's own. */
export const see = (page: Page): Promise<void> => page.evaluate(() => (window as Turned).seen?.())
