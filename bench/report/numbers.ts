/** Numbers as a report prints them: grouped in threes, an interval behind its value, two dots where there is none. */
import type { Cell, Column, Interval } from './report.ts'

/** Stands between the groups of a number, and does not break. */
export const narrowSpace = '\u202f'

/** What a cell without a number prints. */
export const absent = '..'

export type Digits = (value: number) => string

/** `30 000`, `−0.04`. Infinity and NaN are no numbers that were measured, nor is the null that JSON makes of them. */
export function fixed(value: number | null, digits = 0, space = narrowSpace): string {
  if (value === null || !Number.isFinite(value)) return absent
  const [whole = '', fraction] = Math.abs(value).toFixed(digits).split('.')
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, space)
  const text = fraction === undefined ? grouped : `${grouped}.${fraction}`
  return value < 0 && /[1-9]/.test(text) ? `−${text}` : text
}

/** As many digits as four figures need: `0.0412`, `12.5`, `30 000`. */
export function significant(value: number | null, space = narrowSpace): string {
  if (value === null || !Number.isFinite(value)) return absent
  if (value === 0) return '0'
  const digits = Math.min(12, Math.max(0, 3 - Math.floor(Math.log10(Math.abs(value)))))
  const text = fixed(value, digits, space)
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text
}

/** `501 [494, 508]`. Of a single round the interval is a point, says nothing, and is not printed. */
export const interval = ({ value, low, high }: Interval, digits: Digits): string =>
  low === high ? digits(value) : `${digits(value)} ${bounds(low, high, digits)}`

export const bounds = (low: number, high: number, digits: Digits): string => `[${digits(low)}, ${digits(high)}]`

export function cellText(cell: Cell | undefined, column: Column, space = narrowSpace): string {
  if (cell === null || cell === undefined) return absent
  if (typeof cell === 'string') return cell
  const digits: Digits = (value) => fixed(value, column.digits, space)
  return typeof cell === 'number' ? digits(cell) : interval(cell, digits)
}

/** `delay p50 ms`: a column's name with its unit. */
export const columnHead = ({ name, unit }: Column): string => (unit === undefined ? name : `${name} ${unit}`)

/** Columns of numbers stand to the right, labels to the left. */
export const isNumeric = (column: Column): boolean => column.how !== undefined
