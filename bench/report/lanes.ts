/** Which of the four wires a lane is, and how its name is written. */
import { type TransportName, transportNames } from '../../src/protocol/message.ts'
import type { Lane } from './report.ts'

const signs: Readonly<Record<TransportName, string>> = { poll: 'o', 'long-poll': '-', sse: '>', websocket: '<>' }
const titles: Readonly<Record<TransportName, string>> = { poll: 'poll', 'long-poll': 'long poll', sse: 'SSE', websocket: 'WebSocket' }

const named = new RegExp(`(?<![\\w-])(${transportNames.join('|')})(?![\\w-])`, 'g')

/** The wire that a lane names: `naive websocket`, `long-poll, cookie`. A label that names two is neither. */
export function transportOf(lane: Lane): TransportName | undefined {
  const found = new Set([...lane.matchAll(named)].map(([name]) => name as TransportName))
  const [only] = found
  return found.size === 1 ? only : undefined
}

/** `naive WebSocket`, `long poll, cookie`. Anything else keeps its name. */
export const laneTitle = (lane: Lane): string => lane.replace(named, (name) => titles[name as TransportName])

/** What stands in front of a lane where nothing can be drawn; empty for what is none of the four. */
export function sign(lane: Lane): string {
  const transport = transportOf(lane)
  return transport === undefined ? '' : signs[transport]
}

/** `<> WebSocket`, as plain text. */
export const signed = (lane: Lane): string => `${sign(lane)} ${laneTitle(lane)}`.trim()
