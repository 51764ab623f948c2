/** What is done to our connections now, as it runs down, and the orders that change it. */
import { type Chaos, type ChaosNow, noChaos } from '../../lab/events.ts'
import { afterwards } from './chaos-words.ts'
import type { LabLink } from '../lab-link.ts'

/** A countdown in whole seconds is looked at so often. */
const tickMs = 250
/** A slider that is drawn sends at most so often. */
const ordersMs = 150

const nothing: ChaosNow = { type: 'chaos', chaos: noChaos, blackHoleMs: 0, stallMs: 0 }

export class ChaosWatch {
  readonly #changed: () => void
  #lab: LabLink | undefined
  #told = nothing
  #toldAt = 0
  /** Ours, and not yet told back: it is shown at once, for a slider must not jump under the finger. */
  #asked: Chaos | undefined
  #order: ReturnType<typeof setTimeout> | undefined
  #ticking: ReturnType<typeof setTimeout> | undefined

  /** `changed` is called whenever something else is to be shown. */
  constructor(changed: () => void) {
    this.#changed = changed
  }

  /** Listens to this line. Returns what ends it. */
  follow(lab: LabLink): readonly (() => void)[] {
    this.#lab = lab
    this.#take(lab.chaos)
    return [
      lab.on('chaos', (now) => this.#take(now)),
      // What was refused does not hold.
      lab.on('problem', () => this.#settle()),
      // With its last viewer chaos ends; what holds is told when the line is back.
      lab.on('status', (status) => status !== 'open' && this.#take(nothing)),
      () => this.#rest(),
    ]
  }

  get chaos(): ChaosNow {
    const now = afterwards(this.#told, performance.now() - this.#toldAt)
    return this.#asked === undefined ? now : { ...now, chaos: this.#asked }
  }

  /** From now on this holds too. */
  set(change: Partial<Chaos>): void {
    this.#asked = { ...this.chaos.chaos, ...change }
    this.#changed()
    this.#order ??= setTimeout(() => this.#send(), ordersMs)
  }

  /** Nothing holds any more. */
  end(): void {
    this.set(noChaos)
    if (this.chaos.stallMs > 0) this.#lab?.send({ type: 'stall', ms: 0 })
    if (this.chaos.blackHoleMs > 0) this.#lab?.send({ type: 'black-hole', ms: 0 })
    this.#send()
  }

  #send(): void {
    clearTimeout(this.#order)
    this.#order = undefined
    const chaos = this.#asked
    if (chaos !== undefined && this.#lab?.send({ type: 'chaos', chaos }) !== true) this.#asked = undefined
  }

  #take(now: ChaosNow): void {
    this.#told = now
    this.#toldAt = performance.now()
    this.#tick()
    this.#settle()
  }

  /** What was asked is answered, but where more was asked since. */
  #settle(): void {
    if (this.#order === undefined) this.#asked = undefined
    this.#changed()
  }

  #tick(): void {
    clearTimeout(this.#ticking)
    const { blackHoleMs, stallMs } = this.chaos
    if (blackHoleMs === 0 && stallMs === 0) return
    this.#ticking = setTimeout(() => {
      this.#tick()
      this.#changed()
    }, tickMs)
  }

  #rest(): void {
    clearTimeout(this.#order)
    clearTimeout(this.#ticking)
    this.#order = this.#asked = undefined
  }
}
