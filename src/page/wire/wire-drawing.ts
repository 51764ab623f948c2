/** Draws a figure on a canvas: overhead hatched, payload solid, what is held hollow. Reads no layout. */
import { count, duration } from '../units.ts'
import { type Bar, type Figure, type Held, laneHeight, type Row, rowHeight } from './figure.ts'
import { type Ink, moveHatches } from './ink.ts'
import { widthMs } from './playback.ts'
import type { WireBlock } from './wire-model.ts'

export const axisHeight = 26
/** A label in a lane has at least so much room. */
const labelRoom = 92
/** A narrower one has no outline, in px. */
const narrowest = 3
/** What lasts shorter is not labelled: nobody could read it. */
const labelMs = 800
/** An axis of ten has a label at each of so many where there is room, and at every fifth where there is not. */
const roomForLabels = 560

export interface Sheet {
  readonly context: CanvasRenderingContext2D
  readonly ink: Ink
  readonly width: number
  readonly height: number
  readonly ratio: number
}

export function drawFigure({ context, ink, width, height, ratio }: Sheet, figure: Figure, chosen: WireBlock | undefined): void {
  context.setTransform(ratio, 0, 0, ratio, 0, 0)
  context.clearRect(0, 0, width, height)
  context.font = ink.font
  moveHatches(ink, (figure.span.from / (figure.span.to - figure.span.from)) * width)
  drawAxis(context, ink, figure, height - axisHeight)
  for (const [index, row] of figure.rows.entries()) {
    if (row === undefined) continue
    const middle = index * rowHeight + rowHeight / 2
    drawLine(context, ink, row, middle)
    for (const held of row.held) drawHeld(context, ink, held, middle)
    drawBars(context, ink, row, middle)
    for (const held of row.held) drawLabel(context, ink, held, middle)
    const bar = chosen && row.bars.find(({ block }) => block.connection === chosen.connection && block.block === chosen.block)
    if (bar !== undefined) drawChosen(context, ink, bar, middle)
  }
  drawPlayhead(context, ink, figure, height - axisHeight)
}

/** The TCP connection itself. */
function drawLine(context: CanvasRenderingContext2D, ink: Ink, { from, to, closed }: Row, middle: number): void {
  context.fillStyle = ink.rule
  context.fillRect(from, middle - 0.5, Math.max(0, to - from), 1)
  if (!closed) return
  context.fillStyle = ink.muted
  context.fillRect(to - 1, middle - 6, 2, 12)
}

function drawHeld(context: CanvasRenderingContext2D, ink: Ink, held: Held, middle: number): void {
  const { carries, from, to, earlier, later } = held
  const width = to - from
  const hue = ink.hues[carries]
  if (carries === 'websocket') {
    context.fillStyle = hue
    context.fillRect(from, middle - 2, width, 4)
  } else {
    const tall = carries === 'long-poll' || carries === 'sse'
    const height = tall ? laneHeight - 2 : 6
    const top = middle - height / 2
    context.fillStyle = ink.paper
    context.fillRect(from, top, width, height)
    if (width < narrowest) return drawNarrow(context, hue, from, top, width, height)
    context.strokeStyle = hue
    context.lineWidth = carries === 'long-poll' ? 2 : 1.25
    context.setLineDash(carries === 'long-poll' ? [10, 3] : [])
    context.beginPath()
    // Open to the side where it goes on.
    if (!earlier) line(context, from, top, from, top + height)
    line(context, from, top, to, top)
    line(context, from, top + height, to, top + height)
    context.stroke()
    context.setLineDash([])
    if (!later) {
      context.beginPath()
      line(context, to, top, to, top + height)
      context.stroke()
    }
  }
}

/** Too narrow for an outline: its upper and its lower edge. */
function drawNarrow(context: CanvasRenderingContext2D, hue: string, x: number, top: number, width: number, height: number): void {
  context.fillStyle = hue
  context.fillRect(x, top, Math.max(1, width), 1.5)
  context.fillRect(x, top + height - 1.5, Math.max(1, width), 1.5)
}

function line(context: CanvasRenderingContext2D, x1: number, y1: number, x2: number, y2: number): void {
  context.moveTo(x1, y1)
  context.lineTo(x2, y2)
}

/** In its own box, which is hollow. A stream's has notches, and a socket has no box: theirs is in the label of the row. */
function drawLabel(context: CanvasRenderingContext2D, ink: Ink, { carries, from, to, ms, later }: Held, middle: number): void {
  if (to - from < labelRoom || ms < labelMs || carries !== 'long-poll') return
  const text = `${later ? 'held' : 'was held'} ${duration(ms)}`
  context.textBaseline = 'middle'
  context.textAlign = 'start'
  context.fillStyle = ink.paper
  context.fillRect(from + 6, middle - 6, widthOf(context, text) + 8, 12)
  context.fillStyle = ink.ink
  context.fillText(text, from + 10, middle + 0.5)
}

const widths = new Map<string, number>()

/** Measuring is dear, and digits are equally wide: a text is measured once for all its numbers. */
function widthOf(context: CanvasRenderingContext2D, text: string): number {
  const key = `${context.font} ${text.replace(/\d/g, '0')}`
  const known = widths.get(key) ?? context.measureText(text).width
  widths.set(key, known)
  return known
}

function drawBars(context: CanvasRenderingContext2D, ink: Ink, { bars }: Row, middle: number): void {
  // Hatches first, then what is solid: a change of ink is dear.
  for (const bar of bars) {
    const { block, x, y, width, height, payloadHeight } = bar
    const overhead = height - payloadHeight
    context.globalAlpha = bar.ahead ? 0.3 : 1
    context.fillStyle = ink.hatches[block.carries]
    // The payload is next to the lane: what is above stands on it, what is below hangs from it.
    const top = middle + y + (block.direction === 'up' ? 0 : payloadHeight)
    context.fillRect(x, top, width, overhead)
    if (overhead < 1) continue
    context.strokeStyle = ink.hues[block.carries]
    context.lineWidth = 0.75
    context.strokeRect(x + 0.375, top + 0.375, width - 0.75, overhead - 0.75)
  }
  for (const bar of bars) {
    const { block, x, y, width, height, payloadHeight } = bar
    context.globalAlpha = bar.ahead ? 0.3 : 1
    context.fillStyle = ink.hues[block.carries]
    if (payloadHeight > 0) context.fillRect(x, middle + y + (block.direction === 'up' ? height - payloadHeight : 0), width, payloadHeight)
    // A notch in the stream that brought it.
    if (block.what === 'event') context.fillRect(x, middle - laneHeight / 2, 1.25, laneHeight)
  }
  context.globalAlpha = 1
}

function drawChosen(context: CanvasRenderingContext2D, ink: Ink, { x, y, width, height }: Bar, middle: number): void {
  context.strokeStyle = ink.ink
  context.lineWidth = 2
  context.strokeRect(x - 3, middle + y - 3, width + 6, height + 6)
}

/** Ten parts: seconds of what is live, tenths or hundredths of a second of a replay. */
function drawAxis(context: CanvasRenderingContext2D, ink: Ink, { span, width, rows }: Figure, top: number): void {
  const parts = 10
  const partMs = (span.to - span.from) / parts
  const live = span.to - span.from >= widthMs - 0.5
  context.textBaseline = 'top'
  for (let part = 0; part <= parts; part++) {
    const x = Math.min(width - 1, (part / parts) * width)
    context.fillStyle = ink.rule
    context.globalAlpha = part === parts || part === 0 ? 1 : 0.45
    if (rows.length > 0) context.fillRect(x, 0, 1, top)
    context.globalAlpha = 1
    context.fillStyle = ink.muted
    context.fillRect(x, top, 1, 5)
    if (width < roomForLabels && part % 5 !== 0) continue
    context.textAlign = part === 0 ? 'start' : part === parts ? 'end' : 'center'
    context.fillText(labelOf(part, parts, partMs, live), part === parts ? width : x, top + 8)
  }
  context.textAlign = 'start'
}

function labelOf(part: number, parts: number, partMs: number, live: boolean): string {
  if (!live) return `${count(Math.round(part * partMs))}${part === 0 ? '\u202fms' : ''}`
  return part === parts ? 'now' : `−${parts - part}\u202fs`
}

function drawPlayhead(context: CanvasRenderingContext2D, ink: Ink, { span, width }: Figure, height: number): void {
  if (span.until >= span.to) return
  context.fillStyle = ink.ink
  context.fillRect(((span.until - span.from) / (span.to - span.from)) * width, 0, 1.5, height)
}
