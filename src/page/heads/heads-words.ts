/** What is said of heads: how many, what came of their movements and how, in numbers of the figure. */
import type { TransportName } from '../../client/index.ts'
import { count, counted, milliseconds } from '../units.ts'
import { wires } from '../wires.ts'
import { type Brought, type Position, type Recent, windowMs } from './heads.ts'

const window = `${windowMs / 1000}\u202fs`
const rate = new Intl.NumberFormat('en', { minimumFractionDigits: 1, maximumFractionDigits: 1 })

const pixels = (px: number): string => `${count(Math.round(px))}\u202fpx`

/** `5.2 a second`, over the last `windowMs`. */
const aSecond = (times: number): string => `${rate.format(times / (windowMs / 1000))} a second`

/** The figure in one sentence or two. */
export function summary(heads: number, transport: TransportName, recent: Recent, roundTripMs: number | undefined): string {
  const who = `${counted(heads, 'head')}.`
  const parts = [othersMoved(recent), ownMoved(recent, roundTripMs)].filter((part) => part !== '')
  if (parts.length === 0) return `${who} Nobody has moved one in the last ${window}.`
  return `${who} In the last ${window}, over ${wires[transport].word}: ${parts.join('; ')}.`
}

function othersMoved({ batches, meanJump }: Recent): string {
  if (batches === 0) return ''
  const jump = meanJump === undefined ? '' : `, a mean jump of ${pixels(meanJump)} each`
  return `others moved in ${counted(batches, 'batch', 'batches')}, ${aSecond(batches)}${jump}`
}

function ownMoved({ moved, back }: Recent, roundTripMs: number | undefined): string {
  if (moved === 0 && back === 0) return ''
  const last = back > 0 && roundTripMs !== undefined ? `, the last after ${milliseconds(roundTripMs)}` : ''
  return `you moved yours ${counted(moved, 'time')}, and ${counted(back, 'position')} came back${last}`
}

export const jumpWords = ({ meanJump }: Brought): string => (meanJump === undefined ? '–' : pixels(meanJump))

/** `42 %, 7 %`: from the left, from the top. */
export const positionWords = ({ x, y }: Position): string => `${percent(x)}, ${percent(y)}`
const percent = (part: number): string => `${Math.round(part * 100)}\u202f%`
