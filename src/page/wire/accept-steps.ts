/** `<accept-steps>`: how a WebSocket's key becomes the answer that proves the server, on the handshake that is looked at. */
import { html, nothing, type PropertyValues, type TemplateResult } from 'lit'
import type { BlockBytes } from '../../lab/events.ts'
import { LabElement } from '../lab-element.ts'
import type { LabLink } from '../lab-link.ts'
import { acceptSteps, guid, type Handshake, headerIn } from './accept.ts'
import { bytesFrom, hexOf } from './annotation.ts'
import type { WireBlock } from './wire-model.ts'

export class AcceptStepsFigure extends LabElement {
  static override properties = { ...LabElement.properties, handshake: { attribute: false } }
  /** Both blocks of the handshake; undefined where another block is looked at. */
  declare handshake: Handshake | undefined

  #key: string | undefined
  #accept: string | undefined
  /** What the person put in the key's place. */
  #tried: string | undefined

  protected override follow(): readonly (() => void)[] {
    return []
  }

  protected override watch(lab: LabLink): readonly (() => void)[] {
    return [lab.on('bytes', (answer) => this.#take(answer))]
  }

  override willUpdate(changed: PropertyValues<this>): void {
    super.willUpdate(changed)
    const before = changed.get('handshake')
    if (!changed.has('handshake') || before?.asked === this.handshake?.asked) return
    this.#key = this.#accept = this.#tried = undefined
    for (const each of [this.handshake?.asked, this.handshake?.answered]) {
      if (each !== undefined) this.lab?.send({ type: 'bytes', connection: each.connection, block: each.block })
    }
  }

  #take(answer: BlockBytes): void {
    if (answer.base64 === undefined) return
    const is = (block: WireBlock | undefined): boolean => block?.connection === answer.connection && block.block === answer.block
    if (is(this.handshake?.asked)) this.#key = headerIn(bytesFrom(answer.base64), 'sec-websocket-key')
    else if (is(this.handshake?.answered)) this.#accept = headerIn(bytesFrom(answer.base64), 'sec-websocket-accept')
    else return
    this.requestUpdate()
  }

  override render(): TemplateResult | typeof nothing {
    if (this.handshake === undefined || this.#key === undefined) return nothing
    const key = this.#tried ?? this.#key
    const { digest, accept } = acceptSteps(key)
    return html`<section class="accept" data-testid="accept" aria-label="From key to accept">
      <h3>The answer that proves the server</h3>
      <dl>
        <dt><label for="accept-key">The client’s key, 16 random bytes in Base64</label></dt>
        <dd><input id="accept-key" autocomplete="off" spellcheck="false" maxlength="64" .value=${key} @input=${this.#typed} /></dd>
        <dt>The protocol’s own text behind it</dt>
        <dd>
          <code>${key}<wbr /><b>${guid}</b></code>
        </dd>
        <dt>SHA-1 of that, 20 bytes</dt>
        <dd><code>${hexOf(digest)}</code></dd>
        <dt>In Base64: what <code>Sec-WebSocket-Accept</code> has to say</dt>
        <dd><code data-testid="accept-computed">${accept}</code></dd>
      </dl>
      <p>${this.#verdict(accept)}</p>
      <p class="hint">It shows that the other end knows the protocol, and is no cache. It hides nothing, and it is no password.</p>
    </section>`
  }

  #verdict(computed: string): TemplateResult {
    if (this.#accept === undefined) return html`The server’s answer is not here yet.`
    const said = html`The server answered <code>${this.#accept}</code>:`
    if (computed === this.#accept) return html`${said} the same.`
    return this.#tried === undefined ? html`${said} not the same. It is no WebSocket server.` : html`${said} to another key than this one.`
  }

  readonly #typed = ({ target }: Event): void => {
    const typed = (target as HTMLInputElement).value
    this.#tried = typed === this.#key ? undefined : typed
    this.requestUpdate()
  }
}
