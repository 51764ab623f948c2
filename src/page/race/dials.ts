/** The race's two dials, and how its address spells them: `/race?rate=10&poll=1000`. */

export interface Dials {
  /** Messages a second. */
  readonly rate: number
  /** Between two polls. */
  readonly pollMs: number
}

export const rates = { least: 1, most: 100, usual: 10 } as const
export const intervals = { least: 250, most: 5_000, usual: 1_000, step: 250 } as const

export function readDials(search: string): Dials {
  const query = new URLSearchParams(search)
  return { rate: read(query.get('rate'), rates), pollMs: read(query.get('poll'), intervals) }
}

/** What else is in the address stays: the room, for the way back. The usual is left out. */
export function dialsQuery(search: string, { rate, pollMs }: Dials): string {
  const query = new URLSearchParams(search)
  for (const [key, value, { usual }] of [
    ['rate', rate, rates],
    ['poll', pollMs, intervals],
  ] as const) {
    if (value === usual) query.delete(key)
    else query.set(key, String(value))
  }
  const text = query.toString()
  return text && `?${text}`
}

/** Back to the room that one came from, as it was: the interval is the room's too. */
export function roomQuery(search: string): string {
  const query = new URLSearchParams(search)
  for (const key of ['rate', 'reveal']) query.delete(key)
  const text = query.toString()
  return text && `?${text}`
}

interface Range {
  readonly least: number
  readonly most: number
  readonly usual: number
}

function read(given: string | null, { least, most, usual }: Range): number {
  if (given === null || !/^\d{1,6}$/.test(given)) return usual
  return Math.min(most, Math.max(least, Number(given)))
}

/** A rate's place on its dial, 0 to 100: each tenfold is half of it. */
export const placeOfRate = (rate: number): number => Math.round((Math.log(rate / rates.least) / Math.log(rates.most / rates.least)) * 100)
export const rateAtPlace = (place: number): number => Math.round(rates.least * (rates.most / rates.least) ** (place / 100))
