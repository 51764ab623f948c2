/** `<four-in-a-row>`: two play, the rest watch; every move is a message. */
import { html, type TemplateResult } from 'lit'
import type { TransportName } from '../../client/index.ts'
import { LabElement } from '../lab-element.ts'

export class FourInARow extends LabElement {
  static override properties = {
    ...LabElement.properties,
    room: { attribute: false },
    transport: { attribute: false },
    pollMs: { attribute: false },
  }
  declare room: string
  declare transport: TransportName
  declare pollMs: number

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
