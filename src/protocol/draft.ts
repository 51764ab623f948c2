/** The one gate for what people send, and its limits. Everything behind it may trust a Draft, a name and a room. */
import type { Draft } from './message.ts'
import { Problem } from './problem.ts'
import { randomText } from './random.ts'

/** UTF-16 units, what an input's `maxlength` counts. */
export const maxTextLength = 4096
export const maxNameLength = 32
/** Bytes of a state's JSON in UTF-8. */
export const maxStateBytes = 256

const idSpelling = /^[A-Za-z0-9_-]{8,64}$/
/** Of a room's name: nothing in it means something in a path, a URL or a header. */
export const roomSpelling = /^[A-Za-z0-9][A-Za-z0-9._~-]{0,63}$/
const loneSurrogate = /\p{Surrogate}/u
const control = /\p{Cc}/u
const controlButLineAndTab = /[^\P{Cc}\n\t]/u
const bidirectional = /[\u202a-\u202e\u2066-\u2069]/u

/** A new message id. */
export const drawId = (): string => randomText(12)

/**
 * `{"id"?, "text"}` as a Draft; without an id one is drawn, and a retry is then not safe. `textUnits`: where fewer are allowed.
 * @throws Problem `invalid-request` for another shape, `invalid-message` for a bad id or text.
 */
export function parseDraft(input: unknown, textUnits = maxTextLength): Draft {
  const { id, text, ...others } = parseObject(input)
  refuseOthers(others, 'id and text')
  if (id !== undefined && (typeof id !== 'string' || !idSpelling.test(id))) {
    throw new Problem('invalid-message', 'An id is 8 to 64 of the characters A-Z, a-z, 0-9, _ and -.')
  }
  return { id: id ?? drawId(), text: checkText(text, textUnits) }
}

/** A text that a room takes. @throws Problem `invalid-message` for any other */
export function checkText(text: unknown, textUnits = maxTextLength): string {
  if (typeof text !== 'string' || text.length < 1 || text.length > textUnits) {
    throw new Problem('invalid-message', `A text has 1 to ${textUnits} characters (UTF-16 units).`)
  }
  if (loneSurrogate.test(text))
    throw new Problem('invalid-message', 'The text has half of a surrogate pair: it is not well-formed Unicode.')
  if (controlButLineAndTab.test(text))
    throw new Problem('invalid-message', 'Of the control characters a text may have line feed and tab only.')
  return text
}

/**
 * `{"name"?}` as a name, undefined where none is given. White space around it is not part of it.
 * @throws Problem `invalid-request` for another shape, `invalid-message` for a name that cannot be shown.
 */
export function parseName(input: unknown): string | undefined {
  const { name, ...others } = parseObject(input)
  refuseOthers(others, 'name')
  if (name === undefined) return undefined
  const trimmed = typeof name === 'string' ? name.trim() : ''
  if (trimmed.length < 1 || trimmed.length > maxNameLength) {
    throw new Problem('invalid-message', `A name has 1 to ${maxNameLength} characters.`)
  }
  if (loneSurrogate.test(trimmed) || control.test(trimmed) || bidirectional.test(trimmed)) {
    throw new Problem('invalid-message', 'A name has no control characters, bidirectional overrides or half surrogates.')
  }
  return trimmed
}

/**
 * `{"state": <any JSON>}` as that state, null for none.
 * @throws Problem `invalid-request` for another shape, `invalid-message` for one that is too long
 */
export function parseState(input: unknown): unknown {
  const { state, ...others } = parseObject(input)
  refuseOthers(others, 'state')
  if (state === undefined) throw new Problem('invalid-request', 'A state is any JSON, and null for none.')
  return checkState(state)
}

/**
 * A state that a member may carry, as its JSON will say it to others: a copy, with no 1e999 in it.
 * @throws Problem `invalid-message` for what is too long, or has no JSON
 */
export function checkState(state: unknown): unknown {
  const json = JSON.stringify(state) as string | undefined
  if (json === undefined || new TextEncoder().encode(json).length > maxStateBytes)
    throw new Problem('invalid-message', `A state has at most ${maxStateBytes} bytes of JSON.`)
  return JSON.parse(json)
}

/** @throws Problem `invalid-room` */
export function parseRoom(room: string): string {
  if (!roomSpelling.test(room)) throw new Problem('invalid-room')
  return room
}

function parseObject(input: unknown): Record<string, unknown> {
  if (typeof input !== 'object' || input === null || Array.isArray(input)) {
    throw new Problem('invalid-request', 'Send one JSON object.')
  }
  return input as Record<string, unknown>
}

function refuseOthers(others: object, known: string): void {
  if (Object.keys(others).length > 0) throw new Problem('invalid-request', `Only ${known} may be in the object.`)
}
