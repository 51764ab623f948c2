/** Long inputs that make a careless pattern backtrack, and a generous bound on the time that a parser may take over one. */
import { expect } from 'vitest'

const longBytes = 65_536
const boundMs = 1_000

/** 64 KiB each. */
export const hostileTexts: readonly string[] = [
  'a',
  'A.',
  '.',
  '-',
  '0',
  '\0',
  ' ',
  '\t',
  '\n',
  '\r',
  '\r\n',
  ':',
  '{',
  '[',
  '"',
  'é',
  '😀',
  '\ud800',
].flatMap((unit) => {
  const long = unit.repeat(longBytes / unit.length)
  return [long, `${long}!`, `!${long}`, `x${long}\u202e`]
})

/** Runs it, and fails where that took longer than any linear parser takes. */
export function promptly(run: () => void): void {
  const begin = performance.now()
  run()
  expect(performance.now() - begin).toBeLessThan(boundMs)
}
