/** Ours: src/protocol/README.md. */
import { type Batch, transportNames } from '../../src/protocol/message.ts'
import type { Dialect } from './dialect.ts'

const json = ['Content-Type: application/json']

export const fourwires: Dialect = {
  wires: transportNames,
  joins: () => 'heard',
  subscribe: (wire, { room, cursor, holdSeconds, latest }) => {
    const since = cursor === undefined || latest ? [] : [`since=${cursor}`]
    const own = wire === 'long-poll' && cursor !== undefined ? [`wait=${holdSeconds}`] : latest ? ['limit=1'] : []
    const query = [...since, ...own].join('&')
    return { path: `/rooms/${room}/${wire}${query && `?${query}`}` }
  },
  read: (payload) => {
    const { messages, cursor, more } = JSON.parse(payload.toString()) as Partial<Batch>
    // Acknowledgements and problems are no batches.
    if (messages === undefined || cursor === undefined) return { texts: [] }
    return { texts: messages.map(({ text }) => text), cursor, more: more === true }
  },
  enter: { path: '/session', headers: json, body: '{"name":"bench"}' },
  publish: (room, id, text) => ({ path: `/rooms/${room}/messages`, headers: json, body: JSON.stringify({ id, text }) }),
}
