/** `<wire-view>`: every TCP connection of ours on a time axis, byte by byte. */
import { html, type TemplateResult } from 'lit'
import { LabElement } from '../lab-element.ts'

export class WireView extends LabElement {
  protected override follow(): readonly (() => void)[] {
    return []
  }

  protected override watch(): readonly (() => void)[] {
    return []
  }

  togglePause(): void {}

  override render(): TemplateResult {
    return html``
  }
}
