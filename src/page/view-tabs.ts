/** `<view-tabs>`: what one looks at. Where the screen is wide the wires are always beside it. */
import { html, LitElement, nothing, type TemplateResult } from 'lit'
import { type View, views } from './place.ts'
import { cut } from './wires.ts'

/** Somebody wants to see something else. */
export class ViewChosen extends Event {
  static readonly type = 'view-chosen'
  readonly view: View

  constructor(view: View) {
    super(ViewChosen.type, { bubbles: true })
    this.view = view
  }
}

const words: Readonly<Record<View, string>> = { chat: 'Chat', heads: 'Heads', game: 'Game', wire: 'My wire' }

export class ViewTabs extends LitElement {
  static override properties = { view: { attribute: false }, chaos: { attribute: false } }
  declare view: View
  /** Whether something is being done to our own connections. */
  declare chaos: boolean

  override createRenderRoot(): HTMLElement {
    return this
  }

  override render(): TemplateResult {
    return html`<nav class="views" aria-label="Views">
      ${views.map(
        (view) =>
          html`<button
            type="button"
            data-view=${view}
            aria-current=${this.view === view ? 'true' : 'false'}
            @click=${() => this.dispatchEvent(new ViewChosen(view))}
          >
            ${words[view]} ${view === 'wire' && this.chaos ? html`${cut}<span class="unseen">: chaos is on</span>` : nothing}
          </button>`,
      )}
    </nav>`
  }
}
