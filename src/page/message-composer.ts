/** `<message-composer>`: the next line of the log, yet unwritten. What is typed stays until it is in the outbox, and comes back if refused. */
import { html, nothing, type TemplateResult } from 'lit'
import { type Ack, type Channel, Problem } from '../client/index.ts'
import { maxTextLength } from '../protocol/draft.ts'
import { ChannelElement } from './channel-element.ts'
import { keep, recall } from './storage.ts'
import { count } from './units.ts'
import { cut, glyph } from './wires.ts'

/** Ours is in the room's log. */
export class Acknowledged extends Event {
  static readonly type = 'acknowledged'
  readonly ack: Ack
  readonly text: string

  constructor(ack: Ack, text: string) {
    super(Acknowledged.type, { bubbles: true })
    this.ack = ack
    this.text = text
  }
}

/** With so many units left it is told how many: `maxlength` cuts a paste without a word. */
const nearlyFull = (most: number): number => most - Math.min(256, most / 4)
/** Where a browser does not size the box by itself (`field-sizing`), it shows so many lines. */
const mostRows = 6
/** With a finger Enter makes a line, as on every phone; the button sends. */
const touch = matchMedia('(pointer: coarse) and (hover: none)')

export class MessageComposer extends ChannelElement {
  static override properties = { ...ChannelElement.properties, muted: { attribute: false }, most: { attribute: false } }
  /** Nothing would be taken now: what is typed waits in the box. */
  declare muted: boolean | undefined
  /** UTF-16 units of a text that this server takes, where it has said so. */
  declare most: number | undefined

  #note: string | undefined
  /** Texts that the person let go: their rejection is no news. */
  readonly #discarded = new Set<string>()
  /** Refused, and on their way back into the box. */
  readonly #returned: string[] = []

  protected override follow(channel: Channel): readonly (() => void)[] {
    // What the room before had not confirmed is in the box by now; what the page before had not, is taken up first.
    if (this.hasUpdated) keep('session', 'unsent', undefined)
    return [
      channel.on('state', () => this.requestUpdate()),
      channel.on('unsent', (unsent) =>
        keep('session', 'unsent', unsent.length > 0 ? JSON.stringify(unsent.map(({ text }) => text)) : undefined),
      ),
    ]
  }

  get #box(): HTMLTextAreaElement | null {
    return this.querySelector('textarea')
  }

  override focus(): void {
    this.#box?.focus()
  }

  /** The person answered for an unsent message: it is not to come back. */
  letGo(text: string): void {
    this.#discarded.add(text)
  }

  override render(): TemplateResult {
    const state = this.channel?.state
    const { length } = this.#box?.value ?? ''
    const most = this.most ?? maxTextLength
    const lines = this.#box?.value.split('\n').length ?? 1
    return html`<form class="composer" data-testid="composer" @submit=${this.#submit}>
      <label for="box" data-transport=${state?.status === 'live' ? state.transport : nothing}>
        <span class="bead">${state?.status === 'live' ? glyph(state.transport) : cut}</span>
        <span class="author"><span class="unseen">Message, as </span><bdi>${state?.member?.name ?? 'you'}</bdi></span>
      </label>
      <textarea
        id="box"
        rows=${Math.min(mostRows, lines)}
        maxlength=${most}
        placeholder="Say something"
        aria-describedby="box-note"
        enterkeyhint=${touch.matches ? 'enter' : 'send'}
        @input=${this.#input}
        @keydown=${this.#key}
      ></textarea>
      <button type="submit" ?disabled=${this.muted}>Send</button>
      <div id="box-note">
        ${this.muted ? html`<p data-testid="box-muted">The presenter has muted the room. What you type is kept here until it is open again.</p>` : nothing}
        ${this.#note === undefined ? nothing : html`<p class="refusal" role="alert">${cut} ${this.#note}</p>`}
        ${length >= nearlyFull(most) ? html`<p class="hint">${count(length)} of ${count(most)}</p>` : nothing}
        <p class="hint keys">Enter sends, Shift+Enter makes a line; Esc leaves the box, and 1 to 4 switch.</p>
      </div>
    </form>`
  }

  override firstUpdated(): void {
    const box = this.#box
    if (box === null) return
    box.value = recall('session', 'draft') ?? ''
    const unsent = recall('session', 'unsent')
    if (unsent === undefined) return
    keep('session', 'unsent', undefined)
    this.#giveBack(textsOf(unsent), 'The page was left before this was confirmed. It may have arrived: look before you send it again.')
  }

  readonly #input = (): void => {
    this.#note = undefined
    this.#keepDraft()
  }

  readonly #key = (event: KeyboardEvent): void => {
    // Out of the box: the single keys work again.
    if (event.key === 'Escape' && !event.isComposing) this.#box?.blur()
    // While an input method composes, Enter is its own.
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing || touch.matches) return
    event.preventDefault()
    this.#send()
  }

  readonly #submit = (event: SubmitEvent): void => {
    event.preventDefault()
    this.#send()
    this.focus()
  }

  #send(): void {
    const box = this.#box
    const { channel } = this
    if (box === null || channel === undefined || this.muted || box.value.trim() === '') return
    const text = box.value
    box.value = ''
    this.#input()
    void this.#follow(channel.send(text), text)
  }

  async #follow(sending: Promise<Ack>, text: string): Promise<void> {
    try {
      this.dispatchEvent(new Acknowledged(await sending, text))
    } catch (error) {
      if (this.#discarded.delete(text)) return
      this.#returned.push(text)
      // When a room is left, all that is unsent comes back at once, and in its order.
      if (this.#returned.length === 1) queueMicrotask(() => this.#giveBack(this.#returned.splice(0), reasonOf(error)))
    }
  }

  /** In front of what is being typed meanwhile, never over it. */
  #giveBack(texts: readonly string[], why: string): void {
    const box = this.#box
    if (box === null || texts.length === 0) return
    const text = texts.join('\n')
    const { selectionStart, selectionEnd } = box
    const before = box.value === '' ? text : `${text}\n`
    box.value = box.value === '' ? text : `${before}${box.value}`
    box.setSelectionRange(selectionStart + before.length, selectionEnd + before.length)
    this.#keepDraft()
    this.#note = why
    this.requestUpdate()
  }

  #keepDraft(): void {
    keep('session', 'draft', this.#box?.value)
    this.requestUpdate()
  }
}

const reasonOf = (error: unknown): string =>
  error instanceof Problem ? `Not sent. ${error.message}` : 'The room was left before this was confirmed. It may have arrived there.'

function textsOf(json: string): readonly string[] {
  try {
    const texts: unknown = JSON.parse(json)
    return Array.isArray(texts) ? texts.filter((text) => typeof text === 'string') : []
  } catch {
    return []
  }
}
