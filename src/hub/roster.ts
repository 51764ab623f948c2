/** The members of one room: a lease for each wire of each, and a numbered list of what changed, told at most once a second. */
import { drawEpoch } from '../protocol/cursor.ts'
import { type Member, type MembersChange, type Present, type TransportName, transportNames } from '../protocol/message.ts'
import { formatVersion, nobody, parseVersion } from '../protocol/version.ts'
import type { Wheel } from './wheel.ts'

export interface RosterOptions {
  /** How long who closed their last wire stays a member, in ms: a reload, a change of transport. */
  readonly leaseGraceMs: number
  /** Between two tellings of what changed, in ms. */
  readonly membersMs: number
  /** Members told in one batch; the rest follows in the next. */
  readonly membersPerBatch: number
  /** A lease that ran out while the process was late by more than this is given its grace: nobody could be heard. */
  readonly maxLagMs: number
}

export interface RosterEvents {
  /** There is something new to tell. */
  readonly told: () => void
  /** Members came (1) or went (-1). */
  readonly counted: (by: 1 | -1) => void
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
  /** What was last told of it, and what it was told from. */
  present: Present | null
  spelled: string
  dueAt: number
  cancel: () => void
}

/** A member, and how we know that it is here: when each of its wires was last heard, in ms before now. */
export interface Listed extends Member {
  readonly wires: readonly { readonly transport: TransportName; readonly seenMs: number }[]
}

/** Who has gone is remembered for those who knew an earlier version; so many, or as many as are here. */
const rememberedGone = 1_000

export class Roster {
  readonly #wheel: Wheel
  readonly #options: RosterOptions
  readonly #events: RosterEvents
  readonly #attendants = new Map<string, Attendant>()
  /** What is to be told of whom, in the order of the change. */
  readonly #changes = new Map<string, { readonly number: number; readonly present: Present | null }>()
  #epoch = drawEpoch()
  #number = 0
  #gone = 0
  /** The version that is told now; undefined before the first telling. */
  #told: string | undefined
  #toldNumber = 0
  #toldAt = -Infinity
  #telling = false

  constructor(wheel: Wheel, options: RosterOptions, events: RosterEvents) {
    this.#wheel = wheel
    this.#options = options
    this.#events = events
  }

  /** Members here now. */
  get size(): number {
    return this.#changes.size - this.#gone
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
    if (wire !== undefined) wire.open++
  }

  /** A connection of the wire is no more. `gone`: its peer closed it, and may come back; otherwise its lease runs on. */
  closed(attendant: Attendant, transport: TransportName, gone: boolean): void {
    const wire = attendant.wires.get(transport)
    if (wire === undefined || --wire.open > 0) return
    if (gone) {
      wire.closing = true
      wire.endsAt = Math.min(wire.endsAt, performance.now() + this.#options.leaseGraceMs)
    }
    this.#settle(attendant)
  }

  /** Left, whatever wires are open: they are nobody's any more. */
  forget(attendant: Attendant): void {
    attendant.wires.clear()
    this.#settle(attendant)
  }

  list(): Listed[] {
    const now = performance.now()
    return [...this.#attendants.values()].flatMap(({ member: { id, name }, wires, present }) => {
      const seenMs = (transport: TransportName): number => Math.round(now - (wires.get(transport)?.seenAt ?? now))
      return present === null ? [] : [{ id, name, wires: present.wires.map((transport) => ({ transport, seenMs: seenMs(transport) })) }]
    })
  }

  /** What changed since the version that a reader knows, as far as it is told by now; undefined for nothing. */
  since(known: string): MembersChange | undefined {
    if (this.#told === undefined || known === this.#told) return undefined
    if (this.#told === nobody) return { version: nobody, list: {} }
    const version = parseVersion(known)
    const from = version?.epoch === this.#epoch ? version.number : 0
    const list = Object.create(null) as Record<string, Present | null>
    let [told, last] = [0, 0]
    for (const [id, { number, present }] of this.#changes) {
      if (number <= from || (from === 0 && present === null)) continue
      if (number > this.#toldNumber) break
      if (told++ === this.#options.membersPerBatch) return { version: formatVersion({ epoch: this.#epoch, number: last }), list }
      list[id] = present
      last = number
    }
    return told === 0 ? undefined : { version: this.#told, list }
  }

  #enter(member: Member): Attendant {
    const attendant: Attendant = { member, wires: new Map(), present: null, spelled: '', dueAt: Infinity, cancel: () => {} }
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
    const shown = open.length > 0 ? open : live
    const spelled = live.length === 0 ? '' : `${shown.join()} ${member.name}`
    if (spelled !== attendant.spelled) {
      attendant.spelled = spelled
      this.#change(attendant, live.length === 0 ? null : { name: member.name, wires: shown })
    }
    if (wires.size === 0 && this.#attendants.get(member.id) === attendant) {
      this.#attendants.delete(member.id)
      if (this.#attendants.size === 0) this.#tellSoon()
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

  #change(attendant: Attendant, present: Present | null): void {
    const { id } = attendant.member
    const entered = Number(present !== null) - Number(attendant.present !== null)
    attendant.present = present
    if (this.#changes.get(id)?.present === null) this.#gone--
    this.#changes.delete(id)
    this.#changes.set(id, { number: ++this.#number, present })
    if (present === null) this.#gone++
    if (this.#gone > Math.max(rememberedGone, this.size)) this.#forgetGone()
    if (entered !== 0) this.#events.counted(entered as 1 | -1)
    this.#tellSoon()
  }

  /** In an epoch of its own, in which everybody is told everything. */
  #forgetGone(): void {
    this.#epoch = drawEpoch()
    this.#gone = 0
    for (const [id, { present }] of this.#changes) if (present === null) this.#changes.delete(id)
  }

  #tellSoon(): void {
    if (this.#telling) return
    this.#telling = true
    this.#wheel.after(Math.max(0, this.#toldAt + this.#options.membersMs - performance.now()), this.#tell)
  }

  readonly #tell = (): void => {
    this.#telling = false
    if (this.#number > this.#toldNumber) {
      this.#toldNumber = this.#number
      this.#toldAt = performance.now()
      this.#told = this.size === 0 ? nobody : formatVersion({ epoch: this.#epoch, number: this.#number })
      this.#events.told()
      // Kept until the next telling would be due: who comes within it is not told of sooner.
      if (this.#attendants.size === 0) this.#tellSoon()
    } else if (this.#attendants.size === 0) this.#events.emptied()
  }
}
