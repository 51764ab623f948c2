/** `<notebook-field>`: one ruled line of the notebook's head, edited in place. What is refused stays, with the reason beside it. */
import { html, LitElement, nothing, type TemplateResult } from 'lit'
import { live } from 'lit/directives/live.js'

export class NotebookField extends LitElement {
  static override properties = {
    label: {},
    value: { attribute: false },
    most: { attribute: false },
    verb: {},
    refusal: { attribute: false },
    save: { attribute: false },
    fixed: { attribute: false },
  }
  declare label: string
  /** What holds now. */
  declare value: string
  /** UTF-16 units. */
  declare most: number
  /** What the button says. */
  declare verb: string
  /** Why the value that holds now cannot hold. */
  declare refusal: string | undefined
  /** Makes it so. Throws, or rejects, with a sentence for the person. */
  declare save: (value: string) => unknown
  /** Why it is not for the person to change; undefined where it is. */
  declare fixed: string | undefined

  /** What stands in the field and does not hold yet. */
  #typed: string | undefined
  #refusal: string | undefined

  override createRenderRoot(): HTMLElement {
    return this
  }

  override render(): TemplateResult {
    const id = `field-${this.label.toLowerCase()}`
    const refusal = this.#refusal ?? this.refusal
    const said = this.fixed ?? refusal
    const changed = this.#typed !== undefined && this.#typed !== this.value
    return html`<form class="field" ?data-changed=${changed} @submit=${(event: SubmitEvent) => void this.#submit(event)}>
      <label for=${id}>${this.label}</label>
      <input
        id=${id}
        .value=${live(this.#typed ?? this.value)}
        maxlength=${this.most}
        autocomplete="off"
        autocapitalize="off"
        spellcheck="false"
        enterkeyhint="go"
        ?readonly=${this.fixed !== undefined}
        aria-invalid=${refusal === undefined ? nothing : 'true'}
        aria-describedby=${said === undefined ? nothing : `${id}-said`}
        @input=${this.#input}
        @keydown=${this.#key}
      />
      ${this.fixed === undefined ? html`<button type="submit">${this.verb}<span class="unseen"> ${this.label.toLowerCase()}</span></button>` : nothing}
      ${this.#said(id, refusal)}
    </form>`
  }

  #said(id: string, refusal: string | undefined): TemplateResult | typeof nothing {
    if (this.fixed !== undefined) return html`<span id="${id}-said" class="unseen">${this.fixed}</span>`
    return refusal === undefined ? nothing : html`<p id="${id}-said" class="refusal" role="alert">${refusal}</p>`
  }

  readonly #input = ({ target }: InputEvent): void => this.#type((target as HTMLInputElement).value)

  readonly #key = ({ key, isComposing }: KeyboardEvent): void => {
    if (key === 'Escape' && !isComposing) this.#type(undefined)
  }

  #type(typed: string | undefined): void {
    this.#typed = typed
    this.#refusal = undefined
    this.requestUpdate()
  }

  async #submit(event: SubmitEvent): Promise<void> {
    event.preventDefault()
    const typed = this.#typed
    if (typed === undefined || typed === this.value) return
    try {
      await this.save(typed)
      // While it was on its way somebody may have gone on typing.
      if (this.#typed === typed) this.#type(undefined)
    } catch (error) {
      this.#refusal = (error as Error).message
      this.requestUpdate()
    }
  }
}
