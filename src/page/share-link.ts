/** `<share-link>`: the address of where one is, to be copied by hand: a page on plain http has no clipboard. */
import { html, LitElement, type TemplateResult } from 'lit'
import { type Place, placeQuery } from './place.ts'

export class ShareLink extends LitElement {
  static override properties = { place: { attribute: false } }
  declare place: Place

  override createRenderRoot(): HTMLElement {
    return this
  }

  get #dialog(): HTMLDialogElement | null {
    return this.querySelector('dialog')
  }

  override render(): TemplateResult {
    return html`<button type="button" class="help" aria-haspopup="dialog" @click=${this.#show}>Share</button>
      <dialog aria-labelledby="share-title">
        <h2 id="share-title">Share</h2>
        <p><label for="share-address">Whoever opens this address is in the room, on the same wire, in the same view.</label></p>
        <input
          id="share-address"
          readonly
          .value=${this.#address()}
          @focus=${({ target }: Event) => (target as HTMLInputElement).select()}
        />
        <p>It is selected: copy it with the keyboard, or press long on a phone.</p>
        <form method="dialog"><button type="submit">Close</button></form>
      </dialog>`
  }

  readonly #show = (): void => {
    this.#dialog?.showModal()
    this.querySelector('input')?.focus()
  }

  #address(): string {
    return new URL(placeQuery(this.place), document.baseURI).href
  }
}
