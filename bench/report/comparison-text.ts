/** A comparison in the terminal: old, new, change; `~` where none is shown. */
import { styleText } from 'node:util'
import type { Change, ComparedLane, Comparison } from './comparison.ts'
import { laneTitle, sign } from './lanes.ts'
import { metrics } from './metrics.ts'
import { significant } from './numbers.ts'

export interface ComparisonOptions {
  readonly colour: boolean
}

const number = (value: number): string => significant(value, ' ')

/** `+12 %`, `-3.4 %`; from nothing there is no share. */
export function percent(share: number): string {
  if (!Number.isFinite(share)) return share > 0 ? 'from 0' : 'to below 0'
  const text = Math.abs(share * 100).toFixed(1)
  return `${share < 0 ? '-' : '+'}${text} %`
}

/** `+12.0 % [+9.1 %, +15.2 %]`, `~`, or the difference alone where it is exact. */
function changeText({ verdict, share, how }: Change): string {
  if (verdict === 'not comparable') return 'not comparable'
  if (verdict === 'same') return '='
  if (how === 'counted') return percent(share.value)
  const range = `[${percent(share.low)}, ${percent(share.high)}]`
  return verdict === 'shown' ? `${percent(share.value)} ${range}` : `~ ${range}`
}

export function printComparison(comparison: Comparison, { colour }: ComparisonOptions): string {
  const grey = (text: string): string => (colour ? styleText('dim', text, { validateStream: false }) : text)
  const results = comparison.results.flatMap(({ experiment, reasons, lanes }) => [
    experiment,
    ...(reasons.length === 0 ? [] : [`  times are not comparable: ${reasons.join(', ')}`]),
    ...lanes.flatMap((lane) => ['', `  ${`${sign(lane.lane)} ${laneTitle(lane.lane)}`.trim()}  ${lane.scenario}`, ...table(lane, grey)]),
    '',
  ])
  const only = (which: string, names: readonly string[]): string[] => names.map((name) => `only in the ${which} report: ${name}`)
  return [
    ...(comparison.results.length === 0 ? ['No experiment is in both reports.'] : results),
    ...only('old', comparison.onlyOld),
    ...only('new', comparison.onlyNew),
    '~ no difference shown: its interval holds 0, or it is within the noise of the rounds, or under 5 %.  = counted, the same.',
  ].join('\n')
}

function table({ changes }: ComparedLane, grey: (text: string) => string): string[] {
  const rows = changes.map((change) => {
    const { label, unit } = metrics[change.metric]
    return { change, cells: [unit === '' ? label : `${label}, ${unit}`, number(change.old), number(change.new), changeText(change)] }
  })
  const all = [['', 'old', 'new', 'change'], ...rows.map(({ cells }) => cells)]
  const widths = [0, 1, 2].map((at) => Math.max(...all.map((cells) => cells[at]!.length)))
  const line = ([label, old, fresh, change]: readonly string[]): string =>
    `    ${label!.padEnd(widths[0]!)}  ${old!.padStart(widths[1]!)}  ${fresh!.padStart(widths[2]!)}  ${change!}`
  return [grey(line(all[0]!)), ...rows.map(({ change, cells }) => (change.verdict === 'not comparable' ? grey(line(cells)) : line(cells)))]
}
