/** One room that other nodes serve too: what is to be told to them of its members, and what they tell. */
import type { TransportName } from '../protocol/message.ts'
import type { Attendance, Attended, Notice } from '../store/attendance.ts'
import type { Unwatch } from '../store/store.ts'
import type { Attendant, OwnState } from './attendant.ts'
import type { Roster } from './roster.ts'
import type { Wheel } from './wheel.ts'

/** That a lease goes on is told when a third of it has passed since the last time, but not less often than this. */
export const renewalMs = 5_000
/** Between two tellings of a room, in ms: one tick of the states. */
const spacingMs = 50
/** What is due within so many ms is told along with what is due now. */
const alongMs = 500
/** So many are told in one call, and the rest in the next: Redis does one thing at a time. */
const noticesPerCall = 500
/** So many who hold no wire here may wait to be told of; anybody may say that they are here. */
const strangersAtMost = 5_000
/** What could not be told is told again after so many ms, as it is by then. */
const againMs = 1_000
/** A state of who is not here is told again: its wire may be on its way from another node. So often, and after so many ms. */
const stateTries = 5
const stateAgainMs = 200
/** What is told of who holds no wire here is let go after so many failures: it is by nobody known to be true. */
const failuresAtMost = 60

/** What is to be told of one member. */
interface Pending {
  dueAt: number
  own?: true
  renewed?: { readonly transport: TransportName; readonly leaseMs: number }
  state?: OwnState
  left?: true
  tries: number
}

export interface SharingEvents {
  /** The roster of this room; made where there is somebody to enter. */
  readonly roster: (make: boolean) => Roster | undefined
  /** All of the room is known from now on. */
  readonly completed: () => void
  /** Nothing is left to be told. */
  readonly rested: () => void
}

export class Sharing {
  readonly #room: string
  readonly #attendance: Attendance
  readonly #wheel: Wheel
  readonly #events: SharingEvents
  readonly #pending = new Map<string, Pending>()
  #nextAt = -Infinity
  #armedAt = Infinity
  #disarm: () => void = () => {}
  #flight: Promise<void> | undefined
  /** They wait for the next flight. */
  #waiting: (() => void)[] = []
  #watch: AbortController | undefined
  #cancelBegin: () => void = () => {}
  #ready: Promise<void> = Promise.resolve()
  #complete = false

  constructor(room: string, attendance: Attendance, wheel: Wheel, events: SharingEvents) {
    this.#room = room
    this.#attendance = attendance
    this.#wheel = wheel
    this.#events = events
  }

  /** Is all of the room known here, as far as other nodes have told it? */
  get complete(): boolean {
    return this.#complete
  }

  /** Is there nothing that keeps this? */
  get idle(): boolean {
    return this.#pending.size === 0 && this.#flight === undefined && this.#watch === undefined
  }

  /** Hears what other nodes tell from now on. Resolves once it is complete, however long that takes. */
  watch(): Promise<void> {
    if (this.#watch !== undefined) return this.#ready
    const watch = new AbortController()
    this.#watch = watch
    this.#ready = new Promise((resolve) => this.#begin(watch.signal, resolve))
    return this.#ready
  }

  unwatch(): void {
    this.#watch?.abort()
    this.#watch = undefined
    this.#cancelBegin()
    this.#complete = false
  }

  /** Heard of a member on a wire of ours; `leaseMs` where that only goes on. */
  heard(attendant: Attendant, leaseMs?: number): void {
    const dueAt = leaseMs === undefined ? performance.now() : attendant.toldAt + Math.min(renewalMs, leaseMs / 3)
    const pending = this.#pending.get(attendant.member.id)
    if (pending?.own === true && pending.dueAt <= dueAt) return
    this.#tell(attendant.member.id, { own: true }, dueAt)
  }

  renewed(id: string, transport: TransportName, leaseMs: number): void {
    this.#tell(id, { renewed: { transport, leaseMs } })
  }

  carried(id: string, state: OwnState): void {
    this.#tell(id, { state })
  }

  /** Resolves once what is to be told now was told, or could not be; at once where nobody can be told. */
  told(): Promise<void> {
    if (this.#attendance.awayMs > 0 || this.#pending.size === 0) return Promise.resolve()
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  left(id: string): void {
    this.#pending.delete(id)
    this.#tell(id, { left: true })
  }

  /** Tells all that is still to be told, and no more. */
  async close(): Promise<void> {
    this.unwatch()
    await this.#flight
    // Until nothing gets through any more.
    for (let left = Infinity; this.#pending.size > 0 && this.#pending.size < left;) {
      left = this.#pending.size
      this.#disarm()
      await this.#fly(Infinity)
    }
    this.#disarm()
    this.#pending.clear()
  }

  #begin(signal: AbortSignal, complete: () => void): void {
    const heard = (members: readonly Attended[]): void => {
      if (signal.aborted) return
      const someone = members.some(({ wires }) => wires.some(({ leftMs }) => leftMs > 0))
      this.#events.roster(someone)?.merge(members, this.#attendance.node)
    }
    const lost = (): void => {
      if (!signal.aborted) this.#tellAll()
    }
    this.#attendance.watch(this.#room, { heard, lost }).then(
      (unwatch: Unwatch) => {
        if (signal.aborted) return unwatch()
        signal.addEventListener('abort', unwatch)
        this.#complete = true
        this.#events.completed()
        complete()
      },
      () => {
        if (!signal.aborted) this.#cancelBegin = this.#wheel.after(againMs, () => this.#begin(signal, complete))
      },
    )
  }

  /** They know nothing of us. */
  #tellAll(): void {
    for (const attendant of this.#events.roster(false)?.attendants ?? []) {
      const { ownState: state, wires, member } = attendant
      if (wires.size > 0) attendant.named = true
      if (wires.size > 0 || state !== undefined) this.#tell(member.id, { own: true, ...(state && { state }) })
    }
  }

  #tell(id: string, what: Omit<Pending, 'dueAt' | 'tries'>, dueAt = performance.now()): void {
    const pending = this.#pending.get(id)
    const full = pending === undefined && this.#pending.size >= strangersAtMost
    if (full && what.own === undefined && what.left === undefined && this.#events.roster(false)?.attendant(id) === undefined) return
    if (pending === undefined) this.#pending.set(id, { ...what, dueAt, tries: 0 })
    else Object.assign(pending, what, { dueAt: Math.min(dueAt, pending.dueAt) })
    this.#arm(dueAt)
  }

  /** One flight at a time, and one timer for the next. */
  #arm(dueAt: number): void {
    const at = Math.max(dueAt, this.#nextAt)
    if (this.#flight !== undefined || at >= this.#armedAt) return
    this.#disarm()
    this.#armedAt = at
    const fly = (): void => {
      this.#armedAt = Infinity
      void this.#fly(performance.now() + alongMs)
    }
    // With all that is heard in this turn of the event loop.
    const soon = at <= performance.now() ? setImmediate(fly) : undefined
    const cancel = soon === undefined ? this.#wheel.at(at, fly) : () => clearImmediate(soon)
    this.#disarm = () => {
      this.#armedAt = Infinity
      cancel()
    }
  }

  #fly(until: number): Promise<void> {
    const due: (readonly [string, Pending])[] = []
    for (const [id, pending] of this.#pending) {
      if (pending.dueAt > until) continue
      due.push([id, pending])
      this.#pending.delete(id)
      if (due.length === noticesPerCall) break
    }
    this.#nextAt = performance.now() + spacingMs
    const waiting = this.#waiting
    this.#waiting = []
    this.#flight = this.#send(due).then(() => {
      this.#flight = undefined
      for (const told of waiting) told()
      if (this.#pending.size === 0) return this.#events.rested()
      let nextAt = Infinity
      for (const { dueAt } of this.#pending.values()) nextAt = Math.min(nextAt, dueAt)
      this.#arm(nextAt)
    })
    return this.#flight
  }

  async #send(due: readonly (readonly [string, Pending])[]): Promise<void> {
    if (due.length === 0) return
    const notices = due.map(([id, pending]) => this.#notice(id, pending))
    try {
      const absent = new Set(await this.#attendance.tell(this.#room, notices))
      for (const [id, { state, tries }] of due) {
        if (state === undefined) continue
        state.told = !absent.has(id) || state.value === null || tries >= stateTries
        if (!state.told) this.#again(id, { state, tries: tries + 1 }, stateAgainMs)
      }
    } catch {
      // Whatever becomes due meanwhile: nothing is piled up, here or there.
      this.#nextAt = performance.now() + againMs
      for (const [id, pending] of due) {
        const attendant = this.#events.roster(false)?.attendant(id)
        if (pending.own === true && attendant !== undefined) attendant.named = true
        else if (pending.tries >= failuresAtMost) {
          if (pending.state !== undefined) pending.state.told = true
          continue
        }
        this.#again(id, { ...pending, tries: pending.tries + 1 }, againMs)
      }
    }
  }

  /** What was not taken is due later; what became known meanwhile is newer. */
  #again(id: string, what: Omit<Pending, 'dueAt'>, afterMs: number): void {
    const newer = this.#pending.get(id)
    const dueAt = performance.now() + afterMs
    if (newer?.left === true) return
    this.#pending.set(id, { ...what, dueAt, ...newer })
  }

  #notice(id: string, { own, renewed, state, left }: Pending): Notice {
    const ours = own && (this.#events.roster(false)?.notice(id) ?? { name: '', named: false, wires: [] })
    return {
      id,
      ...(left && { left }),
      ...(ours && { own: ours }),
      ...(renewed && { renewed }),
      ...(state && { state: { value: state.value, ageMs: Math.round(performance.now() - state.setAt) } }),
    }
  }
}
