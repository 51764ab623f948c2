/** `<unsent-list>`: what we said and have not seen come back, and how far each has got. */
import { html, nothing, type TemplateResult } from 'lit'
import { repeat } from 'lit/directives/repeat.js'
import type { Channel, Unsent } from '../client/index.ts'
import { ChannelElement } from './channel-element.ts'
import { cut } from './wires.ts'

/** In the room's log as `seq`, and not yet back over our own wire. */
export interface Stored {
  readonly id: string
  readonly seq: number
  readonly text: string
}

/** The person lets a message go that may have arrived. */
export class Discarded extends Event {
  static readonly type = 'discarded'
  readonly text: string

  constructor(text: string) {
    super(Discarded.type, { bubbles: true })
    this.text = text
  }
}

export class UnsentList extends ChannelElement {
  static override properties = { ...ChannelElement.properties, stored: { attribute: false } }
  declare stored: readonly Stored[]

  protected override follow(channel: Channel): readonly (() => void)[] {
    return [channel.on('unsent', () => this.refresh()), channel.on('state', () => this.refresh())]
  }

  override render(): TemplateResult {
    const unsent = this.channel?.unsent ?? []
    if (unsent.length === 0 && this.stored.length === 0) return html``
    return html`<ul aria-label="Not yet seen in the room" data-testid="unsent">
      ${repeat(
        this.stored,
        ({ id }) => id,
        ({ seq, text }) => line(text, 'stored', html`in the room as ${seq}, on its way back to us`),
      )}
      ${repeat(
        unsent,
        ({ id }) => id,
        (message) => (message.state === 'asking' ? this.#question(message) : line(message.text, message.state, this.#stage(message))),
      )}
    </ul>`
  }

  #stage({ state }: Unsent): string {
    if (state === 'sending') return 'sending'
    return this.channel?.state.status === 'live' ? 'waiting its turn' : 'waiting for a wire'
  }

  #question({ id, text }: Unsent): TemplateResult {
    const answer = (again: boolean) => () => {
      if (!again) this.dispatchEvent(new Discarded(text))
      this.channel?.resend(id, again)
    }
    return line(
      text,
      'asking',
      html`This may have arrived. Send it again?
        <button type="button" @click=${answer(true)}>Send again</button>
        <button type="button" @click=${answer(false)}>Discard</button>`,
    )
  }
}

const line = (text: string, stage: Unsent['state'] | 'stored', words: TemplateResult | string): TemplateResult =>
  html`<li data-stage=${stage}>
    <span class="bead">${stage === 'asking' ? cut : nothing}</span>
    <p class="text" dir="auto">${text}</p>
    <p class="stage">${words}</p>
  </li>`
