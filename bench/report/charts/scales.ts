/** Axes: where a value stands, and which values are written beside them. */
import { scaleLinear, scaleLog } from 'd3-scale'
import { significant } from '../numbers.ts'
import type { Axis } from '../report.ts'

export interface Tick {
  readonly at: number
  readonly text: string
  /** Written before the others: powers of ten, and what is above p = 0. */
  readonly first: boolean
}

export interface Placing {
  /** Undefined where the scale has no place for it: 0 on a log axis, p = 1 among percentiles. */
  readonly place: (value: number) => number | undefined
  readonly ticks: readonly Tick[]
}

type Range = readonly [from: number, to: number]

/** `delay, ms, log`: label, unit, and the scale where it is not linear. */
export const axisWords = ({ label, unit, scale }: Axis): string =>
  [label, ...(unit === undefined || unit === '' ? [] : [unit]), ...(scale === 'linear' ? [] : [`${scale} scale`])].join(', ')

/** Room for `values` between the ends of `range`. */
export function placing(axis: Axis, values: readonly number[], range: Range): Placing {
  if (axis.scale === 'linear') return linear(values, range)
  if (axis.scale === 'log') return log(values, range)
  return percentile(values, range)
}

/** From 0, wherever 0 is not far off what is shown. */
export function linear(values: readonly number[], range: Range): Placing {
  const [low, high] = extent(values.filter(Number.isFinite), [0, 1])
  const from = low > 0 && low < high * 0.8 ? 0 : low
  const scale = scaleLinear([from, high > from ? high : from + 1], [...range]).nice(5)
  const ticks = scale.ticks(5).map((value) => ({ at: scale(value), text: significant(value), first: true }))
  return { place: (value) => (Number.isFinite(value) ? scale(value) : undefined), ticks }
}

function log(values: readonly number[], range: Range): Placing {
  const shown = (value: number): boolean => Number.isFinite(value) && value > 0
  const [low, high] = extent(values.filter(shown), [1, 10])
  // A line that lies on the frame is not seen.
  const margin = low === high ? 2 : (high / low) ** 0.04
  const scale = scaleLog([low / margin, high * margin], [...range])
  const ticks = logTicks(low / margin, high * margin).map((value) => ({
    at: scale(value),
    text: significant(value),
    first: isPower(value),
  }))
  return { place: (value) => (shown(value) ? scale(value) : undefined), ticks }
}

const isPower = (value: number): boolean => Math.abs(Math.log10(value) - Math.round(Math.log10(value))) < 1e-9

/** Powers of ten over many decades, 1 2 5 over a few, round numbers within one. */
function logTicks(low: number, high: number): number[] {
  const decades = Math.log10(high / low)
  if (decades < 0.7) return scaleLinear([low, high], [0, 1]).ticks(5)
  const steps = decades > 3.5 ? [1] : [1, 2, 5]
  const first = Math.floor(Math.log10(low))
  const powers = Array.from({ length: Math.ceil(Math.log10(high)) - first + 1 }, (_, index) => first + index)
  return powers.flatMap((power) => steps.map((step) => Number(`${step}e${power}`))).filter((value) => value >= low && value <= high)
}

const percentiles = [0, 0.5, 0.9, 0.99, 0.999, 0.9999, 0.99999, 0.999999]

/** p at 1/(1-p): as far from 0.9 to 0.99 as from 0.99 to 0.999. */
function percentile(values: readonly number[], range: Range): Placing {
  const shown = (p: number): boolean => p >= 0 && p < 1
  const [low, high] = extent(values.filter(shown), [0, 0.99])
  const scale = scaleLog([1 / (1 - low), 1 / (1 - (high > low ? high : (1 + low) / 2))], [...range])
  const place = (p: number): number => scale(1 / (1 - p))
  const inside = percentiles.filter((p) => p >= low && p <= high)
  const ticks = inside.map((p) => ({ at: place(p), text: `${Number((p * 100).toPrecision(8))} %`, first: p > 0 }))
  return { place: (p) => (shown(p) ? place(p) : undefined), ticks }
}

function extent(values: readonly number[], otherwise: Range): Range {
  if (values.length === 0) return otherwise
  return [values.reduce((a, b) => Math.min(a, b)), values.reduce((a, b) => Math.max(a, b))]
}

/** The ticks whose words have room: powers of ten first, then what fits between them. */
export function readable(ticks: readonly Tick[], extentOf: (tick: Tick) => number, gap: number): Tick[] {
  const kept: Tick[] = []
  const free = (tick: Tick): boolean => kept.every((other) => Math.abs(other.at - tick.at) >= (extentOf(other) + extentOf(tick)) / 2 + gap)
  for (const tick of [...ticks.filter(({ first }) => first), ...ticks.filter(({ first }) => !first)]) if (free(tick)) kept.push(tick)
  return kept
}
