/** `<presenter-strip>`: what only the presenter may do to the hall, with what came of it; and to all, how the hall is. */
import { html, nothing, type TemplateResult } from 'lit'
import { type Channel, type TransportName, transportNames } from '../../client/index.ts'
import type { Hall } from '../../lab/events.ts'
import { LabElement } from '../lab-element.ts'
import type { LabLink } from '../lab-link.ts'
import { count, counted, milliseconds } from '../units.ts'
import { cut, glyph, wires } from '../wires.ts'
import { combFigure } from './comb-figure.ts'
import { type Combs, combSentence, measure } from './combs.ts'
import { type HallChange, Presenter } from './presenter.ts'
import { type Orders, ordersOf } from './presenter-orders.ts'

/** Whether this page is the presenter's has changed: others show more then. */
export class PresenterChanged extends Event {
  static readonly type = 'presenter-changed'
  readonly presenter: boolean

  constructor(presenter: boolean) {
    super(PresenterChanged.type, { bubbles: true })
    this.presenter = presenter
  }
}

const keyFreezeMs = 1_000
/** On a phone the strip is a lid over the room: it is opened by who needs it. */
const narrow = matchMedia('(max-width: 760px)')

export class PresenterStrip extends LabElement {
  static override properties = { ...LabElement.properties, room: { attribute: false } }
  declare room: string

  readonly #presenter = new Presenter(document.baseURI, () => this.#changed())
  /** What the last action did, or why it did nothing. */
  #result: { readonly text: string; readonly failed: boolean } | undefined
  #combs: Combs | undefined
  #freezing = false
  /** Asked whether everything said here is to go. */
  #clearing = false
  #listening = new AbortController()

  override connectedCallback(): void {
    super.connectedCallback()
    this.#listening = new AbortController()
    addEventListener('hashchange', () => this.#begin(), { signal: this.#listening.signal })
    this.#begin()
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    this.#listening.abort()
    this.#presenter.stop()
  }

  protected override follow(channel: Channel): readonly (() => void)[] {
    this.#clearing = false
    return [channel.on('members', () => this.refresh()), channel.on('state', ({ member }) => this.#presenter.meet(member?.id))]
  }

  protected override watch(lab: LabLink): readonly (() => void)[] {
    return [lab.on('hall', () => this.refresh()), lab.on('status', () => this.refresh())]
  }

  #begin(): void {
    this.#presenter.begin()
    this.#presenter.meet(this.channel?.state.member?.id)
  }

  /** Freezes the server for a second: the key `f`. */
  freeze(): void {
    if (this.#presenter.status === 'presenter') void this.#freeze(keyFreezeMs)
  }

  override render(): TemplateResult {
    return html`${this.#notes()} ${this.#controls()}`
  }

  #notes(): readonly TemplateResult[] {
    const { muted, blurred } = this.lab?.hall ?? {}
    const notes: TemplateResult[] = []
    if (this.#presenter.status === 'refused')
      notes.push(
        html`<p class="notice refusal" role="alert" data-testid="presenter-refused">
          ${cut} This presenter's key is not the server's: it was drawn anew at its last start, or a character is missing. The terminal
          prints the address with the key when the server starts; open that.
        </p>`,
      )
    if (this.#presenter.status === 'away')
      notes.push(
        html`<p class="notice" role="status">The server has not answered the presenter's key yet. It is asked again by itself.</p>`,
      )
    const sentences = [
      blurred && 'The presenter has blurred what is said here, and by whom.',
      muted && 'The presenter has muted the hall: reading goes on.',
    ].filter(Boolean)
    if (sentences.length > 0) notes.push(html`<p class="notice" role="status" data-testid="hall-note">${sentences.join(' ')}</p>`)
    return notes
  }

  #controls(): TemplateResult | typeof nothing {
    if (this.#presenter.status !== 'presenter') return nothing
    const { hall } = this.lab ?? {}
    const orders: Orders = {
      room: this.room,
      freezing: this.#freezing,
      clearing: this.#clearing,
      freeze: (ms) => void this.#freeze(ms),
      cut: (name) => void this.#cut(name),
      change: (change, done) => void this.#change(change, done),
      askToClear: (asks) => this.#askToClear(asks),
      clear: () => void this.#clearRoom(),
    }
    return html`<details class="strip" ?open=${!narrow.matches} data-testid="presenter">
      <summary><b>Presenter</b> ${this.#joined(hall)}</summary>
      ${ordersOf(hall, orders)}
      <p class="strip-result" role="status" data-testid="presenter-result" ?data-failed=${this.#result?.failed}>
        ${this.#result?.failed ? cut : nothing} ${this.#result?.text}
      </p>
      ${this.#combs === undefined ? nothing : combFigure(this.#combs, this.#closeCombs)}
    </details>`
  }

  #joined(hall: Hall | undefined): TemplateResult {
    return html`<span data-testid="joined">joined ${count(hall?.joined ?? 0)} <span class="aside">from other devices</span></span>
      <span class="by-wire" data-testid="by-wire"
        ><span class="aside">in this room</span> ${transportNames.map(
          (name) => html`<span data-transport=${name}>${glyph(name, `over ${wires[name].word}:`)} ${count(this.#on(name))}</span> `,
        )}</span
      >`
  }

  #on(name: TransportName): number {
    return this.channel?.members.filter(({ wires: held }) => held.includes(name)).length ?? 0
  }

  #askToClear(asks: boolean): void {
    this.#clearing = asks
    this.requestUpdate()
  }

  readonly #closeCombs = (): void => {
    this.#combs = undefined
    this.#result = undefined
    this.requestUpdate()
  }

  async #freeze(ms: number): Promise<void> {
    if (this.#freezing) return
    this.#freezing = true
    this.#combs = undefined
    this.#say(`Freezing the server for ${milliseconds(ms)}.`)
    const url = new URL('healthz', document.baseURI)
    const ask = (): Promise<unknown> => fetch(url, { cache: 'no-store' }).then((response) => response.text())
    try {
      const combs = await measure(ask, () => this.#presenter.freeze(ms))
      this.#combs = combs
      this.#say(combSentence(combs))
    } catch (error) {
      this.#say(`Not frozen. ${reason(error)}`, true)
    } finally {
      this.#freezing = false
      this.requestUpdate()
    }
  }

  #cut(name: TransportName): Promise<void> {
    return this.#try(async () => {
      const on = counted(this.#on(name), 'member')
      await this.#presenter.cut(name)
      return `Every connection of ${wires[name].word} is cut: ${on} of this room had one. Each client comes back by itself.`
    })
  }

  #clearRoom(): Promise<void> {
    this.#clearing = false
    return this.#try(async () => {
      await this.#presenter.clear(this.room)
      return `“${this.room}” is empty, and new: everybody was told so.`
    })
  }

  #change(change: HallChange, done: string): Promise<void> {
    return this.#try(async () => {
      await this.#presenter.change(change)
      return done
    })
  }

  async #try(act: () => Promise<string>): Promise<void> {
    try {
      this.#say(await act())
    } catch (error) {
      this.#say(`Not done. ${reason(error)}`, true)
    }
  }

  #say(text: string, failed = false): void {
    this.#result = { text, failed }
    this.requestUpdate()
  }

  #changed(): void {
    this.dispatchEvent(new PresenterChanged(this.#presenter.status === 'presenter'))
    this.requestUpdate()
  }
}

/** What `fetch` says when nobody answers is for nobody to read. */
const reason = (error: unknown): string =>
  error instanceof TypeError ? 'The server is out of reach: try again when a wire is live.' : error instanceof Error ? error.message : ''
