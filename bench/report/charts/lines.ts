/** Lines over two axes: measured with marks, models dashed, rounds thin, and rules where something crosses. */
import { line } from 'd3-shape'
import { laneTitle } from '../lanes.ts'
import { element } from '../markup.ts'
import type { Chart, Point, Series } from '../report.ts'
import { type Sheet, drawing, isNarrow, shortened, textWidth, write } from './canvas.ts'
import { type Dress, dressed, inHueOf, markerAt, stroke } from './dress.ts'
import { type Frame, type Plot, frame } from './frame.ts'
import { type Entry, legend } from './legend.ts'
import { ruled } from './rules.ts'
import { axisWords } from './scales.ts'

export type Lines = Extract<Chart, { kind: 'lines' }>

interface Drawn {
  readonly series: Series
  readonly dress: Dress
  /** Where its points stand; those that the scales have no place for are not among them. */
  readonly points: readonly Point[]
}

const widestLabel = 200
const markEvery = 16

export function drawLines(chart: Lines, sheet: Sheet): string {
  const dresses = dressed(chart.series.map(({ name, lane, kind }) => ({ label: name, lane, kind })))
  const key = legend(entries(chart.series, dresses), sheet)
  const labelled = endLabels(chart.series, sheet)
  const side = labelled.size === 0 ? 0 : Math.max(...[...labelled.values()].map(textWidth)) + 30
  const marks = ruled(chart.marks ?? [], sheet.width - side)
  const all = chart.series.flatMap(({ points }) => points)
  const xs = [...all.map(([x]) => x), ...(chart.marks ?? []).map(({ x }) => x)]
  const grid = frame(sheet, { x: chart.x, y: chart.y, xs, ys: all.map(([, y]) => y), top: key.height, rows: marks.rows, side })
  const drawn = chart.series.map((series, index) => ({ series, dress: dresses[index]!, points: placed(series, grid) }))
  const omitted = all.length - drawn.reduce((sum, { points }) => sum + points.length, 0)
  // Rounds lie below models, and both below what was measured.
  const order = ['round', 'model', 'measured']
  const layers = drawn.toSorted((a, b) => order.indexOf(a.dress.kind) - order.indexOf(b.dress.kind))
  const body = [
    key.body,
    ...grid.body,
    ...marks.draw(grid),
    ...layers.map(curve),
    ...layers.map(markers),
    ...namesAtEnds(drawn, labelled, grid.plot),
    omitted === 0 ? '' : write(`left out, for these scales have no place for them: ${omitted}`, 0, grid.bottom + 12, { class: 'axis' }),
  ]
  return drawing(sheet, grid.bottom + (omitted === 0 ? 0 : 18), chart.title, description(chart), body)
}

const description = ({ x, y, series, marks = [] }: Lines): string => {
  const names = [...new Set(series.map(({ name }) => laneTitle(name)))]
  const rules = marks.map(({ x: at, label }) => ` At ${at}: ${label}.`).join('')
  return `Lines: ${axisWords(y)} over ${axisWords(x)}; ${names.join(', ')}.${rules} The numbers are in the table.`
}

function placed({ points }: Series, { x, y }: Frame): Point[] {
  return points.flatMap(([atX, atY]) => {
    const [left, top] = [x.place(atX), y.place(atY)]
    return left === undefined || top === undefined ? [] : [[left, top] as const]
  })
}

const path = line<Point>(
  ([x]) => Math.round(x * 100) / 100,
  ([, y]) => Math.round(y * 100) / 100,
)

const curve = ({ dress, points }: Drawn): string =>
  points.length === 0 ? '' : inHueOf(dress, element('path', { d: path([...points]) ?? '', ...stroke(dress) }))

/** Marks never touch: of many points every so many have one, the last among them. */
function markers({ dress, points }: Drawn): string {
  const kept: Point[] = []
  for (const [x, y] of points.toReversed()) {
    if (kept.every(([otherX, otherY]) => Math.hypot(otherX - x, otherY - y) >= markEvery)) kept.push([x, y])
  }
  return inHueOf(dress, ...kept.map(([x, y]) => markerAt(dress, x, y)))
}

/** One entry a lane and kind: ten rounds are one. */
function entries(series: readonly Series[], dresses: readonly Dress[]): Entry[] {
  const sample = (dress: Dress): string => inHueOf(dress, element('path', { d: 'M-16 0H16', ...stroke(dress) }), markerAt(dress, 0, 0))
  const own = series.flatMap(({ name, kind }, index) =>
    kind === 'round' ? [] : [{ sign: sample(dresses[index]!), text: laneTitle(name) + (kind === 'model' ? ' (model)' : '') }],
  )
  const round = dresses.find(({ kind }) => kind === 'round')
  return round === undefined ? own : [...own, { sign: sample({ ...round, wire: 'other' }), text: 'thin: one round each' }]
}

/** The measured series by the words at their end; models where nothing was measured; none where there is no room. */
function endLabels(series: readonly Series[], sheet: Sheet): Map<Series, string> {
  const measured = series.filter(({ kind = 'measured' }) => kind === 'measured')
  const shown = (measured.length > 0 ? measured : series.filter(({ kind }) => kind === 'model')).filter(({ points }) => points.length > 0)
  if (isNarrow(sheet) || shown.length > 9) return new Map()
  return new Map(shown.map((one) => [one, shortened(laneTitle(one.name), widestLabel)]))
}

const labelGap = 17

/** Names beside the ends of lines, pushed apart, each with a thread to its line. */
function namesAtEnds(drawn: readonly Drawn[], labels: ReadonlyMap<Series, string>, plot: Plot): string[] {
  const ends = drawn
    .flatMap(({ series, dress, points }) => {
      const [text, end] = [labels.get(series), points.at(-1)]
      return text === undefined || end === undefined ? [] : [{ text, dress, end, y: end[1] }]
    })
    .toSorted((a, b) => a.y - b.y)
  for (const [index, label] of ends.entries()) if (index > 0) label.y = Math.max(label.y, ends[index - 1]!.y + labelGap)
  for (const [index, label] of [...ends.entries()].toReversed()) {
    label.y = Math.min(label.y, index === ends.length - 1 ? plot.bottom - 4 : ends[index + 1]!.y - labelGap)
  }
  const x = plot.right + 24
  return ends.map(({ text, dress, end, y }) =>
    inHueOf(
      dress,
      element('path', { class: 'thread', d: `M${Math.round(end[0] + 10)} ${Math.round(end[1])}L${x - 4} ${Math.round(y)}` }),
      write(text, x, y + 4.5, { class: 'name' }),
    ),
  )
}
