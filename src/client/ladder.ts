/** The four transports, and which gives way to which where it does not get through. */
import { type TransportName, transportNames } from '../protocol/message.ts'
import { longPoll } from './transports/long-poll.ts'
import { poll } from './transports/poll.ts'
import { sse } from './transports/sse.ts'
import type { OpenTransport } from './transports/transport.ts'
import { websocket } from './transports/websocket.ts'

export const transports: Readonly<Record<TransportName, OpenTransport>> = { poll, 'long-poll': longPoll, sse, websocket }

/** What asks the least of what is on the way comes first: each gives way to the one before it. */
export const below = (name: TransportName): TransportName | undefined => transportNames[transportNames.indexOf(name) - 1]
