/** The matrix as people read it: a table per scenario. */
import { type TransportName, transportNames } from '../../src/protocol/message.ts'
import { replay, type Row } from './cell.ts'
import type { Scenario } from './scenario.ts'
import type { StoreName } from './stores.ts'

/** A cell that there is not, and why. */
export interface Absent {
  readonly transport: TransportName
  readonly store: StoreName
  readonly why: string
}

const columns = [
  'transport',
  'store',
  'lost',
  'repeated',
  'reordered',
  'gaps',
  'acked',
  'shown',
  'harms',
  'median',
  'worst',
  'took',
] as const

const seconds = (ms: number): string => `${(ms / 1000).toFixed(ms < 10_000 ? 2 : 1)} s`

function line({ transport, store, verdict, injections, recovery, ms, ok }: Row): string[] {
  const { lost, repeated, reordered, gaps, acked, delivered } = verdict
  const times = recovery === undefined ? ['–', '–'] : [seconds(recovery.median), seconds(recovery.worst)]
  return [
    transport,
    store,
    ...[lost, repeated, reordered, gaps, acked, delivered, injections].map(String),
    ...times,
    seconds(ms),
    ok ? '' : '✗',
  ]
}

/** Cells that there are not: a line for each reason. */
function absences(absent: readonly Absent[]): string[] {
  return [...new Set(absent.map(({ why }) => why))].map((why) => {
    const cells = absent.filter((each) => each.why === why)
    const transports = [...new Set(cells.map(({ transport }) => transport))]
    const named = [...new Set(cells.map(({ store }) => store))]
    return `–  ${transports.length === transportNames.length ? 'all' : transports.join(', ')} over ${named.join(', ')}: ${why}`
  })
}

/** The table of one scenario: what was run, then what there is not, then what went wrong and how to see it again. */
export function tableOf({ name, must }: Scenario, rows: readonly Row[], absent: readonly Absent[], quick: boolean): string {
  const lines = [[...columns, ''], ...rows.map(line)]
  const widths = columns.map((_, column) => Math.max(...lines.map((cells) => (cells[column] ?? '').length)))
  const text = lines.map((cells) =>
    cells
      .map((cell, column) => (column < 2 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join('  ')
      .trimEnd(),
  )
  const wrong = rows.flatMap((row) => (row.ok ? [] : [`✗ ${row.transport} over ${row.store}: ${row.why}`, `  ${replay(row, quick)}`]))
  return [name, must, '', ...text, ...absences(absent), ...wrong, ''].join('\n')
}
