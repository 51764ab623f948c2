/** `<shared-heads>`: everybody drags a head; the wire shows in how the others move. */
import { html, type TemplateResult } from 'lit'
import { LabElement } from '../lab-element.ts'

export class SharedHeads extends LabElement {
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
