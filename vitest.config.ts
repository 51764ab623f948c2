import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Real sockets and real time: what waits for an event waits this long before it says that it never came.
    testTimeout: 20_000,
    hookTimeout: 60_000,
    // A browser and servers share two cores.
    maxWorkers: 2,
  },
})
