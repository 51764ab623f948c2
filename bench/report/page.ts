/** A report as one page: opens from disk, asks no network for anything, reads fully without its script. */
import { createHash } from 'node:crypto'
import { chartStyle } from './charts.ts'
import { element, embedded, escape } from './markup.ts'
import { paragraph } from './page/parts.ts'
import { allChecks, circumstances, contents, findings, opening, resultSection, titleOf } from './page/sections.ts'
import { pageStyle } from './page/style.ts'
import type { Report } from './report.ts'
import { runsCsv } from './runs.ts'

/** Hands out the data that the page holds. Its buttons are hidden until it runs. */
const script = `
const data = (id) => JSON.parse(document.getElementById(id).textContent)
const files = {
  'report.json': ['application/json', () => JSON.stringify(data('report-data'), undefined, 1) + '\\n'],
  'runs.csv': ['text/csv', () => data('runs-data')],
}
for (const button of document.querySelectorAll('button[data-file]')) {
  const name = button.dataset.file
  const [type, text] = files[name]
  button.hidden = false
  button.addEventListener('click', () => {
    const link = document.createElement('a')
    link.href = URL.createObjectURL(new Blob([text()], { type }))
    link.download = name
    link.click()
    setTimeout(() => URL.revokeObjectURL(link.href), 10000)
  })
}
`

const style = chartStyle + pageStyle

/** CSP3 §6.7.3: the digest of what stands within the element, to the byte. */
const digest = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`

const policy = [
  `default-src 'none'`,
  `style-src ${digest(style)}`,
  `script-src ${digest(script)}`,
  `base-uri 'none'`,
  `form-action 'none'`,
].join('; ')

export function reportPage(report: Report): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escape(titleOf(report))}</title>
<style>${style}</style>
</head>
<body>
${[opening(report), element('main', {}, ...sections(report))].join('\n')}
${element('script', { type: 'application/json', id: 'report-data' }, embedded(report))}
${element('script', { type: 'application/json', id: 'runs-data' }, embedded(runsCsv(report)))}
<script>${script}</script>
</body>
</html>
`
}

const sections = (report: Report): string[] => [
  findings(report),
  contents(report),
  circumstances(report),
  allChecks(report),
  ...report.results.map(resultSection),
  reproduction(report),
]

function reproduction({ command, environment }: Report): string {
  const button = (file: string): string => element('button', { type: 'button', 'data-file': file, hidden: '' }, `Save ${file}`)
  return element(
    'section',
    {},
    element('h2', { id: 'reproduce' }, 'How to reproduce'),
    element('p', {}, `At commit ${element('code', {}, escape(environment.commit))}:`),
    element('pre', { tabindex: 0 }, element('code', {}, escape(command))),
    paragraph('The numbers behind this page are in it, as data.'),
    element('p', { class: 'downloads' }, button('report.json'), button('runs.csv')),
  )
}
