import { defineConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

interface Group {
  readonly name: string
  readonly include: readonly string[]
  readonly exclude?: readonly string[]
  readonly maxWorkers: number
  /** Groups of the same turn run beside each other; the next turn begins when they are done. */
  readonly turn: number
  /** Whether each file has a process and modules of its own: where it changes what others import. */
  readonly isolate?: boolean
}

/** Files that run so many at a time. */
const group = ({ name, include, exclude = [], maxWorkers, turn, isolate = false }: Group) => ({
  test: {
    name,
    include: [...include],
    exclude: [...exclude],
    maxWorkers,
    isolate,
    sequence: { groupOrder: turn },
    // Real sockets and real time: what waits for an event waits this long before it says that it never came.
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
})

const groups: readonly Group[] = [
  // A browser and its servers nearly fill a core, and wait between; with more neighbours a bench would measure them.
  { name: 'whole cores', include: ['test/bench/**/*.test.ts', 'test/browser/**/*.test.ts'], maxWorkers: 3, turn: 0 },
  // Runs other files over again: only in a process of its own are they not there already.
  { name: 'over again', include: ['test/lab/behind.test.ts'], maxWorkers: 4, turn: 1, isolate: true },
  // Most of the others wait for a server most of their time, and to load Fastify for each of them would be most of their work.
  {
    name: 'rest',
    include: ['test/**/*.test.ts'],
    exclude: ['test/bench/**', 'test/browser/**', 'test/lab/behind.test.ts'],
    maxWorkers: 4,
    turn: 1,
  },
]

/** What takes longest begins first, so that at the end nobody waits for one alone: on a fresh clone no time is known. */
class LongestFirst extends BaseSequencer {
  static readonly #longest = [
    'faults/matrix',
    'gallery/gallery',
    'lab/behind',
    'contract/transport',
    'proxies/proxies',
    'bench/run',
    'browser/hall',
    'browser/room',
  ]

  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification): number => {
      const found = LongestFirst.#longest.findIndex((name) => moduleId.endsWith(`/test/${name}.test.ts`))
      return found === -1 ? LongestFirst.#longest.length : found
    }
    // oxlint-disable-next-line unicorn/no-array-sort -- not an array's
    const sorted = await super.sort(files)
    return sorted.toSorted((one, other) => place(one) - place(other))
  }
}

export default defineConfig({
  test: { projects: groups.map((each) => group(each)), maxConcurrency: 8, sequence: { sequencer: LongestFirst } },
})
