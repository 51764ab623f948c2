/** A process of the bench that a test asks. */
import { answer } from '../../bench/processes.ts'

const methods = {
  /** What it was given, after so many ms. */
  echo: <T>(value: T, ms = 0): Promise<T> => new Promise((resolve) => setTimeout(resolve, ms, value)),
  fail(): never {
    throw new RangeError('it cannot')
  },
  leave(code: number): void {
    process.exit(code)
  },
  /** Hears no SIGTERM any more, and does nothing but this. */
  hang(): void {
    process.removeAllListeners('SIGTERM').on('SIGTERM', () => {})
    setInterval(() => {}, 1_000)
  },
}
export type Answering = typeof methods

answer(methods)
