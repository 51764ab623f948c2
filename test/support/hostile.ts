/** Long inputs that make a careless pattern backtrack, and a generous bound on the time that a parser may take over one. */
import { expect } from 'vitest'

const longBytes = 65_536
const boundMs = 2_000

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

/** Runs it, and fails where that took more of the processor than any linear parser takes, whatever else the machine does. */
export function promptly(run: () => void): void {
  const begin = process.cpuUsage()
  run()
  const { user, system } = process.cpuUsage(begin)
  expect((user + system) / 1_000).toBeLessThan(boundMs)
}
