/** Upright rules at places worth a word, and the rows above the plot where the words stand. */
import { broken, lineHeight, rule, textWidth, write } from './canvas.ts'
import type { Frame } from './frame.ts'

interface Mark {
  readonly x: number
  readonly label: string
}

export interface Rules {
  /** How many rows of words they need above the plot. */
  readonly rows: number
  readonly draw: (frame: Frame) => string[]
}

/** Marks have rows each, the leftmost highest: its rule then comes down beside the words of the others. Half of `room` is free on one side. */
export function ruled(marks: readonly Mark[], room: number): Rules {
  const ordered = marks.toSorted((a, b) => a.x - b.x).map((mark) => ({ ...mark, lines: broken(mark.label, room / 2 - 24) }))
  const rows = ordered.reduce((sum, { lines }) => sum + lines.length, 0)
  const draw = ({ plot, x }: Frame): string[] => {
    let row = 0
    return ordered.flatMap(({ x: value, lines }) => {
      const at = x.place(value)
      const top = plot.top - (rows - row) * lineHeight
      row += lines.length
      if (at === undefined) return []
      const width = Math.max(...lines.map(textWidth))
      const outside = at + 5 + width > plot.right + 20
      const [start, anchor] = outside ? ([at - 5, 'end'] as const) : ([at + 5, 'start'] as const)
      const words = lines.map((text, index) => write(text, start, top + index * lineHeight + 12, { class: 'word', anchor }))
      return [rule(at, top, at, plot.bottom, 'cross'), ...words]
    })
  }
  return { rows, draw }
}
