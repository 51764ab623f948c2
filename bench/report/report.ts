/** What a run of the bench has found, as plain data: what `report.json` holds, and all that the report's pages are made of. */

/** A row of the terminal's table, a mark in every chart: a transport's name, or a peer's, or a variant of one (`long-poll at 100 ms`). */
export type Lane = string

/** How a number came about. Counted numbers are exact; sampled ones carry an interval or say how many they are. */
export type How = 'counted' | 'sampled' | 'computed' | 'published'

/** A value and its bootstrap interval over the rounds, 95 %. */
export interface Interval {
  readonly value: number
  readonly low: number
  readonly high: number
}

export type Cell = string | number | Interval | null

export interface Column {
  readonly name: string
  /** As it is printed behind the name: `ms`, `B`, `1/s`. */
  readonly unit?: string
  /** Without it the column is a label. */
  readonly how?: How
  /** Digits behind the point; 0 where nothing is said. */
  readonly digits?: number
}

export interface Table {
  readonly title: string
  readonly columns: readonly Column[]
  /** The first cell of a row is its lane, or another label. `null` is a number that was withheld or does not exist. */
  readonly rows: readonly (readonly Cell[])[]
  /** What a reader has to know to read it: tool, n, scenario. One sentence or two. */
  readonly note?: string
}

/** `percentile` shows p in 0..1 at 1/(1-p): 0.5, 0.9, 0.99 stand as far from each other. */
export type Scale = 'linear' | 'log' | 'percentile'

export interface Axis {
  readonly label: string
  readonly unit?: string
  readonly scale: Scale
}

export type Point = readonly [x: number, y: number]

export interface Series {
  readonly name: string
  /** Decides colour and pattern, where it begins with a transport's name. */
  readonly lane?: Lane
  readonly points: readonly Point[]
  /** `model` is dashed and has no marks, `round` is thin, `measured` (the default) has marks. */
  readonly kind?: 'measured' | 'model' | 'round'
}

/** Each chart belongs to a table of the same result, which has its numbers. */
export type Chart = { readonly title: string; readonly note?: string; readonly table: number } & (
  | {
      readonly kind: 'lines'
      readonly x: Axis
      readonly y: Axis
      readonly series: readonly Series[]
      /** Places worth a word: a crossover, a saturation. A vertical rule at x, with the words. */
      readonly marks?: readonly { readonly x: number; readonly label: string }[]
    }
  | {
      /** Horizontal stacked bars, linear from 0. */
      readonly kind: 'stack'
      readonly unit: string
      readonly parts: readonly string[]
      readonly bars: readonly { readonly label: string; readonly lane?: Lane; readonly values: readonly number[] }[]
    }
  | {
      /** One dot a row with its interval, linear from 0. */
      readonly kind: 'dots'
      readonly unit: string
      readonly dots: readonly { readonly label: string; readonly lane?: Lane; readonly value: Interval }[]
    }
  | {
      /** One mark a lane with both intervals. */
      readonly kind: 'scatter'
      readonly x: Axis
      readonly y: Axis
      readonly marks: readonly { readonly label: string; readonly lane?: Lane; readonly x: Interval; readonly y: Interval }[]
    }
)

/** A relation that a published experiment, a standard or the cost model says should hold. */
export interface Check {
  /** The relation as a sentence: `poll's mean trip is T/2 + R/2, ± 10 %`. */
  readonly relation: string
  readonly measured: number
  readonly unit?: string
  readonly predicted?: number
  /** Bounds; a side without one has none. */
  readonly low?: number
  readonly high?: number
  /** low ≤ measured ≤ high. */
  readonly holds: boolean
  /** False where it is only reported: its order is not promised by theory. */
  readonly asserted: boolean
}

/** One round of one lane: what was counted and sampled. Names and units are those of `metrics.ts`. */
export interface RoundRecord {
  readonly scenario: string
  readonly lane: Lane
  readonly round: number
  /** The place of this round in the shuffled order, from 0. */
  readonly order: number
  readonly metrics: Readonly<Record<string, number>>
  /** Trips in µs: an HDR histogram, V2, deflated, base64. Absent where latency was withheld. */
  readonly trips?: string
}

/** What one experiment found. */
export interface Result {
  readonly name: string
  readonly question: string
  /** Paper, section of an RFC; absent where the question is ours. */
  readonly source?: string
  /** What was published, as a sentence with its figure. */
  readonly published?: string
  /** What was run, in one sentence: clients, rate, payload, intervals, rounds. */
  readonly scenario: string
  /** Each a whole sentence with scenario, unit and n, in the words that measuring allows. The most telling one first. */
  readonly findings: readonly string[]
  readonly tables: readonly Table[]
  readonly charts: readonly Chart[]
  readonly checks: readonly Check[]
  readonly rounds: readonly RoundRecord[]
  /** What was left out or withheld, and why. */
  readonly notes: readonly string[]
  /** How long it took. */
  readonly seconds: number
}

export interface Environment {
  readonly version: string
  readonly commit: string
  readonly node: string
  readonly os: string
  readonly cpu: string
  readonly cores: number
  readonly memoryBytes: number
  /** Were server and generator pinned to cores of their own? */
  readonly pinned: boolean
}

export interface Report {
  readonly schema: 1
  /** ISO 8601, UTC. */
  readonly made: string
  /** The command line that makes it again. */
  readonly command: string
  readonly environment: Environment
  readonly options: Readonly<Record<string, string | number | boolean | readonly number[] | readonly string[]>>
  readonly seed: number
  /** Three short rounds: not for publication. */
  readonly quick: boolean
  /** Ended by Ctrl-C before all was measured. */
  readonly interrupted: boolean
  /** What ended it before all was measured, where something broke or a message was lost. */
  readonly failure?: string
  readonly results: readonly Result[]
}
