/** `<race-vote>`: four answers to one question, given before anybody has seen a number. */
import { html, LitElement, nothing, type TemplateResult } from 'lit'
import { type TransportName, transportNames } from '../../client/index.ts'
import { counted } from '../units.ts'
import { glyph, wires } from '../wires.ts'
import { noVotes, type Votes } from './votes.ts'

/** Somebody voted, or changed their mind. */
export class Voted extends Event {
  static readonly type = 'voted'
  readonly vote: TransportName

  constructor(vote: TransportName) {
    super(Voted.type, { bubbles: true })
    this.vote = vote
  }
}

/** Somebody wants to see. */
export class Revealed extends Event {
  static readonly type = 'revealed'

  constructor() {
    super(Revealed.type, { bubbles: true })
  }
}

export class RaceVote extends LitElement {
  static override properties = { votes: { attribute: false }, own: { attribute: false }, open: { attribute: false } }
  declare votes: Votes
  /** What this browser voted. */
  declare own: TransportName | undefined
  /** The figure is open: there is nothing to vote on any more. */
  declare open: boolean

  constructor() {
    super()
    this.votes = noVotes
    this.open = false
  }

  override createRenderRoot(): HTMLElement {
    return this
  }

  override render(): TemplateResult {
    return html`<section class="vote" aria-labelledby="question" ?data-open=${this.open}>
      <h2 id="question">Who needs the fewest bytes to deliver the same 40-byte message?</h2>
      ${this.open ? nothing : this.#ballot()}
    </section>`
  }

  #ballot(): TemplateResult {
    const { total } = this.votes
    return html`<div class="ballot" role="group" aria-labelledby="question">
        ${transportNames.map(
          (name) =>
            html`<button
              type="button"
              data-transport=${name}
              aria-pressed=${this.own === name ? 'true' : 'false'}
              @click=${() => this.dispatchEvent(new Voted(name))}
            >
              ${glyph(name)} ${wires[name].title}
            </button>`,
        )}
      </div>
      <p class="turnout">
        <output data-testid="turnout">${total === 0 ? 'Nobody has voted yet.' : `${counted(total, 'vote')} so far.`}</output>
        ${this.own === undefined ? 'One each.' : `Yours: ${wires[this.own].word}.`} It can be changed until you reveal.
      </p>
      <p class="cover">
        <span>The race starts with the reveal, and its figure is covered until then.</span>
        <button type="button" class="reveal" @click=${() => this.dispatchEvent(new Revealed())}>
          Reveal <kbd aria-hidden="true">v</kbd>
        </button>
      </p>`
  }
}
