/** The client, in a browser: `const room = connect({ url, room })`. */
import { Channel } from './channel.ts'
import type { Platform } from './http.ts'
import type { ChannelOptions } from './state.ts'

export { Channel } from './channel.ts'
export type { ChannelCounts, ChannelEvents, ChannelOptions, ChannelState, PresentMember } from './state.ts'
export type { Unsent } from './outbox.ts'
export type { Platform } from './http.ts'
export {
  type Ack,
  type Batch,
  type Cursor,
  type Gap,
  type Member,
  type Message,
  type TransportName,
  transportNames,
} from '../protocol/message.ts'
export { Problem, type ProblemCode } from '../protocol/problem.ts'

const browser: Platform = {
  // The cookie goes along to a server of another origin too, where that allows ours.
  fetch: (url, init) => fetch(url, { ...init, credentials: 'include' }),
  socket: (url) => new WebSocket(url),
}

/** Enters a room, and stays in it until `close()`. */
export function connect(options: ChannelOptions): Channel {
  const channel = new Channel(browser, options)
  if (typeof document === 'undefined') return channel
  const { closed: signal } = channel
  // Timers of a hidden, frozen or sleeping page come late: when it is back, time is looked at once.
  for (const event of ['visibilitychange', 'resume'] as const) document.addEventListener(event, () => channel.nudge(), { signal })
  addEventListener('pageshow', () => channel.nudge(), { signal })
  addEventListener('online', () => channel.nudge(true), { signal })
  return channel
}
