/** The cells of the matrix, where something is wrong with themselves: each is broken, and the others run all the same. */
import { describe, expect, it, vi } from 'vitest'
import { type Cell, runCell } from './cell.ts'
import { Lane, Queue } from './lanes.ts'
import type { Scenario } from './scenario.ts'
import { scenarios } from './scenarios/index.ts'

const how = { seed: 1, quick: true }
const cellOf = (scenario: Partial<Scenario>): Cell => ({
  scenario: { name: 'impossible', must: 'No more.', quick: () => false, run: async () => {}, ...scenario },
  transport: 'long-poll',
  store: 'memory',
})

describe('a cell', () => {
  it('is broken where it cannot be set up, and throws nothing', async () => {
    const row = await runCell(cellOf({ options: { heartbeatMs: -1 } }), how)
    expect(row).toMatchObject({ scenario: 'impossible', ok: false, why: expect.stringContaining('heartbeatMs') })
  })

  it('is broken where no harm was done: it would prove nothing', async () => {
    expect(await runCell(cellOf({}), how)).toMatchObject({ ok: false, why: 'no harm was done' })
  })

  it('is broken where the process that it runs in ends, and the next one runs in another', async () => {
    const lane = new Lane()
    const unheardOf = await lane.run(cellOf({}), how)
    expect(unheardOf).toMatchObject({ scenario: 'impossible', ok: false, why: 'its process ended with 2' })
    const scenario = scenarios.find(({ name }) => name === 'trimmed-reader')
    const row = await lane.run(cellOf({ ...scenario }), how)
    expect(row).toMatchObject({ scenario: 'trimmed-reader', ok: true, verdict: { gaps: 1 } })
    // Between two cells it may end as well: nobody waits for it then.
    const { pid } = lane
    process.kill(pid as number, 'SIGKILL')
    await vi.waitFor(() => expect(lane.pid).toBeUndefined())
    expect(await lane.run(cellOf({}), how)).toMatchObject({ ok: false, why: 'its process ended with 2' })
    lane.close()
  })
})

describe('the queue of cells', () => {
  it('gives each busy one a lane of its own, before the others and no more than there are lanes, and every cell once', () => {
    const cells = Array.from({ length: 200 }, (_, index) => cellOf({ name: `${index}`, ...(index >= 100 && { busy: true }) }))
    const queue = new Queue(cells, 3)
    const taken = Array.from({ length: 100 }, () => queue.take())
    const busy = taken.flatMap((each) => (each?.cell.scenario.busy ? [each] : []))
    expect(busy.length).toBe(3)
    expect(taken.slice(0, busy.length)).toEqual(busy)
    expect(new Set(busy.map(({ lane }) => lane)).size).toBe(busy.length)
    expect(taken.every((each) => (each?.lane !== undefined) === (each?.cell.scenario.busy === true))).toBe(true)
    // One is done: the next one that is busy takes its lane.
    queue.done(busy[0]!)
    expect(queue.take()).toMatchObject({ lane: busy[0]?.lane, cell: { scenario: { busy: true } } })
    const names = taken.map((each) => each?.cell.scenario.name)
    expect(new Set(names).size).toBe(100)
    queue.close()
  })
})
