/** `<join-card>`: how a phone comes in. */
import { html, type TemplateResult } from 'lit'
import { LabElement } from '../lab-element.ts'

export class JoinCard extends LabElement {
  static override properties = { ...LabElement.properties, room: { attribute: false } }
  declare room: string

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
