/** An attendance of several nodes within one process: what is asked of one, without a network. */
import type { Attendance, Attended, Listener, Notice } from '../../src/store/attendance.ts'
import { randomText } from '../../src/protocol/random.ts'

type KeptWire = Omit<Attended['wires'][number], 'leftMs' | 'seenMs'> & { readonly endsAt: number; readonly seenAt: number }

interface Kept {
  name: string
  wires: Map<string, KeptWire>
  state: { readonly node: string; readonly value: unknown; readonly setAt: number } | undefined
}

export class SharedAttendance {
  readonly #rooms = new Map<string, Map<string, Kept>>()
  readonly #listeners = new Map<string, Set<Listener>>()
  readonly #left = new Map<string, (member: string) => void>()
  /** Since when nobody is answered, where that is so. */
  #awaySince: number | undefined

  /** From now on every call fails, and nothing is heard; or not any more, and then all that was kept may be gone. */
  away(away: boolean, lost = false): void {
    this.#awaySince = away ? performance.now() : undefined
    if (away) return
    if (lost) this.#rooms.clear()
    for (const [room, listeners] of this.#listeners) {
      for (const listener of listeners) {
        listener.heard(this.#all(room))
        listener.lost()
      }
    }
  }

  /** Another node. */
  node(): Attendance {
    const node = randomText(6)
    const reach = (): void => {
      if (this.#awaySince !== undefined) throw new Error('away')
    }
    const awayMs = (): number => (this.#awaySince === undefined ? 0 : performance.now() - this.#awaySince)
    return {
      node,
      get awayMs() {
        return awayMs()
      },
      tell: async (room, notices) => {
        reach()
        return this.#tell(room, node, notices)
      },
      watch: async (room, listener) => {
        reach()
        const listeners = this.#listeners.get(room) ?? new Set()
        this.#listeners.set(room, listeners.add(listener))
        listener.heard(this.#all(room))
        return () => void listeners.delete(listener)
      },
      leave: async (member) => {
        reach()
        for (const left of this.#left.values()) left(member)
      },
      onLeave: (left) => void this.#left.set(node, left),
      close: async () => void this.#left.delete(node),
    }
  }

  #tell(room: string, node: string, notices: readonly Notice[]): string[] {
    const members = this.#rooms.get(room) ?? new Map<string, Kept>()
    this.#rooms.set(room, members)
    const now = performance.now()
    const absent = notices.filter((notice) => !take(members, node, notice, now)).map(({ id }) => id)
    const changed = new Set(notices.map(({ id }) => id))
    const told = this.#all(room).filter(({ id }) => changed.has(id))
    // On its way it may be overtaken by what is heard here.
    setImmediate(() => {
      for (const listener of this.#listeners.get(room) ?? []) listener.heard(told)
    })
    return absent
  }

  #all(room: string): Attended[] {
    const now = performance.now()
    return [...(this.#rooms.get(room) ?? [])].map(([id, { name, wires, state }]) => ({
      id,
      name,
      wires: [...wires.values()].map(({ endsAt, seenAt, ...wire }) => ({
        ...wire,
        leftMs: Math.max(0, endsAt - now),
        seenMs: now - seenAt,
      })),
      ...(state && { state }),
    }))
  }
}

/** Enters what one node says of one member. Returns false where it says a state of who is not here. */
function take(members: Map<string, Kept>, node: string, { id, left, own, renewed, state }: Notice, now: number): boolean {
  const kept = members.get(id) ?? { name: '', wires: new Map<string, KeptWire>(), state: undefined }
  members.set(id, kept)
  if (left) for (const [key, wire] of kept.wires) kept.wires.set(key, { ...wire, endsAt: now })
  if (own !== undefined) {
    if (own.named || kept.name === '') kept.name = own.name
    for (const [key, wire] of kept.wires) {
      if (wire.node === node && !own.wires.some(({ transport }) => transport === wire.transport))
        kept.wires.set(key, { ...wire, endsAt: now })
    }
    for (const { leftMs, seenMs, ...wire } of own.wires) {
      const key = `${node} ${wire.transport}`
      const before = kept.wires.get(key)
      const least = wire.held && before?.closing === false ? before.endsAt : 0
      kept.wires.set(key, { ...wire, node, endsAt: Math.max(now + leftMs, least), seenAt: now - seenMs })
    }
  }
  for (const [key, wire] of kept.wires) {
    if (wire.transport !== renewed?.transport || !wire.held || wire.closing) continue
    kept.wires.set(key, { ...wire, leaseMs: renewed.leaseMs, endsAt: Math.max(wire.endsAt, now + renewed.leaseMs), seenAt: now })
  }
  const here = [...kept.wires.values()].some(({ endsAt }) => endsAt > now)
  if (!here) kept.state = undefined
  if (state === undefined) return true
  const setAt = now - state.ageMs
  if (here && (kept.state === undefined || kept.state.node === node || kept.state.setAt <= setAt))
    kept.state = { node, value: state.value, setAt }
  return here
}
