/** Where the page is: room, transport and interval, as its address says them. `/?room=lobby&t=sse&poll=1000` */
import { type TransportName, transportNames } from '../client/index.ts'
import { parseRoom } from '../protocol/draft.ts'

export const defaultRoom = 'lobby'
const defaultTransport: TransportName = 'websocket'
const defaultPollMs = 1_000
const leastPollMs = 250
const mostPollMs = 60_000

export interface Place {
  /** As the address says it: look at `roomRefusal` before entering. */
  readonly room: string
  readonly transport: TransportName
  readonly pollMs: number
  /** Why no room can have this name, and what to do. */
  readonly roomRefusal: string | undefined
  /** What else in the address was not understood, and what is done instead. */
  readonly notes: readonly string[]
}

export function readPlace(search: string): Place {
  const query = new URLSearchParams(search)
  const notes: string[] = []
  const room = query.get('room') || defaultRoom
  return { room, transport: readTransport(query, notes), pollMs: readPollMs(query, notes), roomRefusal: refusalOf(room), notes }
}

/** The address of a place. The interval is in it only where it is not the usual one. */
export function placeQuery({ room, transport, pollMs }: Pick<Place, 'room' | 'transport' | 'pollMs'>): string {
  const query = new URLSearchParams({ room, t: transport })
  if (pollMs !== defaultPollMs) query.set('poll', String(pollMs))
  return `?${query}`
}

/** Why no room can have this name, or undefined where one can. */
function refusalOf(room: string): string | undefined {
  try {
    parseRoom(room)
    return undefined
  } catch (error) {
    return (error as Error).message
  }
}

function readTransport(query: URLSearchParams, notes: string[]): TransportName {
  const asked = query.get('t')
  if (asked === null) return defaultTransport
  const known = transportNames.find((name) => name === asked)
  if (known === undefined) {
    notes.push(`The address asks for the transport “${asked.slice(0, 32)}”, and there is none. The four are ${transportNames.join(', ')}.`)
  }
  return known ?? defaultTransport
}

function readPollMs(query: URLSearchParams, notes: string[]): number {
  const asked = query.get('poll')
  if (asked === null) return defaultPollMs
  const ms = /^\d{1,6}$/.test(asked) ? Number(asked) : NaN
  if (ms >= leastPollMs && ms <= mostPollMs) return ms
  notes.push(
    `The address asks for a poll every “${asked.slice(0, 32)}” ms. It may be ${leastPollMs} to ${mostPollMs}; here it is ${defaultPollMs}.`,
  )
  return defaultPollMs
}
