/** What a connection or an exchange carries, by the target that was asked for. */
import { type TransportName, transportNames } from '../../client/index.ts'
import type { Block } from '../../lab/events.ts'

/** One of the four, a message that is published beside them, or anything else: the page itself, its session, who is here. */
export type Carried = TransportName | 'publish' | 'other'

const wire = new RegExp(`^GET \\S*/rooms/[^/]+/(${transportNames.join('|')})(?:\\?|$)`)
const publish = /^POST \S*\/rooms\/[^/]+\/messages(?:\?|$)/

/** A block of an exchange whose question was not told is known by what it is: only a stream has events, only a socket frames. */
export function carriedBy({ detail, what }: { readonly detail: string; readonly what?: Block['what'] }): Carried {
  if (what === 'event') return 'sse'
  if (what === 'frame') return 'websocket'
  const [, name] = wire.exec(detail) ?? []
  return (name as TransportName | undefined) ?? (publish.test(detail) ? 'publish' : 'other')
}

export const isTransport = (carries: Carried): carries is TransportName => carries !== 'publish' && carries !== 'other'
