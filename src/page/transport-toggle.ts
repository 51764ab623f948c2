/** `<transport-toggle>`: the four transports. What is checked is wanted; the coloured rule is under what is live. */
import { html, type TemplateResult } from 'lit'
import { live } from 'lit/directives/live.js'
import { type Channel, type TransportName, transportNames } from '../client/index.ts'
import { ChannelElement } from './channel-element.ts'
import { glyph, wires } from './wires.ts'

/** Somebody chose a transport. */
export class TransportChosen extends Event {
  static readonly type = 'transport-chosen'
  readonly transport: TransportName

  constructor(transport: TransportName) {
    super(TransportChosen.type, { bubbles: true })
    this.transport = transport
  }
}

export class TransportToggle extends ChannelElement {
  static override properties = { ...ChannelElement.properties, wanted: { attribute: false }, keys: { attribute: false } }
  declare wanted: TransportName
  /** Whether the digit keys work. */
  declare keys: boolean

  protected override follow(channel: Channel): readonly (() => void)[] {
    return [channel.on('state', () => this.requestUpdate())]
  }

  override render(): TemplateResult {
    return html`<fieldset class="transports">
      <legend class="unseen">Transport</legend>
      ${transportNames.map((name) => this.#option(name))}
    </fieldset>`
  }

  #option(name: TransportName): TemplateResult {
    const { title, key } = wires[name]
    return html`<label data-transport=${name} ?data-live=${this.#isLive(name)}>
      <input
        type="radio"
        name="transport"
        value=${name}
        .checked=${live(this.wanted === name)}
        @change=${() => this.dispatchEvent(new TransportChosen(name))}
      />
      ${glyph(name)} <span class="word">${title}</span> ${this.keys ? html`<kbd aria-hidden="true">${key}</kbd>` : ''}
    </label>`
  }

  #isLive(name: TransportName): boolean {
    const state = this.channel?.state
    return state?.status === 'live' && state.transport === name
  }
}
