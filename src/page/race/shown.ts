/** What may be shown of the lanes: new numbers as soon as there are enough, and until then, marked as such, those from before a dial was moved. */
import { type TransportName, transportNames } from '../../protocol/message.ts'
import { count, counted, milliseconds } from '../units.ts'
import type { Standing } from './contest.ts'
import type { Dials } from './dials.ts'
import type { LaneFigure } from './record.ts'
import { type Figures, leastForBytes, leastMessages, leastOf, soFarText } from './verdict.ts'

/** What was measured before a dial was moved, and at which dials. */
export interface Before {
  readonly dials: Dials
  readonly figures: Figures
}

/** `so-far`: of few messages, and it may still move. `before`: measured at other dials. */
export type Age = 'now' | 'so-far' | 'before'

export interface Aged {
  readonly figure: LaneFigure
  readonly age: Age
}

/** Of a lane. Bytes and delay may be of different figures: bytes are known sooner. */
export interface Shown {
  readonly bytes: Aged | undefined
  readonly delay: Aged | undefined
}

type Measured = Pick<Standing, 'figures' | 'running' | 'exact' | 'verdict'>

/** All lanes have new numbers: what was before is not needed any more. */
export const isWhole = (standing: Measured | undefined): boolean => (standing?.verdict.delay.length ?? 0) > 0

/** What stays to be seen when a dial is moved from `dials`: figures that were whole. */
export const keepOf = (standing: Measured | undefined, before: Before | undefined, dials: Dials): Before | undefined =>
  standing !== undefined && isWhole(standing) ? { dials, figures: standing.figures } : before

export function shownOf(standing: Measured | undefined, before: Before | undefined): Readonly<Record<TransportName, Shown>> {
  const [bytes, delay] = [choose(standing, before, leastFor(standing)), choose(standing, before, leastMessages)]
  const lane = (name: TransportName): [TransportName, Shown] => [name, { bytes: bytes(name), delay: delay(name) }]
  return Object.fromEntries(transportNames.map(lane)) as Record<TransportName, Shown>
}

/** Bytes in doubt are no count: then they wait for as many as a delay does. */
const leastFor = (standing: Measured | undefined): number => (standing?.exact === false ? leastMessages : leastForBytes)

/** On one scale there are only old figures or only new ones: all lanes change over together. */
function choose(standing: Measured | undefined, before: Before | undefined, least: number): (name: TransportName) => Aged | undefined {
  const { figures = {}, running = transportNames } = standing ?? {}
  const old = before !== undefined && leastOf(figures, running) < least ? before.figures : undefined
  return (name) => {
    const figure = (old ?? figures)[name]
    if (figure === undefined || !running.includes(name)) return undefined
    if (old !== undefined) return { figure, age: 'before' }
    return figure.n < least ? undefined : { figure, age: figure.n < leastMessages ? 'so-far' : 'now' }
  }
}

/** What stands above the lanes. `measuring`: messages are being said now. */
export function headline(standing: Measured | undefined, before: Before | undefined, dials: Dials, measuring: boolean): string {
  if (before === undefined || isWhole(standing) || (standing?.running.length ?? 2) < 2) return standing?.verdict.text ?? 'Too early to say.'
  const { figures = {}, running = transportNames } = standing ?? {}
  const n = leastOf(figures, running)
  const now = measuring ? `measuring, n = ${count(n)} of ${leastMessages}` : 'not measured yet'
  const old = differing(before.dials, dials, ({ rate }) => `${count(rate)} a second`, 'before')
  const below =
    n < leastFor(standing) ? `Below are still the figures of ${old}.` : `${soFarText(figures, running)} Delays below are still of ${old}.`
  return `Now ${differing(dials, before.dials, rateText, `${rateText(dials)} again`)}: ${now}. ${below}`
}

/** The same beside a number, as short as it gets. */
export const ageLabel = (age: Age, before: Before | undefined, dials: Dials): string => {
  if (age !== 'before' || before === undefined) return age === 'so-far' ? 'so far' : ''
  const [rate, poll] = [before.dials.rate !== dials.rate, before.dials.pollMs !== dials.pollMs]
  if (rate === poll) return 'before'
  return rate ? `at ${count(before.dials.rate)}/s` : `poll ${milliseconds(before.dials.pollMs)}`
}

const rateText = ({ rate }: Dials): string => `${counted(rate, 'message')} a second`

/** Of `dials`, what is not as in `others`; where nothing differs, `same`. */
function differing(dials: Dials, others: Dials, rate: (dials: Dials) => string, same: string): string {
  const parts = [
    ...(dials.rate === others.rate ? [] : [rate(dials)]),
    ...(dials.pollMs === others.pollMs ? [] : [`a poll every ${milliseconds(dials.pollMs)}`]),
  ]
  return parts.join(' and ') || same
}
