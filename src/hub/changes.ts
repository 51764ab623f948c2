/** The newest of each member, numbered as it changes and told on a tick: to every reader only what changed since its version. */
import { createHash } from 'node:crypto'
import { drawEpoch } from '../protocol/cursor.ts'
import type { Change } from '../protocol/message.ts'
import { formatVersion, nobody, parseVersion, type Version } from '../protocol/version.ts'
import type { Wheel } from './wheel.ts'

export interface ChangesOptions {
  /** Between two tellings, in ms. */
  readonly everyMs: number
  /** Of so many is told in one batch, and in so many bytes of JSON; the rest follows in the next. */
  readonly perBatch: number
  readonly batchBytes: number
  /**
   * Other nodes tell the same, and a reader may ask any of them next. A version then has a print of what was told: who knows it
   * is told only what changed since, whichever node told it.
   */
  readonly shared?: boolean
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
  readonly print: number
}

/** Who has gone is remembered for those who knew an earlier version; so many, or as many as there are. */
const rememberedGone = 1_000

/**
 * A shared version's number is how often was told, above a print of what was. It rises for each reader, as within an epoch it
 * has to; below one telling it is the place in a list of which a part was told.
 */
const prints = 2 ** 32
const tellingsAtMost = 200_000
/** So much later than here the same may be known elsewhere, or the other way round, beside the time between two tellings, in ms. */
const latenessMs = 500
/** So many prints are remembered. */
const rememberedPrints = 1_000

const printOf = (text: string): number => createHash('sha1').update(text).digest().readUInt32BE()

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
  /** How often was told, the print of all that is told now, and which number was the last when it was another. */
  #tellings = 0
  #print = 0
  readonly #prints = new Map<number, number>()
  /** Prints that we have never told, and since when they are known to be about: the longest first. */
  readonly #strange = new Map<number, number>()
  #cancelStrange: (() => void) | undefined
  readonly #bornAt = performance.now()
  /** The version that is told now. */
  #told = nobody
  #toldAt = -Infinity
  #cancelTelling: (() => void) | undefined

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
    const version = parseVersion(known)
    if (this.#options.shared && version !== undefined) return this.#sinceShared(version)
    if (this.#told === nobody) return { version: nobody, list: {} }
    if (this.#options.shared) return this.#collect(this.#epoch, 0, this.#complete)
    return this.#collect(this.#epoch, version?.epoch === this.#epoch ? version.number : 0, this.#number)
  }

  /** At the next telling that may be: once for all that changes until then, and no timer where nothing does. */
  tellSoon(): void {
    this.#cancelTelling ??= this.#wheel.at(this.#toldAt + this.#options.everyMs, this.tell)
  }

  /** Nothing is told any more. */
  stop(): void {
    this.#cancelTelling?.()
    this.#cancelStrange?.()
  }

  /** Tells now what has changed. */
  readonly tell = (): void => {
    this.#cancelTelling?.()
    this.#cancelTelling = undefined
    const before = this.#number
    for (const [id, latest] of this.#pending) this.#enter(id, latest)
    this.#pending.clear()
    if (this.#number === before) return this.#events.rested()
    if (this.#gone > Math.max(rememberedGone, this.#size)) this.#forgetGone()
    this.#toldAt = this.#wheel.tickedAt
    if (this.#options.shared) this.#remember()
    const number = this.#options.shared ? this.#complete : this.#number
    this.#told = this.#size === 0 ? nobody : formatVersion({ epoch: this.#epoch, number })
    this.#events.told()
  }

  /** What changed after this number, told in this epoch; all of it makes the version `complete`. */
  #collect(epoch: string, from: number, complete: number): Change<Value> | undefined {
    const list = Object.create(null) as Record<string, Value | null>
    let [count, bytes, last] = [0, aroundBytes, 0]
    for (const [id, entry] of this.#entries) {
      if (entry.number <= from || (from === 0 && entry.value === null)) continue
      bytes += entry.bytes
      const full = count === this.#options.perBatch || bytes > this.#options.batchBytes
      if (full && count > 0) return { version: formatVersion({ epoch, number: last }), list }
      list[id] = entry.value
      last = entry.number
      count++
    }
    return count === 0 ? undefined : { version: formatVersion({ epoch, number: complete }), list }
  }

  /** The number of a shared version that has all that is told now. */
  get #complete(): number {
    return this.#tellings * prints + this.#print
  }

  /** What changed since a version that may be another node's. */
  #sinceShared({ epoch, number }: Version): Change<Value> | undefined {
    const ours = epoch === this.#epoch
    const [tellings, print] = [Math.floor(number / prints), number % prints]
    if (tellings === 0 && ours) return this.#collect(epoch, number, this.#complete)
    if (tellings > 0 && print === this.#print) return undefined
    const from = tellings > 0 && tellings < tellingsAtMost ? this.#prints.get(print) : undefined
    if (from !== undefined) {
      // What another node told it is what we told then: what changed since is told in that one's epoch, and nothing is forgotten.
      const next = Math.max(this.#tellings, tellings + 1) * prints + this.#print
      const change = this.#collect(epoch, from, next)
      if (change?.version === formatVersion({ epoch, number: next })) return change
    }
    if (from === undefined && tellings > 0 && this.#ahead(print)) return undefined
    // What it knows is to be forgotten.
    if (ours) this.#epoch = drawEpoch()
    return this.#told === nobody ? { version: nobody, list: {} } : this.#collect(this.#epoch, 0, this.#complete)
  }

  /** Was it told by another node what we shall tell in a moment? To tell it ours now would be to take that back. */
  #ahead(print: number): boolean {
    const now = performance.now()
    const since = this.#strange.get(print)
    if (since !== undefined) return now - since < this.#strangeMs
    // What was told to us only now is nothing old.
    if (now - this.#bornAt < this.#strangeMs || this.#strange.size >= rememberedPrints) return false
    this.#strange.set(print, now)
    this.#watchStrange(now)
    return true
  }

  get #strangeMs(): number {
    return this.#options.everyMs + latenessMs
  }

  /** Who waits is told everything where a print is still strange: once for all that were made up meanwhile. */
  #watchStrange(lookedAt: number): void {
    this.#cancelStrange ??= this.#wheel.after(this.#options.everyMs, () => {
      this.#cancelStrange = undefined
      const now = performance.now()
      const before = now - this.#strangeMs
      let stays = false
      for (const [print, since] of this.#strange) {
        if (since > before) break
        stays ||= since > lookedAt - this.#strangeMs
        if (since <= before - this.#strangeMs) this.#strange.delete(print)
      }
      if (this.#strange.size > 0) this.#watchStrange(now)
      if (stays) this.#events.told()
    })
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
    const text = `${JSON.stringify(id)}:${json},`
    const print = this.#options.shared && value !== null ? printOf(text) : 0
    this.#print = (this.#print - (known?.print ?? 0) + print + prints) % prints
    this.#entries.set(id, { value, json, number: ++this.#number, bytes: Buffer.byteLength(text), print })
  }

  #remember(): void {
    if (++this.#tellings >= tellingsAtMost) {
      this.#tellings = 1
      this.#forgetGone()
    }
    this.#prints.delete(this.#print)
    this.#prints.set(this.#print, this.#number)
    const [oldest] = this.#prints.keys()
    if (this.#prints.size > rememberedPrints && oldest !== undefined) this.#prints.delete(oldest)
  }

  /** In an epoch of its own, in which everybody is told everything. */
  #forgetGone(): void {
    this.#epoch = drawEpoch()
    this.#gone = 0
    this.#prints.clear()
    for (const [id, { value }] of this.#entries) if (value === null) this.#entries.delete(id)
  }
}
