/** A chart as SVG. Its colours come from the page: give that `chartStyle`, and the custom properties it names. */
import type { Sheet } from './charts/canvas.ts'
import { drawDots } from './charts/dots.ts'
import { drawLines } from './charts/lines.ts'
import { drawScatter } from './charts/scatter.ts'
import { drawStack } from './charts/stack.ts'
import type { Chart } from './report.ts'

export type { Sheet } from './charts/canvas.ts'
export { chartStyle } from './charts/style.ts'

export function drawChart(chart: Chart, sheet: Sheet): string {
  if (chart.kind === 'lines') return drawLines(chart, sheet)
  if (chart.kind === 'stack') return drawStack(chart, sheet)
  return chart.kind === 'dots' ? drawDots(chart, sheet) : drawScatter(chart, sheet)
}
