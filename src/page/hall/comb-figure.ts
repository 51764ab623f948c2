/** What a freeze looked like to an open and to a closed loop: two combs on one scale, and the same as a table. Its sentence stands above it. */
import { html, svg, type SVGTemplateResult, type TemplateResult } from 'lit'
import { duration, milliseconds } from '../units.ts'
import { type Combs, combSentence, type Sample } from './combs.ts'

/** The drawing's own height; its width is the time in ms. It is stretched to the place it has. */
const height = 100
/** An answer that came at once is still one that came: it is seen as a stump. */
const stump = 3

export function combFigure(combs: Combs, close: () => void): TemplateResult {
  const all = [...combs.open, ...combs.closed]
  const lengthMs = Math.max(combs.freezeAt + combs.frozenMs, ...all.map(({ at }) => at)) + 125
  const mostMs = Math.max(1, ...all.map(({ ms }) => ms))
  const comb = (samples: readonly Sample[], name: string): TemplateResult =>
    html`<p>${name}</p>
      <svg viewBox="0 0 ${lengthMs} ${height}" preserveAspectRatio="none" aria-hidden="true">
        <rect class="frozen" x=${combs.freezeAt} y="0" width=${combs.frozenMs} height=${height} />
        ${samples.map((sample) => tooth(sample, mostMs))}
      </svg>`
  return html`<figure class="combs" data-testid="combs">
    <div class="comb-plot" role="img" aria-label=${combSentence(combs)}>
      ${comb(combs.open, 'Open loop')} ${comb(combs.closed, 'Closed loop')}
      <p class="comb-axis">
        <span>asked at 0</span><span>grey: frozen; the highest tooth waited ${milliseconds(mostMs)}</span><span>${duration(lengthMs)}</span>
      </p>
    </div>
    <figcaption>
      <details>
        <summary>Table</summary>
        ${table(combs)}
      </details>
      <button type="button" class="help" @click=${close}>Close<span class="unseen"> the figure of the freeze</span></button>
    </figcaption>
  </figure>`
}

const tooth = ({ at, ms }: Sample, mostMs: number): SVGTemplateResult => {
  const top = height - Math.max(stump, (ms / mostMs) * height)
  return svg`<line x1=${at} x2=${at} y1=${height} y2=${top} />`
}

function table({ open, closed }: Combs): TemplateResult {
  const rows = [...open.map((sample) => ['open', sample] as const), ...closed.map((sample) => ['closed', sample] as const)]
  return html`<table>
    <caption>
      Every question of both loops
    </caption>
    <thead>
      <tr>
        <th scope="col">Loop</th>
        <th scope="col">Asked at</th>
        <th scope="col">Answered after</th>
      </tr>
    </thead>
    <tbody>
      ${rows.map(
        ([loop, { at, ms }]) =>
          html`<tr data-loop=${loop} data-ms=${ms}>
            <th scope="row">${loop}</th>
            <td>${milliseconds(at)}</td>
            <td>${milliseconds(ms)}</td>
          </tr>`,
      )}
    </tbody>
  </table>`
}
