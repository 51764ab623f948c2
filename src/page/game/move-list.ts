/** The moves of a game as a table: the board's twin, with how each came, and what was refused. */
import { html, nothing, type TemplateResult } from 'lit'
import { count, milliseconds } from '../units.ts'
import { glyph, wires } from '../wires.ts'
import { token } from './board-table.ts'
import type { Board, Move, Refusal } from './board.ts'
import { moveWords, refusalSentence } from './game-words.ts'
import type { Arrival } from './table.ts'

export function moveList(board: Board, me: string | undefined, arrivalOf: (seq: number) => Arrival | undefined): TemplateResult {
  const refused = board.refusals.filter(({ seq }) => seq > board.since)
  // The newest first: where one looks.
  const lines = [...board.moves, ...refused].toSorted((one, other) => other.seq - one.seq)
  return html`<table class="moves" data-testid="moves">
    <caption>
      ${count(board.moves.length)} ${board.moves.length === 1 ? 'move' : 'moves'}, ${count(refused.length)} refused
    </caption>
    <thead>
      <tr>
        <th scope="col">seq</th>
        <th scope="col">Player</th>
        <th scope="col">Move</th>
        <th scope="col"><abbr title="From the log to this page, by the clocks' comparison">Here after</abbr></th>
      </tr>
    </thead>
    <tbody>
      ${lines.map((line) => ('reason' in line ? refusal(line, me) : move(line, me, arrivalOf(line.seq))))}
    </tbody>
  </table>`
}

const move = (line: Move, me: string | undefined, arrival: Arrival | undefined): TemplateResult =>
  html`<tr data-seq=${line.seq}>
    <td>${line.seq}</td>
    <td class="who">
      ${token(line.side)} <bdi>${line.player.name}</bdi>${line.player.id === me ? html` <span class="you">you</span>` : nothing}
    </td>
    <td>${moveWords(line)}</td>
    <td data-transport=${arrival?.transport ?? nothing}>${arrival === undefined ? '' : came(arrival)}</td>
  </tr>`

const came = ({ transport, delay }: Arrival): TemplateResult =>
  html`${glyph(transport, `over ${wires[transport].word}`)} ${delay === undefined ? 'from the log' : milliseconds(delay.ms)}`

const refusal = (line: Refusal, me: string | undefined): TemplateResult =>
  html`<tr data-seq=${line.seq} data-refused=${line.reason}>
    <td>${line.seq}</td>
    <td colspan="3">${refusalSentence(line, me)}</td>
  </tr>`
