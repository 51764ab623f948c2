/** Whatever the order of things, every store and every reader is as the model says: I1 to I4, I10. */
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { keepings } from './kept.ts'
import { play } from './play.ts'
import { schedules } from './schedule.ts'

/** A schedule takes about 1 ms over memory, and what its waits come to over the others. */
const runs: Readonly<Record<string, number>> = { memory: 1_000, late: 60 }

describe('a schedule of appends, joins, stalls, cuts, switches, clearings and restarts', () => {
  it.each(Object.entries(keepings))(
    'shows the trace of the model over the %s store',
    async (name, keeping) => {
      const numRuns = runs[name] ?? 60
      expect(numRuns).toBeGreaterThan(0)
      await fc.assert(
        fc.asyncProperty(schedules, fc.nat(), (steps, seed) => play(steps, keeping, seed)),
        { seed: 20_261_121, numRuns },
      )
    },
    60_000,
  )
})
