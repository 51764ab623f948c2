/** Who is ahead, in words, with the numbers that say so. No name without enough messages, none where two are as good as equal. */
import { type TransportName, transportNames } from '../../protocol/message.ts'
import { count, counted, duration } from '../units.ts'
import { wires } from '../wires.ts'
import type { Dials } from './dials.ts'
import type { Prediction } from './prediction.ts'
import type { LaneFigure } from './record.ts'

export type Figures = Partial<Readonly<Record<TransportName, LaneFigure>>>

/** With fewer messages in the window a lane has no number. */
export const leastMessages = 20
/** Bytes are counted, not drawn by lot: fewer messages say what one takes. Nobody is named the first by them. */
export const leastForBytes = 5
/** A 95th percentile of fewer is one message's luck. */
export const leastForTail = 100
/** Lanes that need less than this much more are not told apart: a window ends between a question and its answer. */
const tieShare = 0.02
/** The clock of a page steps by so much. */
export const grainMs = 0.1
/** Two means are told apart where they differ by so many standard errors. */
const errors = 3

export interface Verdict {
  /** Who has the least of it; several where nobody is ahead; none while it is too early. */
  readonly bytes: readonly TransportName[]
  readonly delay: readonly TransportName[]
  /** One or two sentences. */
  readonly text: string
}

export const perMessage = ({ bytes, n }: LaneFigure): number => bytes / n
export const hasNumber = (figure: LaneFigure | undefined): figure is LaneFigure => figure !== undefined && figure.n >= leastMessages

/** `lanes`: those that run. A lane that does not is compared with nobody. `exact`: no byte of the window is in doubt. */
export function judge(figures: Figures, lanes: readonly TransportName[], { rate }: Dials, exact = true): Verdict {
  const shown = lanes.flatMap((name) => {
    const figure = figures[name]
    return hasNumber(figure) ? [{ name, figure }] : []
  })
  if (shown.length < lanes.length || shown.length < 2) return { bytes: [], delay: [], text: early(figures, lanes, exact) }
  const bytes = exact ? fewest(shown) : []
  const delay = soonest(shown)
  const first = exact ? bytesText(shown, bytes, rate) : inexact
  return {
    bytes: bytes.map(({ name }) => name),
    delay: delay.map(({ name }) => name),
    text: `${first} ${delayText(shown, delay)}${leftOut(lanes)}`,
  }
}

const inexact = 'The counters are not exact in this window: the lab had more to tell than it tells at once.'

interface Lane {
  readonly name: TransportName
  readonly figure: LaneFigure
}

function early(figures: Figures, lanes: readonly TransportName[], exact: boolean): string {
  if (lanes.length < 2) return 'There is nothing to compare: fewer than two lanes run.'
  const least = leastOf(figures, lanes)
  const soFar = exact && least >= leastForBytes ? ` ${soFarText(figures, lanes)}` : ''
  return `Too early to say (n = ${count(least)} of ${leastMessages}).${soFar}`
}

/** Messages of the lane that has the fewest. */
export const leastOf = (figures: Figures, lanes: readonly TransportName[]): number =>
  Math.min(...lanes.map((name) => figures[name]?.n ?? 0))

/** Numbers, and no winner yet. Every lane has a message at least. */
export function soFarText(figures: Figures, lanes: readonly TransportName[]): string {
  const all = lanes.flatMap((name) => {
    const figure = figures[name]
    return figure === undefined ? [] : [{ name, figure }]
  })
  return `Bytes a message so far: ${listed(by(all, ({ figure }) => perMessage(figure)).map(costOf))}.`
}

const costOf = ({ name, figure }: Lane): string => `${wires[name].word} ${bytesOf(perMessage(figure))}`

/** A lane is missing from what is compared: its own line says why. */
function leftOut(lanes: readonly TransportName[]): string {
  const missing = transportNames.length - lanes.length
  return missing === 0 ? '' : ` ${missing === 1 ? 'One lane does not run and is' : 'Two lanes do not run and are'} not compared.`
}

function fewest(lanes: readonly Lane[]): readonly Lane[] {
  const sorted = by(lanes, ({ figure }) => perMessage(figure))
  const limit = perMessage((sorted[0] as Lane).figure) * (1 + tieShare)
  return sorted.filter(({ figure }) => perMessage(figure) <= limit)
}

function soonest(lanes: readonly Lane[]): readonly Lane[] {
  const sorted = by(lanes, ({ figure }) => figure.meanMs)
  const { figure: best } = sorted[0] as Lane
  return sorted.filter(
    ({ figure }) => figure.meanMs - best.meanMs <= Math.max(grainMs, errors * Math.hypot(errorOf(figure), errorOf(best))),
  )
}

const errorOf = ({ deviationMs, n }: LaneFigure): number => deviationMs / Math.sqrt(n)

function bytesText(all: readonly Lane[], best: readonly Lane[], rate: number): string {
  const others = by(
    all.filter((lane) => !best.includes(lane)),
    ({ figure }) => perMessage(figure),
  )
  const need = best.length === 1 ? 'needs the fewest bytes' : 'need the fewest bytes, as good as equal'
  const compared = others.length === 0 ? '' : `; ${listed(others.map(costOf))}`
  const own = listed(best.map(({ figure }) => bytesOf(perMessage(figure))))
  return `At ${counted(rate, 'message')} a second ${listed(best.map(({ name }) => wires[name].word))} ${need}: ${own} a message${compared}.`
}

function delayText(all: readonly Lane[], best: readonly Lane[]): string {
  const others = by(
    all.filter((lane) => !best.includes(lane)),
    ({ figure }) => figure.meanMs,
  )
  const [ahead, behind] = [best, others].map((lanes) =>
    listed(lanes.map(({ name, figure }) => `${wires[name].word} ${delayOf(figure.meanMs)}`)),
  )
  if (others.length === 0) return `In delay nobody is ahead: on average ${ahead}.`
  return `On average ${ahead} after it was said; ${behind}.`
}

/** What the model expects at this interval, and whether it is so now. */
export function predictionText(prediction: Prediction, figures: Figures, { rate, pollMs }: Dials): string {
  const { belowSse, belowWebSocket, emptyPoll } = prediction
  const [poll, sse] = [figures.poll, figures.sse]
  const flips =
    belowSse === undefined
      ? 'polling never gets below SSE'
      : `polling gets below SSE at ${rateOf(belowSse)}${belowWebSocket === undefined ? '' : ` and below WebSocket at ${rateOf(belowWebSocket)}`}`
  const predicted = `Predicted from an empty poll of ${bytesOf(emptyPoll)} every ${duration(pollMs)}: ${flips}.`
  if (!hasNumber(poll) || !hasNumber(sse)) return predicted
  const agrees = Math.sign(prediction.poll - prediction.sse) === Math.sign(perMessage(poll) - perMessage(sse))
  const close = Math.abs(perMessage(poll) - perMessage(sse)) < tieShare * perMessage(sse)
  return `${predicted} Measured at ${count(rate)}/s: SSE ${bytesOf(perMessage(sse))}, polling ${bytesOf(perMessage(poll))}; ${
    close ? 'this is where it flips' : agrees ? 'as predicted' : 'not as predicted'
  }.`
}

export const bytesOf = (bytes: number): string => `${count(Math.round(bytes))}\u202fB`
const rateOf = (rate: number): string => `${rate < 9.95 ? rate.toFixed(1) : count(Math.round(rate))}/s`

/** Never finer than the clock that measured it. */
export function delayOf(ms: number): string {
  if (ms < grainMs) return `under ${grainMs}\u202fms`
  if (ms < 100) return `${ms.toFixed(1)}\u202fms`
  return `${count(Math.round(ms))}\u202fms`
}

const by = (lanes: readonly Lane[], value: (lane: Lane) => number): readonly Lane[] =>
  lanes.toSorted((one, other) => value(one) - value(other))
const listed = (items: readonly string[]): string =>
  items.length < 2 ? items.join('') : `${items.slice(0, -1).join(', ')} and ${items.at(-1)}`
