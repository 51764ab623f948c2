/** The naive server: peers/naive.ts. */
import { transportNames } from '../../src/protocol/message.ts'
import type { Dialect } from './dialect.ts'

interface Message {
  readonly n: number
  readonly text: string
}

export const naive: Dialect = {
  wires: transportNames,
  // A stream is in its set before its head is written; a long poll says from where it reads.
  joins: (wire) => (wire === 'poll' ? 'heard' : wire === 'long-poll' ? 'connected' : 'head'),
  subscribe: (wire, { room, cursor = '0' }) => ({
    path: `/rooms/${room}/${wire}${wire === 'poll' || wire === 'long-poll' ? `?after=${cursor}` : ''}`,
  }),
  read: (payload) => {
    const messages = [JSON.parse(payload.toString()) as Message | readonly Message[]].flat() as readonly Message[]
    const last = messages.at(-1)
    return { texts: messages.map(({ text }) => text), ...(last !== undefined && { cursor: String(last.n) }) }
  },
  publish: (room, _id, text) => ({
    path: `/rooms/${room}/messages`,
    headers: ['Content-Type: application/json'],
    body: JSON.stringify({ text }),
  }),
}
