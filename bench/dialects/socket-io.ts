/** Engine.IO 4 and Socket.IO 5, their protocols as far as a subscriber needs them (socket.io/docs/v4/engine-io-protocol). */
import type { Dialect, Heard } from './dialect.ts'

/** Between the packets of one answer on the transport `polling`. */
const separator = '\x1e'

/** One packet: open, ping, connected, or an event. */
function readPacket(packet: string): Heard {
  if (packet.startsWith('42')) return { texts: [(JSON.parse(packet.slice(2)) as [event: string, text: string])[1]] }
  // Let in, and in its room: the server joins it before this is written.
  if (packet.startsWith('40')) return { texts: [] }
  if (packet.startsWith('0')) return { texts: [], joined: false, reply: '40', cursor: (JSON.parse(packet.slice(1)) as { sid: string }).sid }
  if (packet === '2') return { texts: [], joined: false, reply: '3' }
  // `ok`, which a POST is answered with, and what brings nothing.
  return { texts: [], joined: false }
}

const address = (transport: string, rest: string): string => `/socket.io/?EIO=4&transport=${transport}&${rest}`

export const socketIo: Dialect = {
  wires: ['long-poll', 'websocket'],
  joins: () => 'heard',
  subscribe: (wire, { room, cursor }) => ({
    path:
      wire === 'websocket'
        ? address('websocket', `room=${room}`)
        : address('polling', cursor === undefined ? `room=${room}` : `sid=${cursor}`),
  }),
  read: (payload) => {
    const packets = payload.toString().split(separator).map(readPacket)
    return {
      ...Object.assign({}, ...packets),
      texts: packets.flatMap(({ texts }) => texts),
      joined: packets.some(({ joined }) => joined !== false),
    }
  },
  replyTo: (sid) => address('polling', `sid=${sid}`),
  publish: (room, _id, text) => ({
    path: `/rooms/${room}/messages`,
    headers: ['Content-Type: application/json'],
    body: JSON.stringify({ text }),
  }),
}
