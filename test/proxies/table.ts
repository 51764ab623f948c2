/** What was found behind the proxies, as a table, and which of our promises a tuned configuration broke. */
import { type Cell, heldBackMs, scaled } from './look.ts'
import { questions } from './patience.ts'

/** Counts, statuses and yes or no, by what was looked for. */
type Found = Readonly<Record<string, number | string | boolean | undefined | readonly number[]>>

export interface Trial {
  readonly trial: string
  readonly proxy: string
  readonly config: string
  readonly found: object
}

export interface Findings {
  readonly cells: Cell[]
  readonly trials: Trial[]
}

const heads = ['proxy', 'config', 'wire', 'first batch', 'news', `quiet, a heartbeat a second`, 'quiet, none'] as const

const ms = (value: number | undefined, otherwise: string): string => (value === undefined ? otherwise : `${value.toFixed(0)} ms`)
const cut = (value: number | undefined): string => (value === undefined ? 'stays' : `cut after ${(value / 1000).toFixed(1)} s`)

function row(cell: Cell): string[] {
  const place = [cell.proxy, cell.config, cell.transport]
  if (cell.refused !== undefined) return [...place, `refused: ${cell.refused}`, '', '', '']
  const quiet = cell.firstMs === undefined ? ['', ''] : [cut(cell.cutWithHeartbeatsMs), cut(cell.cutWithoutMs)]
  return [...place, ms(cell.firstMs, 'held back'), ms(cell.newsMs, 'held back'), ...quiet]
}

function columns(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, index) => Math.max(...rows.map((each) => each[index]?.length ?? 0)))
  return rows
    .map((each) =>
      each
        .map((text, index) => text.padEnd(widths[index] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

const legend =
  'Addresses: what the server took the client for, and the status of POST /session by a page of its own origin, of a foreign one,\n' +
  'under the name the server was told, and under another. Reopened: wires that were opened again. Reuses: requests after a pause,\n' +
  'of which failed got no answer of ours. Delivered: batches by each node when one of them went. Held: wires at the other in the end.'

/** For the terminal. */
export function show({ cells, trials }: Findings, promises: readonly string[]): string {
  const said = (found: Found): string =>
    Object.entries(found)
      .map(([name, value]) => `${name} ${typeof value === 'number' ? Math.round(value) : String(value ?? 'never')}`)
      .join(', ')
  return [
    columns([heads, ...cells.map(row)]),
    `Held back: not there after ${heldBackMs} ms and ${questions} answers to others. Quiet: a room without news for ${scaled.watchedMs / 1000} s behind a proxy whose patience was\n` +
      `set to ${scaled.patienceMs / 1000} s (60 s and a heartbeat every 20 s, twenty times as fast); Caddy has no such limit.`,
    columns(trials.map(({ trial, proxy, config, found }) => [trial, proxy, config, said(found as Found)])),
    legend,
    promises.length === 0 ? 'The tuned configurations keep the contract.' : ['Broken:', ...promises].join('\n  '),
  ].join('\n\n')
}

/** A sentence for each promise that a configuration of ours did not keep. Defaults promise nothing, but nowhere may a message be lost. */
export function broken({ cells, trials }: Findings): string[] {
  const sentences: string[] = []
  for (const cell of cells.filter(({ config }) => config === 'tuned')) {
    const where = `${cell.transport} behind the tuned ${cell.proxy}`
    if (cell.firstMs === undefined || cell.newsMs === undefined) sentences.push(`${where} does not get through`)
    if (cell.cutWithHeartbeatsMs !== undefined) sentences.push(`${where} is cut in a quiet room in spite of heartbeats`)
  }
  for (const { trial, proxy, config, found } of trials) {
    const wrong = (Object.entries(found) as [string, Found[string]][]).filter(([name, value]) => isBroken(trial, config, name, value))
    for (const [name, value] of wrong) sentences.push(`${trial}, ${proxy}, ${config}: ${name} ${String(value)}`)
  }
  return sentences
}

const nowhere = new Set(['lost', 'repeated', 'reordered', 'gaps'])

function isBroken(trial: string, config: string, name: string, value: Found[string]): boolean {
  if (nowhere.has(name)) return value !== 0
  if (trial === 'caching') return value !== 0
  if (trial === 'idle connections, the proxy gives up first') return name === 'failed' && value !== 0
  return config === 'tuned' && name === 'atOnce' && value !== true
}
