/** `<member-count>`: how many are here, in the head of the page, by each wire. */
import { html, type TemplateResult } from 'lit'
import { type Channel, transportNames } from '../../client/index.ts'
import { byWire, headcount } from './attendance.ts'
import { ChannelElement } from '../channel-element.ts'
import { count } from '../units.ts'
import { glyph } from '../wires.ts'

export class MemberCount extends ChannelElement {
  protected override follow(channel: Channel): readonly (() => void)[] {
    return [channel.on('members', () => this.refresh())]
  }

  override render(): TemplateResult {
    const members = this.channel?.members ?? []
    if (members.length === 0) return html``
    const counts = byWire(members)
    return html`<p class="headcount" data-testid="headcount">
      <span class="unseen">${headcount(members)}</span>
      <span aria-hidden="true"
        ><b>${count(members.length)} here</b> ${transportNames
          .filter((name) => counts[name] > 0)
          .map((name) => html`<span data-transport=${name}>${glyph(name)} ${count(counts[name])}</span> `)}</span
      >
    </p>`
  }
}
