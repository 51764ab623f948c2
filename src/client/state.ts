/** What a channel is given, what it is doing, and what it tells: plain data for whoever shows it. */
import {
  type Batch,
  type Gap,
  type Member,
  type Message,
  type Present,
  type Since,
  type TransportName,
  transportNames,
} from '../protocol/message.ts'
import type { Unsent } from './outbox.ts'

/** Somebody who is here, and by which wires. */
export type PresentMember = Member & Present

export interface ChannelOptions {
  /** Where the room server is, its prefix included: `https://example.com/chat`. */
  readonly url: string
  readonly room: string
  /** `websocket`, if nothing else is said. */
  readonly transport?: TransportName
  /** 1 to 32 UTF-16 units; the server draws a friendly one where there is none. */
  readonly name?: string
  /** Where to begin: a cursor kept from before, `earliest`, or the newest messages. */
  readonly since?: Since
  /** Between two polls, in ms: 250 to 60,000, default 1,000. */
  readonly pollMs?: number
  /** Reads without being a member; cannot publish. */
  readonly observe?: boolean
  /** Asks who is here: `members` events, and the list kept. */
  readonly members?: boolean
  /** Asks which states the members carry: `states` events, and the map kept. */
  readonly states?: boolean
}

/** @throws TypeError for what no server could make sense of */
export function checkOptions({ url, room, transport }: ChannelOptions): void {
  if (typeof url !== 'string' || !/^https?:\/\//.test(url))
    throw new TypeError('url is where the room server is, as https://example.com/chat')
  if (typeof room !== 'string') throw new TypeError('room is the name of a room')
  if (transport !== undefined && !transportNames.includes(transport))
    throw new TypeError(`transport is one of ${transportNames.join(', ')}`)
}

/** What a channel is doing, for a person to read. */
export interface ChannelState {
  /** `waiting`: nothing is open, the next try is at `retryAt`. `refused`: it will not try again by itself. */
  readonly status: 'connecting' | 'live' | 'waiting' | 'refused' | 'closed'
  /** The wire that is live, or else the one that is tried. */
  readonly transport: TransportName
  readonly wanted: TransportName
  /** Another wire that is being opened while this one still runs. */
  readonly opening: TransportName | undefined
  /** Since when, and until when it waits, in ms since 1970. */
  readonly since: number
  readonly retryAt: number | undefined
  /** What went wrong last, until a wire is live without it mattering any more. */
  readonly problem: Error | undefined
  readonly member: Member | undefined
}

/** Counted since the channel began. */
export interface ChannelCounts {
  readonly delivered: number
  readonly gaps: number
  readonly repeats: number
}

export interface ChannelEvents {
  /** Exactly once each, in order. `transport` is the wire that brought it. */
  message: [message: Message, transport: TransportName]
  /** Messages are missing, or may be: told once, before the messages that follow. */
  gap: [gap: Gap, transport: TransportName]
  /** Anything came, a heartbeat included. */
  batch: [batch: Batch, transport: TransportName]
  state: [state: ChannelState]
  /** Somebody came or went, or is here by another wire: everybody who is here now. */
  members: [members: readonly PresentMember[]]
  /** Somebody's state is another, or gone: every member's that carries one, by id. Up to 20 times a second. */
  states: [states: ReadonlyMap<string, unknown>, transport: TransportName]
  unsent: [unsent: readonly Unsent[]]
}
