/** The one parser of JSON from outside, for bodies and for frames. */
import { Problem } from '../protocol/problem.ts'

const utf8 = new TextDecoder('utf-8', { fatal: true })
const token = /"(?:[^"\\]|\\.)*"(\s*:)?/gs

/**
 * One flat JSON value from bytes. Bytes that are no UTF-8 are refused, not replaced; so is an object with a key twice
 * or an object within it, of which readers disagree what it says.
 * @throws Problem `invalid-utf8`, `invalid-json`
 */
export function parseJson(bytes: Uint8Array): unknown {
  let text: string
  try {
    text = utf8.decode(bytes)
  } catch {
    throw new Problem('invalid-utf8')
  }
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw new Problem('invalid-json')
  }
  if (typeof value === 'object' && value !== null) {
    let keys = 0
    for (const [, colon] of text.matchAll(token)) if (colon !== undefined) keys++
    if (keys !== Object.keys(value).length || Object.hasOwn(value, '__proto__')) throw new Problem('invalid-json')
  }
  return value
}
