/** One dot a row with its interval, linear from 0. */
import { laneTitle } from '../lanes.ts'
import { element } from '../markup.ts'
import { interval, significant } from '../numbers.ts'
import type { Chart } from '../report.ts'
import { type Sheet, drawing, isNarrow, write } from './canvas.ts'
import { inHueOf, markerAt } from './dress.ts'
import { rows } from './rows.ts'

export type Dots = Extract<Chart, { kind: 'dots' }>

export function drawDots(chart: Dots, sheet: Sheet): string {
  const words = chart.dots.map(({ value }) => interval(value, significant))
  const values = chart.dots.flatMap(({ value }) => [value.value, value.low, value.high])
  // On a phone the words stand above the dot, at the right of its label.
  const narrow = isNarrow(sheet)
  const grid = rows(sheet, { items: chart.dots, values, axis: chart.unit, top: 0, endings: narrow ? [] : words })
  const dots = chart.dots.map(({ value }, index) => {
    const { dress, y } = grid.rows[index]!
    const at = grid.x.place(value.value)
    const text = narrow
      ? write(words[index]!, sheet.width, y - 16.5, { class: 'value', anchor: 'end' })
      : write(words[index]!, grid.plot.right + 12, y + 4.5, { class: 'value' })
    const [low, high] = [grid.x.place(value.low), grid.x.place(value.high)]
    if (at === undefined) return text
    return inHueOf(dress, markerAt(dress, at, y, low === undefined || high === undefined ? '' : across(low, high, y))) + text
  })
  return drawing(sheet, grid.bottom, chart.title, description(chart), [...grid.body, ...dots])
}

const description = ({ unit, dots }: Dots): string =>
  `Dots with 95 % intervals, ${unit}, linear from 0: ${dots.map(({ label }) => laneTitle(label)).join(', ')}. ` +
  `${narrowIntervals} The numbers are in the table.`

/** Said in the description of a drawing with whiskers. */
export const narrowIntervals = 'An interval narrower than its mark is not drawn.'

/** Less would smudge the mark that it belongs to. */
const shortest = 12

const whisker = (low: number, high: number, d: string): string =>
  Math.abs(high - low) < shortest ? '' : element('path', { class: 'whisker', d })

/** A whisker that lies. */
export const across = (low: number, high: number, y: number): string =>
  whisker(low, high, `M${low.toFixed(1)} ${(y - 5).toFixed(1)}v10m0-5H${high.toFixed(1)}m0-5v10`)

/** A whisker that stands. */
export const upright = (low: number, high: number, x: number): string =>
  whisker(low, high, `M${(x - 5).toFixed(1)} ${low.toFixed(1)}h10m-5 0V${high.toFixed(1)}m-5 0h10`)
