/** Nchan (nchan.io): the locations of peers/nchan.ts. A message is its text; a place is its time and its number within that second. */
import { transportNames } from '../../src/protocol/message.ts'
import { headerOf } from '../connection.ts'
import type { Dialect } from './dialect.ts'

export const nchan: Dialect = {
  wires: transportNames,
  // A channel keeps its messages and is read from the oldest: who has no place yet misses nothing.
  joins: (wire) => (wire === 'poll' ? 'heard' : wire === 'long-poll' ? 'connected' : 'head'),
  subscribe: (wire, { room, cursor }) => {
    const [modified, tag] = cursor?.split('\n') ?? []
    const place = cursor === undefined ? [] : [`If-Modified-Since: ${modified}`, `If-None-Match: ${tag}`]
    return { path: `/${wire}/${room}`, headers: wire === 'sse' ? ['Accept: text/event-stream'] : place }
  },
  read: (payload, head) => {
    if (payload.length === 0) return { texts: [] }
    const texts = [payload.toString()]
    const modified = headerOf(head, 'last-modified')
    // An answer has one message; 304 says that there are no more.
    return modified === undefined ? { texts } : { texts, cursor: `${modified}\n${headerOf(head, 'etag')}`, more: true }
  },
  publish: (room, _id, text) => ({ path: `/messages/${room}`, headers: ['Content-Type: text/plain'], body: text }),
}
