/** Horizontal bars of stacked parts, linear from 0: the hue is the lane's, the pattern the part's. */
import { laneTitle } from '../lanes.ts'
import { element } from '../markup.ts'
import { significant } from '../numbers.ts'
import type { Chart } from '../report.ts'
import { type Sheet, drawing, write } from './canvas.ts'
import { inHueOf } from './dress.ts'
import { legend } from './legend.ts'
import { rows } from './rows.ts'

export type Stack = Extract<Chart, { kind: 'stack' }>

const barHeight = 18

/** Drawn in the colour of the paper over the bar's hue. The last part is solid: it is what the others carry. */
const patterns = [
  { size: 6, turn: 45, d: 'M0 1.5H6', weight: 3 },
  { size: 6, turn: -45, d: 'M0 1H6', weight: 1.5 },
  { size: 5, turn: 90, d: 'M0 1H5', weight: 2.5 },
  { size: 7, turn: 45, d: 'M3 3h1v1h-1Z', weight: 2 },
  { size: 6, turn: 0, d: 'M0 1H6M1 0V6', weight: 1.5 },
] as const

export function drawStack(chart: Stack, sheet: Sheet): string {
  const totals = chart.bars.map(({ values }) => values.reduce((sum, value) => sum + value, 0))
  const words = totals.map((total) => `${significant(total)} ${chart.unit}`)
  const fill = (part: number): string | undefined =>
    part === chart.parts.length - 1 ? undefined : `url(#${sheet.id}-part-${part % patterns.length})`
  const key = legend(
    chart.parts.map((text, part) => ({ sign: `<g class="hue-other">${box(-14, -7, 28, 14, fill(part))}</g>`, text })),
    sheet,
  )
  const grid = rows(sheet, { items: chart.bars, values: totals, axis: chart.unit, top: key.height, endings: words })
  const zero = grid.plot.left
  const bars = chart.bars.map(({ values }, index) => {
    const { dress, y } = grid.rows[index]!
    let sum = 0
    const boxes = values.map((value, part) => {
      const from = grid.x.place(sum) ?? zero
      sum += value
      const to = grid.x.place(sum) ?? zero
      return box(from, y - barHeight / 2, to - from, barHeight, fill(part))
    })
    return inHueOf(dress, ...boxes) + write(words[index]!, (grid.x.place(sum) ?? zero) + 6, y + 4.5, { class: 'value' })
  })
  return drawing(sheet, grid.bottom, chart.title, description(chart), [defs(sheet), key.body, ...grid.body, ...bars])
}

const description = ({ unit, parts, bars }: Stack): string =>
  `Stacked bars, ${unit}, linear from 0: ${parts.join(', ')}; one bar each for ${bars.map(({ label }) => laneTitle(label)).join(', ')}. ` +
  'The numbers are in the table.'

const box = (x: number, y: number, width: number, height: number, pattern: string | undefined): string =>
  element('rect', { x, y, width, height, class: 'bar' }) +
  (pattern === undefined ? '' : element('rect', { x, y, width, height, fill: pattern })) +
  element('rect', { x, y, width, height, class: 'outline' })

const defs = ({ id }: Sheet): string =>
  element(
    'defs',
    {},
    ...patterns.map(({ size, turn, d, weight }, index) =>
      element(
        'pattern',
        { id: `${id}-part-${index}`, width: size, height: size, patternUnits: 'userSpaceOnUse', patternTransform: `rotate(${turn})` },
        element('path', { d, class: 'hatch', 'stroke-width': weight }),
      ),
    ),
  )
