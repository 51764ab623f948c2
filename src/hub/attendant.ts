/** One member of one room: what this process heard on its wires, what other nodes heard on theirs, and who is here by both. */
import { type Member, type Present, type TransportName, transportNames } from '../protocol/message.ts'
import type { Attended, Sighting } from '../store/attendance.ts'

/** What we know of one wire: when it was last heard, and until when that proves anything (0: not any more). */
interface Wire {
  seenAt: number
  endsAt: number
  /** What the last sign was worth, in ms. */
  leaseMs: number
  /** Its last connection was closed: it counts for the time of grace, and only where there is no other. */
  closing: boolean
}

/** A wire that comes to us. */
interface OwnWire extends Wire {
  /** Connections of this transport open now: two tabs have two. */
  open: number
}

/** One that comes to another node, as that node knows it. */
interface FarWire extends Wire {
  readonly transport: TransportName
  held: boolean
}

/** A state that was set here, and when: told again where nobody knows it any more. */
export interface OwnState {
  readonly value: unknown
  readonly setAt: number
  /** Other nodes know of it: one that they tell from now on was set later, or stays. */
  told: boolean
}

export class Attendant {
  member: Member
  readonly wires = new Map<TransportName, OwnWire>()
  /** By node and transport. */
  readonly elsewhere = new Map<string, FarWire>()
  /** While the state that it carries is the one that was set here. */
  ownState: OwnState | undefined
  /** Its name is news that other nodes were not told. */
  named: boolean
  /** When other nodes were last told of its wires. */
  toldAt = -Infinity
  /** When it is looked at next, and how that is undone. */
  dueAt = Infinity
  cancel: () => void = () => {}

  /** `named`: we are who heard of it first. */
  constructor(member: Member, named: boolean) {
    this.member = member
    this.named = named
  }

  get gone(): boolean {
    return this.wires.size === 0 && this.elsewhere.size === 0
  }

  /** Heard on a wire of ours, which proves that it is here for `leaseMs`. Is there anything new in it to be shown? */
  seen(member: Member, transport: TransportName, leaseMs: number, now: number): boolean {
    const wire = this.wires.get(transport) ?? { open: 0, seenAt: 0, endsAt: 0, leaseMs, closing: false }
    const news = wire.endsAt <= now || wire.closing || this.member.name !== member.name
    this.named ||= this.member.name !== member.name
    this.member = member
    this.wires.set(transport, wire)
    wire.seenAt = now
    // A lease once given is not shortened by another tab that asks for less.
    wire.endsAt = Math.max(wire.endsAt, now + leaseMs)
    wire.leaseMs = wire.endsAt - now
    wire.closing = false
    return news
  }

  /** Heard from other nodes: of their wires, and of ours what another heard of them. */
  heard({ name, wires }: Attended, node: string, now: number): void {
    if (!this.named) this.member = { id: this.member.id, name }
    for (const wire of wires) {
      const { transport, leaseMs, leftMs, held, closing } = wire
      const [seenAt, endsAt] = [now - wire.seenMs, now + leftMs]
      const own = wire.node === node ? this.wires.get(transport) : undefined
      if (own !== undefined && own.open > 0 && endsAt > own.endsAt) Object.assign(own, { seenAt, endsAt, leaseMs })
      if (wire.node === node) continue
      const key = `${wire.node} ${transport}`
      if (leftMs > 0) this.elsewhere.set(key, { transport, seenAt, endsAt, leaseMs, held, closing })
      else this.elsewhere.delete(key)
    }
  }

  /**
   * Lets go of what has run out, and returns when the next does. `holds` is asked of other nodes' wires, which may be held
   * on where those nodes cannot be heard: how long, in ms.
   */
  sift(now: number, holds: (leaseMs: number) => number): number {
    let dueAt = Infinity
    for (const [transport, wire] of this.wires) {
      if (wire.endsAt <= now) wire.endsAt = 0
      if (wire.endsAt > 0) dueAt = Math.min(dueAt, wire.endsAt)
      // An open connection whose lease has run out may be heard of again.
      else if (wire.open === 0) this.wires.delete(transport)
    }
    for (const [key, wire] of this.elsewhere) {
      const heldMs = wire.endsAt > now || wire.closing ? 0 : holds(wire.leaseMs)
      if (heldMs > 0) wire.endsAt = now + heldMs
      if (wire.endsAt > now) dueAt = Math.min(dueAt, wire.endsAt)
      else this.elsewhere.delete(key)
    }
    return dueAt
  }

  /** The wires that it is here by; null where there is none. */
  present(): Present | null {
    const all = [...[...this.wires].map(([transport, wire]) => ({ ...wire, transport })), ...this.elsewhere.values()]
    const live = all.filter(({ endsAt }) => endsAt > 0)
    if (live.length === 0) return null
    const open = live.filter(({ closing }) => !closing)
    const by = new Set((open.length > 0 ? open : live).map(({ transport }) => transport))
    return { name: this.member.name, wires: transportNames.filter((transport) => by.has(transport)) }
  }

  /** When it was heard last by this transport, and until when that proves it, on whatever node. */
  sign(transport: TransportName): { readonly seenAt: number; readonly endsAt: number } {
    const signs = [this.wires.get(transport), ...[...this.elsewhere.values()].filter((wire) => wire.transport === transport)]
    return signs.reduce<{ seenAt: number; endsAt: number }>((last, sign) => (sign && sign.seenAt > last.seenAt ? sign : last), {
      seenAt: 0,
      endsAt: 0,
    })
  }

  /**
   * Where a wire is held, here or elsewhere, those of ours that were and are not any more have been changed for it: they have
   * the grace of who closed, and no lease beyond. So has a held one that was given up for the same at another node, which was
   * closed there since. One that is asked again meanwhile (another tab) has its own again.
   */
  succeeded(now: number, graceMs: number): boolean {
    const until = now + graceMs
    const elsewhere = [...this.elsewhere.values()].filter(({ endsAt }) => endsAt > now)
    const held = elsewhere.some((wire) => wire.held) || [...this.wires.values()].some(({ open }) => open > 0)
    let changed = false
    for (const [transport, wire] of this.wires) {
      // Polls are never held: between two of them nothing is open.
      if (wire.open > 0 || transport === 'poll' || wire.endsAt <= until) continue
      const closed = (far: FarWire): boolean => far.transport === transport && far.closing && far.seenAt >= wire.seenAt
      if (!held && !elsewhere.some(closed)) continue
      wire.endsAt = until
      changed = true
    }
    return changed
  }

  /** Our wires, as they are told to other nodes. */
  sightings(now: number): Sighting[] {
    return [...this.wires]
      .filter(([, { endsAt }]) => endsAt > now)
      .map(([transport, { open, seenAt, endsAt, leaseMs, closing }]) => ({
        transport,
        leaseMs: Math.ceil(leaseMs),
        leftMs: Math.ceil(endsAt - now),
        seenMs: Math.floor(now - seenAt),
        held: open > 0,
        closing,
      }))
  }
}
