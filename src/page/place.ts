/** Where the page is: room, transport, interval and view, as its address says them. `/?room=lobby&t=sse&poll=1000&view=heads` */
import { type TransportName, transportNames } from '../client/index.ts'
import { parseRoom } from '../protocol/draft.ts'

export const defaultRoom = 'lobby'
const defaultTransport: TransportName = 'websocket'
const defaultPollMs = 1_000
const leastPollMs = 250
const mostPollMs = 60_000

/** What one looks at. `wire` is beside the others where there is room for both. */
export const views = ['chat', 'heads', 'game', 'wire'] as const
export type View = (typeof views)[number]

export interface Place {
  /** As the address says it: look at `roomRefusal` before entering. */
  readonly room: string
  readonly transport: TransportName
  readonly pollMs: number
  readonly view: View
  /** Why no room can have this name, and what to do. */
  readonly roomRefusal: string | undefined
  /** What else in the address was not understood, and what is done instead. */
  readonly notes: readonly string[]
}

export function readPlace(search: string): Place {
  const query = new URLSearchParams(search)
  const notes: string[] = []
  const room = query.get('room') || defaultRoom
  const view = views.find((each) => each === query.get('view')) ?? 'chat'
  return { room, transport: readTransport(query, notes), pollMs: readPollMs(query, notes), view, roomRefusal: refusalOf(room), notes }
}

/** The address of a place. Interval and view are in it only where they are not the usual ones. */
export function placeQuery({
  room,
  transport,
  pollMs,
  view,
}: Pick<Place, 'room' | 'transport' | 'pollMs'> & { readonly view?: View }): string {
  const query = new URLSearchParams({ room, t: transport })
  if (pollMs !== defaultPollMs) query.set('poll', String(pollMs))
  if (view !== undefined && view !== 'chat') query.set('view', view)
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
