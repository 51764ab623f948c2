/** Bytes and delays as the wire view writes them. */
import { count, milliseconds, thin } from '../units.ts'

/** Rounded, as SI has it, 1 kB = 1000 B: `722 B`, `16.1 kB`. What is to be exact is written by `exactly`. */
export function roughly(bytes: number): string {
  if (bytes < 1_000) return exactly(Math.round(bytes))
  return bytes < 1_000_000 ? `${(bytes / 1_000).toFixed(1)}${thin}kB` : `${(bytes / 1_000_000).toFixed(2)}${thin}MB`
}

export const exactly = (bytes: number): string => `${count(bytes)}${thin}B`

export const percent = (share: number): string => `${(share * 100).toFixed(1)}${thin}%`

/** Never finer than a browser's clock, 0.1 ms. */
export function delay(ms: number): string {
  if (ms < 9.95) return `${ms.toFixed(1)}${thin}ms`
  return ms < 999.5 ? milliseconds(ms) : `${(ms / 1_000).toFixed(ms < 9_950 ? 2 : 1)}${thin}s`
}
