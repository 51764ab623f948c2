/** `<join-card>`: how a phone comes in: the address to type, the code to point a camera at, and how many have. */
import { html, nothing, svg, type TemplateResult } from 'lit'
import { guard } from 'lit/directives/guard.js'
import { joinAddress, qrMatrix, quietModules, typedAddress } from '../../lab/qr.ts'
import { LabElement } from '../lab-element.ts'
import type { LabLink } from '../lab-link.ts'
import { count, duration } from '../units.ts'

/** A phone has joined already: it is not shown how. */
const phone = matchMedia('(pointer: coarse) and (hover: none)')

export class JoinCard extends LabElement {
  static override properties = {
    ...LabElement.properties,
    room: { attribute: false },
    presenter: { attribute: false },
  }
  /** After so long with nobody something is wrong, and it is said what to try. Who cannot wait, as a test, sets another time. */
  static patienceMs = 60_000

  declare room: string
  /** Whether this page is the presenter's. */
  declare presenter: boolean
  #address: string | undefined
  #lonely: ReturnType<typeof setTimeout> | undefined
  #tooLong = false

  protected override follow(): readonly (() => void)[] {
    return []
  }

  protected override watch(lab: LabLink): readonly (() => void)[] {
    return [lab.on('hall', () => this.#heard()), () => clearTimeout(this.#lonely)]
  }

  #heard(): void {
    const { hall } = this.lab ?? {}
    if (hall === undefined || hall.joined > 0 || hall.addresses.length === 0) {
      clearTimeout(this.#lonely)
      this.#lonely = undefined
      this.#tooLong = false
    } else this.#lonely ??= setTimeout(() => this.#nobodyCame(), JoinCard.patienceMs)
    this.refresh()
  }

  #nobodyCame(): void {
    this.#tooLong = true
    this.requestUpdate()
  }

  override render(): TemplateResult | typeof nothing {
    const { hall } = this.lab ?? {}
    if (hall === undefined || !(this.presenter || (hall.open && !phone.matches))) return nothing
    const address = hall.addresses.find((each) => each === this.#address) ?? hall.addresses[0]
    if (address === undefined) return this.presenter ? this.#nowhere() : nothing
    return html`<details class="join" ?open=${this.presenter && !phone.matches} data-testid="join">
      <summary>Join with a phone <span data-testid="phones">phones joined: ${count(hall.joined)}</span></summary>
      <div class="join-card">
        ${this.#code(address)}
        <div class="join-words">
          <p class="join-address" data-testid="join-address">${typedAddress(address, this.room)}</p>
          <p>Point a camera at the code, or type the address. One tap, no name, no app.</p>
          ${this.#tooLong ? this.#tryThis(address) : nothing}
          <div class="join-more">
            <button type="button" @click=${() => this.querySelector('dialog')?.showModal()}>Fill the screen</button>
            ${this.#others(hall.addresses, address)}
          </div>
        </div>
      </div>
      <dialog class="join-screen" aria-label="Join with a phone">
        ${this.#code(address)}
        <p class="join-address">${typedAddress(address, this.room)}</p>
        <p>phones joined: ${count(hall.joined)}</p>
        <form method="dialog"><button type="submit">Close</button></form>
      </dialog>
    </details>`
  }

  #nowhere(): TemplateResult {
    return html`<details class="join" data-testid="join-nowhere">
      <summary>No phone can come in</summary>
      <p>
        The server listens where no other device finds it. Start it with <code>npm run hall</code> in the network of the hall, without
        another <code>--host</code>, and open the address that it prints.
      </p>
    </details>`
  }

  #tryThis(address: string): TemplateResult {
    const { port } = new URL(address)
    return html`<ul class="join-try" role="status" data-testid="join-try">
      <li>${duration(JoinCard.patienceMs)}, and no phone has joined. Is one in the same Wi-Fi as this machine?</li>
      <li>Guest networks keep devices apart (client isolation): open a hotspot on a phone or on this machine, and start again.</li>
      <li>A firewall may keep port ${port || '80'} closed: allow it for the local network.</li>
    </ul>`
  }

  #others(addresses: readonly string[], address: string): TemplateResult | typeof nothing {
    if (addresses.length < 2) return nothing
    const chosen = ({ target }: Event): void => {
      this.#address = (target as HTMLSelectElement).value
      this.requestUpdate()
    }
    return html`<label class="join-others"
      >Another network
      <select @change=${chosen}>
        ${addresses.map((each) => html`<option value=${each} ?selected=${each === address}>${new URL(each).host}</option>`)}
      </select></label
    >`
  }

  /** Dark on light in both colour schemes, as cameras expect it. */
  #code(address: string): TemplateResult {
    const text = joinAddress(address, this.room)
    return html`${guard([text], () => drawCode(text))}`
  }
}

function drawCode(text: string): TemplateResult {
  const matrix = qrMatrix(text)
  const side = matrix.length + 2 * quietModules
  const dark = matrix.flatMap((row, y) => row.flatMap((isDark, x) => (isDark ? [`M${x + quietModules} ${y + quietModules}h1v1h-1z`] : [])))
  return html`<svg
    class="qr"
    viewBox="0 0 ${side} ${side}"
    role="img"
    aria-label="QR code of ${text}"
    data-text=${text}
    shape-rendering="crispEdges"
  >
    ${svg`<rect width=${side} height=${side} fill="#ffffff" /><path d=${dark.join('')} fill="#000000" />`}
  </svg>`
}
