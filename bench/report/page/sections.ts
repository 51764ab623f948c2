/** The page's sections, from what was found to how to find it again. */
import { element, escape } from '../markup.ts'
import { significant } from '../numbers.ts'
import type { Report, Result } from '../report.ts'
import { conditions, leadingFindings, scopeOf, warnings } from '../scope.ts'
import { type Judged, checkTable, dataTable, facts, figure, list, paragraph } from './parts.ts'

/** The id of a result on its page. */
export const idOf = (index: number): string => `result-${index + 1}`

const heading = (id: string, text: string): string => element('h2', { id }, escape(text))
const when = (condition: boolean, markup: () => string): string => (condition ? markup() : '')

export const titleOf = (report: Report): string => `Fourwires bench, ${report.made.slice(0, 10)}`

export function opening(report: Report): string {
  const notes = warnings(report).map((warning) => paragraph(warning, 'banner'))
  return element('header', {}, element('h1', {}, escape(titleOf(report))), paragraph(conditions(report).join(' · '), 'line'), ...notes)
}

export function findings(report: Report): string {
  const scope = scopeOf(report)
  const side = (title: string, items: readonly string[]): string => element('div', {}, element('h3', {}, title), list('ul', items))
  const found = leadingFindings(report)
  return element(
    'section',
    {},
    heading('findings', 'Findings'),
    found.length === 0 ? paragraph('None: nothing was measured, or nothing was shown.') : list('ol', found),
    element('div', { class: 'scope' }, side('Holds for', scope.holds), side('Left open', scope.open)),
  )
}

export function contents(report: Report): string {
  const { results } = report
  const entries = [
    ['findings', 'Findings'],
    ['conditions', 'Conditions'],
    ...(hasLiterature(report) ? [['checks', 'All checks']] : []),
    ...results.map(({ name }, index) => [idOf(index), name]),
    ['reproduce', 'How to reproduce'],
  ] as const
  const links = entries.map(([id, name]) => element('li', {}, element('a', { href: `#${id}` }, escape(name))))
  return element('nav', { 'aria-labelledby': 'contents' }, heading('contents', 'Contents'), element('ol', {}, ...links))
}

export function circumstances(report: Report): string {
  const { version, commit, node, os, cpu, cores, memoryBytes, pinned } = report.environment
  const options = Object.entries(report.options)
    .map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : String(value)] as const)
    .filter(([, value]) => value !== '')
  return element(
    'section',
    {},
    heading('conditions', 'Conditions'),
    facts([
      ['made', report.made],
      ['fourwires', `${version}, commit ${commit}`],
      ['node', node],
      ['system', os],
      ['processor', `${cpu}, ${cores} ${cores === 1 ? 'core' : 'cores'}`],
      ['memory', `${significant(memoryBytes / 1e9)} GB (1 GB = 1,000,000,000 B)`],
      ['pinned', pinned ? 'yes: server and generator have cores of their own' : 'no: server and generator share cores'],
      ['seed', String(report.seed)],
    ]),
    when(options.length > 0, () => element('h3', {}, 'Options') + facts(options)),
  )
}

const hasLiterature = ({ results }: Report): boolean => results.some(({ source, checks }) => source !== undefined && checks.length > 0)

/** Where published experiments were run again: all checks of all results in one table. */
export function allChecks(report: Report): string {
  if (!hasLiterature(report)) return ''
  const judged = report.results.flatMap(({ name, checks }, index) =>
    checks.map((check): Judged => ({ check, of: { id: idOf(index), name } })),
  )
  const holding = judged.filter(({ check }) => check.holds).length
  return element(
    'section',
    {},
    heading('checks', 'All checks'),
    paragraph(`${holding} of ${judged.length} hold.`),
    checkTable('All checks', judged),
  )
}

export function resultSection(result: Result, index: number): string {
  const { name, question, source, published, scenario, tables, charts, checks, notes } = result
  const said = [
    ...(source === undefined ? [] : [['source', source] as const]),
    ...(published === undefined ? [] : [['published', published] as const]),
    ['scenario', scenario] as const,
    ['took', `${significant(result.seconds)} s`] as const,
  ]
  const drawn = charts.map((chart, at) => ({
    table: Math.min(chart.table, tables.length - 1),
    markup: figure(chart, `${idOf(index)}-${at + 1}`),
  }))
  const chartsOf = (table: number): string[] => drawn.filter((one) => one.table === table).map(({ markup }) => markup)
  return element(
    'section',
    {},
    heading(idOf(index), name),
    paragraph(question, 'question'),
    facts(said),
    when(result.findings.length > 0, () => element('h3', {}, 'Findings') + list('ol', result.findings)),
    ...chartsOf(-1),
    ...tables.flatMap((table, at) => [dataTable(table), ...chartsOf(at)]),
    when(
      checks.length > 0,
      () =>
        element('h3', {}, 'Checks') +
        checkTable(
          `Checks of ${name}`,
          checks.map((check) => ({ check })),
        ),
    ),
    when(notes.length > 0, () => element('h3', {}, 'Notes') + list('ul', notes)),
  )
}
