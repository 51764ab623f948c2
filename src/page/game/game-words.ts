/** What is said of a game, to whom: whose turn it is, what was done last, why an order was refused. */
import { aboutMinutes } from '../units.ts'
import { type Board, type Move, type Order, type Reason, type Refusal, refusalOf, restMs, rows, columns, sideOf, turnOf } from './board.ts'

/** Filled and hollow: told apart without colour. */
export const shapes = ['disc', 'ring'] as const

const reasons: Readonly<Record<Reason, string>> = {
  column: `there are columns 1 to ${columns}`,
  full: `the column is full, it holds ${rows}`,
  turn: 'it was the other player’s turn',
  spectator: 'two play already',
  over: 'the game is over',
  running: `a game goes on; players may start again, anybody else ${aboutMinutes(restMs)} after its last move`,
  unknown: 'the log is not kept from where this game began',
}

/** Why the rules do not allow it. */
export const reasonOf = (reason: Reason): string => reasons[reason]

/** What a page says to who was about to send it. */
const warnings: Partial<Record<Reason, string>> = {
  turn: 'It is not your turn.',
  spectator: 'Two play already: you watch until the next game.',
  over: 'The game is over. Start a new one.',
  full: `This column is full: it holds ${rows}.`,
  unknown: 'How this game stands cannot be known here: the log is not kept from where it began. The board begins with the next new game.',
  running: `A game goes on. Its players may start again at any time, anybody else ${aboutMinutes(restMs)} after the last move.`,
}

/** A board that knows no game takes every new one; those that know it may not. */
const midGame = `A game goes on that cannot be known here. Its players may start again, anybody else ${aboutMinutes(restMs)} after the last move.`

/** Told before it is sent, so that what is known to be refused is not sent; undefined where it is allowed. */
export function warningOf(board: Board, member: string, order: Order, at: number): string | undefined {
  const reason = refusalOf(board, member, order, at)
  if (order.kind === 'new' && !board.known && board.stirredAt !== undefined && at - board.stirredAt < restMs) return midGame
  return reason === undefined ? undefined : (warnings[reason] ?? `Not sent: ${reasons[reason]}.`)
}

const wanted = ({ order }: Refusal): string => {
  if (order.kind === 'new') return 'a new game'
  return order.column < 0 ? 'a move into no column' : `column ${order.column + 1}`
}

/** `Keen Finch wanted column 3: it was the other player’s turn` */
export const refusalSentence = (refusal: Refusal, me: string | undefined): string =>
  `${refusal.player.id === me ? 'You' : refusal.player.name} wanted ${wanted(refusal)}, and no board takes it: ${reasons[refusal.reason]}.`

export const moveWords = ({ column, row }: Move): string => `column ${column + 1}, row ${row + 1}`

/** How the game stands, to this member. */
export function standing(board: Board, me: string | undefined): string {
  const [first, second] = board.players
  const mine = sideOf(board, me)
  if (!board.known) {
    return `The log is kept from message ${board.from ?? 0} on, and this game began before: how it stands cannot be known here. The board begins with the next new game.`
  }
  if (first === undefined) return 'Nobody has moved yet. Who moves first plays the disc, who moves next the ring; everybody else watches.'
  if (board.outcome === 'won') return won(board, me)
  if (board.outcome === 'drawn') return `Drawn: all ${columns * rows} places are taken. Anybody may start a new game.`
  if (second === undefined) {
    return mine === undefined
      ? `${first.name} began and waits for somebody. Move, and you play the ring.`
      : 'You began. Waiting for somebody to play the ring: whoever moves next.'
  }
  const waited = board.players[turnOf(board)]?.name ?? ''
  if (mine === undefined) return `You watch ${first.name} against ${second.name}. It is ${waited}’s turn.`
  return mine === turnOf(board) ? 'Your turn.' : `Waiting for ${waited}.`
}

function won(board: Board, me: string | undefined): string {
  const last = board.moves.at(-1)
  if (last === undefined) return ''
  const who = last.player.id === me ? 'You have' : `${last.player.name} has`
  return `${who} ${board.winning.length} in a row, after ${board.moves.length} moves. Anybody may start a new game.`
}

/** What to say aloud after this step: the move, and what follows of it. Empty where the board is what it was. */
export function announcement(before: Board, after: Board, me: string | undefined): string {
  if (after.since !== before.since && after.moves.length === 0) return 'A new game. Nobody has moved yet.'
  const move = after.moves.at(-1)
  if (move === undefined || move === before.moves.at(-1)) return ''
  const who = move.player.id === me ? 'You' : move.player.name
  const next = standing(after, me)
  return `${who} dropped in ${moveWords(move)}; ${next.charAt(0).toLowerCase()}${next.slice(1)}`
}
