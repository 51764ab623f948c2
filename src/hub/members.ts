/** Who is here: one session in one room is one member, held by a lease for each of its wires, whatever the transport. */
import type { Aside, Change, Member, Told, TransportName } from '../protocol/message.ts'
import { nobody } from '../protocol/version.ts'
import { type Listed, Roster, type RosterOptions } from './roster.ts'
import type { Wheel } from './wheel.ts'

export interface MembersOptions extends RosterOptions {
  /** Members at the most; who comes then reads without being one. */
  readonly maxMembers: number
}

/** What a transport holds for a member while a wire is open. */
export interface Lease {
  /** Something came from the peer. */
  renew(): void
  /** The wire is no more, as it was to be; what it proved holds for its time. */
  end(): void
  /** The peer closed the wire: it has left, unless it comes back soon. */
  leave(): void
}

/** An observer's: it proves nothing to anybody. */
const noLease: Lease = { renew: () => {}, end: () => {}, leave: () => {} }

export class Members {
  readonly #wheel: Wheel
  readonly #options: MembersOptions
  readonly #told: (room: string, aside: Aside) => void
  readonly #rosters = new Map<string, Roster>()
  #size = 0
  #states = 0

  /** `told` is called where a room's readers have something new to read, once every `membersMs` or `statesMs` at the most. */
  constructor(wheel: Wheel, options: MembersOptions, told: (room: string, aside: Aside) => void) {
    this.#wheel = wheel
    this.#options = options
    this.#told = told
  }

  /** Members here now, one in two rooms twice. */
  get size(): number {
    return this.#size
  }

  /** Of them, those that carry a state. */
  get states(): number {
    return this.#states
  }

  /** Rooms that somebody is in, or was until lately. */
  get rooms(): number {
    return this.#rosters.size
  }

  /** A question was asked: its member is here for `leaseMs`. Nothing of an observer. */
  seen(room: string, member: Member | undefined, transport: TransportName, leaseMs: number): void {
    if (member !== undefined) this.#rosterFor(room, member)?.seen(member, transport, leaseMs)
  }

  /** A wire was opened, and is held from now on. */
  hold(room: string, member: Member | undefined, transport: TransportName, leaseMs: number): Lease {
    const roster = member && this.#rosterFor(room, member)
    if (member === undefined || roster === undefined) return noLease
    const attendant = roster.seen(member, transport, leaseMs)
    roster.opened(attendant, transport)
    return {
      // As whom it was opened; nobody's, once that session is forgotten.
      renew: () => {
        if (roster.attendant(member.id) === attendant) roster.seen(attendant.member, transport, leaseMs)
      },
      end: () => roster.closed(attendant, transport, false),
      leave: () => roster.closed(attendant, transport, true),
    }
  }

  /** Heard of a member otherwise than by the wire that it holds. Where it holds none of this transport that says nothing. */
  renew(room: string, member: Member, transport: TransportName, leaseMs: number): void {
    const roster = this.#rosters.get(room)
    if (roster?.attendant(member.id)?.wires.get(transport)?.open) roster.seen(member, transport, leaseMs)
  }

  /** The session has ended: it leaves every room. */
  forget(id: string): void {
    for (const roster of this.#rosters.values()) {
      const attendant = roster.attendant(id)
      if (attendant !== undefined) roster.forget(attendant)
    }
  }

  list(room: string): readonly Listed[] {
    return this.#rosters.get(room)?.list() ?? []
  }

  /** The state that a member carries in this room from now on, null for none. Of who is not here nothing is kept. */
  carry(room: string, id: string, state: unknown): void {
    this.#rosters.get(room)?.carry(id, state)
  }

  /** As `list`, and how long each sign proves it. */
  leases(room: string): readonly (Member & { readonly wires: readonly (Listed['wires'][number] & { readonly leaseMs: number })[] })[] {
    const roster = this.#rosters.get(room)
    return this.list(room).map(({ wires, ...member }) => ({
      ...member,
      wires: wires.map((wire) => ({ ...wire, leaseMs: roster?.leaseMs(member.id, wire.transport) ?? 0 })),
    }))
  }

  /** What a reader that knows this version is to be told; undefined for nothing. */
  since(room: string, aside: Aside, known: string): Change<Told[Aside]> | undefined {
    const roster = this.#rosters.get(room)
    if (roster !== undefined) return roster.since(aside, known)
    return known === nobody ? undefined : { version: nobody, list: {} }
  }

  /** Of a room that this member is in or may enter. */
  #rosterFor(room: string, { id }: Member): Roster | undefined {
    const known = this.#rosters.get(room)
    if (this.#size >= this.#options.maxMembers && known?.attendant(id) === undefined) return undefined
    if (known !== undefined) return known
    const roster = new Roster(this.#wheel, this.#options, {
      told: (aside) => this.#told(room, aside),
      counted: (by) => void (this.#size += by),
      carried: (by) => void (this.#states += by),
      emptied: () => this.#rosters.delete(room),
    })
    this.#rosters.set(room, roster)
    return roster
  }
}
