/**
 * What nodes tell each other of who is here, where more than one serves the same rooms. A node is one process. Each stays
 * the judge of the members that it shows: this brings it what the others have heard, and takes what it has heard itself.
 *
 * Nothing here is a time of day: what travels are ms left, ms ago, and each node counts them from when they came. What is kept
 * for those who come later is kept by one clock, the keeper's.
 */
import type { TransportName } from '../protocol/message.ts'
import type { Unwatch } from './store.ts'

/** What one node knows of one wire of a member. */
export interface Sighting {
  readonly transport: TransportName
  /** How long its last sign proves its member, in ms from that sign, and what of it is left; 0 left: not any more. */
  readonly leaseMs: number
  readonly leftMs: number
  /** When it was heard last, in ms before now. */
  readonly seenMs: number
  /** A connection is open. A poll's never is. */
  readonly held: boolean
  /** Its peer has closed it: it counts for the time of grace, and only where there is no other. */
  readonly closing: boolean
}

/** One member of a room, as all nodes together know it. */
export interface Attended {
  readonly id: string
  readonly name: string
  /** Those that are no more may be missing, or have nothing left. */
  readonly wires: readonly (Sighting & { readonly node: string })[]
  /** The state that it carries, null for none, and the node that was told so; undefined where none was ever told. */
  readonly state?: { readonly node: string; readonly value: unknown }
}

/** What one node has to tell of one member of a room. */
export interface Notice {
  readonly id: string
  /** Its wires at this node, all of them: one that is missing is no more. `named`: their name is news. */
  readonly own?: { readonly name: string; readonly named: boolean; readonly wires: readonly Sighting[] }
  /** Heard of it beside its wire: whatever node holds one of this transport, it is here for `leaseMs` from now. */
  readonly renewed?: { readonly transport: TransportName; readonly leaseMs: number }
  /** It carries this from now on, or rather since `ageMs` ago: of two the one that was set later holds. Null for none. */
  readonly state?: { readonly value: unknown; readonly ageMs: number }
  /** It has left, whatever wires of whatever node are open. Said before all else of the same notice. */
  readonly left?: true
}

export interface Listener {
  /** These members are now as told: after every change, soon, in the order of the changes; all of the room at first. */
  heard(members: readonly Attended[]): void
  /** What this node has told of the room is not known any more: all of it is to be told again. */
  lost(): void
}

/** Every call may take time and may fail, by any error, as a store's may; what was told by it may be kept all the same. */
export interface Attendance {
  /** What this node is called in sightings: drawn when it began, no other's ever. */
  readonly node: string

  /** For how many ms nothing could be heard of other nodes; 0 again only after they had the time to tell what they could not. */
  readonly awayMs: number

  /**
   * Keeps this for all nodes, in this order. Resolves to the ids whose state was not kept because nobody of that id is here.
   * A wire's lease is not shortened by it unless its connection is closed or it is not held.
   */
  tell(room: string, notices: readonly Notice[]): Promise<readonly string[]>

  /** Calls the listener until the returned function is called. Resolves once it has heard of all who are in the room. */
  watch(room: string, listener: Listener): Promise<Unwatch>

  /** The member's session has ended: every node is told, and lets go of it in all rooms. */
  leave(member: string): Promise<void>

  /** Calls `left` with each member whose session has ended at any node, once or more; instead of who was called before. */
  onLeave(left: (member: string) => void): void

  /** Lets go of everything. Calls after it reject. */
  close(): Promise<void>
}
