/** What a reader asks in its query: each key by its own grammar, at most once, and no other. */
import { parseSince } from '../protocol/cursor.ts'
import { parseRoom } from '../protocol/draft.ts'
import { asides, type Known, type Since } from '../protocol/message.ts'
import { Problem } from '../protocol/problem.ts'
import { parseKnown } from '../protocol/version.ts'
import type { FastifyRequest } from 'fastify'

/** What a reader asks for: a room, from a cursor, and the numbers that its transport knows. */
export interface Question<Name extends string> {
  readonly room: string
  readonly since: Since
  /** What the reader knows of members and states, as far as it asks for them. */
  readonly known: Known
  readonly numbers: Readonly<Partial<Record<Name, number>>>
}

/** The range of a whole number. */
export interface Range {
  readonly least: number
  readonly most: number
}

/**
 * The question of a request for `/rooms/:room/<transport>`. The header Last-Event-ID wins over `since`: a native
 * EventSource reconnects with the stale URL and the fresh header.
 * @throws Problem `invalid-room`, `invalid-cursor`, `invalid-request`
 */
export function parseQuestion<Name extends string>(
  request: FastifyRequest,
  numbers: Readonly<Record<Name, Range>>,
  passedOver: readonly string[],
): Question<Name> {
  const room = roomOf(request)
  const parsed: Partial<Record<Name, number>> = {}
  const { since, members, states, ...others } = parseKeys(request, ['since', ...asides, ...Object.keys(numbers)], passedOver)
  for (const [key, value] of Object.entries(others)) parsed[key as Name] = parseNumber(key, value, numbers[key as Name])
  const header = request.headers['last-event-id']
  return {
    room,
    since: parseSince(typeof header === 'string' && header !== '' ? header : since),
    known: { members: parseKnown('members', members), states: parseKnown('states', states) },
    numbers: parsed,
  }
}

/**
 * The keys of a query: each a known one, at most once.
 * @throws Problem `invalid-request`
 */
export function parseKeys(
  request: FastifyRequest,
  known: readonly string[],
  passedOver: readonly string[],
): Readonly<Record<string, string>> {
  const keys: Record<string, string> = {}
  for (const [key, value] of Object.entries(request.query as Readonly<Record<string, unknown>>)) {
    if (passedOver.includes(key)) continue
    if (typeof value !== 'string') throw new Problem('invalid-request', 'A query key appears at most once.')
    if (!known.includes(key)) throw new Problem('invalid-request', `Of a query this address knows ${known.join(', ') || 'nothing'}.`)
    keys[key] = value
  }
  return keys
}

/**
 * The room of an address: a copy, since a slice of the address would keep all of it for as long as the room is kept.
 * @throws Problem `invalid-room`
 */
export function roomOf(request: FastifyRequest): string {
  const { room } = request.params as { readonly room: string }
  return Buffer.from(parseRoom(room)).toString()
}

function parseNumber(key: string, value: string, { least, most }: Range): number {
  const number = /^(0|[1-9][0-9]{0,8})$/.test(value) ? Number(value) : Number.NaN
  if (number >= least && number <= most) return number
  throw new Problem('invalid-request', `${key} is a whole number from ${least} to ${most}.`)
}
