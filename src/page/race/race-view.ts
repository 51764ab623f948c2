/** `<race-view>`: the same message down four lanes at once, bytes and delay to scale. */
import { html, LitElement, type TemplateResult } from 'lit'

export class RaceView extends LitElement {
  override createRenderRoot(): HTMLElement {
    return this
  }

  override render(): TemplateResult {
    return html`<main><h1>Race</h1></main>`
  }
}
