/** One's own head: where it was before a reload, and where a key moves it. */
import { keep, recall } from '../storage.ts'
import { type Position, readPosition } from './heads.ts'

const keptAs = 'head'
/** What an arrow key moves, of the field; with shift. */
const keyStep = 0.02
const longKeyStep = 0.1
const arrows: Partial<Record<string, readonly [number, number]>> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
}

export const keepPosition = (position: Position): void => keep('session', keptAs, JSON.stringify(position))

export function recallPosition(): Position | undefined {
  try {
    return readPosition(JSON.parse(recall('session', keptAs) ?? 'null'))
  } catch {
    return undefined
  }
}

/** Where this key moves a head from here; undefined where it is not for heads. */
export function movedBy({ key, shiftKey, ctrlKey, altKey, metaKey }: KeyboardEvent, { x, y }: Position): Position | undefined {
  const arrow = arrows[key]
  if (arrow === undefined || ctrlKey || altKey || metaKey) return undefined
  const step = shiftKey ? longKeyStep : keyStep
  return { x: x + arrow[0] * step, y: y + arrow[1] * step }
}
