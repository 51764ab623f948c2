/** `<wire-picture>`: the picture itself. Draws while it is seen and something moves, and lets blocks be chosen by hand and by key. */
import { html, LitElement, nothing, type TemplateResult } from 'lit'
import { counted } from '../units.ts'
import { isTransport } from './carried.ts'
import { barAt, nextBar } from './choosing.ts'
import { asItStands, type Bar, type Figure, figureOf, rowHeight, seenIn, type Stretch, stretchOf } from './figure.ts'
import { type Ink, readInk } from './ink.ts'
import { Playback, type Slowness, type Span } from './playback.ts'
import { labelKey, labelOf } from './row-label.ts'
import { Slots } from './slots.ts'
import { axisHeight, drawFigure } from './wire-drawing.ts'
import type { WireBlock, WireConnection, WireModel } from './wire-model.ts'
import { sentenceOfBlock, summaryOf } from './words.ts'

/** A block was clicked, or entered. */
export class BlockChosen extends Event {
  static readonly type = 'block-chosen'
  readonly block: WireBlock
  constructor(block: WireBlock) {
    super(BlockChosen.type, { bubbles: true })
    this.block = block
  }
}

const mostRows = 6
const mostRowsNarrow = 4
const fewestRows = 3
const reducedMs = 1_000
/** A picture in which only figures change is drawn so often, in ms. */
const stillMs = 100
/** What a replay shows may still be told for so long. */
const toldMs = 500

export class WirePicture extends LitElement {
  static override properties = { model: { attribute: false }, offset: { attribute: false } }
  declare model: WireModel | undefined
  /** What the server's clock is ahead of this page's, in ms. */
  declare offset: number

  readonly playback = new Playback()
  #slots = new Slots()
  readonly #reduced = matchMedia('(prefers-reduced-motion: reduce)')
  readonly #narrow = matchMedia('(max-width: 760px)')
  readonly #schemes = [matchMedia('(prefers-color-scheme: dark)'), matchMedia('(forced-colors: active)')]
  #leaving = new AbortController()
  #size = { width: 0, height: 0 }
  #ink: Ink | undefined
  #seen = false
  #frame: number | undefined
  #timer: ReturnType<typeof setTimeout> | undefined
  #figure: Figure | undefined
  #stretches: readonly (Stretch | undefined)[] = []
  /** What the stretches are of, where they do not change any more. */
  #kept: { readonly from: number; readonly since: number } | undefined
  /** The stretches are copies: the picture is paused, and the model forgets. */
  #stands = false
  /** So many connections of the span found no row. */
  #beyond = 0
  #labels = ''
  #drawnAt = 0
  #chosen: WireBlock | undefined
  readonly #resized = new ResizeObserver(([entry]) => {
    if (entry === undefined) return
    const { width, height } = entry.contentRect
    this.#size = { width, height }
    this.#ink = undefined
    this.#draw()
  })
  readonly #looked = new IntersectionObserver((entries) => {
    this.#seen = entries.at(-1)?.isIntersecting ?? false
    if (this.#seen) this.wake()
  })

  override createRenderRoot(): HTMLElement {
    return this
  }

  /** Whether anybody can see it: not in a hidden tab, not scrolled away. */
  get #visible(): boolean {
    return this.#seen && !document.hidden
  }
  /** What is drawn now. */
  get figure(): Figure | undefined {
    return this.#figure
  }
  get stretches(): readonly Stretch[] {
    return this.#stretches.filter((each) => each !== undefined)
  }

  override connectedCallback(): void {
    super.connectedCallback()
    this.#leaving = new AbortController()
    const { signal } = this.#leaving
    document.addEventListener('visibilitychange', () => this.wake(), { signal })
    const recolour = (): void => {
      this.#ink = undefined
      this.#draw()
    }
    for (const scheme of this.#schemes) scheme.addEventListener('change', recolour, { signal })
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    this.#leaving.abort()
    this.#resized.disconnect()
    this.#looked.disconnect()
    cancelAnimationFrame(this.#frame ?? 0)
    clearTimeout(this.#timer)
    this.#frame = undefined
  }

  override firstUpdated(): void {
    const canvas = this.querySelector('canvas')
    if (canvas === null) return
    this.#resized.observe(canvas)
    this.#looked.observe(canvas)
  }

  override updated(): void {
    const rows = Math.max(this.#stretches.length, fewestRows)
    this.querySelector('canvas')?.style.setProperty('height', `${rows * rowHeight + axisHeight}px`)
    this.wake()
  }

  /** Shows another stretch of time, in rows of its own. */
  slow(slowness: Slowness): void {
    this.playback.slow(slowness)
    this.#slots = new Slots()
    this.#kept = undefined
    this.#stands = false
    this.wake()
  }

  /** Holds the picture as it stands, also where nobody sees it now, or lets it go on. */
  togglePause(): void {
    this.playback.toggle(performance.now())
    this.#step()
    this.wake()
  }

  /** Goes on drawing where there is something to draw. */
  wake(): void {
    if (!this.#visible || this.#frame !== undefined) return
    this.#frame = requestAnimationFrame(() => {
      this.#frame = undefined
      if (!this.#visible) return
      this.#step()
      if (this.playback.paused) return
      clearTimeout(this.#timer)
      if (this.#reduced.matches) this.#timer = setTimeout(() => this.wake(), reducedMs)
      else this.wake()
    })
  }

  override render(): TemplateResult {
    const summary = this.#figure === undefined ? 'Nothing has been told yet.' : summaryOf(this.stretches, this.#figure)
    return html`<div
        class="wire-figure"
        role="group"
        tabindex="0"
        aria-label="Wire: your connections on a time axis. Arrow keys go from block to block, Enter shows its bytes."
        @keydown=${this.#key}
      >
        <ul class="wire-rows">
          ${this.#stretches.map((stretch, row) => html`<li>${stretch === undefined ? nothing : labelOf(stretch, this.#figure?.rows[row])}</li>`)}
        </ul>
        <canvas role="img" aria-label=${summary} @pointermove=${this.#point} @click=${this.#click}></canvas>
        <p class="unseen" aria-live="polite">
          ${this.#chosen === undefined ? nothing : sentenceOfBlock(this.#chosen, this.#portOf(this.#chosen))}
        </p>
      </div>
      ${this.#beyond > 0 ? html`<p class="hint">${counted(this.#beyond, 'connection')} more, in the table.</p>` : nothing}`
  }

  #portOf({ connection }: WireBlock): number | undefined {
    return this.stretches.find((each) => each.connection.id === connection)?.connection.state.port
  }

  /** One frame: what is to be seen now, and whether that differs from what is drawn. */
  #step(): void {
    const { model, playback } = this
    if (model === undefined) return
    const now = performance.now()
    const span = playback.span(now, this.offset, model.newest)
    this.#look(model, span, now)
    const before = this.#figure
    this.#figure = figureOf(this.#stretches, span, this.#size.width)
    const labels = this.#stretches.map(labelKey).join()
    // A picture that begins to stand is put in words as it stands.
    const stands = playback.paused && before?.span.to !== span.to
    if (labels !== this.#labels || stands) this.requestUpdate()
    this.#labels = labels
    if (now - this.#drawnAt < stillMs && before !== undefined && isStill(before) && isStill(this.#figure)) return
    this.#drawnAt = now
    this.#draw()
  }

  /** A picture that is held, or a replay that is known whole, keeps what it shows, whatever goes on meanwhile. */
  #look(model: WireModel, span: Span, now: number): void {
    const { paused, slowness } = this.playback
    if (paused && this.#stands) return
    if (slowness === 1) this.#kept = undefined
    else if (this.#kept?.from !== span.from) this.#kept = { from: span.from, since: now }
    if (this.#kept === undefined || now - this.#kept.since <= toldMs) this.#assign(model, span)
    if (paused) this.#stretches = this.#stretches.map((each) => each && asItStands(each))
    this.#stands = paused
  }

  #assign(model: WireModel, span: Span): void {
    const connections = new Map(model.connections.filter((each) => seenIn(each, span)).map((each) => [each.id, each]))
    const seen = [...connections.values()].toSorted((one, other) => weightOf(other, span) - weightOf(one, span)).map(({ id }) => id)
    const rows = this.#slots.assign(seen, this.#narrow.matches ? mostRowsNarrow : mostRows)
    this.#stretches = rows.map((id) => {
      const connection = id === undefined ? undefined : connections.get(id)
      return connection && stretchOf(connection, span)
    })
    this.#beyond = seen.length - this.stretches.length
  }

  #draw(): void {
    const canvas = this.querySelector('canvas')
    const context = canvas?.getContext('2d') ?? undefined
    const { width, height } = this.#size
    if (canvas === null || context === undefined || this.#figure === undefined || width === 0 || !this.#visible) return
    const ratio = devicePixelRatio
    // Setting a size clears the canvas, and is dear: only where it changed.
    if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
      canvas.width = Math.round(width * ratio)
      canvas.height = Math.round(height * ratio)
    }
    this.#ink ??= readInk(canvas, context)
    drawFigure({ context, ink: this.#ink, width, height, ratio }, this.#figure, this.#chosen)
  }

  #choose(bar: Bar, enter: boolean): void {
    this.#chosen = bar.block
    this.requestUpdate()
    this.#draw()
    if (enter) this.dispatchEvent(new BlockChosen(bar.block))
  }

  letGo(): void {
    this.#chosen = undefined
    this.requestUpdate()
    this.#draw()
  }

  readonly #click = ({ offsetX, offsetY }: MouseEvent): void => {
    const bar = this.#figure && barAt(this.#figure, offsetX, offsetY)
    if (bar !== undefined) this.#choose(bar, true)
  }

  readonly #point = ({ offsetX, offsetY, currentTarget }: PointerEvent): void => {
    const over = this.#figure && barAt(this.#figure, offsetX, offsetY)
    ;(currentTarget as HTMLCanvasElement).style.cursor = over === undefined ? '' : 'pointer'
  }

  readonly #key = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.metaKey || event.altKey) return
    const bar = this.#figure && nextBar(this.#figure, this.#chosen, event.key)
    if (bar === undefined) return
    event.preventDefault()
    this.#choose(bar, event.key === 'Enter')
  }
}

/** Nothing in it moves: no block, and what is held goes from edge to edge. */
const isStill = ({ rows, span }: Figure): boolean =>
  span.until === span.to &&
  rows.every(
    (row) =>
      row === undefined ||
      (row.bars.length === 0 && row.from === 0 && !row.closed && row.held.every(({ earlier, later }) => earlier && later)),
  )

/** What carries one of the four comes before what does not; then what was active last. */
function weightOf({ blocks, exchanges, state }: WireConnection, { until }: Span): number {
  const underWay = [...exchanges.values()].some((each) => isTransport(each.carries) && (each.until ?? Infinity) >= until)
  return (underWay ? 1e12 : 0) + (blocks.at(-1)?.at ?? state.openedAt)
}
