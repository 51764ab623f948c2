/** The members of one room: a lease for each wire of each, who is here by them, and the state that each carries. */
import { type Aside, type Change, type Member, type Present, type Told, type TransportName, transportNames } from '../protocol/message.ts'
import { Changes } from './changes.ts'
import type { Wheel } from './wheel.ts'

export interface RosterOptions {
  /** How long who closed their last wire stays a member, in ms: a reload, a change of transport. */
  readonly leaseGraceMs: number
  /** Between two tellings of who came and went, in ms; and of their states. */
  readonly membersMs: number
  readonly statesMs: number
  /** Members told in one batch, and states; the rest follows in the next. */
  readonly membersPerBatch: number
  readonly statesPerBatch: number
  /** Bytes of JSON in a batch. */
  readonly batchBytes: number
  /** A lease that ran out while the process was late by more than this is given its grace: nobody could be heard. */
  readonly maxLagMs: number
}

export interface RosterEvents {
  /** There is something new to tell. */
  readonly told: (aside: Aside) => void
  /** So many more members are here than before: 1, 0 or -1. */
  readonly counted: (by: number) => void
  /** So many more carry a state. */
  readonly carried: (by: number) => void
  /** Nobody is here any more, and everybody was told. */
  readonly emptied: () => void
}

/** What we know of one wire: when it was last heard, and until when that proves anything (0: not any more). */
interface Wire {
  /** Connections of this transport open now: two tabs have two. */
  open: number
  seenAt: number
  endsAt: number
  /** Its last connection was closed: it counts for the time of grace, and only where there is no other. */
  closing: boolean
}

export interface Attendant {
  member: Member
  readonly wires: Map<TransportName, Wire>
  dueAt: number
  cancel: () => void
}

/** A member, and how we know that it is here: when each of its wires was last heard, in ms before now. */
export interface Listed extends Member {
  readonly wires: readonly { readonly transport: TransportName; readonly seenMs: number }[]
}

export class Roster {
  readonly #wheel: Wheel
  readonly #options: RosterOptions
  readonly #events: RosterEvents
  readonly #attendants = new Map<string, Attendant>()
  readonly #presents: Changes<Present>
  readonly #states: Changes<unknown>

  constructor(wheel: Wheel, options: RosterOptions, events: RosterEvents) {
    this.#wheel = wheel
    this.#options = options
    this.#events = events
    const { membersMs, membersPerBatch, statesMs, statesPerBatch, batchBytes } = options
    this.#presents = new Changes(
      wheel,
      { everyMs: membersMs, perBatch: membersPerBatch, batchBytes },
      {
        told: () => {
          events.told('members')
          // Kept until the next telling would be due: who comes within it is not told of sooner.
          if (this.#attendants.size === 0) this.#presents.tellSoon()
        },
        rested: () => {
          if (this.#attendants.size === 0) events.emptied()
        },
      },
    )
    this.#states = new Changes(
      wheel,
      { everyMs: statesMs, perBatch: statesPerBatch, batchBytes },
      { told: () => events.told('states'), rested: () => {} },
    )
  }

  attendant(id: string): Attendant | undefined {
    return this.#attendants.get(id)
  }

  /** Heard of a member on a wire, which proves that it is here for `leaseMs`. */
  seen(member: Member, transport: TransportName, leaseMs: number): Attendant {
    const now = performance.now()
    const attendant = this.#attendants.get(member.id) ?? this.#enter(member)
    const wire = attendant.wires.get(transport) ?? { open: 0, seenAt: 0, endsAt: 0, closing: false }
    const renewal = wire.endsAt > now && !wire.closing && attendant.member.name === member.name
    attendant.member = member
    attendant.wires.set(transport, wire)
    wire.seenAt = now
    // A lease once given is not shortened by another tab that asks for less.
    wire.endsAt = Math.max(wire.endsAt, now + leaseMs)
    wire.closing = false
    // By far the most frequent, and nothing that is shown or due sooner.
    if (!renewal) this.#settle(attendant)
    return attendant
  }

  opened(attendant: Attendant, transport: TransportName): void {
    const wire = attendant.wires.get(transport)
    if (wire === undefined) return
    wire.open++
    if (this.#succeeded(attendant)) this.#settle(attendant)
  }

  /** A connection of the wire is no more. `gone`: its peer closed it, and may come back; otherwise its lease runs on. */
  closed(attendant: Attendant, transport: TransportName, gone: boolean): void {
    const wire = attendant.wires.get(transport)
    if (wire === undefined || --wire.open > 0) return
    if (gone) {
      wire.closing = true
      wire.endsAt = Math.min(wire.endsAt, performance.now() + this.#options.leaseGraceMs)
    }
    this.#succeeded(attendant)
    this.#settle(attendant)
  }

  /**
   * Where a wire is held, others that were and are not any more have been changed for it: they have the grace of who
   * closed, and no lease beyond. One that is asked again meanwhile (another tab) has its own again.
   */
  #succeeded({ wires }: Attendant): boolean {
    if (![...wires.values()].some(({ open }) => open > 0)) return false
    const until = performance.now() + this.#options.leaseGraceMs
    let changed = false
    for (const [transport, wire] of wires) {
      // Polls are never held: between two of them nothing is open.
      if (wire.open > 0 || transport === 'poll' || wire.endsAt <= until) continue
      wire.endsAt = until
      changed = true
    }
    return changed
  }

  /** Left, whatever wires are open: they are nobody's any more. */
  forget(attendant: Attendant): void {
    attendant.wires.clear()
    this.#settle(attendant)
  }

  list(): Listed[] {
    const now = performance.now()
    return [...this.#attendants.values()].flatMap(({ member: { id, name }, wires }) => {
      const present = this.#presents.get(id)
      const seenMs = (transport: TransportName): number => Math.round(now - (wires.get(transport)?.seenAt ?? now))
      return present === null ? [] : [{ id, name, wires: present.wires.map((transport) => ({ transport, seenMs: seenMs(transport) })) }]
    })
  }

  /** What a reader that knows this version is to be told; undefined for nothing. */
  since(aside: Aside, known: string): Change<Told[Aside]> | undefined {
    return (aside === 'members' ? this.#presents : this.#states).since(known)
  }

  /** The state that a member carries from now on, null for none. Of who is not here nothing is kept. */
  carry(id: string, state: unknown): void {
    if (this.#presents.get(id) !== null) this.#events.carried(this.#states.set(id, state))
  }

  /** How long the last sign of a member's wire proves that it is here, in ms after that sign; 0 where there is none. */
  leaseMs(id: string, transport: TransportName): number {
    const { seenAt = 0, endsAt = 0 } = this.#attendants.get(id)?.wires.get(transport) ?? {}
    return Math.max(0, Math.round(endsAt - seenAt))
  }

  #enter(member: Member): Attendant {
    const attendant: Attendant = { member, wires: new Map(), dueAt: Infinity, cancel: () => {} }
    this.#attendants.set(member.id, attendant)
    return attendant
  }

  /** Lets go of what has run out, tells what has changed, and looks again when the next lease ends. */
  #settle(attendant: Attendant): void {
    const now = performance.now()
    const { member, wires } = attendant
    let dueAt = Infinity
    for (const [transport, wire] of wires) {
      if (wire.endsAt <= now) wire.endsAt = 0
      if (wire.endsAt > 0) dueAt = Math.min(dueAt, wire.endsAt)
      // An open connection whose lease has run out may be heard of again.
      else if (wire.open === 0) wires.delete(transport)
    }
    const live = transportNames.filter((transport) => (wires.get(transport)?.endsAt ?? 0) > 0)
    const open = live.filter((transport) => wires.get(transport)?.closing === false)
    // A state goes with its member, and is told of no later.
    if (live.length === 0) this.carry(member.id, null)
    const present = live.length === 0 ? null : { name: member.name, wires: open.length > 0 ? open : live }
    this.#events.counted(this.#presents.set(member.id, present))
    if (wires.size === 0 && this.#attendants.get(member.id) === attendant) {
      this.#attendants.delete(member.id)
      if (this.#attendants.size === 0) this.#presents.tellSoon()
    }
    this.#arm(attendant, dueAt)
  }

  /** One timer a member. A lease that was renewed meanwhile is noticed when it fires, not at each renewal. */
  #arm(attendant: Attendant, dueAt: number): void {
    if (dueAt === Infinity || dueAt < attendant.dueAt) {
      attendant.cancel()
      attendant.dueAt = dueAt
      if (dueAt < Infinity) attendant.cancel = this.#wheel.after(dueAt - performance.now(), () => this.#expire(attendant))
    }
  }

  #expire(attendant: Attendant): void {
    const now = performance.now()
    if (now - attendant.dueAt > this.#options.maxLagMs) {
      for (const wire of attendant.wires.values())
        if (wire.endsAt > 0) wire.endsAt = Math.max(wire.endsAt, now + this.#options.leaseGraceMs)
    }
    attendant.dueAt = Infinity
    this.#settle(attendant)
  }
}
