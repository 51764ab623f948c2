/** A face from a member's id: shapes, never a person. The same on every page, and told apart without colour. */

/** Corners of the outline; 0 is a circle. */
const outlines = [0, 3, 4, 5, 6, 8] as const
const eyes = ['dots', 'bars', 'rings', 'squares'] as const
const mouths = ['line', 'arc', 'wave', 'ring'] as const

export interface Face {
  readonly corners: (typeof outlines)[number]
  /** Stands on a side, or on a corner. */
  readonly turned: boolean
  readonly eyes: (typeof eyes)[number]
  readonly mouth: (typeof mouths)[number]
}

/** FNV-1a: the same in every browser, and ids are random already. */
export function hashOf(id: string): number {
  let hash = 0x811c9dc5
  for (let index = 0; index < id.length; index++) hash = Math.imul(hash ^ id.charCodeAt(index), 0x01000193)
  return hash >>> 0
}

export function faceOf(id: string): Face {
  const hash = hashOf(id)
  const pick = <Shape>(shapes: readonly [Shape, ...Shape[]], from: number): Shape => shapes[from % shapes.length] ?? shapes[0]
  return {
    corners: pick(outlines, hash),
    turned: (hash >>> 8) % 2 === 1,
    eyes: pick(eyes, hash >>> 12),
    mouth: pick(mouths, hash >>> 20),
  }
}

/** Where a head stands that was never moved: somewhere, and the same again after a reload. */
export function homeOf(id: string): { readonly x: number; readonly y: number } {
  const hash = hashOf(`${id} home`)
  return { x: 0.1 + ((hash & 0xffff) / 0xffff) * 0.8, y: 0.1 + ((hash >>> 16) / 0xffff) * 0.8 }
}

export interface FaceInk {
  readonly line: string
  readonly ground: string
}

/** Draws it around (x, y), `radius` px from the middle to its edge; ours is filled. */
export function drawFace(
  context: CanvasRenderingContext2D,
  face: Face,
  x: number,
  y: number,
  radius: number,
  own: boolean,
  ink: FaceInk,
): void {
  context.save()
  context.translate(x, y)
  context.lineWidth = Math.max(1.5, radius / 8)
  context.lineJoin = context.lineCap = 'round'
  context.strokeStyle = ink.line
  context.fillStyle = own ? ink.line : ink.ground
  context.beginPath()
  outline(context, face, radius - context.lineWidth / 2)
  context.fill()
  context.stroke()
  context.strokeStyle = context.fillStyle = own ? ink.ground : ink.line
  for (const side of [-1, 1]) drawEye(context, face.eyes, side * radius * 0.3, -radius * 0.12, radius * 0.13)
  drawMouth(context, face.mouth, radius * 0.34, radius * 0.3)
  context.restore()
}

function outline(context: CanvasRenderingContext2D, { corners, turned }: Face, radius: number): void {
  if (corners === 0) return context.arc(0, 0, radius, 0, 2 * Math.PI)
  // A triangle that stands on its corner has no room for a face: it stands on its side, always.
  const from = -Math.PI / 2 + (turned && corners !== 3 ? Math.PI / corners : 0)
  for (let corner = 0; corner < corners; corner++) {
    const angle = from + (corner * 2 * Math.PI) / corners
    context.lineTo(Math.cos(angle) * radius, Math.sin(angle) * radius)
  }
  context.closePath()
}

function drawEye(context: CanvasRenderingContext2D, shape: Face['eyes'], x: number, y: number, size: number): void {
  context.beginPath()
  if (shape === 'bars') context.rect(x - size / 2, y - size, size, 2 * size)
  else if (shape === 'squares') context.rect(x - size, y - size, 2 * size, 2 * size)
  else context.arc(x, y, size, 0, 2 * Math.PI)
  if (shape === 'rings') context.stroke()
  else context.fill()
}

function drawMouth(context: CanvasRenderingContext2D, shape: Face['mouth'], y: number, half: number): void {
  context.beginPath()
  if (shape === 'ring') context.arc(0, y, half * 0.45, 0, 2 * Math.PI)
  else if (shape === 'arc') context.arc(0, y - half * 0.4, half * 0.8, 0.15 * Math.PI, 0.85 * Math.PI)
  else if (shape === 'wave')
    for (const [index, x] of [-1, -0.33, 0.33, 1].entries()) context.lineTo(x * half, y + (index % 2 === 0 ? 1 : -1) * half * 0.25)
  else for (const x of [-half, half]) context.lineTo(x, y)
  context.stroke()
}
