/** A code on a terminal: two modules a character, one above the other. */
import { quietModules } from '../lab/qr.ts'

/** Black on white, whatever colours the terminal has: not every camera reads a code the other way round. */
const paper = '\u001b[38;5;16;48;5;231m'
const plain = '\u001b[0m'

/** Has it colours? A pipe has none (`isTTY` is not there then, whatever its type says), nor who wants none (no-color.org). */
export const hasColours = ({ isTTY }: { readonly isTTY?: boolean }, env: Readonly<Record<string, string | undefined>>): boolean =>
  isTTY === true && !env['NO_COLOR']

/**
 * The lines of a code with its quiet zone. In colours where the terminal has them; without, the light modules are drawn,
 * as a terminal is dark more often than not.
 */
export function halfBlocks(matrix: readonly (readonly boolean[])[], colours: boolean): string[] {
  const side = matrix.length + 2 * quietModules
  const drawn = (row: number, column: number): boolean => {
    // Under the last row of an odd number there is nothing: paper, or the terminal's own ground.
    if (row === side) return false
    return (matrix[row - quietModules]?.[column - quietModules] ?? false) === colours
  }
  const lines: string[] = []
  for (let row = 0; row < side; row += 2) {
    let line = ''
    for (let column = 0; column < side; column++) {
      const [above, below] = [drawn(row, column), drawn(row + 1, column)]
      line += above ? (below ? '█' : '▀') : below ? '▄' : ' '
    }
    lines.push(colours ? `${paper}${line}${plain}` : line)
  }
  return lines
}
