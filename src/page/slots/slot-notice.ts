/** `<slot-notice>`: says so when this browser has no connection left for a wire, and goes over to the one that needs none. */
import { html, nothing, type TemplateResult } from 'lit'
import type { Channel, TransportName } from '../../client/index.ts'
import { isChaotic } from '../chaos/chaos-words.ts'
import { LabElement } from '../lab-element.ts'
import type { LabLink } from '../lab-link.ts'
import { countsAgainstSlots, type HeldTab, HeldConnections, holds, slots, slotSentences, type SlotTrouble } from './slots.ts'
import { type Own, TabCensus } from './tab-census.ts'
import { TransportChosen } from '../transport-toggle.ts'
import { cut } from '../wires.ts'

/** A request that got no answer for so long is looked into, and for so long is one that gets no connection. */
const doubtMs = 700
const certainMs = 1_500
const lookMs = 200

interface Notice {
  readonly trouble: SlotTrouble
  readonly wanted: TransportName
  readonly tabs: readonly HeldTab[]
}

export class SlotNotice extends LabElement {
  static override properties = { ...LabElement.properties, room: { attribute: false } }
  declare room: string

  readonly #held = new HeldConnections()
  readonly #census = new TabCensus(
    () => this.#own(),
    () => this.#count(),
  )
  #notice: Notice | undefined
  /** Since when something of ours waits for an answer, on `performance.now()`. */
  #pendingAt: number | undefined
  #asked = false
  #looking: ReturnType<typeof setInterval> | undefined
  /** The run of our wire, since when it is live, that the others were asked about. */
  #counted = 0

  protected override follow(channel: Channel): readonly (() => void)[] {
    this.#notice = undefined
    this.#census.begin()
    this.#look(channel)
    return [
      channel.on('state', () => this.#look(channel)),
      channel.on('unsent', () => this.#look(channel)),
      () => clearInterval(this.#looking),
      () => this.#census.end(),
    ]
  }

  protected override watch(lab: LabLink): readonly (() => void)[] {
    return [lab.on('report', (report) => this.#held.take(report)), lab.on('status', () => this.#held.clear())]
  }

  override render(): TemplateResult {
    return html`<div role="status" class="slots">${this.#notice === undefined ? nothing : this.#told(this.#notice)}</div>`
  }

  #told({ trouble, wanted, tabs }: Notice): TemplateResult {
    const [why, ...rest] = slotSentences(trouble, wanted, tabs)
    return html`<div class="notice" data-testid="slot-notice">
      ${cut}
      <p><b>${why}</b> ${rest.join(' ')}</p>
      <button type="button" @click=${() => this.#say(undefined)}>Close</button>
    </div>`
  }

  /** What this tab holds, for another that asks. */
  #own(): Own {
    const state = this.channel?.state
    if (state?.status !== 'live' || !holds(state.transport)) return undefined
    return { room: this.room, transport: state.transport, since: state.since }
  }

  /** Is something of ours on its way without an answer? Then it is looked at until there is one. */
  #look(channel: Channel): void {
    const { status, wanted } = channel.state
    // The person chose a wire again: what was said of the last choice is old.
    if (this.#notice !== undefined && wanted !== 'websocket' && status === 'live') this.#say(undefined)
    if (this.#isPending(channel)) {
      if (this.#pendingAt !== undefined) return
      this.#pendingAt = performance.now()
      this.#asked = false
      clearInterval(this.#looking)
      this.#looking = setInterval(() => this.#doubt(channel), lookMs)
      return
    }
    this.#pendingAt = undefined
    clearInterval(this.#looking)
    this.#askOthers()
  }

  #isPending({ state, unsent }: Channel): boolean {
    const { status, transport, opening } = state
    if (status === 'connecting') return countsAgainstSlots(transport)
    if (status !== 'live') return false
    return (opening !== undefined && countsAgainstSlots(opening)) || (unsent[0]?.state === 'sending' && countsAgainstSlots(transport))
  }

  #doubt(channel: Channel): void {
    const { lab } = this
    const pendingAt = this.#pendingAt ?? Infinity
    const pendingMs = performance.now() - pendingAt
    if (pendingMs < doubtMs) return
    if (!this.#asked) {
      this.#asked = true
      this.#census.ask()
      // A person without a session yet has no line either; one whose session gets no connection has.
      lab?.open()
      lab?.send({ type: 'clock', sent: performance.now() })
    }
    if (pendingMs < certainMs || (lab !== undefined && isChaotic(lab.chaos))) return
    const answers = lab?.status === 'open' && lab.heardAt > pendingAt
    const { others } = this.#census
    if (others.length >= slots || (answers && this.#held.size >= slots)) this.#goOver('waiting', channel, others)
  }

  /** A wire that holds a connection has come to life: is it the last one? Once for each such wire. */
  #askOthers(): void {
    const own = this.#own()
    if (own === undefined || own.since === this.#counted) return
    this.#counted = own.since
    this.#census.ask()
  }

  /** Another tab has answered. The one that came last gives way, so that the others can still send. */
  #count(): void {
    const own = this.#own()
    const { others } = this.#census
    if (own === undefined || this.channel === undefined || others.length < slots - 1) return
    if (others.slice(0, slots - 1).every(({ since }) => since <= own.since)) this.#goOver('last', this.channel, others)
  }

  #goOver(trouble: SlotTrouble, { state }: Channel, tabs: readonly HeldTab[]): void {
    // On its way already: further answers are no further reason.
    if (state.wanted === 'websocket') return
    this.#pendingAt = undefined
    clearInterval(this.#looking)
    this.#say({ trouble, wanted: state.opening ?? state.transport, tabs })
    this.dispatchEvent(new TransportChosen('websocket'))
  }

  #say(notice: Notice | undefined): void {
    this.#notice = notice
    this.requestUpdate()
  }
}
