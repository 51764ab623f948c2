/** `<race-lanes>`: four lanes on two common scales, bytes a message and delay, and the same as a table. */
import { html, LitElement, nothing, svg, type SVGTemplateResult, type TemplateResult } from 'lit'
import { type TransportName, transportNames } from '../../client/index.ts'
import { count } from '../units.ts'
import { glyph, wires } from '../wires.ts'
import { type Contest, type Standing, textBytes } from './contest.ts'
import { drawDelays } from './delay-strip.ts'
import type { LaneFigure } from './record.ts'
import { quantile } from './record.ts'
import { anchorOf, endFor, labelled, shareOf, ticksTo } from './scale.ts'
import { type Age, type Aged, ageLabel, type Before, type Shown, shownOf } from './shown.ts'
import { bytesOf, delayOf, leastForTail, leastMessages, perMessage } from './verdict.ts'
import type { Votes } from './votes.ts'

/** Before there is a number. */
const emptyEnds = { bytes: 1_000, delay: 1_000 } as const
const tailShare = 0.95
/** A label's character is not wider than this, on a projector either. */
const digitPx = 10

export class RaceLanes extends LitElement {
  static override properties = {
    contest: { attribute: false },
    standing: { attribute: false },
    earlier: { attribute: false },
    summary: { attribute: false },
    votes: { attribute: false },
  }
  declare contest: Contest | undefined
  declare standing: Standing | undefined
  /** Of other dials, shown until there are enough of these. */
  declare earlier: Before | undefined
  /** What stands above the figure: the table has it as its caption. */
  declare summary: string
  declare votes: Votes | undefined

  /** Of each scale, in px; 0 until it is laid out. */
  #width = 0
  readonly #resized = new ResizeObserver(() => this.#resize())

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
        ${transportNames.map((name) => this.#lane(name, this.#shown[name], bytes))}
      </ol>
      <div class="lanes-foot" aria-hidden="true">
        <div class="of-cost">${axis(bytes, 'B', this.#width)}</div>
        <div class="of-wait">${axis(delay, 'ms', this.#width)}</div>
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

  get #shown(): Readonly<Record<TransportName, Shown>> {
    return shownOf(this.standing, this.earlier)
  }

  get #ends(): { readonly bytes: number; readonly delay: number } {
    const shown = Object.values(this.#shown)
    const costs = shown.flatMap(({ bytes }) => (bytes === undefined ? [] : [perMessage(bytes.figure)]))
    const delays = shown.flatMap(({ delay }) => delay?.figure.delays ?? [])
    return {
      bytes: costs.length === 0 ? emptyEnds.bytes : endFor(Math.max(...costs)),
      delay: delays.length === 0 ? emptyEnds.delay : endFor(Math.max(...delays, 1)),
    }
  }

  #lane(name: TransportName, { bytes, delay }: Shown, end: number): TemplateResult {
    const votes = this.votes?.of[name] ?? 0
    return html`<li data-transport=${name} data-testid="lane-${name}">
      <h3>
        ${glyph(name)} ${wires[name].title}
        ${(this.votes?.total ?? 0) > 0 ? html`<span class="votes">${this.#ballots(votes)}</span>` : nothing}
      </h3>
      ${bar(name, bytes, end)}
      <p class="cost" data-testid="cost" data-age=${ageOf(bytes)}>
        ${bytes === undefined ? '–' : html`<b>${bytesOf(perMessage(bytes.figure))}</b> <small>${this.#label(bytes)}</small>`}
      </p>
      <canvas aria-hidden="true" data-age=${ageOf(delay)}></canvas>
      <p class="wait" data-testid="wait" data-age=${ageOf(delay)}>
        ${delay === undefined ? this.#why(name) : delayOfLane(delay.figure, this.#label(delay))}
      </p>
      <p class="pace">${bytes === undefined ? nothing : paceOf(bytes.figure)}</p>
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

  #label({ age }: Aged): string {
    return this.contest === undefined ? '' : ageLabel(age, this.earlier, this.contest.dials)
  }

  /** Labels that have room on a wide axis have none on a narrow one. */
  #resize(): void {
    const width = this.querySelector('canvas')?.clientWidth ?? 0
    if (width === this.#width) return this.#draw()
    this.#width = width
    this.requestUpdate()
  }

  #draw(): void {
    const end = this.#ends.delay
    for (const name of transportNames) {
      const canvas = this.querySelector<HTMLCanvasElement>(`li[data-transport="${name}"] canvas`)
      const figure = this.#shown[name].delay?.figure
      if (canvas !== null) drawDelays(canvas, figure?.delays ?? [], figure?.meanMs ?? 0, end)
    }
  }

  #table(): TemplateResult {
    return html`<details>
      <summary>Table</summary>
      <div class="wide" tabindex="0" role="region" aria-label="The four lanes as a table">
        <table>
          <caption>
            ${this.summary}
          </caption>
          <thead>
            <tr>
              ${['Transport', 'n', 'B a message', 'text', 'JSON', 'wire', 'mean', 'p95', 'requests/s', 'batches/s'].map(
                (head) => html`<th scope="col">${head}</th>`,
              )}
            </tr>
          </thead>
          <tbody>
            ${transportNames.map((name) => row(name, this.#shown[name]))}
          </tbody>
        </table>
      </div>
    </details>`
  }
}

function row(name: TransportName, shown: Shown): TemplateResult {
  const cells = cellsOf(shown)
  return html`<tr data-transport=${name}>
    <th scope="row">${glyph(name)} ${wires[name].title}</th>
    ${cells.map((cell) => html`<td>${cell}</td>`)}
  </tr>`
}

function cellsOf({ bytes, delay }: Shown): readonly string[] {
  if (bytes === undefined) return Array<string>(9).fill('–')
  const { figure } = bytes
  const { n, seconds, requests, batches } = figure
  const { text, json, wire } = partsOf(figure)
  return [
    count(n),
    bytesOf(perMessage(figure)),
    bytesOf(text),
    bytesOf(json),
    bytesOf(wire),
    delay === undefined ? '–' : delayOf(delay.figure.meanMs),
    (delay && tailOf(delay.figure)) ?? '–',
    (requests / seconds).toFixed(1),
    (batches / seconds).toFixed(1),
  ]
}

const ageOf = (aged: Aged | undefined): Age | typeof nothing => aged?.age ?? nothing

/** Of a message: what was said, the batch's JSON around it, and what the wire adds. */
export function partsOf({ n, bytes, payload }: LaneFigure): { readonly text: number; readonly json: number; readonly wire: number } {
  return { text: textBytes, json: Math.max(0, payload / n - textBytes), wire: (bytes - payload) / n }
}

const tailOf = ({ n, delays }: LaneFigure): string | undefined => (n < leastForTail ? undefined : delayOf(quantile(delays, tailShare)))

/** `label` has the place of the tail: both are too long for it. */
function delayOfLane(figure: LaneFigure, label: string): TemplateResult {
  const tail = tailOf(figure)
  const first = label || (tail === undefined ? '' : `p95 ${tail}`)
  return html`<b>${delayOf(figure.meanMs)}</b> <small>${first && `${first} · `}n = ${count(figure.n)}</small>`
}

const paceOf = ({ requests, batches, seconds }: LaneFigure): string =>
  `${(requests / seconds).toFixed(1)} requests/s · ${(batches / seconds).toFixed(1)} batches/s`

function bar(name: TransportName, aged: Aged | undefined, end: number): TemplateResult {
  const { text, json, wire } = aged === undefined ? { text: 0, json: 0, wire: 0 } : partsOf(aged.figure)
  return html`<svg class="bar" aria-hidden="true" data-age=${ageOf(aged)}>
    ${hatch(name)}
    <rect class="said" width=${shareOf(text, end)} height="100%" />
    <rect class="json" x=${shareOf(text, end)} width=${shareOf(json, end)} height="100%" />
    <rect class="wire" x=${shareOf(text + json, end)} width=${shareOf(wire, end)} height="100%" fill="url(#hatch-${name})" />
  </svg>`
}

/** A pattern takes its colour from where it stands: one for each lane. */
const hatch = (name: string): SVGTemplateResult =>
  svg`<defs><pattern id="hatch-${name}" width="7" height="7" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect width="3" height="7" /></pattern></defs>`

function axis(end: number, unit: string, width: number): TemplateResult {
  const ticks = ticksTo(end)
  const textOf = (tick: number): string => (tick === 0 ? '0' : `${count(tick)}\u202f${unit}`)
  const named = labelled(ticks, end, width, (tick) => textOf(tick).length * digitPx)
  return html`<svg class="axis">
    ${ticks.map((tick) => {
      const x = shareOf(tick, end)
      const text = named.includes(tick) ? svg`<text x=${x} y="22" text-anchor=${anchorOf(tick, end)}>${textOf(tick)}</text>` : nothing
      return svg`<line x1=${x} x2=${x} y2="6" />${text}`
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
