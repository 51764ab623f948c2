/**
 * The four hues, computed again from the style sheet: they are read on their grounds (WCAG 2.2, 1.4.3 and 1.4.11), and told
 * apart by eyes that see all colours and by those that do not (CIEDE2000 after Machado, Oliveira and Fernandes, 2009).
 */
import {
  clampRgb,
  converter,
  differenceCiede2000,
  filterDeficiencyDeuter,
  filterDeficiencyProt,
  filterDeficiencyTrit,
  parse,
  type Color,
  type Rgb,
  wcagContrast,
} from 'culori'
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { transportNames } from '../../src/protocol/message.ts'

const sheet = readFileSync(new URL('../../public/style.css', import.meta.url), 'utf8')

/** The custom properties of the first `:root` after `from` that are colours. */
function coloursAfter(from: string): ReadonlyMap<string, string> {
  const start = sheet.indexOf(':root', sheet.indexOf(from))
  const block = sheet.slice(start, sheet.indexOf('}', start))
  return new Map([...block.matchAll(/--([\w-]+): (#[0-9a-f]{6});/g)].map(([, name = '', colour = '']) => [name, colour]))
}

const light = coloursAfter('/* A lab notebook')
const dark = coloursAfter('@media (prefers-color-scheme: dark)')

const linear = converter('lrgb')
const shown = converter('rgb')

type Cone = (severity: number) => (colour: Rgb) => Rgb

/**
 * What an eye sees that lacks one kind of cone altogether. The model's matrices are for light, which is linear; the package
 * puts them to whatever is in its `rgb`, so linear values go in there, and come out again.
 */
function without(cone: Cone): (colour: Color) => Color {
  const all = cone(1)
  return (colour) => {
    const { r, g, b } = linear(colour)
    return clampRgb(shown({ ...all({ mode: 'rgb', r, g, b }), mode: 'lrgb' }))
  }
}

const eyes: Readonly<Record<string, (colour: Color) => Color>> = {
  'all three cones': (colour) => colour,
  'no long-wave cones (protanopia)': without(filterDeficiencyProt),
  'no middle-wave cones (deuteranopia)': without(filterDeficiencyDeuter),
  'no short-wave cones (tritanopia)': without(filterDeficiencyTrit),
}

const leastDifference = 20
const leastFill = 3
const leastText = 4.5

describe.each([
  ['light', light],
  ['dark', dark],
] as const)('the palette, %s', (_scheme, colours) => {
  const of = (name: string): Color => {
    const colour = parse(colours.get(name) ?? '')
    if (colour === undefined) throw new Error(`the style sheet has no colour --${name}`)
    return colour
  }
  const poorest = (names: readonly string[]) =>
    Math.min(...names.flatMap((name) => ['paper', 'panel'].map((ground) => wcagContrast(of(name), of(ground)))))

  it('has fills that are seen on paper and panel', () => {
    expect(poorest(transportNames)).toBeGreaterThanOrEqual(leastFill)
    expect(poorest(['edge'])).toBeGreaterThanOrEqual(leastFill)
  })

  it('has inks that are read on paper and panel', () => {
    expect(poorest([...transportNames.map((name) => `${name}-ink`), 'ink', 'muted', 'error'])).toBeGreaterThanOrEqual(leastText)
  })

  it.each(Object.entries(eyes))('has four hues that are told apart with %s', (_eye, seen) => {
    const difference = differenceCiede2000()
    const pairs = transportNames.flatMap((one, index) => transportNames.slice(index + 1).map((other) => [one, other] as const))
    expect(pairs).toHaveLength(6)
    const nearest = Math.min(...pairs.map(([one, other]) => difference(seen(of(one)), seen(of(other)))))
    expect(nearest).toBeGreaterThanOrEqual(leastDifference)
  })
})

it('agrees with the published pairs on what a difference is', () => {
  // Sharma, Wu and Dalal (2005), table 1, rows 1 and 25.
  const difference = differenceCiede2000()
  const lab = (l: number, a: number, b: number): Color => ({ mode: 'lab65', l, a, b })
  expect(difference(lab(50, 2.6772, -79.7751), lab(50, 0, -82.7485))).toBeCloseTo(2.0425, 4)
  expect(difference(lab(60.2574, -34.0099, 36.2677), lab(60.4626, -34.1751, 39.4387))).toBeCloseTo(1.2644, 4)
})
