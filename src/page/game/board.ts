/**
 * Four in a row as a pure function of a room's log: `/move 1` to `/move 7` drop a piece, `/new` starts again, all else is
 * talk. What the rules do not allow stays in the log and no board takes it, so that all boards of a log are the same.
 */
import type { Message } from '../../client/index.ts'

export const columns = 7
export const rows = 6
const inARow = 4

/** After so long without a move, by the times of the log, anybody may start again: the players have gone. In ms. */
export const restMs = 120_000
/** So many refusals are kept to be listed. */
const mostRefusals = 50

/** Who began, and who came second. */
export type Side = 0 | 1

export interface Player {
  readonly id: string
  /** As they were called when they moved last. */
  readonly name: string
}

/** Both from 0: columns from the left, rows from the bottom. */
export interface Spot {
  readonly column: number
  readonly row: number
}

export interface Move extends Spot {
  readonly seq: number
  readonly side: Side
  readonly player: Player
  /** In ms since 1970, on the server's clock. */
  readonly at: number
}

export type Order = { readonly kind: 'move'; /** From 0; -1 for none that there is. */ readonly column: number } | { readonly kind: 'new' }

/** `unknown`: the log is not kept from where this game began, so nobody who comes now can tell. */
export type Reason = 'column' | 'full' | 'turn' | 'spectator' | 'over' | 'running' | 'unknown'

export interface Refusal {
  readonly seq: number
  readonly player: Player
  readonly order: Order
  readonly reason: Reason
}

export interface Board {
  /** The seq of the first message that was seen; undefined before it. */
  readonly from: number | undefined
  /** Is the log known from where this game began? If not nothing is taken but a new game. */
  readonly known: boolean
  /** The seq of the `/new` that this game began with; 0 for the beginning of the log. */
  readonly since: number
  /** None, one or two: who moves first is the first. */
  readonly players: readonly Player[]
  /** Seven, each from the bottom up: nothing can float. */
  readonly stacks: readonly (readonly Side[])[]
  readonly moves: readonly Move[]
  readonly outcome: 'open' | 'won' | 'drawn'
  /** Where those stand that won: four, or more. */
  readonly winning: readonly Spot[]
  /** The newest, of all games. */
  readonly refusals: readonly Refusal[]
  /** When somebody last wanted to move, taken or not; undefined for never. */
  readonly stirredAt: number | undefined
}

const fresh = {
  known: true,
  players: [],
  stacks: Array.from({ length: columns }, (): readonly Side[] => []),
  moves: [],
  outcome: 'open',
  winning: [],
} as const satisfies Partial<Board>

/** The board of an empty log; also of one that has a gap before what comes next. */
export const emptyBoard: Board = { ...fresh, from: undefined, since: 0, refusals: [], stirredAt: undefined }

/** The board of a log that has nothing left of what came before this seq. */
export const lostBoard = (from: number): Board => ({ ...emptyBoard, from, known: from === 1 })

/** What a text orders; undefined where it is talk. */
export function readOrder(text: string): Order | undefined {
  const [word, column, ...others] = text.trim().split(/\s+/)
  if (word === '/new' && column === undefined) return { kind: 'new' }
  if (word !== '/move') return undefined
  return { kind: 'move', column: others.length === 0 && /^[1-7]$/.test(column ?? '') ? Number(column) - 1 : -1 }
}

/** How an order is said. */
export const spell = (order: Order): string => (order.kind === 'new' ? '/new' : `/move ${order.column + 1}`)

/** Whose turn it is. */
export const turnOf = ({ moves }: Board): Side => (moves.length % 2 === 0 ? 0 : 1)

/** Which side a member plays; undefined for who watches, or may still come in. */
export function sideOf({ players }: Board, member: string | undefined): Side | undefined {
  const index = players.findIndex(({ id }) => id === member)
  return index === 0 || index === 1 ? index : undefined
}

/** Why the rules do not allow this order of this member at this time (ms since 1970); undefined where they do. */
export function refusalOf(board: Board, member: string, order: Order, at: number): Reason | undefined {
  return order.kind === 'new' ? refusalOfNew(board, member, at) : refusalOfMove(board, member, order.column)
}

/** A player may at any time; anybody when it is over, has not begun, or has rested: all of which is in the log. */
function refusalOfNew(board: Board, member: string, at: number): Reason | undefined {
  if (!board.known || board.outcome !== 'open' || board.moves.length === 0 || sideOf(board, member) !== undefined) return undefined
  return at - (board.moves.at(-1)?.at ?? 0) >= restMs ? undefined : 'running'
}

function refusalOfMove(board: Board, member: string, column: number): Reason | undefined {
  if (!board.known) return 'unknown'
  if (board.outcome !== 'open') return 'over'
  const side = sideOf(board, member)
  if (side === undefined && board.players.length === 2) return 'spectator'
  // Who comes in takes the side that is free, and that has the turn.
  if (side !== undefined && side !== turnOf(board)) return 'turn'
  const stack = board.stacks[column]
  if (stack === undefined) return 'column'
  return stack.length < rows ? undefined : 'full'
}

/** The board after one more message of the log. */
export function take(before: Board, { seq, member, author, text, at }: Pick<Message, 'seq' | 'member' | 'author' | 'text' | 'at'>): Board {
  // A log begins with 1: what begins later has lost its beginning.
  const board = before.from === undefined ? lostBoard(seq) : before
  const order = readOrder(text)
  if (order === undefined) return board
  const player: Player = { id: member, name: author }
  const reason = refusalOf(board, member, order, at)
  const stirredAt = order.kind === 'move' ? at : board.stirredAt
  if (reason !== undefined) {
    return { ...board, stirredAt, refusals: [...board.refusals, { seq, player, order, reason }].slice(-mostRefusals) }
  }
  if (order.kind === 'new') return { ...board, ...fresh, since: seq }
  return { ...drop(board, order.column, player, seq, at), stirredAt }
}

function drop(board: Board, column: number, player: Player, seq: number, at: number): Board {
  const side = sideOf(board, player.id) ?? turnOf(board)
  const stacks = board.stacks.map((stack, index) => (index === column ? [...stack, side] : stack))
  const spot: Spot = { column, row: board.stacks[column]?.length ?? 0 }
  const moves = [...board.moves, { ...spot, seq, side, player, at }]
  const winning = lineThrough(stacks, spot)
  const outcome = winning.length > 0 ? 'won' : moves.length === columns * rows ? 'drawn' : 'open'
  const players = side === 0 ? [player, ...board.players.slice(1)] : [...board.players.slice(0, 1), player]
  return { ...board, players, stacks, moves, outcome, winning }
}

const directions = [
  [1, 0],
  [0, 1],
  [1, 1],
  [1, -1],
] as const

/** All that stand four or more in a row with this spot. */
function lineThrough(stacks: Board['stacks'], spot: Spot): readonly Spot[] {
  const side = stacks[spot.column]?.[spot.row]
  const lines = directions.map(([right, up]) => [
    ...run(stacks, spot, side, -right, -up).toReversed(),
    spot,
    ...run(stacks, spot, side, right, up),
  ])
  const won = lines.filter(({ length }) => length >= inARow).flat()
  return won.filter((each, index) => won.findIndex(({ column, row }) => column === each.column && row === each.row) === index)
}

function run(stacks: Board['stacks'], { column, row }: Spot, side: Side | undefined, right: number, up: number): Spot[] {
  const spots: Spot[] = []
  for (let far = 1; stacks[column + far * right]?.[row + far * up] === side; far++) {
    spots.push({ column: column + far * right, row: row + far * up })
  }
  return spots
}
