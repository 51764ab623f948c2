/** The key of a chart: a sign and a word each, in as many rows as they need. */
import { type Sheet, lineHeight, shortened, textWidth, write } from './canvas.ts'

export interface Entry {
  /** Drawn around 0, 0 and 32 wide. */
  readonly sign: string
  readonly text: string
}

export interface Legend {
  readonly body: string
  readonly height: number
}

const signWidth = 32
const gap = 18

export function legend(entries: readonly Entry[], { width }: Sheet, top = 0): Legend {
  let [x, row] = [0, 0]
  const body = entries.map(({ sign, text }) => {
    const words = shortened(text, width - signWidth - 8)
    const taken = signWidth + 6 + textWidth(words)
    if (x > 0 && x + taken > width) [x, row] = [0, row + 1]
    const y = top + row * (lineHeight + 2) + lineHeight / 2
    const drawn = `<g transform="translate(${x + signWidth / 2} ${y})">${sign}</g>${write(words, x + signWidth + 6, y + 4.5)}`
    x += taken + gap
    return drawn
  })
  return { body: body.join(''), height: entries.length === 0 ? 0 : (row + 1) * (lineHeight + 2) + 6 }
}
