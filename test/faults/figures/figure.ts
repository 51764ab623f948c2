/** A figure that is to be reached: what is asked, how it is measured, and what came of it. Plain data, a row of the table. */
import type { Cast } from './cast.ts'

export interface Line {
  readonly what: string
  readonly asked: string
  readonly measured: string
  readonly holds: boolean
  /** What is smaller or shorter here than asked, and why; its figure is judged all the same. */
  readonly smaller?: string
}

export interface Figure {
  readonly name: string
  readonly asks: string
  readonly how: string
  /** It is given up after so many seconds. */
  readonly limitSeconds: number
  /** It mostly waits: it runs while this one does. */
  readonly beside?: string
  readonly measure: (cast: Cast, say: (words: string) => void) => Promise<readonly Line[]>
}

export const count = (value: number): string => Math.round(value).toLocaleString('en')
export const mebibytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MiB`
export const duration = (ms: number): string => (ms < 1_000 ? `${ms.toFixed(ms < 10 ? 1 : 0)} ms` : `${(ms / 1_000).toFixed(2)} s`)

/** The value that a share q of them does not exceed: one of them (nearest rank), and Infinity of none, which no figure allows. */
export function rank(values: readonly number[], q: number): number {
  const sorted = Float64Array.from(values).toSorted()
  return sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)] ?? Number.POSITIVE_INFINITY
}

/** Times with their spread. */
export const spread = (values: readonly number[]): string =>
  values.length === 0
    ? 'none'
    : `p50 ${duration(rank(values, 0.5))}, p99 ${duration(rank(values, 0.99))}, worst ${duration(rank(values, 1))} (n ${count(values.length)})`
