/** How many of a browser's HTTP connections to this server are open: it has six, for all its tabs together. */
import type { ConnectionState, Report } from '../../lab/events.ts'

/** Of HTTP/1.1 connections to one server; a WebSocket takes none of them. */
export const browserSlots = 6

export class Slots {
  readonly #open = new Map<string, boolean>()

  /** Connections that a request takes or may take. */
  get taken(): number {
    return [...this.#open.values()].filter(Boolean).length
  }

  /** Another server, or none: what was open is not known any more. */
  forget(): void {
    this.#open.clear()
  }

  take({ connections }: Report): void {
    for (const state of connections) {
      const key = `${state.connection}.${state.openedAt}`
      if (state.closedAt === undefined && !state.hidden) this.#open.set(key, !framed(state))
      else this.#open.delete(key)
    }
  }
}

/** Frames have passed: it is a WebSocket. */
const framed = ({ down, up }: ConnectionState): boolean =>
  down.counts['frame-header'] !== undefined || up.counts['frame-header'] !== undefined
