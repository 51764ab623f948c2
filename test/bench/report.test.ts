import { AxeBuilder } from '@axe-core/playwright'
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { drawChart } from '../../bench/report/charts.ts'
import { csv } from '../../bench/report/csv.ts'
import { writeReport } from '../../bench/report/files.ts'
import { laneTitle, sign, transportOf } from '../../bench/report/lanes.ts'
import { reportMarkdown } from '../../bench/report/markdown.ts'
import { cellText, columnHead, fixed, significant } from '../../bench/report/numbers.ts'
import { reportPage } from '../../bench/report/page.ts'
import type { Chart, Report } from '../../bench/report/report.ts'
import { runsCsv, summaryCsv } from '../../bench/report/runs.ts'
import { scopeOf } from '../../bench/report/scope.ts'
import { printReport, printResult } from '../../bench/report/terminal.ts'
import { launch } from '../support/browser.ts'
import { exampleReport } from './example-report.ts'

const { results } = exampleReport
const page = reportPage(exampleReport)
const terminal = printReport(exampleReport, { width: 150, colour: false })
const markdown = reportMarkdown(exampleReport)

const spaced = (text: string): string => text.replace(/\s+/g, ' ')

/** What a reader sees: no tags, entities as their signs, all white space as one space. */
const read = (markup: string): string =>
  spaced(
    markup
      .replace(/<(script|style)[^>]*>.*?<\/\1>/gs, '')
      .replace(/<[^>]+>/g, '')
      .replace(/\\([[\]|_*~`#])/g, '$1')
      .replace(/&(lt|gt|quot|#39|amp);/g, (_, name: string) => ({ lt: '<', gt: '>', quot: '"', '#39': "'", amp: '&' })[name]!),
  )

const literally = (text: string): string => spaced(text).replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')

/** RFC 4180, read back: the way a spreadsheet does. */
function parseCsv(text: string): string[][] {
  const rows: string[][] = [[]]
  for (const [, quoted, plain, end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/g)) {
    rows.at(-1)!.push(quoted === undefined ? plain! : quoted.replaceAll('""', '"'))
    if (end === '\r\n') rows.push([])
  }
  return rows.slice(0, -1)
}

describe.each([
  ['page', read(page)],
  ['terminal', spaced(terminal)],
  ['narrow terminal', spaced(printReport(exampleReport, { width: 50, colour: false }))],
  ['markdown', read(markdown)],
])('the %s', (_, text) => {
  it('has every row of every table, cell by cell', () => {
    for (const { title, columns, rows } of results.flatMap(({ tables }) => tables)) {
      const table = text.slice(text.indexOf(title))
      // Between two cells stand lines of a table, or the name of a column.
      const between = `(?:[ |]|${columns.map((column) => literally(columnHead(column))).join('|')})*`
      for (const row of rows) {
        const cells = columns.map((column, at) => (at === 0 ? laneTitle(row[0] as string) : cellText(row[at], column)))
        expect(table).toMatch(new RegExp(cells.map(literally).join(between)))
      }
    }
  })

  it('has every finding, check and note, with what was measured and between which bounds', () => {
    for (const { findings, checks, notes, scenario } of results) {
      for (const sentence of [...findings, ...notes, scenario, ...checks.map(({ relation }) => relation)]) expect(text).toContain(sentence)
      for (const { measured, low } of checks) {
        expect(text).toContain(significant(measured, ' '))
        if (low !== undefined) expect(text).toContain(significant(low, ' '))
      }
    }
    expect(text.match(/✗/g)!.length).toBeLessThan(text.match(/✓/g)!.length)
  })

  it('says before anything else that a run was quick, or interrupted', () => {
    expect(text.indexOf('Quick run: not for publication')).toBeGreaterThan(0)
    expect(text.indexOf('Interrupted')).toBeLessThan(text.indexOf(results[0]!.question))
  })
})

describe('numbers', () => {
  it.each([
    [30_000, 0, '30\u202f000'],
    [-0.004, 2, '0.00'],
    [-1234.5, 1, '−1\u202f234.5'],
    [0.1 + 0.2, 4, '0.3000'],
    [Number.NaN, 0, '..'],
    [Infinity, 0, '..'],
  ])('prints %s with %i digits as %s', (value, digits, text) => {
    expect(fixed(value, digits)).toBe(text)
  })

  it.each([
    [0.04123456, '0.04123'],
    [1200, '1\u202f200'],
    [0, '0'],
    [1e-9, '0.000000001'],
    [123_456.7, '123\u202f457'],
  ])('prints four figures of %s', (value, text) => {
    expect(significant(value)).toBe(text)
  })
})

it('prints no interval of a single round', () => {
  expect(cellText({ value: 5, low: 5, high: 5 }, { name: 'p50', how: 'sampled' })).toBe('5')
  expect(cellText({ value: 5, low: 4, high: 6 }, { name: 'p50', how: 'sampled' })).toBe('5 [4, 6]')
})

describe('lanes', () => {
  it.each([
    ['long-poll', 'long-poll', '-', 'long poll'],
    ['long-poll, cookie', 'long-poll', '-', 'long poll, cookie'],
    ['naive websocket', 'websocket', '<>', 'naive WebSocket'],
    ['poll at 500 ms', 'poll', 'o', 'poll at 500 ms'],
    ['socket.io', undefined, '', 'socket.io'],
    ['sse or websocket', undefined, '', 'SSE or WebSocket'],
    ['polling', undefined, '', 'polling'],
  ])('%s is %s, signed %s, and written %s', (lane, transport, glyph, title) => {
    expect([transportOf(lane), sign(lane), laneTitle(lane)]).toEqual([transport, glyph, title])
  })
})

describe('the terminal', () => {
  it('keeps every line within its width, as a table or as blocks', () => {
    const wordy = { ...exampleReport, results: results.map((result) => ({ ...result, tables: result.tables.slice(1) })) }
    for (const width of [60, 79, 80, 100, 150]) {
      const lines = printReport(wordy, { width, colour: false }).split('\n')
      expect(Math.max(...lines.map((line) => line.length)), `${width} columns`).toBeLessThanOrEqual(width)
    }
  })

  it('aligns the ends of numbers under each other', () => {
    const [poll, longPoll] = ['o  poll', '-  long poll'].map((start) => terminal.split('\n').find((line) => line.startsWith(start))!)
    expect(poll!.indexOf(' 127') + 4).toBe(longPoll!.indexOf(' 757') + 4)
    expect(poll!.length).toBe(longPoll!.length)
  })

  it('prints one block a row where a table has no room', () => {
    expect(printResult(results[0]!, { width: 60, colour: false })).toContain('<> WebSocket\n  delivered     1 234 567\n  lost          0\n')
  })

  it('colours where it is asked to, and nothing else changes', () => {
    const coloured = printReport(exampleReport, { width: 150, colour: true })
    expect(coloured).not.toBe(terminal)
    // oxlint-disable-next-line no-control-regex
    expect(coloured.replace(/\x1b\[\d+m/g, '')).toBe(terminal)
  })
})

describe('the page', () => {
  it('runs and loads nothing that came in a string', () => {
    expect(page).not.toContain('<script>alert')
    expect(page).not.toContain('<b>not bold')
    expect(page).not.toMatch(/\ssrc=|\shref="(?!#)|url\((?!#)|@import/)
    expect(page.replaceAll('http://www.w3.org/2000/svg', '')).not.toMatch(/https?:/)
    expect(page).toContain("default-src 'none'")
    expect(page).not.toContain('unsafe-inline')
  })

  it('has no id twice, and a target for every link', () => {
    const ids = [...page.matchAll(/\sid="([^"]+)"/g)].map(([, id]) => id)
    expect(ids.filter((id, index) => ids.indexOf(id) !== index)).toEqual([])
    for (const [, target] of page.matchAll(/(?:href="|url\()#([^")]+)/g)) expect(ids).toContain(target)
  })

  it('has each chart right behind its table', () => {
    const text = page.slice(page.indexOf('id="result-1"'))
    const order = [results[0]!.tables[0]!.title, ...results[0]!.charts.map(({ title }) => title), 'Notes']
    const places = order.map((title) => text.indexOf(`>${title}</`))
    expect(places).toEqual(places.toSorted((a, b) => a - b))
    expect(places[0]).toBeGreaterThan(0)
  })

  it('draws no NaN and nothing undefined', () => {
    expect(page.replace(/<script.*?<\/script>/gs, '')).not.toMatch(/NaN|undefined|Infinity|\[object/)
  })

  it('leads with the first finding of each result, five at most', () => {
    const many = {
      ...exampleReport,
      results: Array.from({ length: 7 }, (_, index) => ({ ...results[0]!, findings: [`finding ${index + 1}.`, 'second.'] })),
    }
    const first = reportPage(many).split('Holds for')[0]!
    expect([...first.matchAll(/finding \d/g)].map(([text]) => text)).toEqual([1, 2, 3, 4, 5].map((number) => `finding ${number}`))
  })

  it('has the colours of the room', async () => {
    const colours = (style: string): string[] => [...style.matchAll(/--[\w-]+: #\w{6};/g)].map(([colour]) => colour)
    const room = colours(await readFile(new URL('../../public/style.css', import.meta.url), 'utf8'))
    // In print the paper is white.
    expect(new Set(colours(page).filter((colour) => colour !== '--paper: #ffffff;'))).toEqual(new Set(room))
  })

  it('stands without any result, too', () => {
    const empty = { ...exampleReport, results: [], quick: false, interrupted: false }
    expect(read(reportPage(empty))).toContain('no rounds')
    expect(reportPage(empty)).not.toContain('class="banner"')
  })
})

describe('what a report holds for', () => {
  const scope = (options: Report['options']): string => scopeOf({ ...exampleReport, options }).holds.join('; ')

  it('follows from how it was run', () => {
    expect(scope({ rttMs: [0] })).toContain('loopback')
    expect(scope({ rttMs: [0, 50] })).toContain('round trips of 0, 50 ms')
    expect(scope({})).toContain('no TLS; no proxy')
    expect(scope({ via: 'https://chat.example' })).toContain('TLS; the server at https://chat.example')
  })
})

describe('charts', () => {
  const of = (kind: Chart['kind']): Chart => results.flatMap(({ charts }) => charts).find((chart) => chart.kind === kind)!
  const draw = (chart: Chart): string => drawChart(chart, { id: 'c', width: 760 })

  it('tell every lane by hue, marker and dash', () => {
    const lines = draw(of('lines'))
    const dashes = [
      ...lines.matchAll(/class="hue-([\w-]+)"><path d="M-16 0H16" class="line" stroke-width="([\d.]+)"(?: stroke-dasharray="([^"]+)")?/g),
    ]
    const looks = dashes.map(([, hue, weight, dash]) => `${hue} ${weight} ${dash}`)
    expect(looks).toHaveLength(8)
    expect(new Set(looks).size).toBe(8)
  })

  it('draw a model dashed and without marks', () => {
    const chart = of('lines') as Extract<Chart, { kind: 'lines' }>
    const model = draw({ ...chart, marks: [], series: chart.series.filter(({ kind }) => kind === 'model') })
    expect(model).not.toContain('class="mark"')
    expect(model).toMatch(/stroke-dasharray/)
  })

  it('write the total at the end of a stacked bar', () => {
    expect(read(draw(of('stack')))).toMatch(/127 B.*757 B.*64 B.*44 B.*891 B/)
  })

  it('begin dots and bars at zero, however far from it they all are', () => {
    const far = { label: 'sse', value: { value: 100, low: 99, high: 101 } }
    const dots = { ...(of('dots') as Extract<Chart, { kind: 'dots' }>), dots: [far, far] }
    for (const chart of [dots, of('stack')]) expect(draw(chart)).toContain('class="tick">0</text>')
  })

  it('set the parts of a bar end to end, each as long as its value', () => {
    const chart = of('stack') as Extract<Chart, { kind: 'stack' }>
    const drawn = draw({ ...chart, parts: ['a', 'b', 'c'], bars: [{ label: 'sse', lane: 'sse', values: [10, 20, 30] }] })
    const bars = [...drawn.matchAll(/x="([\d.]+)" y="[\d.]+" width="([\d.]+)" height="18" class="bar"/g)].map(
      ([, x, width]) => [Number(x), Number(width)] as const,
    )
    const [a, b, c] = bars
    expect(bars).toHaveLength(3)
    expect([b![1] / a![1], c![1] / a![1]].map(Math.round)).toEqual([2, 3])
    expect([a![0] + a![1], b![0] + b![1]].map(Math.round)).toEqual([b![0], c![0]].map(Math.round))
  })

  it('leave out what a logarithm has no place for, and say so', () => {
    expect(read(draw(of('lines')))).toContain('no place for them: 1')
  })

  it('draw an empty chart as an empty frame', () => {
    const chart = of('lines') as Extract<Chart, { kind: 'lines' }>
    expect(draw({ ...chart, series: [], marks: [] })).not.toMatch(/NaN|undefined|Infinity/)
  })
})

describe('files', () => {
  let folder = ''
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'fourwires-report-'))
  })
  afterAll(() => rm(folder, { recursive: true }))

  it('are five, whole, in a folder that is made for them', async () => {
    const place = join(folder, 'a', 'b')
    const paths = await writeReport(exampleReport, place)
    const names = ['report.html', 'report.json', 'runs.csv', 'summary.csv', 'summary.md']
    expect((await readdir(place)).toSorted()).toEqual(names)
    expect(paths).toEqual(names.map((name) => join(place, name)))
    // JSON has no infinity: an open bound comes back as null, and prints the same.
    const back = JSON.parse(await readFile(join(place, 'report.json'), 'utf8')) as Report
    expect(back.results[0]).toEqual(exampleReport.results[0])
    expect(reportMarkdown(back)).toBe(markdown)
  })

  it('hold every round, quoted so that a spreadsheet reads the lane as it is', () => {
    const [head, ...rows] = parseCsv(runsCsv(exampleReport))
    const rounds = results.flatMap((result) => result.rounds.map((round) => ({ experiment: result.name, ...round })))
    expect(head).toContain('bytesPerMessage_B')
    expect(head).toContain('p50_ms')
    expect(rows).toHaveLength(rounds.length)
    rows.forEach((row, index) => {
      const { experiment, scenario, lane, round, order, metrics } = rounds[index]!
      const field = (name: string): string => row[head!.indexOf(name)]!
      expect([row.length, ...row.slice(0, 5)]).toEqual([head!.length, experiment, scenario, lane, String(round), String(order)])
      expect(Number(field('p50_ms'))).toBe(metrics['p50'])
      expect(field('cpuPerThousand_ms')).toBe(String(metrics['cpuPerThousand'] ?? ''))
    })
  })

  it('sum up each lane and metric, with an interval where it was sampled', () => {
    const [head, ...rows] = parseCsv(summaryCsv(exampleReport))
    const row = (metric: string): Record<string, string> => {
      const found = rows.find((cells) => cells[2] === 'long-poll' && cells[3] === metric)!
      return Object.fromEntries(head!.map((name, at) => [name, found[at]!]))
    }
    expect(row('bytesPerMessage')).toMatchObject({ unit: 'B', how: 'counted', rounds: '10', median: '757.5', low: '', high: '' })
    const { low, median, high, min, max } = row('p50')
    const ordered = [min, low, median, high, max].map(Number)
    expect(ordered).toEqual(ordered.toSorted((a, b) => a - b))
    expect(ordered[1]).toBeLessThan(ordered[3]!)
  })

  it('quote by RFC 4180', () => {
    expect(csv([['a,b', 'say "hi"', 'two\r\nlines', null, 1.5, 'plain']])).toBe('"a,b","say ""hi""","two\r\nlines",,1.5,plain\r\n')
  })
})

describe('the page in a browser', () => {
  let browser: Browser
  let folder = ''
  beforeAll(async () => {
    browser = await launch()
    folder = await mkdtemp(join(tmpdir(), 'fourwires-page-'))
    await writeReport(exampleReport, folder)
  })
  afterAll(async () => {
    await browser.close()
    await rm(folder, { recursive: true })
  })

  it.each([360, 390, 900, 1280])('is not wider than %i px, no label lies on another, and no letter is small', async (width) => {
    const tab = await browser.newPage({ viewport: { width, height: 900 } })
    await tab.goto(`file://${folder}/report.html`)
    expect(await tab.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width)
    const shown = await tab.evaluate(
      () => [...document.querySelectorAll('svg.chart')].filter((chart) => chart.getBoundingClientRect().width > 0).length,
    )
    expect(shown).toBe(results.flatMap(({ charts }) => charts).length)
    const drawn = await tab.evaluate(() =>
      [...document.querySelectorAll('svg.chart')].flatMap((chart) => {
        const frame = chart.getBoundingClientRect()
        if (frame.width === 0) return []
        const scale = frame.width / (chart as SVGSVGElement).viewBox.baseVal.width
        const labels = [...chart.querySelectorAll('text')].map((text) => ({ text: text.textContent, box: text.getBoundingClientRect() }))
        const lies = (a: DOMRect, b: DOMRect): boolean =>
          Math.min(a.right, b.right) > Math.max(a.left, b.left) && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 2
        return [
          ...labels.flatMap((a, index) => labels.slice(index + 1).flatMap((b) => (lies(a.box, b.box) ? [`${a.text} on ${b.text}`] : []))),
          ...labels.filter(({ box }) => box.left < frame.left - 1 || box.right > frame.right + 1).map(({ text }) => `${text} is cut`),
          ...(13 * scale < 11 ? [`letters of ${13 * scale} px`] : []),
        ]
      }),
    )
    expect(drawn).toEqual([])
    await tab.close()
  })

  it.each(['light', 'dark'] as const)('has nothing that axe objects to, when it is %s', async (colorScheme) => {
    const context = await browser.newContext({ colorScheme })
    const tab = await context.newPage()
    await tab.goto(`file://${folder}/report.html`)
    const { violations } = await new AxeBuilder({ page: tab }).analyze()
    expect(violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`)).toEqual([])
    await context.close()
  })

  it('asks for nothing but itself, breaks no policy, and hands out its data', async () => {
    const tab = await browser.newPage()
    const asked: string[] = []
    const complaints: string[] = []
    tab.on('request', (request) => asked.push(request.url()))
    tab.on('console', (message) => complaints.push(message.text()))
    tab.on('pageerror', (error) => complaints.push(error.message))
    await tab.goto(`file://${folder}/report.html`)
    for (const name of ['report.json', 'runs.csv']) {
      const [download] = await Promise.all([tab.waitForEvent('download'), tab.click(`button[data-file="${name}"]`)])
      expect(download.suggestedFilename()).toBe(name)
      expect(await readFile(await download.path(), 'utf8')).toBe(await readFile(join(folder, name), 'utf8'))
    }
    expect(asked.filter((url) => !url.startsWith('blob:'))).toEqual([`file://${folder}/report.html`])
    expect(complaints).toEqual([])
    await tab.close()
  })
})
