/** Whatever the order of things, every store and every reader is as the model says: I1 to I4, I10, I12. */
import * as fc from 'fast-check'
import { afterAll, describe, it } from 'vitest'
import { keepings } from './kept.ts'
import { play } from './play.ts'
import { schedules, type Step, wireSchedules } from './schedule.ts'
import { playOverWires } from './wires.ts'

const seed = 20_261_121

/** How many schedules: one takes some milliseconds over memory, and what its waits come to over the others. */
const runs: Readonly<Record<string, number>> = { memory: 600 }
const otherRuns = 30
/** And over sockets, several at once: each is mostly waiting. */
const wireRuns = 6

describe.each(Object.entries(keepings))('over the %s store', (name, keeping) => {
  afterAll(() => keeping.close())

  it('a schedule of appends, joins, stalls, cuts, switches, clearings and restarts shows the trace of the model', async () => {
    const property = fc.asyncProperty(schedules, fc.nat(), (steps, drawn) => play(steps, keeping, drawn))
    await fc.assert(property, { seed, numRuns: runs[name] ?? otherRuns })
  }, 60_000)

  it.concurrent.each(fc.sample(wireSchedules, { seed, numRuns: wireRuns }).map((steps, n) => ({ n, steps })))(
    'schedule $n shows the trace of the model on all four wires',
    ({ n, steps }: { n: number; steps: readonly Step[] }) => playOverWires(steps, keeping, n),
    60_000,
  )
})
