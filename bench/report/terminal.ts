/** A report in the terminal: a table a scenario, and the sentences that the numbers allow. */
import { styleText } from 'node:util'
import { checkText } from './checks.ts'
import { laneTitle, sign, transportOf } from './lanes.ts'
import { absent, cellText, columnHead, isNumeric, significant } from './numbers.ts'
import type { Cell, Column, How, Report, Result, Table } from './report.ts'
import { conditions, scopeOf, warnings } from './scope.ts'

export interface TerminalOptions {
  /** Columns of the terminal. */
  readonly width: number
  readonly colour: boolean
}

/** Below it a table becomes one block a row. */
const narrowestTable = 80

type Format = Parameters<typeof styleText>[0]
type Paint = (format: Format, text: string) => string

// Whether to colour was the caller's to decide: the stream is not asked again.
const paintIn = (colour: boolean): Paint =>
  colour ? (format, text) => styleText(format, text, { validateStream: false }) : (_, text) => text

/** The whole report. Where the files went is for the caller to say. */
export function printReport(report: Report, options: TerminalOptions): string {
  const paint = paintIn(options.colour)
  const scope = scopeOf(report)
  return [
    wrap(['fourwires bench', ...conditions(report)].join('  '), options.width),
    ...warnings(report).map((warning) => paint('bold', warning)),
    ...report.results.map((result) => `\n${printResult(result, options)}`),
    '',
    wrap(`holds for: ${scope.holds.join('; ')}.`, options.width, 2),
    wrap(`left open: ${scope.open.join('; ')}.`, options.width, 2),
  ].join('\n')
}

/** One experiment: its scenario, tables, findings, checks and notes. */
export function printResult(result: Result, options: TerminalOptions): string {
  const { width } = options
  const paint = paintIn(options.colour)
  const numbered = result.findings.map((finding, index) => wrap(` ${index + 1} ${finding}`, width, 3))
  const checks = result.checks.map((check) => {
    const mark = check.holds ? paint('green', '✓') : paint('red', '✗')
    return wrap(` ${mark} ${check.relation}: ${checkText(check, plain)}`, width, 3)
  })
  return [
    wrap(`${paint('bold', result.name)}  ${result.question}`, width, 2),
    ...(result.source === undefined ? [] : [wrap(`source    ${result.source}`, width, 10)]),
    ...(result.published === undefined ? [] : [wrap(`published ${result.published}`, width, 10)]),
    wrap(`scenario  ${result.scenario}`, width, 10),
    ...result.tables.map((table) => `\n${printTable(table, width, paint)}`),
    ...(numbered.length === 0 ? [] : ['findings', ...numbered]),
    ...(checks.length === 0 ? [] : ['checks', ...checks]),
    ...result.notes.map((note) => wrap(`note: ${note}`, width, 6)),
  ].join('\n')
}

const plain = (value: number): string => significant(value, ' ')
const text = (cell: Cell | undefined, column: Column): string => cellText(cell, column, ' ')

function printTable(table: Table, width: number, paint: Paint): string {
  const signs = table.rows.map(([label]) => (typeof label === 'string' ? sign(label) : ''))
  const gutter = Math.max(...signs.map((one) => one.length))
  const label = (cell: Cell | undefined, column: Column, row: number): string => {
    if (typeof cell !== 'string') return text(cell, column)
    return gutter === 0 ? cell : `${signs[row]!.padEnd(gutter)} ${laneTitle(cell)}`
  }
  const rows = table.rows.map((row, index) =>
    table.columns.map((column, at) => (at === 0 ? label(row[0], column, index) : text(row[at], column))),
  )
  const lines = width < narrowestTable ? blocks(table, rows, paint) : aligned(table, rows, { gutter, width, paint })
  const foot = [...hows(table.columns), ...(table.note === undefined ? [] : [table.note])]
  return [paint('bold', wrap(table.title, width)), ...lines, ...foot.map((line) => paint('dim', wrap(line, width)))].join('\n')
}

interface Room {
  readonly gutter: number
  readonly width: number
  readonly paint: Paint
}

/** In columns; those that do not fit beside the others come below, behind their labels again. */
function aligned({ columns, rows: cells }: Table, rows: readonly (readonly string[])[], { gutter, width, paint }: Room): string[] {
  const heads = columns.map((column, at) =>
    at === 0 && gutter > 0 ? `${' '.repeat(gutter + 1)}${columnHead(column)}` : columnHead(column),
  )
  const widths = columns.map((_, at) => Math.max(heads[at]!.length, ...rows.map((row) => row[at]!.length)))
  const line = (row: readonly string[], shown: readonly number[]): string =>
    shown
      .map((at) => (at > 0 && isNumeric(columns[at]!) ? row[at]!.padStart(widths[at]!) : row[at]!.padEnd(widths[at]!)))
      .join(between)
      .trimEnd()
  return partsOf(widths, width).flatMap((shown, part) => [
    ...(part > 0 ? [''] : []),
    paint('dim', line(heads, shown)),
    ...rows.map((row, index) => tint(line(row, shown), cells[index]![0], paint)),
  ])
}

const between = '  '

/** Which columns stand beside each other: as many as fit, the label in front of each part. */
function partsOf([label = 0, ...others]: readonly number[], width: number): number[][] {
  const parts: number[][] = [[0]]
  let used = label
  others.forEach((own, index) => {
    const part = parts.at(-1)!
    if (used + between.length + own > width && part.length > 1) {
      parts.push([0, index + 1])
      used = label + between.length + own
      return
    }
    part.push(index + 1)
    used += between.length + own
  })
  return parts
}

/** One block a row: the label, then a line a column. */
function blocks({ columns, rows: cells }: Table, rows: readonly (readonly string[])[], paint: Paint): string[] {
  const heads = columns.slice(1).map(columnHead)
  const widest = Math.max(0, ...heads.map((one) => one.length))
  return rows.flatMap((row, index) => [
    tint(row[0] ?? absent, cells[index]![0], paint),
    ...heads.map((name, at) => `  ${name.padEnd(widest)}  ${row[at + 1]!}`),
  ])
}

const hues = { poll: 'red', 'long-poll': 'yellow', sse: 'cyan', websocket: 'blue' } as const

/** Colours the sign and the label of a lane, never its numbers: hue carries no verdict. */
function tint(line: string, label: Cell | undefined, paint: Paint): string {
  const transport = typeof label === 'string' ? transportOf(label) : undefined
  if (transport === undefined) return line
  const end = line.indexOf(laneTitle(label as string)) + laneTitle(label as string).length
  return `${paint(hues[transport], line.slice(0, end))}${line.slice(end)}`
}

const meanings: Readonly<Record<How, string>> = {
  counted: 'counted, exact',
  sampled: 'sampled',
  computed: 'computed',
  published: 'published',
}

/** `bytes/msg, overhead: counted, exact.` */
function hows(columns: readonly Column[]): string[] {
  const groups = (Object.keys(meanings) as How[]).map((how) => {
    const names = columns.filter((column) => column.how === how).map(({ name }) => name)
    return names.length === 0 ? undefined : `${names.join(', ')}: ${meanings[how]}.`
  })
  const said = groups.filter((group) => group !== undefined)
  return said.length === 0 ? [] : [said.join('   ')]
}

// oxlint-disable-next-line no-control-regex -- what styleText puts around a word takes no room
const printedLength = (line: string): number => line.replace(/\x1b\[\d+m/g, '').length

/** Breaks at spaces; what follows the first line stands in by `indent`. */
function wrap(paragraph: string, width: number, indent = 0): string {
  const lines: string[] = []
  let line = ''
  for (const word of paragraph.split(/(?<=\S)(?=\s)/)) {
    if (line !== '' && printedLength(line + word) > width) {
      lines.push(line)
      line = ' '.repeat(indent) + word.trimStart()
    } else line += word
  }
  return [...lines, line].join('\n')
}
