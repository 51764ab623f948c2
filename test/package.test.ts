/** What is published: everything that its package.json points at, the built page included. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'

/** A file, or files by condition. */
type Entry = string | { readonly [condition: string]: Entry }

const filesOf = (entry: Entry): string[] => (typeof entry === 'string' ? [entry] : Object.values(entry).flatMap(filesOf))

interface Manifest {
  readonly bin: Readonly<Record<string, string>>
  readonly exports: Entry
  readonly engines: { readonly node: string }
}

it('has every file that its entries name, and the page with its script', () => {
  const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as Manifest
  const listing = execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], { encoding: 'utf8' })
  const [{ files }] = JSON.parse(listing) as [{ files: { path: string }[] }]
  const packed = new Set(files.map(({ path }) => path))
  const entries = [...Object.values(manifest.bin), ...filesOf(manifest.exports)]
  const needed = entries.map((path) => path.replace(/^\.\//, ''))
  expect(
    [...needed, 'public/index.html', 'public/style.css', 'public/assets/index.js', 'LICENSE'].filter((path) => !packed.has(path)),
  ).toEqual([])
  expect(readFileSync(manifest.bin['fourwires'] ?? '', 'utf8')).toMatch(/^#!\/usr\/bin\/env node\n/)
  expect(manifest.engines.node).toBe('>=20.19')
})
