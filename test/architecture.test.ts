import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const root = fileURLToPath(new URL('..', import.meta.url))

/** Who may import whom. A folder that does not exist yet is passed over. */
const mayImport: Record<string, readonly string[]> = {
  'src/protocol': [],
  'src/store': ['src/protocol'],
  'src/hub': ['src/store', 'src/protocol'],
  'src/server': ['src/hub', 'src/store', 'src/protocol', 'src/lab', 'src/client/node.ts'],
  'src/lab': ['src/protocol'],
  'src/client': ['src/protocol'],
  'src/model': [],
  'src/page': ['src/client', 'src/protocol', 'src/model', 'src/lab/events.ts', 'src/lab/qr.ts'],
  bench: ['src/client', 'src/protocol', 'src/model', 'src/server/app.ts'],
}
const anywhere = ['src/protocol', 'src/client', 'src/model', 'src/page']
const within = (path: string, folder: string): boolean => path === folder || path.startsWith(`${folder}/`)

const files = ['src', 'bench']
  .filter((folder) => existsSync(join(root, folder)))
  .flatMap((folder) => readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((file) => join(folder, file)))
  .filter((file) => file.endsWith('.ts'))
const specifier = /^(?:import|export|\}).*?\bfrom '([^']+)'|^import '([^']+)'|\bimport\('([^']+)'\)/gm
const imports = files.flatMap((file) =>
  [...readFileSync(join(root, file), 'utf8').matchAll(specifier)].map((match) => {
    const name = match[1] ?? match[2] ?? match[3] ?? ''
    const own = name.startsWith('.')
    return { file, to: own ? join(dirname(file), name) : name, own }
  }),
)
type Link = (typeof imports)[number]
const offenders = (offends: (link: Link) => boolean): string[] => imports.filter(offends).map(({ file, to }) => `${file} → ${to}`)

describe('the house', () => {
  it('has a place in the table for every file', () => {
    expect(imports.length).toBeGreaterThan(50)
    expect(files.filter((file) => !Object.keys(mayImport).some((folder) => within(file, folder)))).toEqual([])
  })

  it.each(Object.entries(mayImport))('%s imports no more than it may', (folder, allowed) => {
    const forbidden = (to: string): boolean => ![folder, ...allowed].some((one) => within(to, one))
    expect(offenders(({ file, to, own }) => own && within(file, folder) && forbidden(to))).toEqual([])
  })

  it('has no transport that imports its sibling', () => {
    const siblings = ({ file, to }: Link): boolean => dirname(file) === dirname(to) && dirname(file).endsWith('/transports')
    expect(offenders((link) => siblings(link) && !link.to.endsWith('/transport.ts'))).toEqual([])
  })

  it('has nothing but main and bench that imports server/app.ts', () => {
    expect(offenders(({ file, to }) => to === 'src/server/app.ts' && file !== 'src/server/main.ts' && !within(file, 'bench'))).toEqual([])
  })

  it('has nothing of Node in what runs in a browser too, but for client/node.ts', () => {
    expect(
      offenders(({ file, to }) => to.startsWith('node:') && file !== 'src/client/node.ts' && anywhere.some((one) => within(file, one))),
    ).toEqual([])
  })

  it('imports no package where it imports nothing', () => {
    expect(offenders(({ file, own }) => !own && (within(file, 'src/protocol') || within(file, 'src/model')))).toEqual([])
  })
})
