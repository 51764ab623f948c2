/** A check in words: what was measured, what was predicted, and between which bounds it holds. */
import { type Digits, significant } from './numbers.ts'
import type { Check } from './report.ts'

/** `450 … 550`, `≥ 450`, `≤ 550`. */
export function boundsText({ low, high }: Check, digits: Digits = significant): string {
  if (low !== undefined && high !== undefined) return low === high ? `= ${digits(low)}` : `${digits(low)} … ${digits(high)}`
  if (low !== undefined) return `≥ ${digits(low)}`
  return high === undefined ? 'no bounds' : `≤ ${digits(high)}`
}

export const verdict = ({ holds }: Check): string => (holds ? 'holds' : 'does not hold')

export const bearing = ({ asserted }: Check): string => (asserted ? 'asserted' : 'only reported')

/** `measured 501 ms, predicted 500 ms, bounds 450 … 550 ms, asserted`. */
export function checkText(check: Check, digits: Digits = significant): string {
  const unit = check.unit === undefined ? '' : ` ${check.unit}`
  const predicted = check.predicted === undefined ? [] : [`predicted ${digits(check.predicted)}${unit}`]
  return [`measured ${digits(check.measured)}${unit}`, ...predicted, `bounds ${boundsText(check, digits)}${unit}`, bearing(check)].join(
    ', ',
  )
}
