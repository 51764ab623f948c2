/** `<chaos-note>`: says in every view what is being done to one's own connections. Nobody is to forget it, and blame a wire. */
import { html, type TemplateResult } from 'lit'
import type { Channel } from '../../client/index.ts'
import { LabElement } from '../lab-element.ts'
import type { LabLink } from '../lab-link.ts'
import { isFallen } from '../state-sentence.ts'
import { cut } from '../wires.ts'
import { ChaosWatch } from './chaos-watch.ts'
import { holding, isChaotic } from './chaos-words.ts'

export class ChaosNote extends LabElement {
  readonly #now = new ChaosWatch(() => this.requestUpdate())
  /** Nothing has come since a hole began: what is open now may be a part of it, and nobody would tell. */
  #swallowed = false
  #wasChaotic = false

  protected override follow(channel: Channel): readonly (() => void)[] {
    this.#swallowed = false
    return [channel.on('batch', () => this.#heard()), channel.on('state', ({ status }) => status !== 'live' && this.#heard())]
  }

  protected override watch(lab: LabLink): readonly (() => void)[] {
    return [...this.#now.follow(lab), lab.on('chaos', (now) => this.#follow(isChaotic(now), now.blackHoleMs > 0))]
  }

  override render(): TemplateResult {
    const now = this.#now.chaos
    if (isChaotic(now)) {
      return html`<p class="notice" data-testid="chaos-note">
        ${cut}<span><b>Your own chaos:</b> ${holding(now)}.</span>
        <button type="button" @click=${() => this.#now.end()}>Back to normal</button>
      </p>`
    }
    if (!this.#swallowed) return html``
    return html`<p class="notice" data-testid="hole-note">
      ${cut}<span
        ><b>The black hole is over, and nothing has come since it began.</b> A connection that lost bytes in it stays dead, and looks open,
        until the page or the server gives it up.</span
      >
      <button type="button" @click=${() => this.lab?.send({ type: 'cut', how: 'rst' })}>Cut it now</button>
    </p>`
  }

  #heard(): void {
    if (!this.#swallowed) return
    this.#swallowed = false
    this.requestUpdate()
  }

  #follow(chaotic: boolean, hole: boolean): void {
    if (hole) this.#swallowed = true
    const { channel } = this
    // What stood in its way is gone: the wire that was wanted need not wait for its next try.
    if (this.#wasChaotic && !chaotic && channel !== undefined && isFallen(channel.state)) channel.switchTo(channel.state.wanted)
    this.#wasChaotic = chaotic
  }
}
