/** `<room-announcer>`: what a screen reader is told. Changes of status, and messages only as fast as one can listen. */
import { html, type TemplateResult } from 'lit'
import type { Channel, ChannelState, Message } from '../client/index.ts'
import { ChannelElement } from './channel-element.ts'
import { announcement } from './state-sentence.ts'
import { gapSentence } from './transcript.ts'
import { counted } from './units.ts'

/** Up to this rate, each message is read out as it comes. */
const singleMs = 1_000
/** Above it, how many there were, at most so often. */
const summaryMs = 5_000

export class RoomAnnouncer extends ChannelElement {
  static override properties = { ...ChannelElement.properties, blurred: { attribute: false } }
  /** What is said is not read out, as it is not shown: only that something was. */
  declare blurred: boolean | undefined

  #status = ''
  #news = ''
  /** Came since something was last said. */
  #waiting: string[] = []
  #saidAt = 0
  #timer: ReturnType<typeof setTimeout> | undefined

  protected override follow(channel: Channel): readonly (() => void)[] {
    this.#waiting = []
    let begun = false
    return [
      channel.on('state', (state) => this.#tell(state)),
      channel.on('batch', ({ messages }) => {
        if (!begun) this.#say(messages.length === 0 ? 'No message here yet.' : `${counted(messages.length, 'message')} so far.`)
        begun = true
      }),
      channel.on('gap', (gap) => this.#say(`Gap. ${gapSentence(gap)}`)),
      channel.on('message', (message) => this.#hear(message, channel.state)),
      channel.on('unsent', (unsent) => {
        if (unsent.some(({ state }) => state === 'asking')) this.#say('A message may have arrived or not. Send it again?')
      }),
      () => clearTimeout(this.#timer),
    ]
  }

  override render(): TemplateResult {
    return html`<p class="unseen" role="status">${this.#status}</p>
      <p class="unseen" aria-live="polite" data-testid="news">${this.#news}</p>`
  }

  #tell(state: ChannelState): void {
    const status = announcement(state)
    if (status === this.#status) return
    this.#status = status
    this.requestUpdate()
  }

  #hear({ author, member, text }: Message, state: ChannelState): void {
    if (member === state.member?.id) return
    this.#waiting.push(`${author}: ${text}`)
    // More than one in the time of one: they are counted from here on.
    const restMs = this.#saidAt + (this.#waiting.length > 1 ? summaryMs : singleMs) - Date.now()
    clearTimeout(this.#timer)
    if (restMs <= 0) return this.#sayWaiting()
    this.#timer = setTimeout(() => this.#sayWaiting(), restMs)
  }

  #sayWaiting(): void {
    const [only] = this.#waiting
    if (only === undefined) return
    this.#say(this.#waiting.length === 1 && !this.blurred ? only : counted(this.#waiting.length, 'new message'))
  }

  #say(news: string): void {
    this.#waiting = []
    this.#saidAt = Date.now()
    this.#news = news
    this.requestUpdate()
  }
}
