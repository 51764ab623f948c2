/** Colours, hatches and type for the picture: read from the style sheet once, not with every frame. */
import type { Carried } from './carried.ts'

export interface Ink {
  readonly hues: Readonly<Record<Carried, string>>
  /** The same hues at 45 degrees: overhead. */
  readonly hatches: Readonly<Record<Carried, CanvasPattern>>
  readonly ink: string
  readonly paper: string
  readonly muted: string
  readonly rule: string
  readonly font: string
}

/** The hatch repeats so often, in CSS px. */
export const hatchPx = 4

/** There is one palette; light, dark and forced colours are the style sheet's own affair. */
export function readInk(canvas: HTMLCanvasElement, context: CanvasRenderingContext2D): Ink {
  const style = getComputedStyle(canvas)
  const hue = (name: string): string => style.getPropertyValue(`--${name}`).trim()
  const hues: Record<Carried, string> = {
    poll: hue('poll'),
    'long-poll': hue('long-poll'),
    sse: hue('sse'),
    websocket: hue('websocket'),
    publish: hue('ink'),
    other: hue('edge'),
  }
  const hatches = Object.fromEntries(Object.entries(hues).map(([name, colour]) => [name, hatchOf(context, colour)]))
  return {
    hues,
    hatches: hatches as Record<Carried, CanvasPattern>,
    ink: hue('ink'),
    paper: hue('paper'),
    muted: hue('muted'),
    rule: hue('rule'),
    font: `${style.fontSize} ${style.fontFamily}`,
  }
}

function hatchOf(context: CanvasRenderingContext2D, colour: string): CanvasPattern {
  const side = Math.round(hatchPx * devicePixelRatio)
  const tile = new OffscreenCanvas(side, side)
  const pen = tile.getContext('2d') as OffscreenCanvasRenderingContext2D
  pen.strokeStyle = colour
  pen.lineWidth = 0.36 * side
  pen.beginPath()
  // Three strokes, so that the corners of the tile are whole.
  for (const shift of [-side, 0, side]) {
    pen.moveTo(shift - side / 2, side * 1.5)
    pen.lineTo(shift + side * 1.5, -side / 2)
  }
  pen.stroke()
  return context.createPattern(tile, 'repeat') as CanvasPattern
}

/** The hatch travels with the blocks: `scrolled` is how far they have gone, in px. */
export function moveHatches({ hatches }: Ink, scrolled: number): void {
  const ratio = hatchPx / Math.round(hatchPx * devicePixelRatio)
  const matrix = new DOMMatrix([ratio, 0, 0, ratio, -(scrolled % hatchPx), 0])
  for (const hatch of Object.values(hatches)) hatch.setTransform(matrix)
}
