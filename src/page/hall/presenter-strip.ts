/** `<presenter-strip>`: what only the presenter may do. */
import { html, type TemplateResult } from 'lit'
import { LabElement } from '../lab-element.ts'

export class PresenterStrip extends LabElement {
  static override properties = { ...LabElement.properties, room: { attribute: false } }
  declare room: string

  protected override follow(): readonly (() => void)[] {
    return []
  }

  protected override watch(): readonly (() => void)[] {
    return []
  }

  freeze(): void {}

  override render(): TemplateResult {
    return html``
  }
}
