/** The process of a lane: runs what it is told to, and ends when nobody tells it any more. */
import { runCell } from './cell.ts'
import type { Order, Said } from './lanes.ts'
import { scenarios } from './scenarios/index.ts'

const say = (said: Said): void => void process.send?.(said)

process.on('disconnect', () => process.exit())
process.on('message', ({ scenario: name, transport, store, seed, quick }: Order) => {
  const scenario = scenarios.find((each) => each.name === name)
  if (scenario === undefined) process.exit(2)
  void runCell({ scenario, transport, store }, { seed, quick, progress: (progress) => say({ progress }) }).then((row) => say({ row }))
})
