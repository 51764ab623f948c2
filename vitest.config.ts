import { defineConfig } from 'vitest/config'

/** Files that run one after the other, so many at a time, before the next group begins. */
function group(name: string, order: number, maxWorkers: number, include: readonly string[], exclude: readonly string[] = []) {
  return {
    test: {
      name,
      include: [...include],
      exclude: [...exclude],
      maxWorkers,
      sequence: { groupOrder: order },
      // Real sockets and real time: what waits for an event waits this long before it says that it never came.
      testTimeout: 20_000,
      hookTimeout: 60_000,
    },
  }
}

export default defineConfig({
  test: {
    projects: [
      // A browser and its servers fill a core; a bench with more neighbours would measure them.
      group('whole cores', 0, 2, ['test/bench/**/*.test.ts', 'test/browser/**/*.test.ts']),
      // Most of the others wait for a server most of their time.
      group('rest', 1, 4, ['test/**/*.test.ts'], ['test/bench/**', 'test/browser/**']),
    ],
  },
})
