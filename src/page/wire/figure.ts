/** From connections to shapes: what stands where in the picture, in CSS px. Areas are to scale. No DOM. */
import type { Carried } from './carried.ts'
import type { Span } from './playback.ts'
import type { Exchange, WireBlock, WireConnection } from './wire-model.ts'

/** A row: blocks up to `reach` above its lane and as far below, the lane between them. */
export const reach = 22
export const laneHeight = 16
export const rowHeight = 2 * reach + laneHeight + 8
/** A block is at least so wide, and as high as its bytes make it; it grows wider once it is as high as it may be. */
const narrowest = 3
/** No block is wider than this, and no side of a row is fuller: the scale sees to it. */
const widest = 72
const fullest = 0.6
/** Px² a byte, from large to small. */
const scales = [1, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001, 0.0005, 0.0002, 0.0001] as const

/** A block: `y` is the top of its bar from the middle of the row. The payload is next to the lane. */
export interface Bar {
  readonly block: WireBlock
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
  readonly payloadHeight: number
  /** It has not happened yet where the replay stands. */
  readonly ahead: boolean
}

/** A question under way, a stream, a socket: `from` and `to` in px, cut to the picture. */
export interface Held {
  readonly exchange: Exchange
  readonly carries: Carried
  readonly from: number
  readonly to: number
  /** It begins before the picture, or goes on behind it. */
  readonly earlier: boolean
  readonly later: boolean
  /** How long it has lasted where the picture stands, in ms. */
  readonly ms: number
}

export interface Row {
  readonly connection: WireConnection
  /** Where its line runs, in px. */
  readonly from: number
  readonly to: number
  readonly closed: boolean
  readonly held: readonly Held[]
  readonly bars: readonly Bar[]
}

export interface Figure {
  readonly span: Span
  readonly width: number
  /** Px² a byte. */
  readonly scale: number
  readonly rows: readonly (Row | undefined)[]
}

/** One connection's part of a span: what a picture that is held keeps, whatever goes on meanwhile. */
export interface Stretch {
  readonly connection: WireConnection
  readonly blocks: readonly WireBlock[]
  readonly exchanges: readonly Exchange[]
}

/** What of a connection is in a span. */
export function stretchOf(connection: WireConnection, { from, to }: Span): Stretch {
  return {
    connection,
    blocks: connection.blocks.filter(({ at, until, shown }) => shown && until >= from && at <= to),
    exchanges: [...connection.exchanges.values()].filter(({ from: begun, until = Infinity }) => until >= from && begun <= to),
  }
}

/** A copy that later reports neither change nor shorten: of what is drawn, and of what its blocks are inspected with. */
export function asItStands({ connection, blocks, exchanges }: Stretch): Stretch {
  const copies = new Map([...connection.exchanges].map(([number, exchange]) => [number, { ...exchange }]))
  return {
    connection: { ...connection, blocks: [...connection.blocks], exchanges: copies },
    blocks,
    exchanges: exchanges.map((exchange) => copies.get(exchange.exchange) ?? { ...exchange }),
  }
}

/** Is anything of it to be seen in this span? */
export const seenIn = ({ state }: WireConnection, { from, to }: Span): boolean =>
  (state.closedAt ?? Infinity) >= from && state.openedAt <= to

/** `stretches` by row; a row may be free. */
export function figureOf(stretches: readonly (Stretch | undefined)[], span: Span, width: number): Figure {
  const x = (at: number): number => ((at - span.from) / (span.to - span.from)) * width
  const scale = scaleFor(stretches, width)
  const rows = stretches.map((stretch) => stretch && rowOf(stretch, span, width, scale, x))
  return { span, width, scale, rows }
}

/** The largest at which the largest block and the fullest side of a row still have room. */
function scaleFor(stretches: readonly (Stretch | undefined)[], width: number): number {
  let most = 0
  let fullestSide = 0
  for (const stretch of stretches) {
    const sides = { up: 0, down: 0 }
    for (const { bytes, direction } of stretch?.blocks ?? []) {
      most = Math.max(most, bytes)
      sides[direction] += bytes
    }
    fullestSide = Math.max(fullestSide, sides.up, sides.down)
  }
  const fits = (scale: number): boolean => most * scale <= reach * widest && fullestSide * scale <= reach * width * fullest
  return scales.find(fits) ?? (scales.at(-1) as number)
}

function rowOf({ connection, blocks, exchanges }: Stretch, span: Span, width: number, scale: number, x: (at: number) => number): Row {
  const { openedAt, closedAt } = connection.state
  const end = Math.min(span.until, closedAt ?? Infinity)
  return {
    connection,
    from: Math.max(0, x(openedAt)),
    to: Math.min(width, x(end)),
    closed: closedAt !== undefined && closedAt <= span.until,
    held: exchanges.flatMap((exchange) => heldOf(exchange, span, width, x) ?? []),
    bars: blocks.map((block) => barOf(block, span, scale, x)),
  }
}

function heldOf(exchange: Exchange, { from, to, until }: Span, width: number, x: (at: number) => number): Held | undefined {
  if (exchange.from > until) return undefined
  const over = exchange.until !== undefined && exchange.until <= until
  const end = over ? (exchange.until as number) : until
  if (end < from) return undefined
  return {
    exchange,
    carries: exchange.carries,
    from: Math.max(0, x(exchange.from)),
    to: Math.min(width, x(end)),
    earlier: exchange.from < from,
    later: !over || end > to,
    ms: end - exchange.from,
  }
}

/** Width and height of so many px²: narrow and high first, for time runs sideways. */
export function sizeOf(area: number): { readonly width: number; readonly height: number } {
  const width = Math.max(narrowest, area / reach)
  return { width, height: area / width }
}

/** How far from the middle of the row the blocks of an exchange begin: at the edge of what is drawn in its lane. */
export const laneOf = (carries: Carried): number => (carries === 'long-poll' || carries === 'sse' ? laneHeight / 2 : 3)

function barOf(block: WireBlock, { until }: Span, scale: number, x: (at: number) => number): Bar {
  const { width, height } = sizeOf(block.bytes * scale)
  const lane = laneOf(block.carries)
  return {
    block,
    x: x(block.at),
    y: block.direction === 'up' ? -lane - height : lane,
    width,
    height,
    payloadHeight: block.bytes === 0 ? 0 : (height * block.payload) / block.bytes,
    ahead: block.at > until,
  }
}
