/** What a lane has delivered and what that took, over the last few seconds. Pure: clocks are arguments, in ms of one clock. */
import type { Tally } from './ledger.ts'

/** Of a lane over a window. */
export interface LaneFigure {
  /** Messages that were delivered in it. */
  readonly n: number
  readonly seconds: number
  /** Both ways, and of them the JSON of batches. */
  readonly bytes: number
  readonly payload: number
  readonly requests: number
  readonly batches: number
  /** From sender to receiver, of each message. */
  readonly delays: readonly number[]
  readonly meanMs: number
  readonly deviationMs: number
}

/** A moment at which bytes and messages are known of the same time. */
interface Mark extends Tally {
  readonly at: number
  readonly delivered: number
  readonly batches: number
}

/** Nothing moved for so long before a report: what has left the server has arrived. */
const quietMs = 20
/** A lane that is never quiet is marked this often all the same: one message more or less is a small part of many. */
const markEveryMs = 1_000
/** What is older is forgotten. */
const keptMs = 45_000

export class LaneRecord {
  #marks: Mark[] = []
  #deliveries: { readonly at: number; readonly delayMs: number }[] = []
  #delivered = 0
  #batches = 0
  #movedAt = -Infinity

  /** Messages since the beginning. */
  get delivered(): number {
    return this.#delivered
  }

  /** A batch with messages has come. */
  batch(): void {
    this.#batches++
  }

  /** And one of its messages. */
  deliver(at: number, delayMs: number): void {
    this.#delivered++
    this.#deliveries.push({ at, delayMs })
    this.#movedAt = at
  }

  /** So much had passed at `at`; its last byte before that at `movedAt`, where that is known. */
  mark(at: number, tally: Tally, movedAt = -Infinity): void {
    this.#movedAt = Math.max(this.#movedAt, movedAt)
    const settled = this.#movedAt <= at - quietMs
    const last = this.#marks.at(-1)
    if (!settled && last !== undefined && at - last.at < markEveryMs) return
    this.#marks.push({ ...tally, at, delivered: this.#delivered, batches: this.#batches })
    while ((this.#marks[0]?.at ?? at) < at - keptMs) this.#marks.shift()
    const oldest = this.#deliveries.findIndex((each) => each.at >= at - keptMs)
    if (oldest > 0) this.#deliveries.splice(0, oldest)
  }

  /** From the first mark at or after `from` to the last one; undefined while there are no two. */
  since(from: number): LaneFigure | undefined {
    const first = this.#marks.find(({ at }) => at >= from)
    const last = this.#marks.at(-1)
    if (first === undefined || last === undefined || last.at <= first.at) return undefined
    const n = last.delivered - first.delivered
    // By number, not by time: a mark says how many had come.
    const end = this.#deliveries.length - (this.#delivered - last.delivered)
    const delays = this.#deliveries.slice(Math.max(0, end - n), end).map(({ delayMs }) => delayMs)
    return {
      n,
      seconds: (last.at - first.at) / 1000,
      bytes: last.bytes - first.bytes,
      payload: last.payload - first.payload,
      requests: last.requests - first.requests,
      batches: last.batches - first.batches,
      delays,
      ...moments(delays),
    }
  }
}

function moments(values: readonly number[]): { readonly meanMs: number; readonly deviationMs: number } {
  const meanMs = values.reduce((sum, value) => sum + value, 0) / values.length
  const square = values.reduce((sum, value) => sum + (value - meanMs) ** 2, 0) / Math.max(1, values.length - 1)
  return { meanMs, deviationMs: Math.sqrt(square) }
}

/** The delay that a share q of the messages does not exceed. @throws RangeError where there are none */
export function quantile(delays: readonly number[], q: number): number {
  const sorted = delays.toSorted((one, other) => one - other)
  const value = sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)]
  if (value === undefined) throw new RangeError('no delays')
  return value
}
