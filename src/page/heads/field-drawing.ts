/** Draws the field: each head where it was last told, and before it the samples that came, in the hue and sign of their wire. */
import { clean } from '../canvas.ts'
import { type TransportName, transportNames } from '../../client/index.ts'
import { type Face, drawFace } from './face.ts'
import type { Position, Sample } from './heads.ts'

export interface DrawnHead {
  readonly id: string
  readonly name: string
  readonly face: Face
  readonly trail: readonly Sample[]
}

export interface Scene {
  /** Those who moved last, last: they are drawn over the others. */
  readonly others: readonly DrawnHead[]
  readonly own: (DrawnHead & { readonly at: Position; readonly echo: Position | undefined }) | undefined
  /** Is what is seen what is so? Without a wire it is only what was so. */
  readonly live: boolean
  /** Are names for anybody's eyes? */
  readonly named: boolean
}

/** From the middle of a head to its edge, in px: 44 px is what a finger takes hold of. */
export const headRadius = 22
const smallRadius = 13
/** More heads than this are drawn small. */
const roomy = 24
const nameHeight = 16
/** So many samples are drawn at the most: in a full field each head has a shorter trail. */
const mostMarks = 1_000
const leastMarks = 5

/** Where in the field a position is, in px; a head is never cut at its edge. */
export const place = ({ x, y }: Position, width: number, height: number): readonly [number, number] => [
  headRadius + x * Math.max(0, width - 2 * headRadius),
  headRadius + y * Math.max(0, height - 2 * headRadius - nameHeight),
]

/** And the other way around, of what is pointed at. */
export const positionAt = (left: number, top: number, width: number, height: number): Position => ({
  x: (left - headRadius) / Math.max(1, width - 2 * headRadius),
  y: (top - headRadius) / Math.max(1, height - 2 * headRadius - nameHeight),
})

export function drawField(canvas: HTMLCanvasElement, { others, own, live, named }: Scene): void {
  const sheet = clean(canvas)
  if (sheet === undefined) return
  const { context, width, height } = sheet
  const ink = readInk(canvas, live)
  const at = (position: Position): readonly [number, number] => place(position, width, height)
  drawTrails(context, own === undefined ? others : [...others, own], at, ink)
  const radius = others.length > roomy ? smallRadius : headRadius
  for (const { face, trail } of others) {
    const last = trail.at(-1)
    if (last !== undefined) stamp(context, face, ...at(last), radius, ink)
  }
  if (own !== undefined) {
    if (own.echo !== undefined) drawEcho(context, ...at(own.echo), ink)
    drawFace(context, own.face, ...at(own.at), headRadius, true, ink)
  }
  if (named) drawNames(context, { others, own }, radius, at, ink)
}

/** Faces as they were drawn once, by what they look like: a picture is cheaper than its lines, a hundred times in 50 ms. */
const stamps = new Map<string, HTMLCanvasElement>()
const mostStamps = 1_000

function stamp(context: CanvasRenderingContext2D, face: Face, x: number, y: number, radius: number, ink: Ink): void {
  const { corners, turned, eyes, mouth } = face
  const key = [corners, turned, eyes, mouth, radius, devicePixelRatio, ink.line, ink.ground].join()
  const drawn = stamps.get(key) ?? draw(face, radius, ink)
  if (stamps.size > mostStamps) stamps.clear()
  stamps.set(key, drawn)
  context.drawImage(drawn, x - radius, y - radius, 2 * radius, 2 * radius)
}

function draw(face: Face, radius: number, ink: Ink): HTMLCanvasElement {
  const canvas = document.createElement('canvas')
  canvas.width = canvas.height = Math.ceil(2 * radius * devicePixelRatio)
  const context = canvas.getContext('2d')
  context?.scale(canvas.width / (2 * radius), canvas.height / (2 * radius))
  if (context !== null) drawFace(context, face, radius, radius, radius, false, ink)
  return canvas
}

/** One path for each wire: a hundred heads have thousands of samples. The newest is where the head is. */
function drawTrails(
  context: CanvasRenderingContext2D,
  heads: readonly DrawnHead[],
  at: (position: Position) => readonly [number, number],
  ink: Ink,
): void {
  context.lineWidth = 1.5
  const each = Math.max(leastMarks, Math.floor(mostMarks / Math.max(1, heads.length)))
  for (const transport of transportNames) {
    const path = new Path2D()
    for (const { trail } of heads) {
      for (const sample of trail.slice(-each)) if (sample.transport === transport) marks[transport](path, ...at(sample))
    }
    context.strokeStyle = ink.lanes[transport]
    context.stroke(path)
  }
}

/** The wires' signs, small. */
const marks: Readonly<Record<TransportName, (path: Path2D, x: number, y: number) => void>> = {
  poll: (path, x, y) => {
    path.moveTo(x + 3, y)
    path.arc(x, y, 3, 0, 2 * Math.PI)
  },
  'long-poll': (path, x, y) => path.rect(x - 4, y - 1.75, 8, 3.5),
  sse: (path, x, y) => {
    path.moveTo(x - 3, y - 1.5)
    path.lineTo(x, y + 2)
    path.lineTo(x + 3, y - 1.5)
  },
  websocket: (path, x, y) => {
    path.moveTo(x - 1, y - 2.5)
    path.lineTo(x - 3.5, y)
    path.lineTo(x - 1, y + 2.5)
    path.moveTo(x + 1, y - 2.5)
    path.lineTo(x + 3.5, y)
    path.lineTo(x + 1, y + 2.5)
  },
}

/** Where the others see us: where our own head was when it last came back to us. */
function drawEcho(context: CanvasRenderingContext2D, x: number, y: number, ink: Ink): void {
  context.strokeStyle = ink.line
  context.lineWidth = 1.5
  context.setLineDash([3, 3])
  context.beginPath()
  context.arc(x, y, headRadius + 4, 0, 2 * Math.PI)
  context.stroke()
  context.setLineDash([])
}

/** Under each head its name, where no other name is: ours first, then who moved last. All are in the table. */
function drawNames(
  context: CanvasRenderingContext2D,
  { others, own }: Pick<Scene, 'others' | 'own'>,
  radius: number,
  at: (position: Position) => readonly [number, number],
  ink: Ink,
): void {
  context.font = ink.font
  context.textAlign = 'center'
  context.textBaseline = 'top'
  const taken: { readonly left: number; readonly right: number; readonly top: number }[] = []
  const write = (name: string, position: Position, under: number, colour: string): void => {
    const [x, y] = at(position)
    const { width } = context.measureText(name)
    const edge = context.canvas.clientWidth - width / 2 - 2
    const middle = Math.max(width / 2 + 2, Math.min(edge, x))
    const [left, right, top] = [middle - width / 2, middle + width / 2, y + under + 2]
    if (taken.some((box) => left < box.right && right > box.left && Math.abs(top - box.top) < nameHeight)) return
    taken.push({ left, right, top })
    context.fillStyle = colour
    context.fillText(name, middle, top)
  }
  if (own !== undefined) write(`${own.name} (you)`, own.at, headRadius + 4, ink.line)
  for (const { name, trail } of others.toReversed()) {
    const last = trail.at(-1)
    if (last !== undefined) write(name, last, radius, ink.muted)
  }
}

interface Ink {
  readonly lanes: Readonly<Record<TransportName, string>>
  readonly line: string
  readonly ground: string
  readonly muted: string
  readonly font: string
}

/** From the style sheet, so that there is one palette. Grey, while no wire tells how it is. */
function readInk(canvas: HTMLCanvasElement, live: boolean): Ink {
  const style = getComputedStyle(canvas)
  const hue = (name: string): string => style.getPropertyValue(`--${live ? name : 'edge'}`).trim()
  return {
    lanes: { poll: hue('poll'), 'long-poll': hue('long-poll'), sse: hue('sse'), websocket: hue('websocket') },
    line: hue('ink'),
    ground: style.getPropertyValue('--panel').trim(),
    muted: hue('muted'),
    font: `${style.fontSize} ${style.fontFamily}`,
  }
}
