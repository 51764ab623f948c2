/** Numbers as people read them: a thin space before the unit, digits that do not jump. */

/** Narrow and unbreakable: a number and its unit stay on one line. */
export const thin = '\u202f'
const whole = new Intl.NumberFormat('en')
const clock = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' })

const secondMs = 1000
const minuteMs = 60 * secondMs
const hourMs = 60 * minuteMs

export const count = (amount: number): string => whole.format(amount)

/** `7 messages`, `1 message`. */
export const counted = (amount: number, one: string, many = `${one}s`): string => `${count(amount)} ${amount === 1 ? one : many}`

export const milliseconds = (ms: number): string => `${count(Math.round(ms))}${thin}ms`

/** `9 s`: what runs down, rounded up, so that it is never 0 before it is over. */
export const seconds = (ms: number): string => `${count(Math.ceil(ms / secondMs))}${thin}s`

/** `84 ms`, `12.4 s`, `3 min 5 s`, `2 h 10 min`. A clock that was set back does not make time negative. */
export function duration(ms: number): string {
  const passed = Math.max(0, ms)
  if (passed < secondMs) return milliseconds(passed)
  if (passed < minuteMs) return `${(Math.floor(passed / 100) / 10).toFixed(1)}${thin}s`
  if (passed < hourMs) return `${Math.floor(passed / minuteMs)}${thin}min ${Math.floor((passed % minuteMs) / secondMs)}${thin}s`
  return `${count(Math.floor(passed / hourMs))}${thin}h ${Math.floor((passed % hourMs) / minuteMs)}${thin}min`
}

/** `about 5 min`: for what nobody should wait for with a watch. */
export const aboutMinutes = (ms: number): string => `about ${Math.max(1, Math.round(ms / minuteMs))}${thin}min`

/** The time of day here, to the second. */
export const timeOfDay = (at: number): string => clock.format(at)
