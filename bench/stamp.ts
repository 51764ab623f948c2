/** The text of a measured message: its number in its room, the time it was meant to be sent at, and padding. */

/** Room for a number and a time; the shortest payload that can be measured. */
export const leastPayload = 16

/** `7.2s1f.……`: number and µs since the start of the round in base 36, padded to `bytes`. */
export const stamp = (number: number, intendedMs: number, bytes: number): string =>
  `${number.toString(36)}.${Math.round(intendedMs * 1000).toString(36)}.`.padEnd(bytes, '.')

export interface Stamp {
  readonly number: number
  /** ms since the start of the round. */
  readonly intendedMs: number
}

export function readStamp(text: string): Stamp {
  const [number = '', time = ''] = text.split('.', 2)
  return { number: Number.parseInt(number, 36), intendedMs: Number.parseInt(time, 36) / 1000 }
}
