/** `<wire-view>`: every TCP connection of ours on a time axis, byte by byte. */
import { html, nothing, type PropertyValues, type TemplateResult } from 'lit'
import type { Channel } from '../../client/index.ts'
import type { BlockBytes, Report } from '../../lab/events.ts'
import { type Handshake, handshakeOf } from './accept.ts'
import { LabElement } from '../lab-element.ts'
import type { LabLink } from '../lab-link.ts'
import { count, timeOfDay } from '../units.ts'
import { Delays } from './delays.ts'
import { legend } from './legend.ts'
import { slownesses, type Slowness } from './playback.ts'
import { type Account, delayTable, exactness, meters } from './wire-meters.ts'
import { type WireBlock, type WireConnection, WireModel } from './wire-model.ts'
import type { BlockChosen, WirePicture } from './wire-picture.ts'
import { blockTable, connectionTable } from './wire-table.ts'
import { summaryOf, timeWords } from './words.ts'

/** The figures are written so often at the most; nobody reads faster. */
const figuresMs = 250
/** The table is for reading: it is written so often. */
const tableMs = 1_000

export class WireView extends LabElement {
  #model = new WireModel()
  readonly #delays = new Delays()
  #fallbackOffset = -Infinity
  #chosen: WireBlock | undefined
  #answer: BlockBytes | undefined
  #since = 'since each connection was opened'
  #tableOpen = false
  #table: TemplateResult | undefined
  #tableAt = 0
  #due: ReturnType<typeof setTimeout> | undefined
  #ticking: ReturnType<typeof setInterval> | undefined
  #leaving = new AbortController()
  #seen = false
  /** Of the view, not of its picture: who has scrolled past that still reads the figures. */
  readonly #looked = new IntersectionObserver((entries) => {
    this.#seen = entries.at(-1)?.isIntersecting ?? false
    if (this.#seen) this.requestUpdate()
  })

  protected override follow(channel: Channel): readonly (() => void)[] {
    return [
      channel.on('unsent', (unsent) =>
        this.#delays.sent(
          unsent.map(({ id }) => id),
          performance.now(),
        ),
      ),
      channel.on('message', ({ id }, transport) => {
        if (this.#delays.arrived(id, transport, performance.now())) this.#soon()
      }),
    ]
  }

  protected override watch(lab: LabLink): readonly (() => void)[] {
    this.#model = new WireModel()
    return [
      lab.on('report', (report) => this.#take(report)),
      lab.on('bytes', (answer) => {
        if (answer.connection !== this.#chosen?.connection || answer.block !== this.#chosen.block) return
        this.#answer = answer
        this.requestUpdate()
      }),
      lab.on('clock', () => this.#soon()),
      lab.on('status', (status) => {
        if (status === 'open') this.#model.reopened()
        this.requestUpdate()
      }),
    ]
  }

  override connectedCallback(): void {
    super.connectedCallback()
    this.#leaving = new AbortController()
    const { signal } = this.#leaving
    const seen = (): void => {
      if (document.hidden) this.#delays.interrupt()
      else this.requestUpdate()
    }
    document.addEventListener('visibilitychange', seen, { signal })
    this.#looked.observe(this)
    // What is held grows in words too, also while no byte passes.
    this.#ticking = setInterval(() => this.#soon(), tableMs)
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    this.#leaving.abort()
    this.#looked.disconnect()
    clearInterval(this.#ticking)
    clearTimeout(this.#due)
    this.#due = undefined
  }

  /** Holds the picture, or lets it go on. The counters go on either way. */
  togglePause(): void {
    this.#picture?.togglePause()
    this.requestUpdate()
  }

  get #picture(): WirePicture | null {
    return this.querySelector<WirePicture>('wire-picture')
  }

  #take(report: Report): void {
    this.#model.take(report)
    this.#fallbackOffset = Math.max(this.#fallbackOffset, report.at - performance.now())
    this.#picture?.wake()
    this.#soon()
  }

  /** Writes the figures soon, and once for all that comes until then; not where nobody sees them. */
  #soon(): void {
    if (this.#due !== undefined || !this.#seen || document.hidden) return
    this.#due = setTimeout(() => {
      this.#due = undefined
      this.refresh()
    }, figuresMs)
  }

  get #offset(): number {
    return this.lab?.clock?.offsetMs ?? (Number.isFinite(this.#fallbackOffset) ? this.#fallbackOffset : 0)
  }

  override render(): TemplateResult {
    if (this.lab?.status === 'absent') return absent
    return html`<section class="wire" data-testid="wire" aria-labelledby="wire-title">
      <div class="wire-head">
        <h2 id="wire-title">Wire</h2>
        ${this.#words()}
        <div class="wire-controls">${this.#controls()}</div>
      </div>
      <wire-picture
        .model=${this.#model}
        .offset=${this.#offset}
        @block-chosen=${({ block }: BlockChosen) => this.#inspect(block)}
      ></wire-picture>
      ${legend(this.#picture?.figure?.scale ?? 0.5)}
      <byte-inspector
        .block=${this.#chosen}
        .answer=${this.#answer}
        .port=${this.#connection?.state.port}
        @inspector-closed=${this.#letGo}
      ></byte-inspector>
      <accept-steps .lab=${this.lab} .handshake=${this.#handshake()}></accept-steps>
      ${this.#figures()}
    </section>`
  }

  /** Of the chosen block: as it is drawn, for a paused picture still has what the model has forgotten. */
  get #connection(): WireConnection | undefined {
    const drawn = this.#picture?.stretches.map(({ connection }) => connection) ?? []
    return [...drawn, ...this.#model.connections].find(({ id }) => id === this.#chosen?.connection)
  }

  #handshake(): Handshake | undefined {
    const chosen = this.#chosen
    const connection = this.#connection
    return chosen && connection && handshakeOf(connection, chosen)
  }

  override updated(changed: PropertyValues): void {
    super.updated(changed)
    // Its sentence is a figure too; this wakes it as well.
    this.#picture?.requestUpdate()
  }

  #controls(): TemplateResult {
    const { slowness = 1, paused = false } = this.#picture?.playback ?? {}
    return html`<button type="button" class="pause" aria-pressed=${paused} @click=${() => this.togglePause()}>
        ${paused ? 'Go on' : 'Pause'} <kbd>space</kbd>
      </button>
      <fieldset class="speeds">
        <legend class="unseen">Speed of the picture</legend>
        ${slownesses.map(
          (each) =>
            html`<label>
              <input type="radio" name="wire-speed" .checked=${each === slowness} @change=${() => this.#slow(each)} />
              <span>${each === 1 ? '1×' : `1/${each}`}</span>
            </label>`,
        )}
      </fieldset>`
  }

  #slow(slowness: Slowness): void {
    this.#picture?.slow(slowness)
    this.requestUpdate()
  }

  /** What the picture is of, and what is left out of it. */
  #words(): TemplateResult {
    const { oneOf, skipped } = this.#model
    const { figure, playback } = this.#picture ?? {}
    const span = figure?.span
    const agoMs = span === undefined ? 0 : performance.now() + this.#offset - span.to
    const { slowness = 1, paused = false } = playback ?? {}
    const away = this.lab?.status === 'away' || this.lab?.status === 'opening'
    return html`<p class="wire-words" data-testid="wire-words" role="status" aria-live="off">
      ${away ? html`<strong>The line to the lab is away: nothing new is told until it is back.</strong> ` : nothing}
      ${span === undefined ? 'One row is one TCP connection of yours.' : timeWords(slowness, span.to - span.from, Math.max(0, agoMs), paused)}${
        oneOf > 1 ? `; showing 1 of ${count(oneOf)}, counters exact` : nothing
      }${skipped > 0 && oneOf === 1 ? `; ${count(skipped)} blocks were too many to tell, counters exact` : nothing}
    </p>`
  }

  #figures(): TemplateResult {
    const account: Account = {
      totals: this.#model.totals,
      before: this.#model.before,
      open: this.#model.open,
      observerBytesPerSecond: this.#model.observerBytesPerSecond,
      counted: this.#since,
    }
    return html`${meters(account)} ${exactness(account, () => this.#reset())} ${delayTable(this.#delays)}
      <details @toggle=${this.#toggled} data-testid="wire-twin">
        <summary>Table</summary>
        ${this.#tableOpen ? this.#twin() : nothing}
      </details>`
  }

  readonly #toggled = ({ target }: Event): void => {
    this.#tableOpen = (target as HTMLDetailsElement).open
    this.#table = undefined
    this.requestUpdate()
  }

  /** As the picture stood a moment ago: a table that changes under the eyes is read by nobody. */
  #twin(): TemplateResult {
    const now = performance.now()
    const picture = this.#picture
    if (this.#table !== undefined && now - this.#tableAt < tableMs) return this.#table
    this.#tableAt = now
    this.#table = html`<p data-testid="wire-summary">
        ${picture?.figure === undefined ? nothing : summaryOf(picture.stretches, picture.figure)}
      </p>
      <div class="wide" role="region" tabindex="0" aria-label="Connections">
        ${connectionTable(this.#model.connections, this.#model.at)}
      </div>
      <div class="wide" role="region" tabindex="0" aria-label="Blocks">
        ${blockTable(picture?.figure, (block) => this.#inspect(block))}
      </div>`
    return this.#table
  }

  #inspect(block: WireBlock): void {
    this.#chosen = block
    this.#answer = undefined
    this.lab?.send({ type: 'bytes', connection: block.connection, block: block.block })
    this.requestUpdate()
  }

  readonly #letGo = (): void => {
    this.#chosen = undefined
    this.#picture?.letGo()
    this.querySelector<HTMLElement>('.wire-figure')?.focus({ preventScroll: true })
    this.requestUpdate()
  }

  #reset(): void {
    this.#model.reset()
    this.#delays.reset()
    this.#since = `since ${timeOfDay(Date.now())}`
    this.requestUpdate()
  }
}

const absent = html`<section class="wire" data-testid="wire">
  <h2>Wire</h2>
  <p class="notice">
    This server was started with <code>--no-lab</code>: it does not look at connections, so there is nothing to show. Start it without that
    option to see your bytes here; the room itself works the same.
  </p>
</section>`
