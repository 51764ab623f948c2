/** Readers without sockets: the hub's own subscribers, whose wires stall, drain and are cut when the schedule says so. */
import { Hole, Sequence } from '../../src/client/sequence.ts'
import { bareJson, type Delivery } from '../../src/hub/delivery.ts'
import type { Hub } from '../../src/hub/hub.ts'
import type { Subscriber, Subscription } from '../../src/hub/subscription.ts'
import type { Batch, Cursor, Since } from '../../src/protocol/message.ts'
import { type Shown, placeOf } from './history.ts'
import { room } from './writing.ts'

/** More than any wire takes: nothing is written before it drains. */
const full = 1_000_000

/** A wire of a reader: what was written and not taken is lost when it is cut. */
class Wire implements Subscriber {
  readonly #reader: Reader
  #subscription: Subscription | undefined
  #onItsWay: Delivery[] = []
  #drained: (() => void)[] = []
  #stalled = false

  constructor(reader: Reader) {
    this.#reader = reader
  }

  open(hub: Hub, since: Since): void {
    this.#subscription = hub.subscribe(room, since, this, { greet: true, heartbeatMs: 3_600_000 })
  }
  get waiting(): number {
    return this.#stalled && this.#onItsWay.length > 0 ? full : 0
  }
  deliver(delivery: Delivery): number {
    if (this.#stalled) this.#onItsWay.push(delivery)
    else this.#reader.take(this, delivery.batch)
    return delivery.as(bareJson).length
  }
  taken(then: () => void): void {
    if (this.waiting === 0) setImmediate(then)
    else this.#drained.push(then)
  }
  stall(): void {
    this.#stalled = true
  }
  drain(): void {
    this.#stalled = false
    for (const delivery of this.#onItsWay.splice(0)) this.#reader.take(this, delivery.batch)
    for (const then of this.#drained.splice(0)) then()
  }
  leave(): void {
    this.#subscription?.leave()
    this.#onItsWay = []
    this.#drained = []
  }
  close(): void {
    this.#reader.lost(this)
  }
  cut(): void {
    this.#reader.lost(this)
  }
}

/** Follows the room as the client does, contract §5: exactly once from at least once, and by its cursor after everything else. */
export class Reader {
  readonly shown: Shown[] = []
  /** What changes its wires; undefined while no server runs. */
  hub: Hub | undefined
  /** It wants to be there. */
  here = false
  readonly #sequence = new Sequence()
  readonly #saw: (cursor: Cursor) => void
  #wires: Wire[] = []

  /** `saw` hears of every cursor that is given to it. */
  constructor(saw: (cursor: Cursor) => void) {
    this.#saw = saw
  }

  get cursor(): Cursor | undefined {
    return this.#sequence.cursor
  }
  get wires(): number {
    return this.#wires.length
  }

  /** Where it has stood it goes on; who was never there begins with the oldest message kept. */
  join(): void {
    this.here = true
    if (this.#wires.length === 0) this.#open()
  }
  leave(): void {
    this.here = false
    this.#leaveAllBut(undefined)
  }
  /** The network goes away, and what is on its way with it: it comes back by itself. */
  cut(): void {
    this.#leaveAllBut(undefined)
    if (this.here) this.#open()
  }
  /** Another wire beside the one that it has: that one is left when the new one has brought its first batch. */
  switch(): void {
    if (this.#wires.length === 1) this.#open()
  }
  stall(): void {
    for (const wire of this.#wires) wire.stall()
  }
  drain(): void {
    for (const wire of this.#wires) wire.drain()
  }

  lost(wire: Wire): void {
    wire.leave()
    this.#wires = this.#wires.filter((one) => one !== wire)
    setImmediate(() => {
      if (this.here && this.#wires.length === 0) this.#open()
    })
  }

  take(wire: Wire, batch: Batch): void {
    // Of a wire that it has left.
    if (!this.#wires.includes(wire)) return
    this.#saw(batch.cursor)
    const begins = this.cursor === undefined
    try {
      const { messages, gap } = this.#sequence.accept(batch)
      const { epoch, seq } = placeOf(batch.cursor)
      const at = seq - batch.messages.length
      if (begins) this.shown.push({ kind: 'begin', epoch, at })
      if (gap !== undefined) this.shown.push({ kind: 'gap', gap, epoch, at })
      for (const message of messages) this.shown.push({ kind: 'message', message })
      if (gap !== undefined || wire === this.#wires.at(-1)) this.#leaveAllBut(wire)
    } catch (error) {
      if (!(error instanceof Hole)) throw error
      this.lost(wire)
    }
  }

  #open(): void {
    if (this.hub === undefined) return
    const wire = new Wire(this)
    this.#wires.push(wire)
    wire.open(this.hub, this.cursor ?? 'earliest')
  }

  #leaveAllBut(kept: Wire | undefined): void {
    const left = this.#wires.filter((wire) => wire !== kept)
    this.#wires = this.#wires.filter((wire) => wire === kept)
    for (const wire of left) wire.leave()
  }
}
