/** What tells lanes apart: hue, marker and dash at once, so that none of them has to do it alone. */
import type { TransportName } from '../../../src/protocol/message.ts'
import { transportOf } from '../lanes.ts'
import { element } from '../markup.ts'
import type { Lane, Series } from '../report.ts'

type Kind = NonNullable<Series['kind']>

export interface Dress {
  /** The class that sets the hue. */
  readonly wire: TransportName | 'other'
  readonly kind: Kind
  /** Path around 0, 0; empty where a series has no marks. */
  readonly marker: string
  readonly dash?: string
  readonly weight: number
}

interface Dressable {
  readonly label: string
  readonly lane?: Lane | undefined
  readonly kind?: Kind | undefined
}

interface Look {
  readonly marker: string
  readonly dash?: string
  readonly weight: number
}

const looks: Readonly<Record<TransportName, Look>> = {
  // An open ring: asked, answered, nothing kept.
  poll: { marker: 'M-4.5 0a4.5 4.5 0 1 0 9 0a4.5 4.5 0 1 0-9 0Z', dash: '1.5 4', weight: 2.5 },
  // A hollow bar: a question that is held.
  'long-poll': { marker: 'M-6.5-2.75h13v5.5h-13Z', dash: '9 4', weight: 2.25 },
  // An arrow down: one way.
  sse: { marker: 'M0-6V5.5M-4 1.5 0 5.5 4 1.5', weight: 1.75 },
  // An arrow with two heads: both ways.
  websocket: { marker: 'M-7 0H7M-3-4-7 0-3 4M3-4 7 0 3 4', weight: 3.5 },
}

const otherMarkers = ['M-4-4h8v8h-8Z', 'M0-5.5 5.5 0 0 5.5-5.5 0Z', 'M0-5.5 5 4H-5Z', 'M-4-4 4 4M4-4-4 4', 'M-5 0H5M0-5V5', 'M0 5.5-5-4H5Z']
const otherDashes = [undefined, '12 3 2 3', '6 3', '3 3', '12 3 2 3 2 3']

/** A second, third and fourth lane of the same wire wears its marker within a ring, a box, a diamond, and a dash of its own. */
const enclosures = ['', 'M-9 0a9 9 0 1 0 18 0a9 9 0 1 0-18 0Z', 'M-8.5-8.5h17v17h-17Z', 'M0-11 11 0 0 11-11 0Z']
const variantDashes = [undefined, '12 3 2 3', '6 3 2 3 2 3', '3 2']
const modelDashes = ['5 4', '2 3', '8 3 2 3', '1 2']

/** One dress for each, in order. */
export function dressed(items: readonly Dressable[]): Dress[] {
  const worn = new Map<string, number>()
  return items.map(({ label, lane, kind = 'measured' }) => {
    const wire = transportOf(lane ?? label) ?? 'other'
    const variant = worn.get(`${wire} ${kind}`) ?? 0
    worn.set(`${wire} ${kind}`, variant + 1)
    return { wire, kind, ...lookOf(wire, kind, variant) }
  })
}

function lookOf(wire: Dress['wire'], kind: Kind, variant: number): Look {
  const turn = <T>(list: readonly T[]): T => list[variant % list.length]!
  if (kind === 'round') return { marker: '', weight: 1 }
  if (kind === 'model') return { marker: '', dash: turn(modelDashes), weight: 1.25 }
  if (wire === 'other') return { marker: turn(otherMarkers), weight: 1.75, ...dash(turn(otherDashes)) }
  const { marker, weight, dash: own } = looks[wire]
  return { marker: marker + turn(enclosures), weight, ...dash(turn(variantDashes) ?? own) }
}

const dash = (pattern: string | undefined): { dash?: string } => (pattern === undefined ? {} : { dash: pattern })

/** Things in the hue of a dress. */
export const inHueOf = ({ wire }: Dress, ...body: readonly string[]): string => element('g', { class: `hue-${wire}` }, ...body)

/** The marker of a dress at a place, on a ground that keeps lines away from it, but for the whiskers `between` the two. */
export function markerAt({ marker }: Dress, x: number, y: number, ...between: readonly string[]): string {
  if (marker === '') return ''
  const place = { transform: `translate(${Math.round(x * 100) / 100} ${Math.round(y * 100) / 100})`, d: marker }
  return [element('path', { class: 'ground', ...place }), ...between, element('path', { class: 'mark', ...place })].join('')
}

/** How a line in this dress is drawn. */
export const stroke = ({ kind, dash: pattern, weight }: Dress): Record<string, string | number | undefined> => ({
  class: kind === 'round' ? 'line pale' : 'line',
  'stroke-width': weight,
  'stroke-dasharray': pattern,
})
