/** The one parser of JSON from outside, for bodies and for frames. */
import { Problem } from '../protocol/problem.ts'

const utf8 = new TextDecoder('utf-8', { fatal: true })
const token = /"(?:[^"\\]|\\.)*"(\s*:)?/gs

/** So deep values may be nested where they may be at all: what a state of 256 bytes cannot exceed. */
const deepest = 128

/**
 * One JSON value from bytes, flat but for what stands under a key of `nested`. Bytes that are no UTF-8 are refused, not
 * replaced; so is an object with a key twice or an object within it, of which readers disagree what it says.
 * @throws Problem `invalid-utf8`, `invalid-json`
 */
export function parseJson(bytes: Uint8Array, nested: readonly string[]): unknown {
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
    let own = Object.keys(value).length
    for (const key of nested) if (Object.hasOwn(value, key)) own += keysWithin((value as Record<string, unknown>)[key])
    if (keys !== own || Object.hasOwn(value, '__proto__')) throw new Problem('invalid-json')
  }
  return value
}

/** The keys of all objects in a value, each once. @throws Problem `invalid-json` where it is nested too deep */
function keysWithin(value: unknown, depth = 0): number {
  if (typeof value !== 'object' || value === null) return 0
  if (depth >= deepest || Object.hasOwn(value, '__proto__')) throw new Problem('invalid-json')
  let keys = Array.isArray(value) ? 0 : Object.keys(value).length
  for (const inner of Object.values(value)) keys += keysWithin(inner, depth + 1)
  return keys
}
