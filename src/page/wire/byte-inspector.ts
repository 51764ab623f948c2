/** `<byte-inspector>`: the bytes of a block as they went over the wire, each with what it is. */
import { html, LitElement, nothing, type PropertyValues, type TemplateResult } from 'lit'
import { type BlockBytes, payloadKinds, shownBytes } from '../../lab/events.ts'
import { count } from '../units.ts'
import { annotate, bytesFrom, hexOf, type Segment, textOf, unmask } from './annotation.ts'
import { isTransport } from './carried.ts'
import { sentenceOfBlock } from './words.ts'
import type { WireBlock } from './wire-model.ts'

/** Let go of the block. */
export class InspectorClosed extends Event {
  static readonly type = 'inspector-closed'
  constructor() {
    super(InspectorClosed.type, { bubbles: true })
  }
}

const starred = /^(?:cookie|set-cookie|authorization)$/i

export class ByteInspector extends LitElement {
  static override properties = { block: { attribute: false }, answer: { attribute: false }, port: { attribute: false } }
  declare block: WireBlock | undefined
  /** What the server said when it was asked for the bytes; undefined until then. */
  declare answer: BlockBytes | undefined
  declare port: number | undefined
  #plain = false

  override createRenderRoot(): HTMLElement {
    return this
  }

  override willUpdate(changed: PropertyValues<this>): void {
    if (changed.has('block')) this.#plain = false
  }

  override render(): TemplateResult | typeof nothing {
    const { block, answer, port } = this
    if (block === undefined) return nothing
    const carries = isTransport(block.carries) ? block.carries : nothing
    return html`<section class="inspector" data-transport=${carries} data-testid="inspector" aria-label="Bytes of a block">
      <div class="inspector-head">
        <p>${sentenceOfBlock(block, port)}</p>
        ${this.#unmaskToggle(answer)}
        <button type="button" @click=${() => this.dispatchEvent(new InspectorClosed())}>Close</button>
      </div>
      ${this.#bytes(block, answer)}
    </section>`
  }

  #unmaskToggle(answer: BlockBytes | undefined): TemplateResult | typeof nothing {
    if (answer?.base64 === undefined || !this.block?.pieces.some(([kind]) => kind === 'mask')) return nothing
    return html`<label class="unmask">
      <input
        type="checkbox"
        .checked=${this.#plain}
        @change=${({ target }: Event) => {
          this.#plain = (target as HTMLInputElement).checked
          this.requestUpdate()
        }}
      />
      Unmask
    </label>`
  }

  #bytes(block: WireBlock, answer: BlockBytes | undefined): TemplateResult {
    if (answer === undefined) return html`<p class="hint">The server is asked for the bytes.</p>`
    if (answer.base64 === undefined) {
      return html`<p class="hint" data-testid="not-kept">
        The bytes of this block are not kept any more: the server keeps the newest 262${'\u202f'}kB of a session. Choose a newer block.
      </p>`
    }
    const bytes = bytesFrom(answer.base64)
    const segments = annotate(block, bytes)
    const shown = this.#plain ? unmask(segments, bytes) : bytes
    return html`<table class="bytes">
        <thead>
          <tr>
            <th scope="col">What</th>
            <th scope="col">B</th>
            <th scope="col">Hex</th>
            <th scope="col">Text</th>
          </tr>
        </thead>
        <tbody>
          ${segments.map((segment) => this.#row(segment, shown))}
        </tbody>
      </table>
      <p class="hint">
        ${
          bytes.length < block.bytes
            ? `The first ${count(bytes.length)} of ${count(block.bytes)} bytes: of each block ${count(shownBytes)} are kept.`
            : `All ${count(block.bytes)} bytes, payload ${count(block.payload)}.`
        }
        ${segments.some(({ name }) => starred.test(name)) ? 'Values of cookies are starred out by the server.' : nothing}
      </p>`
  }

  #row({ kind, name, note, from, to }: Segment, bytes: Uint8Array): TemplateResult {
    const said = payloadKinds.includes(kind)
    const masked = said && !this.#plain && this.block?.pieces.some(([one]) => one === 'mask') === true
    const part = bytes.subarray(from, to)
    return html`<tr data-kind=${kind} data-name=${name} data-said=${said}>
      <th scope="row">
        <i class="swatch" aria-hidden="true"></i
        >${name}${masked ? ' (masked)' : nothing}${note === undefined ? nothing : html`<small>${note}</small>`}
      </th>
      <td>${count(to - from)}</td>
      <td class="hex"><code>${hexOf(part)}</code></td>
      <td class="txt"><code>${textOf(part)}</code></td>
    </tr>`
  }
}
