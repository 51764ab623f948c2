/** `<chaos-panel>`: what one may do to one's own connections. */
import { html, type TemplateResult } from 'lit'
import { LabElement } from './lab-element.ts'

export class ChaosPanel extends LabElement {
  protected override follow(): readonly (() => void)[] {
    return []
  }

  protected override watch(): readonly (() => void)[] {
    return []
  }

  /** Ends our own connections now. */
  cut(): void {}

  blackHole(): void {}

  override render(): TemplateResult {
    return html``
  }
}
