import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Real sockets and real time: what waits for an event waits this long before it says that it never came.
    testTimeout: 20_000,
    hookTimeout: 60_000,
    // Two cores, and one file more than that: most wait for a browser or a server for much of their time.
    maxWorkers: 3,
  },
})
