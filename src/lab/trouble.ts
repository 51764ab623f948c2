/** What a session does to its own connections: one state for all of its pages, with the clocks of what ends by itself. */
import { calm, type Conditions } from './connection.ts'
import { type BlackHoleOrder, type Chaos, type ChaosNow, type ChaosOrder, noChaos, type StallOrder } from './events.ts'

export type TroubleOrder = ChaosOrder | StallOrder | BlackHoleOrder

/** Something that holds for a time. */
interface Spell {
  readonly until: number
  readonly end: NodeJS.Timeout
}

export class Trouble {
  readonly #idleCutMs: number
  readonly #changed: () => void
  #chaos: Chaos = noChaos
  #stall: Spell | undefined
  #blackHole: Spell | undefined

  /** `changed` is called whenever something else holds, also when something has ended by itself. */
  constructor(idleCutMs: number, changed: () => void) {
    this.#idleCutMs = idleCutMs
    this.#changed = changed
  }

  obey(order: TroubleOrder): void {
    if (order.type === 'chaos') this.#chaos = order.chaos
    if (order.type === 'stall') this.#stall = this.#spell(this.#stall, order.ms, () => (this.#stall = undefined))
    if (order.type === 'black-hole') this.#blackHole = this.#spell(this.#blackHole, order.ms, () => (this.#blackHole = undefined))
    this.#changed()
  }

  /** Nobody is left to show it to: all of it ends. */
  end(): void {
    this.#chaos = noChaos
    for (const spell of [this.#stall, this.#blackHole]) clearTimeout(spell?.end)
    this.#stall = this.#blackHole = undefined
    this.#changed()
  }

  /** What each connection of the session suffers now. */
  get conditions(): Conditions {
    const { proxy, ...rest } = this.#chaos
    return {
      ...calm,
      ...rest,
      heldUntil: this.#stall?.until ?? 0,
      swallows: this.#blackHole !== undefined,
      gathers: proxy === 'buffers',
      dropsUpgrades: proxy === 'no-upgrade',
      idleCutMs: proxy === 'idle-cut' ? this.#idleCutMs : 0,
    }
  }

  get now(): ChaosNow {
    return { type: 'chaos', chaos: this.#chaos, blackHoleMs: leftOf(this.#blackHole), stallMs: leftOf(this.#stall) }
  }

  #spell(before: Spell | undefined, ms: number, forget: () => void): Spell | undefined {
    clearTimeout(before?.end)
    if (ms === 0) return undefined
    const end = (): void => {
      forget()
      this.#changed()
    }
    return { until: performance.now() + ms, end: setTimeout(end, ms).unref() }
  }
}

const leftOf = (spell: Spell | undefined): number => (spell === undefined ? 0 : Math.max(1, Math.ceil(spell.until - performance.now())))
