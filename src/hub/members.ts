/** Who is here: one session in one room is one member, held by a lease for each of its wires, whatever the transport. */
import { type Aside, asides, type Change, type Member, type Told, type TransportName } from '../protocol/message.ts'
import { nobody } from '../protocol/version.ts'
import type { Attendance } from '../store/attendance.ts'
import type { Attendant } from './attendant.ts'
import { type Listed, Roster, type RosterEvents, type RosterOptions } from './roster.ts'
import { renewalMs, Sharing } from './sharing.ts'
import type { Wheel } from './wheel.ts'

export interface MembersOptions extends RosterOptions {
  /** Members at the most; who comes then reads without being one. */
  readonly maxMembers: number
}

/** The other nodes that serve the same rooms. */
export interface Nodes {
  readonly attendance: Attendance
  /** How long a room that nobody here asks for is still listened to, in ms. */
  readonly lingerMs: number
  /** Does somebody read this room here? */
  readonly read: (room: string) => boolean
}

/** How soon the leaving of a session is told again where it could not be told, in ms, and how often. */
const leaveAgainMs = 1_000
const leaveTries = 60

/** So many rooms are told of and listened to; beyond them only those that somebody here is in or reads. */
const sharedAtMost = 20_000

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
  readonly #nodes: Nodes | undefined
  /** Where there are other nodes: what is told to them and by them, and when it was asked for last. */
  readonly #shared = new Map<string, { readonly sharing: Sharing; askedAt: number }>()
  /** When a lease was last renewed for another node's wire, in the order of that. */
  readonly #renewed = new Map<string, number>()
  #size = 0
  #states = 0

  /** `told` is called where a room's readers have something new to read, once every `membersMs` or `statesMs` at the most. */
  constructor(wheel: Wheel, options: MembersOptions, told: (room: string, aside: Aside) => void, nodes?: Nodes) {
    this.#wheel = wheel
    this.#options = options
    this.#told = told
    this.#nodes = nodes
    nodes?.attendance.onLeave((id) => this.#forgetHere(id))
  }

  /** Members here now, one in two rooms twice; of other nodes those in rooms that somebody is in or reads here. */
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
    else if (this.#nodes !== undefined) this.#renewElsewhere(room, member.id, transport, leaseMs)
  }

  /** The session has ended: it leaves every room, on every node. */
  forget(id: string): void {
    this.#forgetHere(id)
    if (this.#nodes !== undefined) this.#leave(this.#nodes.attendance, id)
  }

  /**
   * Resolves once it is known who is in this room by other nodes' wires, and at once where there are no other nodes; to false
   * where that took too long.
   */
  async known(room: string, patienceMs: number): Promise<boolean> {
    const sharing = this.#listen(room, patienceMs)
    if (sharing === undefined || sharing.complete) return true
    return new Promise((resolve) => {
      const cancel = this.#wheel.after(patienceMs, () => resolve(false))
      void sharing.watch().then(() => {
        cancel()
        resolve(true)
      })
    })
  }

  list(room: string): readonly Listed[] {
    return this.#rosters.get(room)?.list() ?? []
  }

  /** The state that a member carries in this room from now on, null for none. Of who is not here nothing is kept. */
  carry(room: string, id: string, state: unknown): void {
    const roster = this.#rosters.get(room)
    const own = { value: state, setAt: performance.now(), told: false }
    const attendant = roster?.attendant(id)
    if (attendant !== undefined) attendant.ownState = own
    roster?.carry(id, state)
    this.#share(room)?.carried(id, own)
  }

  /** Resolves once other nodes were told of this room what is to be told now, or could not be; at once where there are none. */
  async told(room: string): Promise<void> {
    await this.#shared.get(room)?.sharing.told()
  }

  /** As `list`, and how long each sign proves it. */
  leases(room: string): readonly (Member & { readonly wires: readonly (Listed['wires'][number] & { readonly leaseMs: number })[] })[] {
    const roster = this.#rosters.get(room)
    return this.list(room).map(({ wires, ...member }) => ({
      ...member,
      wires: wires.map((wire) => ({ ...wire, leaseMs: roster?.leaseMs(member.id, wire.transport) ?? 0 })),
    }))
  }

  /** What a reader that knows this version is to be told; undefined for nothing, and for nothing yet. */
  since(room: string, aside: Aside, known: string): Change<Told[Aside]> | undefined {
    // Who is not known yet is not said to be gone.
    if (this.#listen(room)?.complete === false) return undefined
    const roster = this.#rosters.get(room)
    if (roster !== undefined) return roster.since(aside, known)
    return known === nobody ? undefined : { version: nobody, list: {} }
  }

  /** Tells other nodes what they were not told yet, and nothing more. */
  async close(): Promise<void> {
    const shared = [...this.#shared.values()]
    this.#shared.clear()
    await Promise.all(shared.map(({ sharing }) => sharing.close()))
  }

  /** Of a room that this member is in or may enter. */
  #rosterFor(room: string, { id }: Member): Roster | undefined {
    const known = this.#rosters.get(room)
    if (this.#size >= this.#options.maxMembers && known?.attendant(id) === undefined) return undefined
    this.#listen(room)
    return known ?? this.#enter(room)
  }

  #enter(room: string): Roster {
    const events: RosterEvents = {
      told: (aside: Aside) => this.#told(room, aside),
      counted: (by: number) => void (this.#size += by),
      carried: (by: number) => void (this.#states += by),
      // One that was let go may still be asked: in its place there may be another by now.
      emptied: () => this.#rosters.get(room) === roster && this.#rosters.delete(room),
      heard: (attendant: Attendant, leaseMs?: number) => this.#share(room)?.heard(attendant, leaseMs),
    }
    const roster: Roster = new Roster(this.#wheel, this.#options, events, this.#nodes?.attendance)
    this.#rosters.set(room, roster)
    return roster
  }

  /** What is told to other nodes of this room, and by them; undefined where there are none. */
  #share(room: string): Sharing | undefined {
    if (this.#nodes === undefined) return undefined
    const known = this.#shared.get(room)
    if (known !== undefined) return known.sharing
    // Of a room that nobody here is in or reads only its name is known, and anybody may make up names.
    if (this.#shared.size >= sharedAtMost && !this.#rosters.has(room) && !this.#nodes.read(room)) return undefined
    const sharing = new Sharing(room, this.#nodes.attendance, this.#wheel, {
      roster: (make) => this.#rosters.get(room) ?? (make ? this.#enter(room) : undefined),
      completed: () => this.#completed(room),
      rested: () => this.#letGo(room),
    })
    this.#shared.set(room, { sharing, askedAt: -Infinity })
    return sharing
  }

  /** The same, and it is listened to for as long as somebody is in the room here, reads it, asks, or waits so long for an answer. */
  #listen(room: string, patienceMs = 0): Sharing | undefined {
    const sharing = this.#share(room)
    const shared = this.#shared.get(room)
    if (sharing === undefined || shared === undefined || this.#nodes === undefined) return undefined
    const begun = shared.askedAt > -Infinity
    shared.askedAt = Math.max(shared.askedAt, performance.now() + (sharing.complete ? 0 : patienceMs))
    if (!begun) {
      void sharing.watch()
      this.#linger(room, this.#nodes)
    }
    return sharing
  }

  #linger(room: string, nodes: Nodes): void {
    this.#wheel.after(nodes.lingerMs, () => {
      const shared = this.#shared.get(room)
      if (shared === undefined) return
      const roster = this.#rosters.get(room)
      const asked = performance.now() - shared.askedAt < nodes.lingerMs
      if (asked || nodes.read(room) || roster?.attended === true) return this.#linger(room, nodes)
      shared.sharing.unwatch()
      shared.askedAt = -Infinity
      roster?.dispose()
      this.#rosters.delete(room)
      this.#letGo(room)
    })
  }

  /** Who asked before it was known is told now, also that nobody is here: nothing was told that would have to wait for its time. */
  #completed(room: string): void {
    this.#rosters.get(room)?.tell()
    for (const aside of asides) this.#told(room, aside)
  }

  #letGo(room: string): void {
    if (this.#shared.get(room)?.sharing.idle === true) this.#shared.delete(room)
  }

  /** Only so often as matters: it comes with every publish. */
  #renewElsewhere(room: string, id: string, transport: TransportName, leaseMs: number): void {
    const now = performance.now()
    const everyMs = Math.min(renewalMs, leaseMs / 3)
    for (const [key, at] of this.#renewed) {
      if (now - at < everyMs) break
      this.#renewed.delete(key)
    }
    const key = `${room} ${transport} ${id}`
    if (this.#renewed.has(key)) return
    this.#renewed.set(key, now)
    this.#share(room)?.renewed(id, transport, leaseMs)
  }

  #forgetHere(id: string): void {
    for (const [room, roster] of this.#rosters) {
      const attendant = roster.attendant(id)
      if (attendant === undefined) continue
      roster.forget(attendant)
      this.#share(room)?.left(id)
    }
  }

  #leave(attendance: Attendance, id: string, tries = leaveTries): void {
    attendance.leave(id).catch(() => {
      if (tries > 0) this.#wheel.after(leaveAgainMs, () => this.#leave(attendance, id, tries - 1))
    })
  }
}
