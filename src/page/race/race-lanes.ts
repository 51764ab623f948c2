/** `<race-lanes>`: four lanes on two common scales, bytes a message and delay, and the same as a table. */
import { html, LitElement, nothing, svg, type SVGTemplateResult, type TemplateResult } from 'lit'
import { type TransportName, transportNames } from '../../client/index.ts'
import { count } from '../units.ts'
import { glyph, wires } from '../wires.ts'
import { type Contest, type Standing, textBytes } from './contest.ts'
import { drawDelays } from './delay-strip.ts'
import type { LaneFigure } from './record.ts'
import { quantile } from './record.ts'
import { endFor, shareOf, ticksTo } from './scale.ts'
import { bytesOf, delayOf, hasNumber, leastForTail, leastMessages, perMessage } from './verdict.ts'
import type { Votes } from './votes.ts'

/** Before there is a number. */
const emptyEnds = { bytes: 1_000, delay: 1_000 } as const
const tailShare = 0.95

export class RaceLanes extends LitElement {
  static override properties = { contest: { attribute: false }, standing: { attribute: false }, votes: { attribute: false } }
  declare contest: Contest | undefined
  declare standing: Standing | undefined
  declare votes: Votes | undefined

  readonly #resized = new ResizeObserver(() => this.#draw())

  override createRenderRoot(): HTMLElement {
    return this
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    this.#resized.disconnect()
  }

  override render(): TemplateResult {
    const { bytes, delay } = this.#ends
    const voted = (this.votes?.total ?? 0) > 0
    return html`<figure class="lanes" ?data-voted=${voted}>
      <div class="lanes-head" aria-hidden="true">
        <p class="of-cost">Bytes a message, both ways</p>
        <p class="of-wait">Delay of each message, and the mean</p>
      </div>
      <ol>
        ${transportNames.map((name) => this.#lane(name, bytes))}
      </ol>
      <div class="lanes-foot" aria-hidden="true">
        <div class="of-cost">${axis(bytes, 'B')}</div>
        <div class="of-wait">${axis(delay, 'ms')}</div>
      </div>
      <figcaption>${legend} ${this.#table()}</figcaption>
    </figure>`
  }

  override firstUpdated(): void {
    for (const canvas of this.querySelectorAll('canvas')) this.#resized.observe(canvas)
  }

  override updated(): void {
    this.#draw()
  }

  get #ends(): { readonly bytes: number; readonly delay: number } {
    const figures = transportNames.map((name) => this.#figure(name)).filter((figure) => figure !== undefined)
    if (figures.length === 0) return emptyEnds
    return {
      bytes: endFor(Math.max(...figures.map(perMessage))),
      delay: endFor(Math.max(...figures.flatMap(({ delays }) => delays), 1)),
    }
  }

  /** What may be shown: with enough messages behind it. */
  #figure(name: TransportName): LaneFigure | undefined {
    const figure = this.standing?.figures[name]
    return hasNumber(figure) ? figure : undefined
  }

  #lane(name: TransportName, end: number): TemplateResult {
    const figure = this.#figure(name)
    const votes = this.votes?.of[name] ?? 0
    return html`<li data-transport=${name} data-testid="lane-${name}">
      <h3>
        ${glyph(name)} ${wires[name].title}
        ${(this.votes?.total ?? 0) > 0 ? html`<span class="votes">${this.#ballots(votes)}</span>` : nothing}
      </h3>
      ${bar(name, figure, end)}
      <p class="cost" data-testid="cost">${figure === undefined ? '–' : html`<b>${bytesOf(perMessage(figure))}</b>`}</p>
      <canvas aria-hidden="true"></canvas>
      <p class="wait" data-testid="wait">${figure === undefined ? this.#why(name) : delayOfLane(figure)}</p>
      <p class="pace">${figure === undefined ? nothing : paceOf(figure)}</p>
    </li>`
  }

  #ballots(votes: number): TemplateResult {
    const total = this.votes?.total ?? 0
    return html`<svg aria-hidden="true"><rect width=${shareOf(votes, total)} height="100%" /></svg> ${count(votes)} of ${count(total)}
      ${total === 1 ? 'vote' : 'votes'}`
  }

  /** Why there is no number. */
  #why(name: TransportName): string {
    const lane = this.contest?.lanes[name]
    if (lane === undefined || lane.status === 'closed') return ''
    if (lane.status !== 'live') return lane.sentence
    return `n = ${count(this.standing?.figures[name]?.n ?? 0)} of ${leastMessages}`
  }

  #draw(): void {
    const end = this.#ends.delay
    for (const name of transportNames) {
      const canvas = this.querySelector<HTMLCanvasElement>(`li[data-transport="${name}"] canvas`)
      const figure = this.#figure(name)
      if (canvas !== null) drawDelays(canvas, figure?.delays ?? [], figure?.meanMs ?? 0, end)
    }
  }

  #table(): TemplateResult {
    return html`<details>
      <summary>Table</summary>
      <div class="wide" tabindex="0" role="region" aria-label="The four lanes as a table">
        <table>
          <caption>
            ${this.standing?.verdict.text}
          </caption>
          <thead>
            <tr>
              ${['Transport', 'n', 'B a message', 'text', 'JSON', 'wire', 'mean', 'p95', 'requests/s', 'batches/s'].map(
                (head) => html`<th scope="col">${head}</th>`,
              )}
            </tr>
          </thead>
          <tbody>
            ${transportNames.map((name) => row(name, this.#figure(name)))}
          </tbody>
        </table>
      </div>
    </details>`
  }
}

function row(name: TransportName, figure: LaneFigure | undefined): TemplateResult {
  const cells = figure === undefined ? Array<string>(9).fill('–') : cellsOf(figure)
  return html`<tr data-transport=${name}>
    <th scope="row">${glyph(name)} ${wires[name].title}</th>
    ${cells.map((cell) => html`<td>${cell}</td>`)}
  </tr>`
}

function cellsOf(figure: LaneFigure): readonly string[] {
  const { n, seconds, requests, batches, meanMs } = figure
  const { text, json, wire } = partsOf(figure)
  return [
    count(n),
    bytesOf(perMessage(figure)),
    bytesOf(text),
    bytesOf(json),
    bytesOf(wire),
    delayOf(meanMs),
    tailOf(figure) ?? '–',
    (requests / seconds).toFixed(1),
    (batches / seconds).toFixed(1),
  ]
}

/** Of a message: what was said, the batch's JSON around it, and what the wire adds. */
export function partsOf({ n, bytes, payload }: LaneFigure): { readonly text: number; readonly json: number; readonly wire: number } {
  return { text: textBytes, json: Math.max(0, payload / n - textBytes), wire: (bytes - payload) / n }
}

const tailOf = ({ n, delays }: LaneFigure): string | undefined => (n < leastForTail ? undefined : delayOf(quantile(delays, tailShare)))

function delayOfLane(figure: LaneFigure): TemplateResult {
  const tail = tailOf(figure)
  return html`<b>${delayOf(figure.meanMs)}</b> <small>${tail === undefined ? '' : `p95 ${tail} · `}n = ${count(figure.n)}</small>`
}

const paceOf = ({ requests, batches, seconds }: LaneFigure): string =>
  `${(requests / seconds).toFixed(1)} requests/s · ${(batches / seconds).toFixed(1)} batches/s`

function bar(name: TransportName, figure: LaneFigure | undefined, end: number): TemplateResult {
  const { text, json, wire } = figure === undefined ? { text: 0, json: 0, wire: 0 } : partsOf(figure)
  return html`<svg class="bar" aria-hidden="true">
    ${hatch(name)}
    <rect class="said" width=${shareOf(text, end)} height="100%" />
    <rect class="json" x=${shareOf(text, end)} width=${shareOf(json, end)} height="100%" />
    <rect class="wire" x=${shareOf(text + json, end)} width=${shareOf(wire, end)} height="100%" fill="url(#hatch-${name})" />
  </svg>`
}

/** A pattern takes its colour from where it stands: one for each lane. */
const hatch = (name: string): SVGTemplateResult =>
  svg`<defs><pattern id="hatch-${name}" width="7" height="7" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect width="3" height="7" /></pattern></defs>`

function axis(end: number, unit: string): TemplateResult {
  return html`<svg class="axis">
    ${ticksTo(end).map((tick, index) => {
      const x = shareOf(tick, end)
      const anchor = index === 0 ? 'start' : tick > end * 0.96 ? 'end' : 'middle'
      return svg`<line x1=${x} x2=${x} y2="6" /><text x=${x} y="22" text-anchor=${anchor}>${count(tick)}${index === 0 ? '' : `\u202f${unit}`}</text>`
    })}
  </svg>`
}

const legend = html`<p class="legend">
  <span
    ><svg aria-hidden="true"><rect class="said" width="100%" height="100%" /></svg> the text, ${textBytes} B</span
  >
  <span
    ><svg aria-hidden="true"><rect class="json" width="100%" height="100%" /></svg> JSON around it</span
  >
  <span
    ><svg aria-hidden="true">
      ${hatch('legend')}
      <rect class="wire" width="100%" height="100%" fill="url(#hatch-legend)" />
    </svg>
    the wire’s own: heads, framing</span
  >
</p>`
