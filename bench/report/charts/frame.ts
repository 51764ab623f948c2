/** The frame of a chart with two axes: grid, ticks, names of the axes. */
import type { Axis } from '../report.ts'
import { type Sheet, broken, lineHeight, rule, textWidth, write } from './canvas.ts'
import { type Placing, axisWords, placing, readable } from './scales.ts'

/** The rectangle that data is drawn in. */
export interface Plot {
  readonly left: number
  readonly right: number
  readonly top: number
  readonly bottom: number
}

export interface Frame {
  readonly plot: Plot
  readonly x: Placing
  readonly y: Placing
  readonly body: readonly string[]
  /** Where the frame and its words end. */
  readonly bottom: number
}

interface Contents {
  readonly x: Axis
  readonly y: Axis
  readonly xs: readonly number[]
  readonly ys: readonly number[]
  /** Where the frame's words begin. */
  readonly top: number
  /** Rows kept free between the name of the y axis and the plot. */
  readonly rows: number
  /** Room kept free at the right of the plot. */
  readonly side: number
}

const plotHeight = 260
const tickRoom = 22

export function frame({ width }: Sheet, { x, y, xs, ys, top, rows, side }: Contents): Frame {
  const above = top + lineHeight + 8 + rows * lineHeight
  const vertical = placing(y, ys, [above + plotHeight, above])
  const rungs = readable(vertical.ticks, () => 13, 4)
  const left = Math.max(...rungs.map(({ text }) => textWidth(text)), 12) + 10
  const plot = { left, right: width - Math.max(side, overhang(placing(x, xs, [0, 1]))), top: above, bottom: above + plotHeight }
  const horizontal = placing(x, xs, [plot.left, plot.right])
  const names = broken(axisWords(x), plot.right - plot.left)
  const body = [
    write(axisWords(y), 0, top + lineHeight - 4, { class: 'axis' }),
    ...rungs.flatMap(({ at, text }) => [
      rule(plot.left, at, plot.right, at, 'grid'),
      write(text, plot.left - 6, at + 4.5, { anchor: 'end', class: 'tick' }),
    ]),
    ...ruler(horizontal, plot),
    rule(plot.left, plot.bottom, plot.right, plot.bottom, 'edge'),
    ...names.map((name, row) =>
      write(name, plot.right, plot.bottom + tickRoom + (row + 1) * lineHeight - 2, { anchor: 'end', class: 'axis' }),
    ),
  ]
  return { plot, x: horizontal, y: vertical, body, bottom: plot.bottom + tickRoom + names.length * lineHeight + 4 }
}

/** Ticks' words are centred on them: half of the last one's stand outside of the plot. */
export const overhang = ({ ticks }: Placing): number => Math.max(...ticks.map(({ text }) => textWidth(text)), 28) / 2 + 4

/** Upright grid lines, with words below those that have room. */
export function ruler({ ticks }: Placing, { top, bottom }: Plot): string[] {
  return readable(ticks, ({ text }) => textWidth(text), 8).flatMap(({ at, text }) => [
    rule(at, top, at, bottom, 'grid'),
    rule(at, bottom, at, bottom + 5, 'edge'),
    write(text, at, bottom + 18, { anchor: 'middle', class: 'tick' }),
  ])
}
