/** The table of faults says where each is shown: every row, a file that exists, a title that stands in it. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { problems } from '../../src/protocol/problem.ts'

const root = new URL('../../', import.meta.url)
const read = (path: string): string => readFileSync(new URL(path, root), 'utf8')

/** How many faults the catalogue has. */
const faults = 138
/** Rows that nothing shows yet. */
const notYet: readonly number[] = []

const rows = [...read('test/faults/README.md').matchAll(/^\| (\d+) \| (.+) \| (.+) \|$/gm)].map(([, number, fault = '', shown = '']) => ({
  number: Number(number),
  fault,
  shown,
}))

describe('the table of faults', () => {
  test('has every row once, in order', () => {
    expect(rows.map(({ number }) => number)).toEqual(Array.from({ length: faults }, (_, index) => index + 1))
  })

  test('says of every fault by what it is shown', () => {
    expect(rows.filter(({ shown }) => shown === 'TODO').map(({ number }) => number)).toEqual(notYet)
  })

  test('names tests that are there, by a title that stands in their file', () => {
    const named = rows.flatMap(({ number, shown }) => {
      const [, file = '', title = ''] = /^(test\/\S+\.ts): (.+?)(?: · .+)?$/.exec(shown) ?? []
      return file === '' ? [] : [{ number, file, title }]
    })
    expect(named.length).toBeGreaterThan(100)
    const missing = named.filter(
      ({ file, title }) => !existsSync(new URL(file, root)) || !spellings(title).some((each) => read(file).includes(each)),
    )
    expect(missing).toEqual([])
  })

  test('names figures that are there', () => {
    const sources = readdirSync(new URL('test/faults/figures', root)).map((file) => read(`test/faults/figures/${file}`))
    const named = rows.flatMap(({ shown }) => /--figures --only ([\w-]+)/.exec(shown)?.[1] ?? [])
    expect(named.length).toBeGreaterThan(0)
    expect(named.filter((name) => !sources.some((source) => source.includes(`name: '${name}'`)))).toEqual([])
  })
})

/** As it stands between quotes of one kind or another. */
const spellings = (title: string): string[] => [title, title.replaceAll("'", "\\'")]

test('every code of the table of problems is provoked by a test', () => {
  const suites = ['test/server', 'test/wire'].flatMap((folder) =>
    readdirSync(new URL(folder, root))
      .filter((file) => file.endsWith('.test.ts'))
      .map((file) => read(`${folder}/${file}`)),
  )
  const provoked = (code: string): boolean =>
    suites.some((text) => new RegExp(`(expectProblem|expectRetry|refused)\\([^\\n]*'${code}'|code: '${code}'`).test(text))
  expect(Object.keys(problems).filter((code) => !provoked(code))).toEqual([])
})
