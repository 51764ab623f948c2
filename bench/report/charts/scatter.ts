/** One mark a lane with both its intervals: a trade-off in one picture. */
import { laneTitle } from '../lanes.ts'
import type { Chart } from '../report.ts'
import { type Sheet, drawing, shortened, textWidth, write } from './canvas.ts'
import { type Dress, dressed, inHueOf, markerAt } from './dress.ts'
import { across, narrowIntervals, upright } from './dots.ts'
import { type Frame, type Plot, frame } from './frame.ts'
import { legend } from './legend.ts'
import { axisWords } from './scales.ts'

export type Scatter = Extract<Chart, { kind: 'scatter' }>
type Mark = Scatter['marks'][number]

interface Spot {
  readonly mark: Mark
  readonly dress: Dress
  readonly x: number
  readonly y: number
}

export function drawScatter(chart: Scatter, sheet: Sheet): string {
  const dresses = dressed(chart.marks)
  const key = legend(
    chart.marks.map(({ label }, index) => ({
      sign: inHueOf(dresses[index]!, markerAt(dresses[index]!, 0, 0)),
      text: laneTitle(label),
    })),
    sheet,
  )
  const ends = (axis: 'x' | 'y'): number[] => chart.marks.flatMap((mark) => [mark[axis].value, mark[axis].low, mark[axis].high])
  const grid = frame(sheet, { x: chart.x, y: chart.y, xs: ends('x'), ys: ends('y'), top: key.height, rows: 0, side: 24 })
  const spots = chart.marks.flatMap((mark, index) => {
    const [x, y] = [grid.x.place(mark.x.value), grid.y.place(mark.y.value)]
    return x === undefined || y === undefined ? [] : [{ mark, dress: dresses[index]!, x, y }]
  })
  const body = [key.body, ...grid.body, ...spots.map((spot) => drawn(spot, grid)), ...names(spots, grid.plot)]
  return drawing(sheet, grid.bottom, chart.title, description(chart), body)
}

const description = ({ x, y, marks }: Scatter): string =>
  `Marks with 95 % intervals: ${axisWords(y)} over ${axisWords(x)}; ${marks.map(({ label }) => laneTitle(label)).join(', ')}. ` +
  `${narrowIntervals} The numbers are in the table.`

function drawn({ mark, dress, x, y }: Spot, frameOf: Frame): string {
  const [left, right] = [frameOf.x.place(mark.x.low), frameOf.x.place(mark.x.high)]
  const [low, high] = [frameOf.y.place(mark.y.low), frameOf.y.place(mark.y.high)]
  const whiskers = [
    left === undefined || right === undefined ? '' : across(left, right, y),
    low === undefined || high === undefined ? '' : upright(low, high, x),
  ]
  return inHueOf(dress, markerAt(dress, x, y, ...whiskers))
}

/** Left, right, top, bottom. */
type Box = readonly [number, number, number, number]

const overlap = (a: Box, b: Box): number =>
  Math.max(0, Math.min(a[1], b[1]) - Math.max(a[0], b[0])) * Math.max(0, Math.min(a[3], b[3]) - Math.max(a[2], b[2]))

/** A name beside each mark, where it covers least and is not far. */
function names(spots: readonly Spot[], plot: Plot): string[] {
  const taken: Box[] = spots.map(({ x, y }) => [x - 11, x + 11, y - 11, y + 11])
  return spots.map(({ mark, dress, x, y }) => {
    const text = shortened(laneTitle(mark.label), 150)
    const width = textWidth(text)
    const boxes = [14, -14 - width, -width / 2].flatMap((dx) =>
      [0, -20, 20, -36, 36].map((dy): Box => [x + dx, x + dx + width, y + dy - 8, y + dy + 8]),
    )
    const cost = (box: Box): number =>
      taken.reduce((sum, other) => sum + overlap(box, other), 0) + 100 * outside(box, plot) + 3 * Math.abs((box[2] + box[3]) / 2 - y)
    const best = boxes.reduce((least, box) => (cost(box) < cost(least) ? box : least))
    taken.push(best)
    return inHueOf(dress, write(text, best[0], best[2] + 12.5, { class: 'name' }))
  })
}

/** How far a box stands out of the plot; to the right there is some room for it. */
const outside = ([left, right, top, bottom]: Box, plot: Plot): number =>
  Math.max(0, plot.left - left) +
  Math.max(0, right - plot.right - 20) +
  Math.max(0, plot.top - top - 8) +
  Math.max(0, bottom + 2 - plot.bottom)
