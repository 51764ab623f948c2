/** `<seq-barcode>`: the visible proof. One column a seq, in the ink of the wire that delivered it; a hole is a hole. */
import { html, type TemplateResult } from 'lit'
import { type Channel, transportNames } from '../client/index.ts'
import { drawBarcode } from './barcode-drawing.ts'
import { ChannelElement } from './channel-element.ts'
import { Tracks } from './tracks.ts'
import { count } from './units.ts'
import { glyph, wires } from './wires.ts'

export class SeqBarcode extends ChannelElement {
  #tracks = new Tracks()
  readonly #resized = new ResizeObserver(() => this.#draw())
  readonly #dark = matchMedia('(prefers-color-scheme: dark)')
  readonly #redraw = (): void => this.#draw()

  protected override follow(channel: Channel): readonly (() => void)[] {
    this.#tracks = new Tracks()
    return [
      channel.on('message', ({ seq }, transport) => {
        this.#tracks.deliver(seq, transport)
        this.refresh()
      }),
      channel.on('gap', (gap) => {
        this.#tracks.miss(gap)
        this.refresh()
      }),
      // Repeats are counted without a message.
      channel.on('batch', ({ messages }) => {
        if (messages.length > 0) this.refresh()
      }),
    ]
  }

  override connectedCallback(): void {
    super.connectedCallback()
    this.#dark.addEventListener('change', this.#redraw)
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    this.#dark.removeEventListener('change', this.#redraw)
    this.#resized.disconnect()
  }

  override render(): TemplateResult {
    const { delivered, gaps, repeats } = this.channel?.counts ?? { delivered: 0, gaps: 0, repeats: 0 }
    return html`<figure class="barcode" data-testid="barcode">
      <canvas role="img" aria-label="Barcode of what was delivered. ${this.#tracks.summary()}"></canvas>
      <figcaption>
        <p class="proof" data-testid="proof">
          delivered ${count(delivered)} · <span ?data-loss=${gaps > 0}>gaps ${count(gaps)}</span> · repeats dropped ${count(repeats)}
        </p>
        <details>
          <summary>Table</summary>
          ${this.#table()}
        </details>
      </figcaption>
    </figure>`
  }

  override firstUpdated(): void {
    const canvas = this.querySelector('canvas')
    if (canvas !== null) this.#resized.observe(canvas)
  }

  override updated(): void {
    this.#draw()
  }

  toggleTable(): void {
    const details = this.querySelector('details')
    if (details !== null) details.open = !details.open
  }

  #table(): TemplateResult {
    return html`<table>
      <caption>
        ${this.#tracks.summary()}
      </caption>
      <thead>
        <tr>
          <th scope="col">Transport</th>
          <th scope="col">Messages delivered</th>
        </tr>
      </thead>
      <tbody>
        ${transportNames.map(
          (name) =>
            html`<tr data-transport=${name}>
              <th scope="row">${glyph(name)} ${wires[name].title}</th>
              <td>${count(this.#tracks.delivered[name])}</td>
            </tr>`,
        )}
      </tbody>
    </table>`
  }

  #draw(): void {
    const canvas = this.querySelector('canvas')
    if (canvas !== null) drawBarcode(canvas, this.#tracks.newest)
  }
}
