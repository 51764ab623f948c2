/** What bars and dots share: a row each, its label, and one axis from 0 below them all. */
import { laneTitle } from '../lanes.ts'
import type { Lane } from '../report.ts'
import { type Sheet, isNarrow, letterHeight, rule, shortened, textWidth, write } from './canvas.ts'
import { type Dress, dressed, inHueOf, markerAt } from './dress.ts'
import { type Plot, overhang, ruler } from './frame.ts'
import { type Placing, linear } from './scales.ts'

interface Labelled {
  readonly label: string
  readonly lane?: Lane
}

export interface Row {
  readonly dress: Dress
  /** The middle of its bar or dot. */
  readonly y: number
}

export interface Rows {
  readonly plot: Plot
  readonly x: Placing
  readonly rows: readonly Row[]
  readonly body: readonly string[]
  readonly bottom: number
}

interface Contents {
  readonly items: readonly Labelled[]
  readonly values: readonly number[]
  readonly axis: string
  readonly top: number
  /** Words that stand to the right of the plot. */
  readonly endings: readonly string[]
}

const widestLabel = 240
const signWidth = 26

export function rows(sheet: Sheet, { items, values, axis, top, endings }: Contents): Rows {
  const narrow = isNarrow(sheet)
  const pitch = narrow ? 48 : 34
  const label = ({ label: text }: Labelled): string => shortened(laneTitle(text), narrow ? sheet.width - signWidth : widestLabel)
  const left = narrow ? 12 : Math.max(...items.map((item) => textWidth(label(item))), 0) + signWidth + 12
  const beyond = Math.max(...endings.map((words) => textWidth(words) + 12), overhang(linear([0, ...values], [0, 1])))
  const right = sheet.width - beyond
  const plot = { left, right, top: top + 4, bottom: top + 4 + items.length * pitch + 4 }
  const x = linear([0, ...values], [plot.left, plot.right])
  const dresses = dressed(items)
  const placed = items.map((_, index) => ({ dress: dresses[index]!, y: plot.top + index * pitch + (narrow ? 34 : pitch / 2 + 2) }))
  const labels = placed.map(({ dress, y }, index) => {
    const height = narrow ? y - 21 : y
    const at = { x: signWidth, y: height + letterHeight / 2 - 2 }
    return inHueOf(dress, markerAt(dress, 11, height), write(label(items[index]!), at.x, at.y, { class: 'name' }))
  })
  const body = [
    ...ruler(x, plot),
    rule(plot.left, plot.top, plot.left, plot.bottom, 'edge'),
    ...labels,
    write(axis, plot.right, plot.bottom + 38, { anchor: 'end', class: 'axis' }),
  ]
  return { plot, x, rows: placed, body, bottom: plot.bottom + 46 }
}
