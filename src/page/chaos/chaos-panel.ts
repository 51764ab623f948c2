/** `<chaos-panel>`: what one may do to one's own connections, and what to expect of it on the wire that is live. */
import { html, type TemplateResult } from 'lit'
import { live } from 'lit/directives/live.js'
import type { Channel, TransportName } from '../../client/index.ts'
import { chaosLimits, type ProxyKind, proxyKinds } from '../../lab/events.ts'
import { ChaosWatch } from './chaos-watch.ts'
import { bytesPerSecond, conditions, isChaotic, proxies, strokes, type Words } from './chaos-words.ts'
import { LabElement } from '../lab-element.ts'
import type { LabLink } from '../lab-link.ts'
import { milliseconds, seconds } from '../units.ts'
import { glyph, wires } from '../wires.ts'

const stallMs = 2_000
const blackHoleMs = 10_000
/** 0 is as fast as one can. */
const paces = [0, 10_000, 1_000] as const
const stepMs = 50

export class ChaosPanel extends LabElement {
  readonly #now = new ChaosWatch(() => this.requestUpdate())

  protected override follow(channel: Channel): readonly (() => void)[] {
    return [channel.on('state', () => this.refresh())]
  }

  protected override watch(lab: LabLink): readonly (() => void)[] {
    return [...this.#now.follow(lab), lab.on('status', () => this.requestUpdate())]
  }

  /** Ends our own connections now. */
  cut(how: 'fin' | 'rst' = 'rst'): void {
    this.lab?.send({ type: 'cut', how })
  }

  /** Begins a black hole, or ends the one that is. */
  blackHole(): void {
    this.lab?.send({ type: 'black-hole', ms: this.#now.chaos.blackHoleMs > 0 ? 0 : blackHoleMs })
  }

  override render(): TemplateResult {
    const status = this.lab?.status
    if (status === 'absent') {
      return html`<section class="panel chaos" aria-labelledby="chaos-title">
        ${title}
        <p>This server was started without its lab: from here nothing can be done to a connection.</p>
      </section>`
    }
    const now = this.#now.chaos
    return html`<section class="panel chaos" aria-labelledby="chaos-title" data-testid="chaos">
      ${title}
      <p class="hint">
        This hurts only your own connections: those of this browser, in all its tabs. It ends when the last of them is closed.
        ${status === 'open' ? '' : html`<strong>The line that carries these orders is away; it is tried again by itself.</strong>`}
      </p>
      <fieldset ?disabled=${status !== 'open'}>
        <legend class="unseen">Chaos on my own connections</legend>
        <div class="strokes">${this.#cut()} ${this.#hole(now.blackHoleMs)} ${this.#stall(now.stallMs)}</div>
        <div class="conditions">
          ${this.#slider('delayMs', 'Delay', conditions.delay)} ${this.#slider('jitterMs', 'Jitter', conditions.jitter)} ${this.#reader()}
          ${this.#proxy()}
        </div>
        <button type="button" class="normal" ?disabled=${!isChaotic(now)} @click=${() => this.#now.end()}>Back to normal</button>
      </fieldset>
    </section>`
  }

  get #wire(): TransportName {
    return this.channel?.state.transport ?? 'websocket'
  }

  #cut(): TemplateResult {
    return html`<div class="stroke" data-stroke="cut">
      <p class="buttons">
        <button type="button" @click=${() => this.cut('fin')}>Kill <small>FIN</small></button>
        <button type="button" @click=${() => this.cut('rst')}>Kill <small>RST</small></button>
      </p>
      ${this.#words(strokes.cut)}
    </div>`
  }

  #hole(leftMs: number): TemplateResult {
    return html`<div class="stroke" data-stroke="black-hole">
      <p class="buttons">
        <button type="button" aria-pressed=${leftMs > 0} @click=${() => this.blackHole()}>
          ${leftMs > 0 ? html`End the black hole <small>${seconds(leftMs)}</small>` : html`Black hole <small>${seconds(blackHoleMs)}</small>`}
        </button>
      </p>
      ${this.#words(strokes.hole)}
    </div>`
  }

  #stall(leftMs: number): TemplateResult {
    return html`<div class="stroke" data-stroke="stall">
      <p class="buttons">
        <button type="button" ?disabled=${leftMs > 0} @click=${() => this.lab?.send({ type: 'stall', ms: stallMs })}>
          Stall <small>${seconds(leftMs > 0 ? leftMs : stallMs)}</small>
        </button>
      </p>
      ${this.#words(strokes.stall)}
    </div>`
  }

  #slider(name: 'delayMs' | 'jitterMs', label: string, words: Words): TemplateResult {
    const value = this.#now.chaos.chaos[name]
    return html`<div class="condition" ?data-on=${value > 0}>
      <label for="chaos-${name}">${label} <output for="chaos-${name}">${value === 0 ? 'none' : milliseconds(value)}</output></label>
      <input
        id="chaos-${name}"
        type="range"
        min="0"
        max=${chaosLimits[name]}
        step=${stepMs}
        .value=${live(String(value))}
        aria-valuetext=${value === 0 ? 'none' : `${value} milliseconds`}
        @input=${({ target }: Event) => this.#now.set({ [name]: Number((target as HTMLInputElement).value) })}
      />
      ${this.#words(words)}
    </div>`
  }

  #reader(): TemplateResult {
    const now = this.#now.chaos.chaos.readBytesPerSecond
    return html`<div class="condition" ?data-on=${now > 0}>
      <label for="chaos-reader">Slow reader</label>
      <select id="chaos-reader" @change=${this.#paceChosen}>
        ${paces.map((pace) => html`<option value=${pace} .selected=${live(pace === now)}>${pace === 0 ? 'off' : bytesPerSecond(pace)}</option>`)}
      </select>
      ${this.#words(conditions.reader)}
    </div>`
  }

  #proxy(): TemplateResult {
    const now = this.#now.chaos.chaos.proxy
    return html`<div class="condition" ?data-on=${now !== 'none'}>
      <label for="chaos-proxy">Proxy in the way</label>
      <select id="chaos-proxy" @change=${this.#proxyChosen}>
        ${proxyKinds.map((kind) => html`<option value=${kind} .selected=${live(kind === now)}>${proxies[kind].name}</option>`)}
      </select>
      ${this.#words(proxies[now])}
    </div>`
  }

  #words({ does, expect }: Words): TemplateResult {
    const wire = this.#wire
    return html`<p class="does">
      ${does} <span class="expect" data-transport=${wire}>${glyph(wire)} <b>${wires[wire].title}:</b> ${expect[wire]}</span>
    </p>`
  }

  readonly #paceChosen = ({ target }: Event): void => this.#now.set({ readBytesPerSecond: Number((target as HTMLSelectElement).value) })

  readonly #proxyChosen = ({ target }: Event): void => this.#now.set({ proxy: (target as HTMLSelectElement).value as ProxyKind })
}

const title = html`<h2 id="chaos-title">Chaos on your own connections</h2>`
