/** A tab that nobody has seen for minutes, as Chromium treats it: hidden, and its timers come once a minute, when the test says that one is over. */
import type { Page } from 'playwright-core'

interface Held {
  readonly id: number
  readonly run: () => void
  readonly dueMs: number
}

type Turned = Window & { nextMinute?: () => Promise<void>; seen?: () => void }

/** From now on. */
export const hide = (page: Page): Promise<void> =>
  page.evaluate(() => {
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
    const hold = (run: () => void, ms = 0): number => {
      // No browser's own timer has such a number.
      held.push({ id: --drawn, run, dueMs: performance.now() + ms })
      return drawn
    }
    const clear = (id?: number): void => {
      held = held.filter((each) => each.id !== id)
      nativeClear(id)
    }
    Object.assign(window, { setTimeout: hold, clearTimeout: clear })
    ;(window as Turned).nextMinute = async () => {
      const due = held.filter(({ dueMs }) => dueMs <= performance.now() + minuteMs).toSorted((one, other) => one.dueMs - other.dueMs)
      for (const each of due) {
        // An earlier one of the same minute may have taken it back.
        if (!held.includes(each)) continue
        clear(each.id)
        each.run()
        await new Promise((resolve) => native(resolve))
      }
    }
    ;(window as Turned).seen = () => {
      Object.assign(window, { setTimeout: native, clearTimeout: clear })
      for (const { run } of held.splice(0)) native(run)
      turn(false)
    }
    turn(true)
  })

/** A minute is over: what was due in it comes now, in its order, and what that sets waits for the next. */
export const passMinute = (page: Page): Promise<void> => page.evaluate(() => (window as Turned).nextMinute?.())

/** Somebody looks at it again, and its timers are a browser's own. */
export const see = (page: Page): Promise<void> => page.evaluate(() => (window as Turned).seen?.())
