/** One clock for all processes of this machine: what one process stamps, another may subtract. */
import { setTimeout as sleep } from 'node:timers/promises'

/** Monotonic, in ms. */
export const now = (): number => Number(process.hrtime.bigint()) / 1e6

/** Resolves at `time` of this clock, at once if that is past; rejects when the signal aborts. */
export async function until(time: number, signal?: AbortSignal): Promise<void> {
  for (let left = time - now(); left > 0; left = time - now()) await sleep(Math.ceil(left), undefined, { signal })
}
