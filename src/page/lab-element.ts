/** An element that follows a channel and the line to the lab, each with its listeners. */
import type { PropertyValues } from 'lit'
import { ChannelElement } from './channel-element.ts'
import type { LabLink } from './lab-link.ts'

export abstract class LabElement extends ChannelElement {
  static override properties = { ...ChannelElement.properties, lab: { attribute: false } }
  declare lab: LabLink | undefined

  #watched: LabLink | undefined
  #undo: readonly (() => void)[] = []

  /** Listens to this line. Returns what ends each listening. */
  protected abstract watch(lab: LabLink): readonly (() => void)[]

  override willUpdate(changed?: PropertyValues): void {
    super.willUpdate(changed)
    if (this.lab === this.#watched) return
    this.#unwatch()
    this.#watched = this.lab
    if (this.lab !== undefined) this.#undo = this.watch(this.lab)
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    this.#unwatch()
  }

  #unwatch(): void {
    for (const undo of this.#undo) undo()
    this.#undo = []
    this.#watched = undefined
  }
}
