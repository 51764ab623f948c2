/** Draws the delay of each message as a tick at its place, and the mean across them all. */
import { clean } from '../canvas.ts'

const tickWidth = 2
/** Many ticks in one place are darker than one. */
const tickAlpha = 0.4
const meanWidth = 2
/** The part of the height that ticks take, from the middle: the mean stands out. */
const tickHeight = 0.64

/** `end` is the delay at the right edge, in ms. Nothing is drawn where there are no delays. */
export function drawDelays(canvas: HTMLCanvasElement, delays: readonly number[], meanMs: number, end: number): void {
  const sheet = clean(canvas)
  if (sheet === undefined) return
  const { context, width, height } = sheet
  const style = getComputedStyle(canvas)
  const ink = style.color
  context.fillStyle = style.getPropertyValue('--rule').trim()
  context.fillRect(0, Math.floor(height / 2), width, 1)
  const place = (ms: number): number => Math.min(1, ms / end) * (width - tickWidth)
  context.fillStyle = style.getPropertyValue('--hue').trim()
  context.globalAlpha = tickAlpha
  const top = (height * (1 - tickHeight)) / 2
  for (const delay of delays) context.fillRect(place(delay), top, tickWidth, height * tickHeight)
  context.globalAlpha = 1
  if (delays.length === 0) return
  context.fillStyle = ink
  context.fillRect(place(meanMs), 0, meanWidth, height)
}
