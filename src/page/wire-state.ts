/** `<wire-state>`: the one sentence that says what the wire is doing, ticking; and what a person can do about it. */
import { html, nothing, type TemplateResult } from 'lit'
import type { Channel } from '../client/index.ts'
import { ChannelElement } from './channel-element.ts'
import { HiddenSpell } from './hidden-spell.ts'
import { describe, type Sentence } from './state-sentence.ts'
import type { Account } from './wires.ts'
import { cut, glyph, wires } from './wires.ts'

const tickMs = 100
/** Who asked for less motion sees time step once a second. */
const calmTickMs = 1000
const calm = matchMedia('(prefers-reduced-motion: reduce)')

export class WireState extends ChannelElement {
  static override properties = { ...ChannelElement.properties, pollMs: { attribute: false } }
  declare pollMs: number

  #batches = 0
  #openedAt = 0
  #lastAt = 0
  readonly #hidden = new HiddenSpell()
  #timer: ReturnType<typeof setTimeout> | undefined

  protected override follow(channel: Channel): readonly (() => void)[] {
    this.#batches = 0
    this.#openedAt = 0
    this.#tick()
    return [
      channel.on('state', ({ status, since }) => {
        if (status === 'live' && since !== this.#openedAt) {
          this.#openedAt = since
          this.#batches = 0
        }
        this.requestUpdate()
      }),
      channel.on('batch', () => {
        this.#batches++
        this.#lastAt = Date.now()
        this.#hidden.answer(this.#lastAt)
      }),
      () => clearTimeout(this.#timer),
    ]
  }

  override connectedCallback(): void {
    super.connectedCallback()
    document.addEventListener('visibilitychange', this.#turned)
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    document.removeEventListener('visibilitychange', this.#turned)
  }

  readonly #turned = (): void => this.#hidden.turn(document.hidden, Date.now())

  override render(): TemplateResult {
    const { channel } = this
    if (channel === undefined) return html``
    const sentence = describe(channel.state, this.#account(), Date.now())
    const aside = sentence.aside ?? (sentence.wire === 'poll' ? this.#hidden.tell(this.pollMs, Date.now()) : undefined)
    return html`<p class="state" data-testid="state" data-tone=${sentence.tone} data-transport=${sentence.wire ?? nothing}>
      ${sign(sentence)}<span>${lead(sentence)}${sentence.text}${aside && html` <em>${aside}</em>`}</span>
      ${this.#remedy(sentence)}
    </p>`
  }

  #account(): Account {
    const now = Date.now()
    return { batches: this.#batches, openMs: now - this.#openedAt, quietMs: now - this.#lastAt, pollMs: this.pollMs }
  }

  #remedy({ remedy }: Sentence): TemplateResult | typeof nothing {
    const { channel } = this
    if (remedy === undefined || channel === undefined) return nothing
    return remedy === 'now'
      ? html`<button type="button" @click=${() => channel.nudge(true)}>Try now</button>`
      : html`<button type="button" @click=${() => channel.switchTo(channel.state.wanted)}>Try again</button>`
  }

  #tick(): void {
    clearTimeout(this.#timer)
    // The frame comes only while the page is seen: a hidden one does not count its seconds.
    this.#timer = setTimeout(
      () =>
        requestAnimationFrame(() => {
          if (!this.isConnected) return
          this.requestUpdate()
          this.#tick()
        }),
      calm.matches ? calmTickMs : tickMs,
    )
  }
}

const sign = ({ tone, wire }: Sentence): TemplateResult | typeof nothing =>
  wire !== undefined ? glyph(wire) : tone === 'lost' || tone === 'refused' ? cut : nothing

const lead = ({ wire }: Sentence): TemplateResult | typeof nothing => (wire === undefined ? nothing : html`<b>${wires[wire].title}:</b> `)
