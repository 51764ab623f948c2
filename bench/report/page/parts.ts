/** What the page's sections are built of: paragraphs, lists, tables, drawings. */
import { bearing, boundsText, verdict } from '../checks.ts'
import { drawChart } from '../charts.ts'
import { dressed, inHueOf, markerAt } from '../charts/dress.ts'
import { laneTitle, transportOf } from '../lanes.ts'
import { element, escape } from '../markup.ts'
import { absent, bounds, cellText, fixed, isNumeric, significant } from '../numbers.ts'
import type { Cell, Chart, Check, Column, Table } from '../report.ts'

export const paragraph = (text: string, className?: string): string => element('p', { class: className }, escape(text))

export const list = (name: 'ol' | 'ul', items: readonly string[]): string =>
  items.length === 0 ? '' : element(name, {}, ...items.map((item) => element('li', {}, escape(item))))

/** Terms and what is said of them, as text. */
export const facts = (pairs: readonly (readonly [term: string, said: string])[]): string =>
  element('dl', { class: 'facts' }, ...pairs.flatMap(([term, said]) => [element('dt', {}, escape(term)), element('dd', {}, escape(said))]))

const nothing = element('abbr', { class: 'absent', title: 'withheld, or does not exist' }, absent)

function label(cell: string): string {
  if (transportOf(cell) === undefined) return escape(laneTitle(cell))
  const [dress] = dressed([{ label: cell }])
  const glyph = inHueOf(dress!, markerAt(dress!, 0, 0))
  return element('svg', { class: 'glyph', viewBox: '-10 -10 20 20', 'aria-hidden': 'true' }, glyph) + escape(laneTitle(cell))
}

function content(cell: Cell | undefined, column: Column): string {
  if (cell === null || cell === undefined || (typeof cell === 'number' && !Number.isFinite(cell))) return nothing
  if (typeof cell !== 'object' || cell.low === cell.high) return escape(cellText(cell, column))
  const digits = (value: number): string => fixed(value, column.digits)
  return `${digits(cell.value)} ${element('span', { class: 'bounds' }, bounds(cell.low, cell.high, digits))}`
}

const headCell = (column: Column): string => {
  const unit = column.unit === undefined ? '' : ` ${element('span', { class: 'unit' }, escape(column.unit))}`
  const how = column.how === undefined ? '' : element('span', { class: 'how' }, column.how)
  return element('th', { scope: 'col', class: isNumeric(column) ? 'number' : undefined }, escape(column.name) + unit + how)
}

/** Labels of more than a few words may wrap; numbers never do. */
const classOf = (column: Column, cell: Cell | undefined): string | undefined => {
  if (isNumeric(column)) return 'number'
  return typeof cell === 'string' && cell.length > 32 ? 'words' : undefined
}

/** A table in a box of its own that scrolls where the page is narrower. */
export function scrolling(name: string, heads: readonly string[], rows: readonly string[]): string {
  const table = element('table', {}, element('thead', {}, element('tr', {}, ...heads)), element('tbody', {}, ...rows))
  return element('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': name }, table)
}

/** The label of a row; where any row has a sign, all words begin beside it. */
function rowHead(cell: Cell | undefined, column: Column, beside: boolean): string {
  const words = typeof cell === 'string' ? cell : undefined
  const signed = words !== undefined && transportOf(words) !== undefined
  const classes = ['label', classOf(column, cell), beside ? 'beside' : '', signed ? 'signed' : ''].filter(Boolean).join(' ')
  return element('th', { scope: 'row', class: classes }, words === undefined ? content(cell, column) : label(words))
}

export function dataTable({ title, columns, rows, note }: Table): string {
  const beside = rows.some(([cell]) => typeof cell === 'string' && transportOf(cell) !== undefined)
  const lines = rows.map((row) =>
    element(
      'tr',
      {},
      ...columns.map((column, at) =>
        at === 0 ? rowHead(row[0], column, beside) : element('td', { class: classOf(column, row[at]) }, content(row[at], column)),
      ),
    ),
  )
  const caption = element('figcaption', {}, escape(title))
  return element('figure', {}, caption, scrolling(title, columns.map(headCell), lines), note === undefined ? '' : paragraph(note, 'note'))
}

/** Drawn twice, for a desk and for a phone: letters have the same size on both. */
export function figure(chart: Chart, id: string): string {
  const drawing = (name: 'wide' | 'narrow', width: number): string =>
    element('div', { class: `drawing ${name}` }, drawChart(chart, { id: `${id}-${name}`, width }))
  const caption = element('figcaption', {}, escape(chart.title))
  return element(
    'figure',
    {},
    caption,
    drawing('wide', 760),
    drawing('narrow', 358),
    chart.note === undefined ? '' : paragraph(chart.note, 'note'),
  )
}

const checkHeads = ['relation', 'verdict', 'measured', 'predicted', 'bounds', 'standing'].map((name, at) =>
  element('th', { scope: 'col', class: at >= 2 && at <= 4 ? 'number' : undefined }, name),
)

export interface Judged {
  readonly check: Check
  /** What the check belongs to: its id on the page and its name. */
  readonly of?: { readonly id: string; readonly name: string }
}

export function checkTable(name: string, judged: readonly Judged[]): string {
  const rows = judged.map(({ check, of }) => {
    const unit = check.unit === undefined ? '' : ` ${check.unit}`
    const from = of === undefined ? '' : ` (${element('a', { href: `#${of.id}` }, escape(of.name))})`
    const numbers = [significant(check.measured), check.predicted === undefined ? '' : significant(check.predicted), boundsText(check)]
    return element(
      'tr',
      {},
      element('th', { scope: 'row', class: 'words' }, escape(check.relation) + from),
      element('td', { class: check.holds ? undefined : 'fails' }, `${check.holds ? '✓' : '✗'} ${verdict(check)}`),
      ...numbers.map((number) => element('td', { class: 'number' }, escape(number === '' ? '' : number + unit))),
      element('td', {}, bearing(check)),
    )
  })
  return scrolling(name, checkHeads, rows)
}
