/** `<shared-heads>`: everybody drags a head; the wire shows in how the others move. */
import { html, nothing, type PropertyValues, type TemplateResult } from 'lit'
import type { Channel, PresentMember } from '../../client/index.ts'
import { LabElement } from '../lab-element.ts'
import { type Face, faceOf, homeOf } from './face.ts'
import { type DrawnHead, drawField, place, positionAt } from './field-drawing.ts'
import { positionsTable, wiresTable } from './heads-tables.ts'
import { positionWords, summary } from './heads-words.ts'
import { Heads, type Position, rounded, type Sample, withPosition } from './heads.ts'
import { keepPosition, movedBy, recallPosition } from './own-position.ts'

/** Numbers, and under reduced motion heads too, are shown anew so often. */
const stepMs = 1_000

export class SharedHeads extends LabElement {
  static override properties = { ...LabElement.properties, blurred: { attribute: false } }
  /** Names are for nobody's eyes now. */
  declare blurred: boolean | undefined

  #heads = new Heads()
  #names = new Map<string, PresentMember>()
  readonly #faces = new Map<string, Face>()
  #own: Position | undefined
  #said = ''
  #others: readonly DrawnHead[] = []
  #frame: number | undefined
  #stepping: ReturnType<typeof setInterval> | undefined
  #saying: ReturnType<typeof setTimeout> | undefined
  #inView = true
  readonly #still = matchMedia('(prefers-reduced-motion: reduce)')
  readonly #dark = matchMedia('(prefers-color-scheme: dark)')
  readonly #repaint = (): void => this.#draw()
  readonly #resized = new ResizeObserver(() => this.#measure())
  readonly #seen = new IntersectionObserver(([entry]) => {
    this.#inView = entry?.isIntersecting ?? true
    this.#draw()
  })

  protected override follow(channel: Channel): readonly (() => void)[] {
    this.#heads = new Heads()
    this.#own = undefined
    this.#measure()
    this.#name(channel.members)
    this.#appear(channel)
    this.#heads.take(channel.states, channel.state.transport, performance.now(), channel.state.member?.id)
    this.#look()
    return [
      channel.on('states', (states, transport) => {
        this.#heads.take(states, transport, performance.now(), channel.state.member?.id)
        if (!this.#still.matches) this.#look()
      }),
      channel.on('members', (members) => this.#name(members)),
      channel.on('state', () => {
        this.#appear(channel)
        this.#draw()
        this.refresh()
      }),
    ]
  }

  protected override watch(): readonly (() => void)[] {
    return []
  }

  override connectedCallback(): void {
    super.connectedCallback()
    this.#stepping = setInterval(() => this.#step(), stepMs)
    this.#dark.addEventListener('change', this.#repaint)
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    clearInterval(this.#stepping)
    clearTimeout(this.#saying)
    if (this.#frame !== undefined) cancelAnimationFrame(this.#frame)
    this.#frame = undefined
    this.#dark.removeEventListener('change', this.#repaint)
    this.#resized.disconnect()
    this.#seen.disconnect()
  }

  override render(): TemplateResult {
    const { channel } = this
    const told = this.#summary()
    const live = channel?.state.status === 'live'
    return html`<figure class="heads" ?data-away=${!live}>
      <div
        class="field-of-heads"
        role="application"
        tabindex="0"
        aria-label="Field of heads. The arrow keys move yours, with shift in longer steps."
        @pointerdown=${this.#taken}
        @pointermove=${this.#dragged}
        @keydown=${this.#pressed}
      >
        <canvas role="img" aria-label=${told}></canvas>
      </div>
      <figcaption>
        <p class="heads-summary" data-testid="heads-summary">${told}</p>
        <p class="hint">
          ${live ? nothing : html`<strong>No wire is live: these are the last positions that came.</strong> `}Drag your head, touch where it
          is to go, or use the arrow keys. Each mark is a sample that came, in the sign of its wire. The dashed ring is where yours was when
          it last came back.${this.#still.matches ? ' Drawn once a second, since your system asks for less motion.' : ''}
        </p>
        ${wiresTable(this.#heads)}
        <details @toggle=${() => this.requestUpdate()}>
          <summary>Positions</summary>
          ${this.querySelector('details')?.open ? positionsTable(this.#heads, this.#names, this.channel?.state.member?.id) : nothing}
        </details>
      </figcaption>
      <p class="unseen" role="status">${this.#said}</p>
    </figure>`
  }

  override firstUpdated(): void {
    const canvas = this.#canvas
    if (canvas === null) return
    this.#resized.observe(canvas)
    this.#seen.observe(canvas)
  }

  override updated(changed: PropertyValues): void {
    super.updated(changed)
    if (changed.has('blurred')) this.#draw()
  }

  /** Who looks at heads is seen: where theirs was, or where it begins. */
  #appear({ state: { member } }: Channel): void {
    if (member === undefined || this.#own !== undefined) return
    this.#own = recallPosition() ?? rounded(homeOf(member.id))
    this.#tell()
  }

  /** Goes where it is to go, at once here; elsewhere with the next tick of the room. */
  #moveTo(position: Position): void {
    const own = rounded(position)
    if (this.#own === undefined || (own.x === this.#own.x && own.y === this.#own.y)) return
    this.#own = own
    this.#heads.move(own, performance.now())
    this.#tell()
    keepPosition(own)
    this.#draw()
  }

  #tell(): void {
    const { channel } = this
    const me = channel?.state.member?.id
    if (channel === undefined || me === undefined || this.#own === undefined) return
    try {
      channel.setState(withPosition(channel.states.get(me), this.#own))
    } catch {
      // With what others put into it, it is too long: they put it in again, if they have to.
      channel.setState(this.#own)
    }
  }

  readonly #taken = (event: PointerEvent): void => {
    if (event.button !== 0) return
    ;(event.currentTarget as HTMLElement).setPointerCapture(event.pointerId)
    this.#follow(event)
  }

  readonly #dragged = (event: PointerEvent): void => {
    if ((event.currentTarget as HTMLElement).hasPointerCapture(event.pointerId)) this.#follow(event)
  }

  #follow({ clientX, clientY }: PointerEvent): void {
    const box = this.#canvas?.getBoundingClientRect()
    if (box !== undefined) this.#moveTo(positionAt(clientX - box.left, clientY - box.top, box.width, box.height))
  }

  readonly #pressed = (event: KeyboardEvent): void => {
    const to = this.#own === undefined ? undefined : movedBy(event, this.#own)
    if (to === undefined) return
    event.preventDefault()
    this.#moveTo(to)
    // Said where it comes to rest, not at each step.
    clearTimeout(this.#saying)
    this.#saying = setTimeout(() => {
      this.#said = this.#own === undefined ? '' : `Your head is at ${positionWords(this.#own)}, from the left and from the top.`
      this.requestUpdate()
    }, stepMs)
  }

  #name(members: readonly PresentMember[]): void {
    this.#names = new Map(members.map((member) => [member.id, member]))
    this.#look()
  }

  /** Takes the heads as they are now, and draws them with the next frame: none comes while the page is hidden. */
  #look(): void {
    const me = this.channel?.state.member?.id
    const newest = (trail: readonly Sample[]): number => trail.at(-1)?.at ?? 0
    this.#others = [...this.#heads.trails]
      .filter(([id]) => id !== me)
      .toSorted(([, one], [, other]) => newest(one) - newest(other))
      .map(([id, trail]) => this.#drawn(id, trail))
    this.#draw()
  }

  #drawn(id: string, trail: readonly Sample[]): DrawnHead {
    const face = this.#faces.get(id) ?? faceOf(id)
    this.#faces.set(id, face)
    return { id, name: this.#names.get(id)?.name ?? 'somebody', face, trail }
  }

  #step(): void {
    if (document.hidden) return
    if (this.#still.matches) this.#look()
    this.requestUpdate()
  }

  #draw(): void {
    if (this.#frame !== undefined || !this.#inView) return
    this.#frame = requestAnimationFrame(() => {
      this.#frame = undefined
      const canvas = this.#canvas
      if (canvas === null) return
      const { status, member } = this.channel?.state ?? {}
      const own =
        this.#own === undefined || member === undefined
          ? undefined
          : {
              ...this.#drawn(member.id, this.#heads.trails.get(member.id) ?? []),
              name: member.name,
              at: this.#own,
              echo: this.#heads.positionOf(member.id),
            }
      drawField(canvas, { others: this.#others, own, live: status === 'live', named: !this.blurred })
    })
  }

  /** A jump is measured in what a head can go. */
  #measure(): void {
    const { clientWidth: width = 0, clientHeight: height = 0 } = this.#canvas ?? {}
    const [[left, top], [right, bottom]] = [place({ x: 0, y: 0 }, width, height), place({ x: 1, y: 1 }, width, height)]
    this.#heads.field = { width: right - left, height: bottom - top }
    this.#draw()
  }

  get #canvas(): HTMLCanvasElement | null {
    return this.querySelector('canvas')
  }

  #summary(): string {
    const transport = this.channel?.state.transport ?? 'websocket'
    const heads = this.#heads.trails.size
    return summary(heads, transport, this.#heads.recent(transport, performance.now()), this.#heads.roundTripMs)
  }

  /** Where each head is, as told. For tests, and for the curious. */
  get positions(): ReadonlyMap<string, Position> {
    return new Map([...this.#heads.trails].flatMap(([id, trail]) => trail.slice(-1).map(({ x, y }) => [id, { x, y }] as const)))
  }
}
