/** What the shapes of the picture mean, and how many bytes an area is: drawn by the figure's own rule. */
import { html, svg, type SVGTemplateResult, type TemplateResult } from 'lit'
import { sizeOf } from './figure.ts'
import { exactly } from './measures.ts'

/** The sample is about so large, in px². */
const sampleArea = 110

/** The sample: a round number of bytes, near what is easy to see. */
export function sampleBytes(scale: number): number {
  const about = sampleArea / scale
  const power = 10 ** Math.floor(Math.log10(about))
  return ([5, 2, 1].find((digit) => digit * power <= about) ?? 1) * power
}

export function legend(scale: number): TemplateResult {
  const bytes = sampleBytes(scale)
  const { width, height } = sizeOf(bytes * scale)
  return html`<ul class="legend" aria-label="What the shapes mean">
    <li data-testid="scale">
      <svg class="sample" width=${width} height=${height} viewBox="0 0 ${width} ${height}" aria-hidden="true">
        <rect width=${width} height=${height} />
      </svg>
      = ${exactly(bytes)}, area to scale
    </li>
    <li>${sign(svg`<rect x="4" y="1" width="8" height="14" />`)} payload</li>
    <li>
      ${sign(svg`<path class="hatch" d="M4.4 5 8 1.4M4.4 10.2 11.6 3M4.4 14.6 11.6 7.4M9 14.6 11.6 12" /><rect class="outline" x="4" y="1" width="8" height="14" />`)}
      overhead
    </li>
    <li>${sign(svg`<rect class="outline" x="0.75" y="4" width="14.5" height="8" />`)} held</li>
    <li>above the line up, below down</li>
  </ul>`
}

const sign = (shapes: SVGTemplateResult): TemplateResult => html`<svg class="sign" viewBox="0 0 16 16" aria-hidden="true">${shapes}</svg>`
