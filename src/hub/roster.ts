/** The members of one room: who is here by the leases of their wires, when that ends, and the state that each carries. */
import type { Aside, Change, Member, Present, Told, TransportName } from '../protocol/message.ts'
import type { Attended, Notice } from '../store/attendance.ts'
import { Attendant } from './attendant.ts'
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
  /** Heard of a member on a wire of ours. `leaseMs` where there is no more to it than that its lease goes on for so long. */
  readonly heard: (attendant: Attendant, leaseMs?: number) => void
}

/** What is known of other nodes, where there are any. */
export interface Nodes {
  readonly node: string
  /** For how many ms they cannot be heard. */
  readonly awayMs: number
}

/** Where other nodes cannot be heard their members stay, as long as a lease at the most; looked at again after so many ms. */
const holdMs = 1_000

/** A member, and how we know that it is here: when each of its wires was last heard, in ms before now. */
export interface Listed extends Member {
  readonly wires: readonly { readonly transport: TransportName; readonly seenMs: number }[]
}

export class Roster {
  readonly #wheel: Wheel
  readonly #options: RosterOptions
  readonly #events: RosterEvents
  readonly #nodes: Nodes | undefined
  readonly #attendants = new Map<string, Attendant>()
  readonly #presents: Changes<Present>
  readonly #states: Changes<unknown>

  constructor(wheel: Wheel, options: RosterOptions, events: RosterEvents, nodes?: Nodes) {
    this.#wheel = wheel
    this.#options = options
    this.#events = events
    this.#nodes = nodes
    const shared = nodes !== undefined
    const { membersMs, membersPerBatch, statesMs, statesPerBatch, batchBytes } = options
    this.#presents = new Changes(
      wheel,
      { everyMs: membersMs, perBatch: membersPerBatch, batchBytes, shared },
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
      { everyMs: statesMs, perBatch: statesPerBatch, batchBytes, shared },
      { told: () => events.told('states'), rested: () => {} },
    )
  }

  attendant(id: string): Attendant | undefined {
    return this.#attendants.get(id)
  }

  /** Is anybody here by a wire of this process? */
  get attended(): boolean {
    for (const { wires } of this.#attendants.values()) if (wires.size > 0) return true
    return false
  }

  /** Heard of a member on a wire, which proves that it is here for `leaseMs`. */
  seen(member: Member, transport: TransportName, leaseMs: number): Attendant {
    const attendant = this.#attendants.get(member.id) ?? this.#enter(member)
    const news = attendant.seen(member, transport, leaseMs, performance.now())
    // By far the most frequent is nothing that is shown or due sooner.
    if (news) this.#settle(attendant)
    this.#events.heard(attendant, news ? undefined : leaseMs)
    return attendant
  }

  opened(attendant: Attendant, transport: TransportName): void {
    const wire = attendant.wires.get(transport)
    if (wire === undefined) return
    wire.open++
    const succeeded = this.#succeeded(attendant)
    if (succeeded) this.#settle(attendant)
    // That it is held is no news, where it was already known: long polls are opened and answered all the time.
    this.#events.heard(attendant, succeeded ? this.#options.leaseGraceMs : wire.leaseMs)
  }

  /** A connection of the wire is no more. `gone`: its peer closed it, and may come back; otherwise its lease runs on. */
  closed(attendant: Attendant, transport: TransportName, gone: boolean): void {
    const wire = attendant.wires.get(transport)
    if (wire === undefined || --wire.open > 0) return
    if (gone) {
      wire.closing = true
      wire.endsAt = Math.min(wire.endsAt, performance.now() + this.#options.leaseGraceMs)
    }
    const succeeded = this.#succeeded(attendant)
    this.#settle(attendant)
    this.#events.heard(attendant, gone ? undefined : succeeded ? this.#options.leaseGraceMs : wire.leaseMs)
  }

  /** What all nodes know of these members, of which our own share is known better here. */
  merge(all: readonly Attended[], node: string): void {
    const now = performance.now()
    for (const attended of all) {
      const { id, name, wires, state } = attended
      const live = wires.some((wire) => wire.leftMs > 0 && wire.node !== node)
      const attendant = this.#attendants.get(id) ?? (live ? this.#enter({ id, name }, false) : undefined)
      if (attendant === undefined) continue
      attendant.heard(attended, node, now)
      const succeeded = this.#succeeded(attendant)
      this.#settle(attendant)
      // Before it ends, and not at once: whoever asks both nodes in turn is succeeded all the time.
      if (succeeded) this.#events.heard(attendant, this.#options.leaseGraceMs)
      // What we told last is told back, and we know it, or what is newer by now.
      if (state === undefined || (state.node === node && attendant.ownState !== undefined)) continue
      // Ours is on its way: which of them was set later is known once it is there, and told back.
      if (state.node !== node && attendant.ownState?.told === false) continue
      if (state.node !== node) attendant.ownState = undefined
      this.carry(id, state.value)
    }
  }

  /** Our share in what is known of a member, to be told to other nodes; undefined where we know nothing of it. */
  notice(id: string): Notice['own'] {
    const attendant = this.#attendants.get(id)
    if (attendant === undefined) return undefined
    const { member, named } = attendant
    const now = performance.now()
    attendant.named = false
    attendant.toldAt = now
    return { name: member.name, named, wires: attendant.sightings(now) }
  }

  get attendants(): Iterable<Attendant> {
    return this.#attendants.values()
  }

  /** Left, whatever wires are open: they are nobody's any more. */
  forget(attendant: Attendant): void {
    attendant.wires.clear()
    attendant.elsewhere.clear()
    this.#settle(attendant)
  }

  /** Nobody looks any more, and nobody is here by a wire of ours: what is known of others is let go, untold. */
  dispose(): void {
    for (const attendant of this.#attendants.values()) attendant.cancel()
    this.#attendants.clear()
    this.#events.counted(-this.#presents.size)
    this.#events.carried(-this.#states.size)
    for (const changes of [this.#presents, this.#states]) changes.stop()
  }

  list(): Listed[] {
    const now = performance.now()
    return [...this.#attendants.values()].flatMap((attendant) => {
      const { id, name } = attendant.member
      const present = this.#presents.get(id)
      const seenMs = (transport: TransportName): number => Math.max(0, Math.round(now - attendant.sign(transport).seenAt))
      return present === null ? [] : [{ id, name, wires: present.wires.map((transport) => ({ transport, seenMs: seenMs(transport) })) }]
    })
  }

  /** What a reader that knows this version is to be told; undefined for nothing. */
  since(aside: Aside, known: string): Change<Told[Aside]> | undefined {
    return (aside === 'members' ? this.#presents : this.#states).since(known)
  }

  /** Tells at once what is known by now, in place of on the next tick. */
  tell(): void {
    for (const changes of [this.#presents, this.#states]) changes.tell()
  }

  /** The state that a member carries from now on, null for none. Of who is not here nothing is kept. */
  carry(id: string, state: unknown): void {
    if (this.#presents.get(id) !== null) this.#events.carried(this.#states.set(id, state))
  }

  /** How long the last sign of a member's wire proves that it is here, in ms after that sign; 0 where there is none. */
  leaseMs(id: string, transport: TransportName): number {
    const { seenAt = 0, endsAt = 0 } = this.#attendants.get(id)?.sign(transport) ?? {}
    return Math.max(0, Math.round(endsAt - seenAt))
  }

  #enter(member: Member, named = true): Attendant {
    const attendant = new Attendant(member, named)
    this.#attendants.set(member.id, attendant)
    return attendant
  }

  #succeeded(attendant: Attendant): boolean {
    return attendant.succeeded(performance.now(), this.#options.leaseGraceMs)
  }

  /** Lets go of what has run out, tells what has changed, and looks again when the next lease ends. */
  #settle(attendant: Attendant): void {
    const { id } = attendant.member
    const dueAt = attendant.sift(performance.now(), this.#holds)
    const present = attendant.present()
    // A state goes with its member, and is told of no later.
    if (present === null) {
      attendant.ownState = undefined
      this.carry(id, null)
    }
    this.#events.counted(this.#presents.set(id, present))
    if (attendant.gone && this.#attendants.get(id) === attendant) {
      this.#attendants.delete(id)
      if (this.#attendants.size === 0) this.#presents.tellSoon()
    }
    this.#arm(attendant, dueAt)
  }

  /** While their node cannot be heard, wires of other nodes are held on for as long as they had proved anything. */
  readonly #holds = (leaseMs: number): number => {
    const awayMs = this.#nodes?.awayMs ?? 0
    return awayMs > 0 && awayMs < leaseMs ? holdMs : 0
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
      for (const wire of [...attendant.wires.values(), ...attendant.elsewhere.values()])
        if (wire.endsAt > 0) wire.endsAt = Math.max(wire.endsAt, now + this.#options.leaseGraceMs)
    }
    attendant.dueAt = Infinity
    this.#settle(attendant)
  }
}
