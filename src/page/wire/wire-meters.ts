/** The figures under the picture: what was counted, whether it adds up, what watching costs, and how long messages took. */
import { html, nothing, svg, type SVGTemplateResult, type TemplateResult } from 'lit'
import { type TransportName, transportNames } from '../../client/index.ts'
import { count, thin } from '../units.ts'
import { glyph, wires } from '../wires.ts'
import { binsPerDecade, decades, type Delays, quantiles, type Samples } from './delays.ts'
import { delay, exactly, percent, roughly } from './measures.ts'
import { overheadShare, since, type Sums } from './sums.ts'

export interface Account {
  readonly totals: Sums
  /** What of that had passed before anybody looked: the page's own files weigh more than a long talk. */
  readonly before: Sums
  readonly open: number
  /** Bytes a second of the connections that watch. */
  readonly observerBytesPerSecond: number
  /** Since when, in words. */
  readonly counted: string
}

export function meters({ totals, before, open }: Account): TemplateResult {
  const talk = since(totals, before)
  const share = overheadShare(talk)
  return html`<dl class="meters" data-testid="meters">
      ${meter('overhead', 'Overhead', share === undefined ? '–' : percent(share), share === undefined ? undefined : exactly(talk.up + talk.down - talk.payload))}
      ${meter('up', 'Up', exactly(totals.up))} ${meter('down', 'Down', exactly(totals.down))}
      ${meter('payload', 'Payload', exactly(talk.payload))} ${meter('requests', 'Requests', count(totals.requests))}
      ${meter('connections', 'Connections', count(totals.connections), `${count(open)} open`)}
    </dl>
    ${before.down === 0 ? nothing : html`<p class="hint" data-testid="before">Payload and overhead are without the first ${exactly(before.up + before.down)}: this page’s own files, and the way in.</p>`}`
}

const meter = (name: string, label: string, value: string, note?: string): TemplateResult =>
  html`<div>
    <dt>${label}</dt>
    <dd data-meter=${name}>${value}</dd>
    ${note === undefined ? nothing : html`<dd class="hint">${note}</dd>`}
  </div>`

/** Always shown: whether what the bytes were adds up to what the sockets count. */
export function exactness({ totals, observerBytesPerSecond, counted }: Account, reset: () => void): TemplateResult {
  const { attributed, unattributed, up, down } = totals
  const exact = attributed + unattributed === up + down
  return html`<p class="exactness" data-testid="exactness" ?data-loss=${!exact}>
      ${exactly(attributed)} recognised + ${exactly(unattributed)} not recognised ${exact ? '=' : '≠'} ${exactly(up + down)} counted by the
      sockets
    </p>
    <div class="meters-foot">
      <p class="hint">
        Bytes inside TCP, without TCP/IP and TLS, ${counted}.
        <span data-testid="observer">Watching costs ${roughly(observerBytesPerSecond)}/s more, not counted.</span>
      </p>
      <button type="button" class="quiet" @click=${reset}>Count from now</button>
    </div>`
}

/** A row for each transport over which one of ours came back. */
export function delayTable(delays: Delays): TemplateResult {
  const seen = transportNames.filter((name) => delays.of(name).n > 0)
  return html`<table class="delays" data-testid="delays">
    <caption>
      ${delaySentence(delays, seen)}
    </caption>
    ${
      seen.length === 0
        ? nothing
        : html`<thead>
              <tr>
                <th scope="col">Transport</th>
                <th scope="col">n</th>
                ${quantiles.map(({ name }) => html`<th scope="col">${name}</th>`)}
                <th scope="col">${delayAxis()}</th>
              </tr>
            </thead>
            <tbody>
              ${seen.map((name) => delayRow(name, delays.of(name)))}
            </tbody>`
    }
  </table>`
}

function delayRow(name: TransportName, samples: Samples): TemplateResult {
  return html`<tr data-transport=${name}>
    <th scope="row">${glyph(name)} ${wires[name].title}</th>
    <td>${count(samples.n)}</td>
    ${quantiles.map(({ share, least }) => {
      const ms = samples.quantile(share, least)
      return html`<td>${ms === undefined ? html`<small>needs ${count(least)}</small>` : delay(ms)}</td>`
    })}
    <td>${histogram(samples)}</td>
  </tr>`
}

function delaySentence(delays: Delays, seen: readonly TransportName[]): string {
  const what = `Delay of your own messages, from “send” until they came back over the wire, on this page's clock, which has steps of 0.1${thin}ms or less.`
  if (seen.length === 0) return `${what} Say something to measure it.`
  const parts = seen.map((name) => {
    const { n } = delays.of(name)
    const [{ share }] = quantiles
    const median = delays.of(name).quantile(share, 1)
    return `${wires[name].title} ${n < quantiles[0].least ? `${count(n)} so far` : `p50 ${delay(median ?? 0)}, n ${count(n)}`}`
  })
  return `${what} ${parts.join('; ')}.`
}

const binPx = 8
const widthPx = decades * binsPerDecade * binPx
const barsPx = 28

function histogram({ bins, n }: Samples): TemplateResult {
  const most = Math.max(...bins)
  const bars: SVGTemplateResult[] = []
  for (const [bin, amount] of bins.entries()) {
    if (amount === 0) continue
    const height = Math.max(1.5, (amount / most) * barsPx)
    bars.push(svg`<rect x=${bin * binPx + 1} y=${barsPx - height} width=${binPx - 1.5} height=${height} />`)
  }
  return html`<svg class="histogram" viewBox="0 0 ${widthPx} ${barsPx + 1}" role="img" aria-label="Histogram of ${count(n)} delays">
    ${decadeLines(barsPx)}${bars}
  </svg>`
}

const decadeLines = (height: number): readonly SVGTemplateResult[] =>
  Array.from({ length: decades + 1 }, (_, decade) => {
    const x = Math.min(widthPx - 0.5, decade * binsPerDecade * binPx + 0.5)
    return svg`<path class="grid" d=${`M${x} 0V${height}`} />`
  })

const decadeLabels = ['0.1', '1 ms', '10', '100', '1 s', '10', '100 s'] as const

function delayAxis(): TemplateResult {
  return html`<svg
    class="histogram axis"
    viewBox="0 0 ${widthPx} 16"
    role="img"
    aria-label="Delay, 0.1 ms to 100 s, each step ten times the one before"
  >
    ${decadeLabels.map((label, decade) => {
      const anchor = decade === 0 ? 'start' : decade === decades ? 'end' : 'middle'
      return svg`<text x=${decade * binsPerDecade * binPx} y="12" text-anchor=${anchor}>${label}</text>`
    })}
  </svg>`
}
