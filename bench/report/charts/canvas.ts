/** The sheet that a chart is drawn on: its width in units of the viewBox, and what a letter takes of it. */
import { element, escape } from '../markup.ts'

export interface Sheet {
  /** Begins the ids within this drawing: unique on its page. */
  readonly id: string
  /** At 360 units a phone shows it one to one; letters keep their 13 units, so a wide sheet is drawn anew, not enlarged. */
  readonly width: number
}

/** Below it labels go above their bars and lines are named in the legend alone. */
export const isNarrow = ({ width }: Sheet): boolean => width < 520

export const letterHeight = 13
export const lineHeight = 18
// Wide of the mark for system fonts, and a bit more: an overlap is worse than a gap.
const letterWidth = letterHeight * 0.56

export const textWidth = (text: string): number => text.length * letterWidth

type Anchor = 'start' | 'middle' | 'end'

export const write = (text: string, x: number, y: number, options: { anchor?: Anchor; class?: string } = {}): string =>
  element('text', { x, y, 'text-anchor': options.anchor, class: options.class }, escape(text))

export const rule = (x1: number, y1: number, x2: number, y2: number, className: string): string =>
  element('line', { x1, y1, x2, y2, class: className })

/** Breaks at spaces, so that each line has room in `width`. */
export function broken(text: string, width: number): string[] {
  const lines: string[] = []
  for (const word of text.split(' ')) {
    const longer = `${lines.at(-1) ?? ''} ${word}`.trim()
    if (lines.length > 0 && textWidth(longer) <= width) lines[lines.length - 1] = longer
    else lines.push(word)
  }
  return lines
}

/** Cuts a label that has no room, with the sign for it. */
export function shortened(text: string, width: number): string {
  const room = Math.max(1, Math.floor(width / letterWidth))
  return text.length <= room ? text : `${text.slice(0, room - 1).trimEnd()}…`
}

/** The drawing: an image with a name and a description for those who do not see it. */
export function drawing({ id, width }: Sheet, height: number, title: string, description: string, body: readonly string[]): string {
  const attributes = {
    xmlns: 'http://www.w3.org/2000/svg',
    class: 'chart',
    viewBox: `0 0 ${width} ${Math.ceil(height)}`,
    role: 'img',
    'aria-labelledby': `${id}-title ${id}-desc`,
  }
  const names = [element('title', { id: `${id}-title` }, escape(title)), element('desc', { id: `${id}-desc` }, escape(description))]
  return element('svg', attributes, ...names, ...body)
}
