/** `<four-in-a-row>`: two play, the rest watch; every move is a message, and the board is what the log makes of them. */
import { html, nothing, type PropertyValues, type TemplateResult } from 'lit'
import type { Channel, TransportName } from '../../client/index.ts'
import { LabElement } from '../lab-element.ts'
import { gapSentence } from '../transcript.ts'
import { counted, milliseconds } from '../units.ts'
import { glyph, wires } from '../wires.ts'
import { boardTable, token } from './board-table.ts'
import { type Order, refusalOf, sideOf } from './board.ts'
import { refusalSentence, standing, warningOf } from './game-words.ts'
import { moveList } from './move-list.ts'
import { gameRoomOf, Table, type Trip } from './table.ts'

export class FourInARow extends LabElement {
  static override properties = {
    ...LabElement.properties,
    room: { attribute: false },
    transport: { attribute: false },
    pollMs: { attribute: false },
  }
  declare room: string
  declare transport: TransportName
  declare pollMs: number

  #table: Table | undefined
  #member: string | undefined
  #name: string | undefined
  /** The column that the keys are at, and the one that is pointed at. */
  #at = 3
  #aimed: number | undefined
  #warning = ''

  /** The game's own channel. For tests, and for the curious. */
  get game(): Channel | undefined {
    return this.#table?.channel
  }

  protected override follow(channel: Channel): readonly (() => void)[] {
    this.#sit(channel)
    return [channel.on('state', () => this.#sit(channel)), () => this.#leave()]
  }

  protected override watch(): readonly (() => void)[] {
    return []
  }

  override willUpdate(changed?: PropertyValues): void {
    super.willUpdate(changed)
    if (changed?.has('transport') && this.#table?.channel.state.wanted !== this.transport) this.#table?.channel.switchTo(this.transport)
  }

  /** Sits down once it is known as whom, again when it is somebody else; and under the name that one has now. */
  #sit({ state: { member } }: Channel): void {
    if (member === undefined || (member.id === this.#member && member.name === this.#name)) return
    const renamed = member.id === this.#member
    this.#member = member.id
    this.#name = member.name
    // A socket speaks for whom it was opened by: it learns the new name when it is opened anew.
    if (renamed) return void this.#table?.channel.rename(member.name).catch(() => {})
    this.#table?.close()
    const room = gameRoomOf(this.room)
    if (room === undefined) return
    this.#table = new Table({
      url: new URL('.', document.baseURI).href,
      room,
      transport: this.transport,
      pollMs: this.pollMs,
      clock: () => this.lab?.clock,
      changed: () => this.refresh(),
    })
    this.refresh()
  }

  #leave(): void {
    this.#table?.close()
    this.#table = this.#member = this.#name = undefined
    this.#warning = ''
  }

  override render(): TemplateResult {
    if (gameRoomOf(this.room) === undefined) {
      return html`<p class="notice">
        The game is played in a room of its own, “${this.room}~four”, and a name has at most 64 characters. Go to a room with a shorter name
        to play.
      </p>`
    }
    const table = this.#table
    if (table === undefined) return html`<p class="standing">Waiting for a session.</p>`
    const { board, me, gap } = table
    return html`<section class="four" aria-label="Four in a row">
      <p class="standing" data-testid="standing">${standing(board, me)}</p>
      <p class="players">${this.#players(table)}</p>
      ${gap === undefined ? nothing : html`<p class="notice" data-testid="anew">The board began anew. ${gapSentence(gap)}</p>`}
      <div class="table">
        <figure>
          ${boardTable(
            { board, at: this.#at, aimed: this.#aimed, idle: this.#idle(table) },
            {
              drop: (column) => this.#order({ kind: 'move', column }),
              aim: (column) => this.#aim(column),
              reach: (column) => this.#reach(column),
            },
          )}
          <figcaption>
            <p data-testid="trip">${table.trip === undefined ? invitation : ownTrip(table.trip)}</p>
            ${othersTrip(table)}
          </figcaption>
        </figure>
        <div class="record">
          <p class="warning" role="alert">${this.#warning || table.refused || lostRace(table)}</p>
          <button type="button" @click=${() => this.#order({ kind: 'new' })}>New game</button>
          ${moveList(board, me, (seq) => table.arrivalOf(seq))}
        </div>
      </div>
      <p class="unseen" role="status">${table.news}</p>
    </section>`
  }

  /** Is it not for us to move now? The buttons keep the focus all the same. */
  #idle(table: Table): boolean {
    const { board, me, busy } = table
    if (me === undefined || busy) return true
    const reason = refusalOf(board, me, { kind: 'move', column: this.#at }, table.now)
    return reason !== undefined && reason !== 'full'
  }

  #players({ board, here, me, channel }: Table): TemplateResult {
    const { status, transport } = channel.state
    const present = new Set(here.map(({ id }) => id))
    return html`${board.players.map(
        ({ id, name }) =>
          html`<span class="player"
            >${token(sideOf(board, id) ?? 0)} <bdi>${name}</bdi>${id === me ? html` <span class="you">you</span>` : nothing}
            ${here.length > 0 && !present.has(id) ? html`<em>gone</em>` : nothing}</span
          > `,
      )}
      <span class="player" data-transport=${transport}
        >${glyph(transport)} ${wires[transport].word}${status === 'live' ? nothing : html`, <em>${status}</em>`}</span
      >
      <span class="player">${counted(here.length, 'member')} here</span>`
  }

  #aim(column: number | undefined): void {
    if (column === this.#aimed) return
    this.#aimed = column
    this.requestUpdate()
  }

  #reach(column: number): void {
    this.#at = column
    this.#aimed = column
    this.requestUpdate()
  }

  /** What is known to be refused is not sent; what two send at once, the log decides. */
  #order(order: Order): void {
    const table = this.#table
    if (table?.me === undefined || table.busy) return
    this.#warning = warningOf(table.board, table.me, order, table.now) ?? ''
    this.requestUpdate()
    if (this.#warning === '') void table.order(order)
  }
}

const invitation = 'Each move is a message in the log. How long yours takes to come back to you is told here.'

function ownTrip({ order, ackMs, backMs, transport }: Trip): TemplateResult {
  const what = order.kind === 'new' ? 'Your new game' : `Your move in column ${order.column + 1}`
  if (ackMs === undefined) return html`${what} is on its way to the log.`
  if (backMs === undefined || transport === undefined) {
    return html`${what} was in the log after ${milliseconds(ackMs)}, and is not back on your own wire yet.`
  }
  return html`<span data-transport=${transport}>${glyph(transport)}</span> ${what} was in the log after ${milliseconds(ackMs)}, and back on
    your own wire after ${milliseconds(backMs)}, over ${wires[transport].word}.`
}

/** The last move of somebody else: what it took to be known here, where that could be measured. */
function othersTrip({ board, me, arrivalOf }: Table): TemplateResult | typeof nothing {
  const move = board.moves.findLast(({ player }) => player.id !== me)
  const arrival = move && arrivalOf(move.seq)
  if (move === undefined || arrival?.delay === undefined) return nothing
  return html`<p data-testid="others-trip">
    <span data-transport=${arrival.transport}>${glyph(arrival.transport)}</span> ${move.player.name}’s move in column ${move.column + 1} was
    here ${milliseconds(arrival.delay.ms)} after it was in the log, give or take ${milliseconds(Math.ceil(arrival.delay.errorMs))}, over
    ${wires[arrival.transport].word}.
  </p>`
}

/** Two were sent at once, and the log has the other one first. */
function lostRace({ board, trip, me }: Table): string {
  const refusal = board.refusals.find(({ seq }) => seq === trip?.seq)
  return refusal === undefined ? '' : refusalSentence(refusal, me)
}
