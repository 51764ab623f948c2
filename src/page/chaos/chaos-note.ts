/** `<chaos-note>`: says in every view what is being done to one's own connections. Nobody is to forget it, and blame a wire. */
import { html, type TemplateResult } from 'lit'
import { ChaosWatch } from './chaos-watch.ts'
import { holding, isChaotic } from './chaos-words.ts'
import { LabElement } from '../lab-element.ts'
import type { LabLink } from '../lab-link.ts'
import { cut } from '../wires.ts'

export class ChaosNote extends LabElement {
  readonly #now = new ChaosWatch(() => this.requestUpdate())

  protected override follow(): readonly (() => void)[] {
    return []
  }

  protected override watch(lab: LabLink): readonly (() => void)[] {
    return this.#now.follow(lab)
  }

  override render(): TemplateResult {
    const now = this.#now.chaos
    if (!isChaotic(now)) return html``
    return html`<p class="notice" data-testid="chaos-note">
      ${cut}<span><b>Your own chaos:</b> ${holding(now)}.</span>
      <button type="button" @click=${() => this.#now.end()}>Back to normal</button>
    </p>`
  }
}
