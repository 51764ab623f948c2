/** A report as GitHub's Markdown: findings, tables, checks. */
import { bearing, boundsText, verdict } from './checks.ts'
import { signed } from './lanes.ts'
import { cellText, columnHead, isNumeric, significant } from './numbers.ts'
import type { Report, Result, Table } from './report.ts'
import { conditions, leadingFindings, scopeOf, warnings } from './scope.ts'

/** What would be markup, or the end of a cell, stands for itself. */
const plain = (text: string): string =>
  text
    .replace(/[\\`*_[\]|~#]/g, '\\$&')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replace(/\s*[\r\n]+\s*/g, ' ')

const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`

export function reportMarkdown(report: Report): string {
  const scope = scopeOf(report)
  const blocks = [
    `# Fourwires bench, ${report.made.slice(0, 10)}`,
    ...warnings(report).map((warning) => `**${plain(warning)}**`),
    plain(conditions(report).join(' · ')),
    '## Findings',
    leadingFindings(report)
      .map((finding, index) => `${index + 1}. ${plain(finding)}`)
      .join('\n'),
    `Holds for: ${plain(scope.holds.join('; '))}.  \nLeft open: ${plain(scope.open.join('; '))}.`,
    ...report.results.flatMap(resultBlocks),
    '## How to reproduce',
    `    ${report.command.replace(/[\r\n]+/g, ' ')}`,
  ]
  return `${blocks.filter((block) => block !== '').join('\n\n')}\n`
}

function resultBlocks(result: Result): string[] {
  const { name, question, source, published, scenario, findings, tables, notes } = result
  return [
    `## ${plain(name)}`,
    plain(question),
    source === undefined ? '' : `Source: ${plain(source)}`,
    published === undefined ? '' : `Published: ${plain(published)}`,
    `Scenario: ${plain(scenario)}`,
    findings.map((finding, index) => `${index + 1}. ${plain(finding)}`).join('\n'),
    ...tables.flatMap(tableBlocks),
    checkTable(result),
    notes.map((note) => `- ${plain(note)}`).join('\n'),
  ]
}

function tableBlocks({ title, columns, rows, note }: Table): string[] {
  const heads = columns.map((column) => plain(columnHead(column)) + (column.how === undefined ? '' : `, ${column.how}`))
  const lines = rows.map((cells) =>
    row(columns.map((column, at) => plain(at === 0 && typeof cells[0] === 'string' ? signed(cells[0]) : cellText(cells[at], column)))),
  )
  const rule = row(columns.map((column) => (isNumeric(column) ? '--:' : ':--')))
  return [`**${plain(title)}**`, [row(heads), rule, ...lines].join('\n'), note === undefined ? '' : plain(note)]
}

function checkTable({ checks }: Result): string {
  if (checks.length === 0) return ''
  const lines = checks.map((check) => {
    const unit = check.unit === undefined ? '' : ` ${check.unit}`
    const predicted = check.predicted === undefined ? '' : significant(check.predicted) + unit
    const cells = [check.relation, `${check.holds ? '✓' : '✗'} ${verdict(check)}`, significant(check.measured) + unit, predicted]
    return row([...cells, boundsText(check) + unit, bearing(check)].map(plain))
  })
  return [
    row(['check', 'verdict', 'measured', 'predicted', 'bounds', 'standing']),
    row([':--', ':--', '--:', '--:', '--:', ':--']),
    ...lines,
  ].join('\n')
}
