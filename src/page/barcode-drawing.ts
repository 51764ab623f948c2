/** Draws tracks on a canvas: each transport in its hue and its line, so that it reads without colour too. */
import { clean } from './canvas.ts'
import type { TransportName } from '../client/index.ts'
import type { Track } from './tracks.ts'

/** In CSS px. Few messages are drawn wide; many are drawn one px each, and the oldest leave on the left. */
const widestColumn = 6
/** From this width on columns stand apart. */
const apartFrom = 3
const scaleHeight = 18
/** A tick of the scale every so many seqs; a label where it has room. */
const tickSeqs = 10
const labelSeqs = 50
const labelRoom = 48

/** On and off along the column, in CSS px, and the part of the height that is drawn, from the middle. */
interface Line {
  readonly on: number
  readonly off: number
  readonly height: number
}
const lines: Readonly<Record<TransportName, Line>> = {
  poll: { on: 2, off: 2, height: 1 },
  'long-poll': { on: 8, off: 3, height: 1 },
  sse: { on: 1, off: 0, height: 0.56 },
  websocket: { on: 1, off: 0, height: 1 },
}

export function drawBarcode(canvas: HTMLCanvasElement, tracks: readonly Track[]): void {
  const sheet = clean(canvas)
  if (sheet === undefined) return
  const { context, width, height } = sheet

  const column = Math.max(1, Math.min(widestColumn, Math.floor(width / Math.max(1, tracks.length))))
  const seen = tracks.slice(-Math.floor(width / column))
  const ink = readInk(canvas)
  const barHeight = height - scaleHeight - 1
  context.fillStyle = ink.rule
  context.fillRect(0, barHeight, width, 1)
  drawScale(context, seen, column, barHeight, ink)
  const thickness = column >= apartFrom ? column - 1 : column
  for (const [index, { transport }] of seen.entries()) {
    const x = index * column
    if (transport === undefined) drawHole(context, x, column, barHeight, ink.error)
    else drawLine(context, x, thickness, barHeight, lines[transport], ink.lanes[transport])
  }
}

function drawLine(
  context: CanvasRenderingContext2D,
  x: number,
  width: number,
  height: number,
  { on, off, height: part }: Line,
  hue: string,
): void {
  context.fillStyle = hue
  const top = Math.round((height * (1 - part)) / 2)
  const bottom = height - top
  if (off === 0) return context.fillRect(x, top, width, bottom - top)
  for (let y = top; y < bottom; y += on + off) context.fillRect(x, y, width, Math.min(on, bottom - y))
}

/** The ground shows through, between two ticks of what went wrong. */
function drawHole(context: CanvasRenderingContext2D, x: number, width: number, height: number, error: string): void {
  context.fillStyle = error
  context.fillRect(x, 0, width, 4)
  context.fillRect(x, height - 4, width, 4)
  if (width >= apartFrom) context.fillRect(x + Math.floor(width / 2), height / 2 - 3, 1, 6)
}

function drawScale(context: CanvasRenderingContext2D, tracks: readonly Track[], column: number, top: number, ink: Ink): void {
  const width = context.canvas.clientWidth
  context.fillStyle = ink.muted
  context.font = ink.font
  context.textBaseline = 'bottom'
  let free = 0
  for (const [index, { seq }] of tracks.entries()) {
    const first = index === 0
    if (seq === undefined || (seq % tickSeqs !== 0 && !first)) continue
    if (seq % tickSeqs === 0 && column * tickSeqs >= 4) context.fillRect(index * column, top + 1, 1, seq % labelSeqs === 0 ? 5 : 3)
    const x = index * column
    if ((first || seq % labelSeqs === 0) && x >= free && x < width - labelRoom / 2) {
      context.fillText(first ? `seq ${seq}` : String(seq), x + (first ? 0 : 3), top + scaleHeight + 2)
      free = x + labelRoom
    }
  }
}

interface Ink {
  readonly lanes: Readonly<Record<TransportName, string>>
  readonly error: string
  readonly muted: string
  readonly rule: string
  readonly font: string
}

/** From the style sheet, so that there is one palette, and light and dark are its own affair. */
function readInk(canvas: HTMLCanvasElement): Ink {
  const style = getComputedStyle(canvas)
  const hue = (name: string): string => style.getPropertyValue(`--${name}`).trim()
  return {
    lanes: { poll: hue('poll'), 'long-poll': hue('long-poll'), sse: hue('sse'), websocket: hue('websocket') },
    error: hue('error'),
    muted: hue('muted'),
    rule: hue('rule'),
    font: `${style.fontSize} ${style.fontFamily}`,
  }
}
