/** `<key-help>`: the keys of the page, and the switch that turns them off (WCAG 2.1.4). */
import { html, LitElement, type TemplateResult } from 'lit'
import { transportNames } from '../client/index.ts'
import { glyph, wires } from './wires.ts'

/** The person turned the single keys on or off. */
export class KeysSwitched extends Event {
  static readonly type = 'keys-switched'
  readonly on: boolean

  constructor(on: boolean) {
    super(KeysSwitched.type, { bubbles: true })
    this.on = on
  }
}

const actions: readonly (readonly [key: string, does: string])[] = [
  ['c', 'the chat'],
  ['h', 'the heads'],
  ['g', 'the game'],
  ['w', 'my wire'],
  ['/', 'write a message'],
  ['Space', 'hold the picture of the wire, or let it go on'],
  ['b', 'the barcode as a table'],
  ['k', 'kill my connections (RST)'],
  ['o', 'black hole for 10 s, or its end'],
  ['r', 'the race'],
  ['f', 'freeze the server (the presenter only)'],
  ['?', 'this list'],
]

export class KeyHelp extends LitElement {
  static override properties = { on: { attribute: false } }
  /** Whether the keys work. */
  declare on: boolean

  override createRenderRoot(): HTMLElement {
    return this
  }

  get #dialog(): HTMLDialogElement | null {
    return this.querySelector('dialog')
  }

  show(): void {
    if (this.#dialog?.open === false) this.#dialog.showModal()
  }

  override render(): TemplateResult {
    return html`<button type="button" class="help" aria-haspopup="dialog" @click=${() => this.show()}>Keys</button>
      <dialog aria-labelledby="help-title">
        <h2 id="help-title">Keys</h2>
        <dl>
          ${transportNames.map(
            (name) =>
              html`<dt><kbd>${wires[name].key}</kbd></dt>
                <dd data-transport=${name}>${glyph(name)} ${wires[name].title}</dd>`,
          )}
          ${actions.map(
            ([key, does]) =>
              html`<dt><kbd>${key}</kbd></dt>
                <dd>${does}</dd>`,
          )}
        </dl>
        <p>They rest while you type.</p>
        <label class="switch">
          <input type="checkbox" .checked=${this.on} @change=${this.#switched} />
          <span>Single keys work</span>
        </label>
        <p>
          In the address: <code>room=lobby</code>, <code>t=${transportNames.join('|')}</code>, <code>poll=1000</code> (ms between two
          polls), <code>view=chat|heads|game|wire</code>.
        </p>
        <form method="dialog"><button type="submit">Close</button></form>
      </dialog>`
  }

  readonly #switched = ({ target }: Event): void => {
    this.dispatchEvent(new KeysSwitched((target as HTMLInputElement).checked))
  }
}
