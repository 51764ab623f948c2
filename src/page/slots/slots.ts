/** The six connections that a browser opens to one address over HTTP/1.1: who holds them, as far as can be known. Pure. */
import type { TransportName } from '../../client/index.ts'
import type { ConnectionState, Report } from '../../lab/events.ts'
import { counted } from '../units.ts'
import { wires } from '../wires.ts'

/** Chromium, Firefox and Safari alike; RFC 9112, 9.4 names no number. A WebSocket is not counted. */
export const slots = 6

/** What another tab of this browser holds. */
export interface HeldTab {
  readonly room: string
  readonly transport: TransportName
}

/** Wires that hold a connection for as long as they run. A poll only borrows one. */
export const holds = (transport: TransportName): boolean => transport === 'sse' || transport === 'long-poll'
export const countsAgainstSlots = (transport: TransportName): boolean => transport !== 'websocket'

/** Own connections as the lab tells of them: which are open, and not known to be idle. */
export class HeldConnections {
  readonly #open = new Map<number, ConnectionState>()
  /** Up to which exchange of a connection answers have ended. */
  readonly #answered = new Map<number, number>()

  take({ connections, blocks }: Report): void {
    for (const state of connections) {
      if (state.closedAt === undefined && state.hidden === undefined) this.#open.set(state.connection, state)
      else this.#forget(state.connection)
    }
    for (const { connection, what, exchange } of blocks) if (what === 'response') this.#answered.set(connection, exchange)
  }

  /** The server was begun anew, or the line to it. */
  clear(): void {
    this.#open.clear()
    this.#answered.clear()
  }

  /** HTTP connections that are held; one of which nothing was heard yet counts as held. */
  get size(): number {
    return [...this.#open.values()].filter((state) => !isSocket(state) && (isStream(state) || !this.#isIdle(state))).length
  }

  #isIdle({ connection, requests }: ConnectionState): boolean {
    return (this.#answered.get(connection) ?? -1) >= requests
  }

  #forget(connection: number): void {
    this.#open.delete(connection)
    this.#answered.delete(connection)
  }
}

const isSocket = ({ up, down }: ConnectionState): boolean => (up.counts['frame-header'] ?? 0) + (down.counts['frame-header'] ?? 0) > 0
const isStream = ({ down }: ConnectionState): boolean => (down.counts.field ?? 0) > 0

/** `waiting`: a request of ours gets no connection. `last`: we hold the last one, and nothing else would get any. */
export type SlotTrouble = 'waiting' | 'last'

/** Why, where they went, what was done, and what one can do. `tabs` are the others that we know of. */
export function slotSentences(trouble: SlotTrouble, wanted: TransportName, tabs: readonly HeldTab[]): readonly string[] {
  const { word, title } = wires[wanted]
  const known = tabs.length === 0 ? '' : `, ${counted(tabs.length, 'of them', 'of them')} in other tabs of this page (${grouped(tabs)})`
  return [
    `Over HTTP/1.1 a browser opens ${slots} connections to one address, and this one holds all ${slots}${known}.`,
    trouble === 'waiting'
      ? `So ${word} here waits for a connection that does not come.`
      : `With ${word} this tab held the last: nothing could be sent any more, and no further tab could load.`,
    'A WebSocket is not counted: this tab has gone over to it. Nothing that you typed is lost.',
    `${title} works here again once one of the others is closed.`,
  ]
}

/** `2 × SSE in lobby, 1 × long polling in attic` */
function grouped(tabs: readonly HeldTab[]): string {
  const groups = new Map<string, number>()
  for (const { transport, room } of tabs) {
    const group = `${wires[transport].word} in ${room}`
    groups.set(group, (groups.get(group) ?? 0) + 1)
  }
  return [...groups].map(([group, tabsOfIt]) => `${tabsOfIt}\u202f× ${group}`).join(', ')
}
