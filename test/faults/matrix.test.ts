/** The cheap cells of the conformance matrix, I1 to I4: the others run with `npm run faults`. */
import { describe, expect, it, vi } from 'vitest'
import { cellsOf, replay, runCell, unfit } from './cell.ts'
import { scenarios } from './scenarios/index.ts'

/** Another than this is for `npm run faults`; here what fails once is to fail again. */
const seed = 1

// From the end of the table: those that wait for processes and watchdogs begin first, or everybody waits for them at last.
const cells = cellsOf(scenarios.toReversed()).filter((cell) => cell.scenario.quick(cell.transport, cell.store) && unfit(cell) === undefined)

// Most of a cell is waiting.
vi.setConfig({ maxConcurrency: 10 })

// One level: what is described apart runs one after the other.
describe('nothing is lost, repeated or reordered, and every gap is told once', () => {
  for (const cell of cells) {
    const { scenario, transport, store } = cell
    // The slowest waits for a watchdog of the client: it takes time, and next to nothing of a core.
    it.concurrent(`${scenario.name}, ${transport} over ${store}: ${scenario.must}`, { timeout: 120_000 }, async () => {
      const row = await runCell(cell, { seed, quick: true })
      const { lost, repeated, reordered, holes, disagreements } = row.verdict
      const zeroes = { lost: 0, repeated: 0, reordered: 0, holes: 0, disagreements: 0, why: undefined }
      expect({ lost, repeated, reordered, holes, disagreements, why: row.why }, replay(row, true)).toEqual(zeroes)
    })
  }
})
