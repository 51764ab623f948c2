/** `<slot-notice>`: says so when this browser has no connection left for a wire. */
import { html, type TemplateResult } from 'lit'
import { LabElement } from './lab-element.ts'

export class SlotNotice extends LabElement {
  protected override follow(): readonly (() => void)[] {
    return []
  }

  protected override watch(): readonly (() => void)[] {
    return []
  }

  override render(): TemplateResult {
    return html``
  }
}
