/** `<member-list>`: who is here, on which wire, and how we know. */
import { html, type TemplateResult } from 'lit'
import { LabElement } from './lab-element.ts'

export class MemberList extends LabElement {
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
