/** Which block somebody means: by a point of the picture, or by a key. */
import { type Bar, type Figure, rowHeight } from './figure.ts'
import type { WireBlock } from './wire-model.ts'

/** A finger is so wide, in px. */
const within = 12

/** The block at a point of the picture, or the nearest one within reach of a finger. */
export function barAt({ rows }: Figure, x: number, y: number): Bar | undefined {
  const row = rows[Math.floor(y / rowHeight)]
  if (row === undefined) return undefined
  const fromMiddle = (y % rowHeight) - rowHeight / 2
  let best: Bar | undefined
  let nearest = within
  for (const bar of row.bars) {
    const aside = Math.max(bar.x - x, x - bar.x - bar.width, 0)
    const off = Math.max(bar.y - fromMiddle, fromMiddle - bar.y - bar.height, 0)
    const away = Math.hypot(aside, off / 2)
    // Of several the one on top, which is drawn last.
    if (away > nearest) continue
    best = bar
    nearest = away
  }
  return best
}

/** Where a key leads from the block that is chosen; from none, or from one that is not drawn any more, to the newest. */
export function nextBar({ rows }: Figure, chosen: WireBlock | undefined, key: string): Bar | undefined {
  if (!/^(?:Arrow(?:Left|Right|Up|Down)|Enter|Home|End)$/.test(key)) return undefined
  const drawn = rows.map((row) => [...(row?.bars ?? [])].toSorted((one, other) => one.x - other.x)).filter((bars) => bars.length > 0)
  const is = ({ block }: Bar): boolean => block.connection === chosen?.connection && block.block === chosen.block
  const row = drawn.findIndex((bars) => bars.some(is))
  const bars = drawn[row]
  if (bars === undefined)
    return drawn.flat().reduce<Bar | undefined>((newest, bar) => (newest && newest.x >= bar.x ? newest : bar), undefined)
  const at = bars.findIndex(is)
  const bar = bars[at] as Bar
  if (key === 'Enter') return bar
  if (key === 'ArrowLeft' || key === 'ArrowRight') return bars[at + (key === 'ArrowLeft' ? -1 : 1)] ?? bar
  if (key === 'Home' || key === 'End') return bars.at(key === 'Home' ? 0 : -1)
  const other = drawn[row + (key === 'ArrowUp' ? -1 : 1)]
  return other?.reduce((nearest, each) => (Math.abs(each.x - bar.x) < Math.abs(nearest.x - bar.x) ? each : nearest)) ?? bar
}
