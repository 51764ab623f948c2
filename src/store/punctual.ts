/** A store of which every call ends in time: another process may be slow, stuck or gone, its callers must not be. */
import { Problem } from '../protocol/problem.ts'
import { drawMs } from '../protocol/random.ts'
import type { RoomStore } from './store.ts'

/** Calls `fire` once after `ms`, unless the returned function is called first. */
export type After = (ms: number, fire: () => void) => () => void

/**
 * The same store, whose calls settle within `limitMs`. Problems pass; any other failure and a late answer become
 * `store-unavailable` with outcome "unknown": an append may have happened all the same.
 */
export function punctual(store: RoomStore, limitMs: number, after: After, failed: (error: unknown) => void): RoomStore {
  const inTime = <T>(ask: () => Promise<T>, tooLate?: (value: T) => void): Promise<T> =>
    new Promise((resolve, reject) => {
      const refuse = (): void =>
        reject(new Problem('store-unavailable', undefined, { retryAfterMs: drawMs(500, 2_000), outcome: 'unknown' }))
      let late = false
      const cancel = after(limitMs, () => {
        late = true
        failed(new Error(`the store answered nothing for ${limitMs} ms`))
        refuse()
      })
      new Promise<T>((answer) => answer(ask())).then(
        (value) => {
          if (late) return tooLate?.(value)
          cancel()
          resolve(value)
        },
        (error: unknown) => {
          if (late) return
          cancel()
          if (error instanceof Problem) return reject(error)
          failed(error)
          refuse()
        },
      )
    })
  return {
    has: (room) => inTime(() => store.has(room)),
    append: (room, member, draft) => inTime(() => store.append(room, member, draft)),
    find: (room, member, draft) => inTime(() => store.find(room, member, draft)),
    read: (room, since, limit) => inTime(() => store.read(room, since, limit)),
    // A watch that comes too late is not left behind.
    watch: (room, wake) =>
      inTime(
        () => store.watch(room, wake),
        (unwatch) => unwatch(),
      ),
    clear: (room) => inTime(() => store.clear(room)),
    close: () => store.close(),
  }
}
