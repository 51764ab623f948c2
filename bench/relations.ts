/** Relations that a paper, a standard or the model says should hold, and whether they do. */
import type { Check } from './report/report.ts'

export interface Bounds {
  readonly low?: number
  readonly high?: number
  readonly predicted?: number
  readonly unit?: string
  /** False where it is only reported. */
  readonly asserted?: boolean
}

/** `relation` is a sentence; bounds that are not given are none. */
export function check(relation: string, measured: number, { asserted = true, ...bounds }: Bounds): Check {
  const { low = -Infinity, high = Infinity } = bounds
  return { relation, measured, asserted, holds: measured >= low && measured <= high, ...bounds }
}

/** Around what is predicted: by a share of it, or by so much, whichever is wider. */
export function around(predicted: number, share: number, atLeast = 0): Required<Pick<Bounds, 'low' | 'high' | 'predicted'>> {
  const width = Math.max(Math.abs(predicted) * share, atLeast)
  return { predicted, low: predicted - width, high: predicted + width }
}

/** Exactly this. */
export const exactly = (predicted: number): Required<Pick<Bounds, 'low' | 'high' | 'predicted'>> => around(predicted, 0)
