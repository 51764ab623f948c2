/** An element that follows one channel: in light DOM, with listeners that come and go with the channel. */
import { LitElement, type PropertyValues } from 'lit'
import type { Channel } from '../client/index.ts'

export abstract class ChannelElement extends LitElement {
  static override properties = { channel: { attribute: false } }
  declare channel: Channel | undefined

  #followed: Channel | undefined
  #undo: readonly (() => void)[] = []
  #frame: number | undefined

  /** The page is one document, with one style sheet and one tab order. */
  override createRenderRoot(): HTMLElement {
    return this
  }

  /** Begins anew with this channel. Returns what ends each listening. */
  protected abstract follow(channel: Channel): readonly (() => void)[]

  override willUpdate(_changed?: PropertyValues): void {
    if (this.channel === this.#followed) return
    this.#leave()
    this.#followed = this.channel
    if (this.channel !== undefined) this.#undo = this.follow(this.channel)
  }

  override connectedCallback(): void {
    super.connectedCallback()
    this.requestUpdate()
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    this.#leave()
  }

  /** Renders with the next frame, once, however much has come until then; not at all while hidden. */
  protected refresh(): void {
    if (this.#frame !== undefined) return
    this.#frame = requestAnimationFrame(() => {
      this.#frame = undefined
      this.requestUpdate()
    })
  }

  #leave(): void {
    for (const undo of this.#undo) undo()
    this.#undo = []
    this.#followed = undefined
  }
}
