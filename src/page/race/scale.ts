/** Linear scales from 0, with ends and ticks that can be read. */

/** Ends are these times a power of ten. */
const ends = [1, 1.2, 1.6, 2, 2.5, 3, 4, 5, 6, 8, 10]
const steps = [1, 2, 2.5, 5, 10]
const mostTicks = 4

/** The least end that holds `value`. */
export function endFor(value: number): number {
  if (!(value > 0)) return 1
  const power = 10 ** Math.floor(Math.log10(value))
  return round(power * (ends.find((end) => end * power >= value) ?? 10))
}

/** From 0 to `end`, a few. */
export function ticksTo(end: number): readonly number[] {
  const power = 10 ** Math.floor(Math.log10(end / mostTicks))
  const step = power * (steps.find((each) => end / (each * power) <= mostTicks) ?? 10)
  return Array.from({ length: Math.floor(end / step + 1e-9) + 1 }, (_, index) => round(index * step))
}

/** Ends of the axis lean inwards: the first label begins at its tick, and one at the end ends there. */
export type Anchor = 'start' | 'middle' | 'end'
/** Beyond this share of the axis half a label would stick out. */
const endShare = 0.9
export const anchorOf = (tick: number, end: number): Anchor => (tick === 0 ? 'start' : tick > end * endShare ? 'end' : 'middle')

/** Between two labels, in px. */
const labelGap = 8

/** Of the ticks those whose labels do not run into each other on an axis of `width` px: all, every second, every fourth. */
export function labelled(ticks: readonly number[], end: number, width: number, widthOf: (tick: number) => number): readonly number[] {
  const spans = ticks.map((tick) => {
    const [at, wide] = [(tick / end) * width, widthOf(tick)]
    const from = at - wide * { start: 0, middle: 0.5, end: 1 }[anchorOf(tick, end)]
    return { from, to: from + wide }
  })
  const clear = spans.every(({ from }, index) => from >= (spans[index - 1]?.to ?? -Infinity) + labelGap)
  if (clear || ticks.length < 3) return ticks
  return labelled(
    ticks.filter((_, index) => index % 2 === 0),
    end,
    width,
    widthOf,
  )
}

/** 0.1 + 0.2 is no label. */
const round = (value: number): number => Number(value.toPrecision(6))

/** A length on the scale, as SVG and CSS spell it. */
export const shareOf = (value: number, end: number): string => `${round(Math.max(0, Math.min(100, (100 * value) / end)))}%`
