/** In which order cells run, and where: what keeps a core busy has a process of its own, so that nobody waits for its event loop. */
import { type ChildProcess, fork } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import type { TransportName } from '../../src/protocol/message.ts'
import { brokenRow, type Cell, type Row, type Run } from './cell.ts'
import type { StoreName } from './stores.ts'

const program = fileURLToPath(new URL('lane.ts', import.meta.url))

/** What a lane is told to run. */
export interface Order {
  readonly scenario: string
  readonly transport: TransportName
  readonly store: StoreName
  readonly seed: number
  readonly quick: boolean
}

/** What it says of it: how far it is, and at last what came of it. */
export type Said = { readonly progress: string } | { readonly row: Row }

/** Runs cells one after the other, in a process that goes with this one. */
export class Lane {
  #child: ChildProcess | undefined

  run(cell: Cell, { seed, quick, progress }: Run): Promise<Row> {
    const child = (this.#child ??= this.#fork())
    return new Promise((resolve) => {
      const done = (row: Row): void => {
        child.off('message', hear).off('exit', gone)
        resolve(row)
      }
      const hear = (said: Said): void => ('row' in said ? done(said.row) : progress?.(said.progress))
      const gone = (code: number | null): void => done(brokenRow(cell, seed, `its process ended with ${code}`))
      child.on('message', hear).on('exit', gone)
      child.send({ scenario: cell.scenario.name, transport: cell.transport, store: cell.store, seed, quick } satisfies Order)
    })
  }

  #fork(): ChildProcess {
    const child = fork(program, { execArgv: ['--import', 'tsx'] })
    // It may end between two cells as well.
    child.once('exit', () => {
      if (this.#child === child) this.#child = undefined
    })
    // What it could not be told, its end tells.
    child.on('error', () => {})
    return child
  }

  /** Of its process, while there is one. */
  get pid(): number | undefined {
    return this.#child?.pid
  }

  /** What runs in it ends with it. */
  close(): void {
    this.#child?.disconnect()
  }
}

/** A cell, and the lane that it is to run in, if it needs one. */
export interface Taken {
  readonly cell: Cell
  readonly lane: Lane | undefined
}

/** Cells in the order of the table, the busy ones before the others as long as there is a lane for them: one for each core. */
export class Queue {
  readonly #busy: Cell[]
  readonly #waiting: Cell[]
  readonly #all: readonly Lane[]
  readonly #free: Lane[]

  constructor(cells: readonly Cell[], lanes = availableParallelism()) {
    this.#all = Array.from({ length: lanes }, () => new Lane())
    this.#free = [...this.#all]
    this.#busy = cells.filter(({ scenario }) => scenario.busy)
    this.#waiting = cells.filter(({ scenario }) => !scenario.busy)
  }

  /** Undefined where nothing is left, or nothing but what waits for a lane, and is taken by who uses it now. */
  take(): Taken | undefined {
    const lane = this.#busy.length > 0 ? this.#free.pop() : undefined
    const cell = lane === undefined ? this.#waiting.shift() : this.#busy.shift()
    return cell && { cell, lane }
  }
  done({ lane }: Taken): void {
    if (lane !== undefined) this.#free.push(lane)
  }
  close(): void {
    for (const lane of this.#all) lane.close()
  }
}
