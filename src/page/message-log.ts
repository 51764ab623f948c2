/** `<message-log>`: the room's log, strung on the wires that brought it. Follows the end only while the reader is there. */
import { html, nothing, type PropertyValues, type TemplateResult } from 'lit'
import { guard } from 'lit/directives/guard.js'
import { repeat } from 'lit/directives/repeat.js'
import type { Ack, Channel } from '../client/index.ts'
import { ChannelElement } from './channel-element.ts'
import { gapSentence, type Missing, type Said, Transcript } from './transcript.ts'
import { count, timeOfDay } from './units.ts'
import type { Stored } from './unsent-list.ts'
import { cut, glyph, wires } from './wires.ts'

/** So near to the end, in px, is at the end: half a line. */
const nearPx = 16

export class MessageLog extends ChannelElement {
  static override properties = { ...ChannelElement.properties, blurred: { attribute: false }, clearedAt: { attribute: false } }
  /** What is said is for nobody's eyes now, nor for ears. */
  declare blurred: boolean | undefined
  /** When the room was emptied, in ms since 1970: what was said until then is taken down. */
  declare clearedAt: number | undefined

  #transcript = new Transcript()
  /** Ours, in the room's log already, and not yet back over our wire. */
  #stored: readonly Stored[] = []
  #unsent = 0
  #atEnd = true
  #top = 0
  /** Came while the reader was further up. */
  #unread = 0
  /** A layout is done when it calls: to follow the end then costs no other one. */
  readonly #resized = new ResizeObserver(() => this.#followEnd())

  /** Puts down what was acknowledged, until it comes back like everybody's. */
  store(ack: Ack, text: string): void {
    if (ack.seq <= this.#transcript.lastSeq) return
    this.#stored = [...this.#stored, { id: ack.id, seq: ack.seq, text }]
    this.refresh()
  }

  #goToEnd(): void {
    this.#atEnd = true
    this.#unread = 0
    this.requestUpdate()
    // What is new makes the log longer, and that is followed; where nothing is new, nobody else goes there.
    void this.updateComplete.then(() => this.#followEnd())
  }

  protected override follow(channel: Channel): readonly (() => void)[] {
    this.#transcript = new Transcript()
    this.#stored = []
    this.#unsent = channel.unsent.length
    this.#goToEnd()
    return [
      channel.on('message', (message, transport) => {
        this.#transcript.say(message, transport, message.member === channel.state.member?.id)
        this.#transcript.trim(!this.#atEnd)
        if (this.#stored.length > 0) this.#stored = this.#stored.filter(({ seq }) => seq > message.seq)
        if (!this.#atEnd) this.#unread++
        this.refresh()
      }),
      channel.on('gap', (gap, transport) => {
        this.#transcript.miss(gap, transport)
        this.#stored = []
        this.refresh()
      }),
      channel.on('unsent', ({ length }) => {
        // Who says something wants to see it.
        if (length > this.#unsent) this.#goToEnd()
        this.#unsent = length
        this.refresh()
      }),
      channel.on('state', () => this.refresh()),
    ]
  }

  override willUpdate(changed: PropertyValues<this>): void {
    super.willUpdate(changed)
    if (changed.has('clearedAt') && this.clearedAt !== undefined) this.#transcript.takeDown(this.clearedAt)
  }

  override render(): TemplateResult {
    const { lines, older } = this.#transcript
    return html`<div
        class="log"
        role="log"
        aria-live="off"
        aria-label="Messages"
        tabindex="0"
        ?data-at-end=${this.#atEnd}
        data-testid="messages"
        @scroll=${this.#scrolled}
      >
        <div>
          ${older > 0 ? html`<p class="older">Older lines are not shown here: ${count(older)} of them.</p>` : nothing}
          ${lines.length === 0 ? this.#nothingYet() : nothing}
          <ol aria-hidden=${this.blurred ? 'true' : nothing}>
            ${repeat(
              lines,
              ({ key }) => key,
              (line) => guard([line], () => ('gap' in line ? missing(line) : said(line))),
            )}
          </ol>
          <unsent-list .channel=${this.channel} .stored=${this.#stored}></unsent-list>
        </div>
      </div>
      ${
        this.#unread > 0
          ? html`<button type="button" class="unread" @click=${() => this.#readOn()}>
              <span aria-hidden="true">↓</span> ${count(this.#unread)} new<span class="unseen"> messages: go to the end</span>
            </button>`
          : nothing
      }`
  }

  override firstUpdated(): void {
    for (const element of [this.#scroller, ...this.#scroller.children]) this.#resized.observe(element)
  }

  get #scroller(): HTMLElement {
    return this.querySelector<HTMLElement>('.log') ?? this
  }

  #followEnd(): void {
    if (this.#atEnd) this.#scroller.scrollTop = this.#scroller.scrollHeight
  }

  readonly #scrolled = (): void => {
    const { scrollHeight, scrollTop, clientHeight } = this.#scroller
    // Only who goes up leaves the end: it also runs ahead by itself, as lines come.
    const wentUp = scrollTop < this.#top
    const atEnd = scrollHeight - scrollTop - clientHeight < nearPx || (this.#atEnd && !wentUp)
    this.#top = scrollTop
    if (atEnd === this.#atEnd) return
    this.#atEnd = atEnd
    this.requestUpdate()
    if (!atEnd) return
    this.#unread = 0
    this.#transcript.trim(false)
  }

  /** The button goes away under the finger: the focus goes where it led. */
  #readOn(): void {
    this.#goToEnd()
    this.#scroller.focus({ preventScroll: true })
  }

  #nothingYet(): TemplateResult | typeof nothing {
    if (this.channel?.state.status !== 'live') return nothing
    return html`<p class="older">
      Nothing has been said here yet. Say something, or open this address in a second window and switch its wire.
    </p>`
  }
}

function said({ message, transport, own }: Said): TemplateResult {
  const { seq, author, text, at } = message
  return html`<li data-seq=${seq} data-transport=${transport} ?data-own=${own}>
    <span class="seq">${seq}</span>
    <span class="bead">${glyph(transport, `over ${wires[transport].word}`)}</span>
    <span class="author"><bdi>${author}</bdi>${own ? html` <span class="you">you</span>` : nothing}</span>
    <time datetime=${new Date(at).toISOString()}>${timeOfDay(at)}</time>
    <p class="text" dir="auto">${text}</p>
  </li>`
}

function missing({ gap, transport }: Missing): TemplateResult {
  return html`<li class="gap" data-gap=${gap.reason}>
    <span class="bead">${cut}</span>
    <p class="text"><strong>Gap.</strong> ${gapSentence(gap)} <span class="unseen">Told over ${wires[transport].word}.</span></p>
  </li>`
}
