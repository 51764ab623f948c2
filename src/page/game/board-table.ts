/** The board as a table: a button over each column, each piece a shape, so that it reads without sight of colour, or at all. */
import { html, nothing, svg, type TemplateResult } from 'lit'
import { type Board, columns, rows, type Side, turnOf } from './board.ts'
import { shapes } from './game-words.ts'

export interface BoardActions {
  readonly drop: (column: number) => void
  /** The pointer is at this column; undefined for at none. */
  readonly aim: (column: number | undefined) => void
  /** The focus has come to this column. */
  readonly reach: (column: number) => void
}

export interface Shown {
  readonly board: Board
  /** The column that the keys are at: the one stop for the tab key. */
  readonly at: number
  /** The column whose next place is marked, while it is ours to drop. */
  readonly aimed: number | undefined
  /** Nothing can be dropped now. */
  readonly idle: boolean
}

const counted = (most: number): readonly number[] => Array.from({ length: most }, (_, index) => index)

export function boardTable(shown: Shown, actions: BoardActions): TemplateResult {
  return html`<table class="board" @pointerleave=${() => actions.aim(undefined)}>
    <caption class="unseen">
      The board: columns from the left, rows from the bottom.
    </caption>
    <thead>
      <tr @keydown=${(event: KeyboardEvent) => walk(event, shown.at)}>
        <td></td>
        ${counted(columns).map((column) => head(column, shown, actions))}
      </tr>
    </thead>
    <tbody>
      ${counted(rows)
        .toReversed()
        .map(
          (row) =>
            html`<tr>
              <th scope="row">${row + 1}</th>
              ${counted(columns).map((column) => cell(column, row, shown, actions))}
            </tr>`,
        )}
    </tbody>
  </table>`
}

function head(column: number, { at, idle }: Shown, { drop, aim, reach }: BoardActions): TemplateResult {
  return html`<th scope="col">
    <button
      type="button"
      aria-label="Column ${column + 1}: drop"
      aria-disabled=${idle ? 'true' : nothing}
      tabindex=${column === at ? 0 : -1}
      @click=${() => drop(column)}
      @focus=${() => reach(column)}
      @blur=${() => aim(undefined)}
      @pointerenter=${() => aim(column)}
    >
      ${column + 1}
    </button>
  </th>`
}

/** Arrow keys go along the columns, as in any toolbar. Digits stay what they are on the page: the wires. */
function walk(event: KeyboardEvent, at: number): void {
  const steps: Partial<Record<string, number>> = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: columns - 1 }
  const to = steps[event.key]
  if (to === undefined || event.ctrlKey || event.altKey || event.metaKey) return
  event.preventDefault()
  const buttons = (event.currentTarget as HTMLElement).querySelectorAll('button')
  buttons[Math.min(columns - 1, Math.max(0, to))]?.focus()
}

function cell(column: number, row: number, { board, aimed, idle }: Shown, { drop, aim }: BoardActions): TemplateResult {
  const side = board.stacks[column]?.[row]
  const here = (spot: { readonly column: number; readonly row: number } | undefined): boolean => spot?.column === column && spot.row === row
  const last = here(board.moves.at(-1))
  const won = board.winning.some(here)
  const next = !idle && side === undefined && aimed === column && board.stacks[column]?.length === row
  return html`<td
    data-piece=${side === undefined ? nothing : shapes[side]}
    ?data-last=${last}
    ?data-won=${won}
    @click=${() => drop(column)}
    @pointerenter=${() => aim(column)}
  >
    ${side === undefined ? (next ? ghost(turnOf(board)) : hole) : piece(side, last, won)}
  </td>`
}

const radius = { disc: 14, ring: 11.5 } as const

const hole = html`<svg class="piece hole" viewBox="0 0 40 40" aria-hidden="true"><circle cx="20" cy="20" r="2" /></svg>`

const ghost = (side: Side): TemplateResult =>
  html`<svg class="piece ghost" viewBox="0 0 40 40" aria-hidden="true"><circle cx="20" cy="20" r=${radius[shapes[side]]} /></svg>`

/** The last one has a wedge over it, where it came from; those that won stand in a frame. */
function piece(side: Side, last: boolean, won: boolean): TemplateResult {
  const name = `${shapes[side]}${won ? ', in the row that won' : ''}${last ? ', the last move' : ''}`
  return html`<svg class="piece ${shapes[side]}" viewBox="0 0 40 40" role="img" aria-label=${name}>
    <circle cx="20" cy="20" r=${radius[shapes[side]]} />
    ${won ? svg`<path class="frame" d="M2 11V2h9M29 2h9v9M38 29v9h-9M11 38H2v-9" />` : nothing}
    ${last ? svg`<path class="wedge" d="M15 0h10l-5 5z" />` : nothing}
  </svg>`
}

/** The shape beside a player's name. */
export const token = (side: Side): TemplateResult =>
  html`<svg class="piece token ${shapes[side]}" viewBox="0 0 40 40" role="img" aria-label=${shapes[side]}>
    <circle cx="20" cy="20" r=${radius[shapes[side]]} />
  </svg>`
