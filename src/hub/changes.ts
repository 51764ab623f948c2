/** The newest of each member, numbered as it changes and told on a tick: to every reader only what changed since its version. */
import { drawEpoch } from '../protocol/cursor.ts'
import type { Change } from '../protocol/message.ts'
import { formatVersion, nobody, parseVersion } from '../protocol/version.ts'
import type { Wheel } from './wheel.ts'

export interface ChangesOptions {
  /** Between two tellings, in ms. */
  readonly everyMs: number
  /** Of so many is told in one batch, and in so many bytes of JSON; the rest follows in the next. */
  readonly perBatch: number
  readonly batchBytes: number
}

export interface ChangesEvents {
  /** There is something new to tell. */
  readonly told: () => void
  /** A telling was due, and there was nothing new. */
  readonly rested: () => void
}

/** The newest of one member, null for nothing. */
interface Latest<Value> {
  readonly value: Value | null
  readonly json: string
}

/** What was told of one. */
interface Entry<Value> extends Latest<Value> {
  readonly number: number
  /** What it takes of a batch. */
  readonly bytes: number
}

/** Who has gone is remembered for those who knew an earlier version; so many, or as many as there are. */
const rememberedGone = 1_000

/** What a batch has around its list, in bytes: its keys, a cursor and a version. */
const aroundBytes = 160

export class Changes<Value> {
  readonly #wheel: Wheel
  readonly #options: ChangesOptions
  readonly #events: ChangesEvents
  /** What is told, in the order of the change. Here nothing moves between two tellings: who asks then misses nothing. */
  readonly #entries = new Map<string, Entry<Value>>()
  /** What changed since. */
  readonly #pending = new Map<string, Latest<Value>>()
  #size = 0
  #epoch = drawEpoch()
  #number = 0
  #gone = 0
  /** The version that is told now. */
  #told = nobody
  #toldAt = -Infinity
  #telling = false

  constructor(wheel: Wheel, options: ChangesOptions, events: ChangesEvents) {
    this.#wheel = wheel
    this.#options = options
    this.#events = events
  }

  /** Of how many there is anything now. */
  get size(): number {
    return this.#size
  }

  get(id: string): Value | null {
    return this.#latest(id)?.value ?? null
  }

  /** What is to be told of one from now on, null for nothing. Returns how many more there are with it: 1, 0 or -1. */
  set(id: string, value: Value | null): number {
    const before = this.#latest(id)
    const json = JSON.stringify(value)
    // The same again is no change: nobody is woken for it.
    if (json === (before?.json ?? 'null')) return 0
    this.#pending.set(id, { value, json })
    const more = Number(value !== null) - Number((before?.value ?? null) !== null)
    this.#size += more
    this.tellSoon()
    return more
  }

  /** What changed since the version that a reader knows, as far as it is told by now; undefined for nothing. */
  since(known: string): Change<Value> | undefined {
    const toldOnce = this.#number > 0 || this.#pending.size === 0
    if (!toldOnce || known === this.#told) return undefined
    if (this.#told === nobody) return { version: nobody, list: {} }
    const version = parseVersion(known)
    const from = version?.epoch === this.#epoch ? version.number : 0
    const list = Object.create(null) as Record<string, Value | null>
    let [count, bytes, last] = [0, aroundBytes, 0]
    for (const [id, entry] of this.#entries) {
      if (entry.number <= from || (from === 0 && entry.value === null)) continue
      bytes += entry.bytes
      const full = count === this.#options.perBatch || bytes > this.#options.batchBytes
      if (full && count > 0) return { version: formatVersion({ epoch: this.#epoch, number: last }), list }
      list[id] = entry.value
      last = entry.number
      count++
    }
    return count === 0 ? undefined : { version: this.#told, list }
  }

  /** At the next telling that may be: once for all that changes until then, and no timer where nothing does. */
  tellSoon(): void {
    if (this.#telling) return
    this.#telling = true
    this.#wheel.at(this.#toldAt + this.#options.everyMs, this.#tell)
  }

  #latest(id: string): Latest<Value> | undefined {
    return this.#pending.get(id) ?? this.#entries.get(id)
  }

  #enter(id: string, { value, json }: Latest<Value>): void {
    const known = this.#entries.get(id)
    // It was another in between, and is what it was.
    if (json === (known?.json ?? 'null')) return
    if (known?.value === null) this.#gone--
    if (value === null) this.#gone++
    this.#entries.delete(id)
    this.#entries.set(id, { value, json, number: ++this.#number, bytes: Buffer.byteLength(`${JSON.stringify(id)}:${json},`) })
  }

  /** In an epoch of its own, in which everybody is told everything. */
  #forgetGone(): void {
    this.#epoch = drawEpoch()
    this.#gone = 0
    for (const [id, { value }] of this.#entries) if (value === null) this.#entries.delete(id)
  }

  readonly #tell = (): void => {
    this.#telling = false
    const before = this.#number
    for (const [id, latest] of this.#pending) this.#enter(id, latest)
    this.#pending.clear()
    if (this.#number === before) return this.#events.rested()
    if (this.#gone > Math.max(rememberedGone, this.#size)) this.#forgetGone()
    this.#toldAt = this.#wheel.tickedAt
    this.#told = this.#size === 0 ? nobody : formatVersion({ epoch: this.#epoch, number: this.#number })
    this.#events.told()
  }
}
