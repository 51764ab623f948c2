/** `<member-list>`: who is here, on which wire, and how we know. */
import { html, nothing, type TemplateResult } from 'lit'
import { repeat } from 'lit/directives/repeat.js'
import type { Channel, PresentMember } from '../../client/index.ts'
import { attendance, type Evidence, evidenceOf, type Held, inOrder, type Row } from './attendance.ts'
import { LabElement } from '../lab-element.ts'
import type { LabLink } from '../lab-link.ts'
import { count } from '../units.ts'
import { glyph, wires } from '../wires.ts'

/** The lab is asked so often while the list is seen. */
const askMs = 1_000
/** An answer older than this says nothing of now: the line is away. */
const staleMs = 5_000

export class MemberList extends LabElement {
  static override properties = { ...LabElement.properties, room: { attribute: false } }
  declare room: string

  #ordered: readonly PresentMember[] = []
  #list: Evidence['list'] | undefined
  #listAt = 0
  #asking: ReturnType<typeof setInterval> | undefined
  readonly #sight = new IntersectionObserver((entries) => this.#look(entries.at(-1)?.isIntersecting === true))

  protected override follow(channel: Channel): readonly (() => void)[] {
    this.#list = undefined
    this.#order(channel)
    return [
      channel.on('members', () => {
        this.#order(channel)
        this.refresh()
      }),
      // Who we are may be told after who is here.
      channel.on('state', () => this.#order(channel)),
    ]
  }

  protected override watch(lab: LabLink): readonly (() => void)[] {
    return [
      lab.on('members', (answer) => {
        if (answer.room !== this.room) return
        this.#list = evidenceOf(answer)
        this.#listAt = performance.now()
        this.refresh()
      }),
    ]
  }

  override connectedCallback(): void {
    super.connectedCallback()
    this.#sight.observe(this)
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    this.#sight.unobserve(this)
    this.#look(false)
  }

  override render(): TemplateResult {
    const own = this.channel?.state.member?.id
    const { rows, others } = attendance(this.#ordered, own, this.#evidence())
    return html`<section class="panel members" aria-labelledby="members-title" data-testid="members">
      <h2 id="members-title">Who is here</h2>
      <p class="hint">
        A member is a lease: each sign of life renews it, and who gives none for too long has left. Grey: silent for more than half of it.
      </p>
      ${
        rows.length === 0
          ? html`<p class="hint">Nobody was told of yet.</p>`
          : html`<ol tabindex="0" aria-labelledby="members-title">
              ${repeat(rows, ({ id }) => id, rowOf)}
            </ol>`
      }
      ${others > 0 ? html`<p class="hint">and ${count(others)} more</p>` : nothing}
    </section>`
  }

  #evidence(): Evidence | undefined {
    const ageMs = performance.now() - this.#listAt
    return this.#list === undefined || ageMs > staleMs ? undefined : { list: this.#list, ageMs }
  }

  #order(channel: Channel): void {
    this.#ordered = inOrder(channel.members, channel.state.member?.id)
  }

  /** Asks while it is seen, and not otherwise: who scrolled away costs the server nothing. */
  #look(seen: boolean): void {
    clearInterval(this.#asking)
    if (!seen) return
    this.#ask()
    this.#asking = setInterval(() => this.#ask(), askMs)
  }

  #ask(): void {
    if (document.hidden) return
    // What was answered last grows old without a further answer.
    if (this.lab?.send({ type: 'members', room: this.room }) !== true) this.refresh()
  }
}

const rowOf = ({ name, own, silent, wires: held }: Row): TemplateResult =>
  html`<li ?data-silent=${silent} ?data-own=${own}>
    <span class="name"><bdi>${name}</bdi>${own ? html` <span class="you">you</span>` : nothing}</span>
    <span class="held">${held.map(wireOf)}</span>
  </li>`

const wireOf = ({ transport, silent, proof }: Held): TemplateResult =>
  html`<span data-transport=${transport} ?data-silent=${silent}
    >${glyph(transport)}
    <b>${wires[transport].title}</b>${proof === '' ? nothing : html`<span class="proof-of-life">: ${proof}</span>`}</span
  >`
