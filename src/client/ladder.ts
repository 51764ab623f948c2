/** The four transports, and which gives way to which where it does not get through. */
import type { TransportName } from '../protocol/message.ts'
import { longPoll } from './transports/long-poll.ts'
import { poll } from './transports/poll.ts'
import { sse } from './transports/sse.ts'
import type { OpenTransport } from './transports/transport.ts'
import { websocket } from './transports/websocket.ts'

export const transports: Readonly<Record<TransportName, OpenTransport>> = { poll, 'long-poll': longPoll, sse, websocket }

export const below: Readonly<Record<TransportName, TransportName | undefined>> = {
  websocket: 'sse',
  sse: 'long-poll',
  'long-poll': 'poll',
  poll: undefined,
}
