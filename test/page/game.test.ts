/** The board is a pure function of the log. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Board, columns, emptyBoard, type Reason, restMs, rows, take, turnOf } from '../../src/page/game/board.ts'
import { announcement, standing, warningOf } from '../../src/page/game/game-words.ts'

interface Line {
  readonly member: string
  readonly text: string
  readonly at?: number
}

/** A log of these lines, its seqs from `first`. */
const log = (lines: readonly Line[], first = 1) =>
  lines.map(({ member, text, at }, index) => ({
    seq: first + index,
    member,
    author: `Name of ${member}`,
    text,
    at: at ?? 1_000 * (first + index),
  }))

const replay = (lines: readonly Line[], first = 1): Board => log(lines, first).reduce(take, emptyBoard)

/** `a3 b4 a3`: who drops where. */
const said = (short: string): Line[] =>
  short.split(' ').map((each) => ({ member: each.charAt(0), text: each.slice(1) === 'new' ? '/new' : `/move ${each.slice(1)}` }))
const play = (short: string, first = 1): Board => replay(said(short), first)

const reasonsOf = (board: Board): Reason[] => board.refusals.map(({ reason }) => reason)

describe('who plays', () => {
  it('is who moves first, and the next one who is somebody else', () => {
    expect(play('a4').players.map(({ id }) => id)).toEqual(['a'])
    const board = play('a4 a4 b4 c1 a5')
    expect(board.players.map(({ id }) => id)).toEqual(['a', 'b'])
    expect(reasonsOf(board)).toEqual(['turn', 'spectator'])
    expect(board.stacks[3]).toEqual([0, 1])
    expect(board.stacks[4]).toEqual([0])
  })

  it('is not who only talks, or wants a column that is not there', () => {
    const board = replay([
      { member: 'a', text: 'hello' },
      { member: 'b', text: '/move 8' },
      { member: 'b', text: '/move' },
      { member: 'b', text: '/move 1 2' },
      { member: 'c', text: ' /move  2 ' },
    ])
    expect(board.players.map(({ id }) => id)).toEqual(['c'])
    expect(reasonsOf(board)).toEqual(['column', 'column', 'column'])
  })

  it('is called as when they moved last', () => {
    const [first, second, third] = log(said('a1 b1 a1'))
    const board = [first, second, { ...third!, author: 'Ann' }].reduce((before, message) => take(before, message!), emptyBoard)
    expect(board.players.map(({ name }) => name)).toEqual(['Ann', 'Name of b'])
  })
})

describe('a column', () => {
  it('holds six', () => {
    const board = play('a1 b1 a1 b1 a1 b1 a1 a2')
    expect(reasonsOf(board)).toEqual(['full'])
    expect(board.stacks[0]).toHaveLength(rows)
    expect(board.stacks[1]).toEqual([0])
  })
})

describe('four in a row', () => {
  it.each([
    ['upright', 'a1 b2 a1 b2 a1 b2 a1', '0,0 0,1 0,2 0,3'],
    ['level', 'a1 b1 a2 b2 a3 b3 a4', '0,0 1,0 2,0 3,0'],
    ['rising', 'a1 b2 a2 b3 a4 b3 a3 b4 a5 b4 a4', '0,0 1,1 2,2 3,3'],
    ['falling', 'a7 b6 a6 b5 a4 b5 a5 b4 a3 b4 a4', '3,3 4,2 5,1 6,0'],
    ['five of them', 'a1 b1 a2 b2 a4 b4 a5 b5 a3', '0,0 1,0 2,0 3,0 4,0'],
  ])('wins: %s', (_name, short, spots) => {
    const board = play(short)
    expect(board.outcome).toBe('won')
    expect(
      board.winning
        .map(({ column, row }) => `${column},${row}`)
        .toSorted()
        .join(' '),
    ).toBe(spots)
    expect(board.refusals).toEqual([])
    // And ends it, for both.
    expect(reasonsOf(play(`${short} b7 a7`))).toEqual(['over', 'over'])
  })

  it('is not three, nor around a corner', () => {
    expect(play('a1 b2 a1 b2 a1 b2').outcome).toBe('open')
    expect(play('a1 b4 a2 b5 a6 b6 a7').outcome).toBe('open')
  })

  it('is nobody’s when the board is full', () => {
    // Columns in pairs, the second of each begun by the other one: no four anywhere.
    const order = '1 2 1 2 1 2 2 1 2 1 2 1 3 4 3 4 3 4 4 3 4 3 4 3 5 6 5 6 5 6 6 5 6 5 6 5 7 7 7 7 7 7'.split(' ')
    const board = play(order.map((column, index) => `${index % 2 === 0 ? 'a' : 'b'}${column}`).join(' '))
    expect(board.moves).toHaveLength(columns * rows)
    expect(board.outcome).toBe('drawn')
  })
})

describe('a new game', () => {
  it('is for players while it goes on, and for anybody when it is over', () => {
    expect(reasonsOf(play('a1 b1 cnew'))).toEqual(['running'])
    expect(play('a1 b1 bnew')).toMatchObject({ players: [], moves: [], since: 3 })
    const won = 'a1 b2 a1 b2 a1 b2 a1'
    expect(play(`${won} cnew`)).toMatchObject({ players: [], moves: [], outcome: 'open', winning: [] })
    expect(play(`${won} cnew c4`).players.map(({ id }) => id)).toEqual(['c'])
  })

  it('is for anybody when nobody has moved for two minutes, by the times of the log', () => {
    const rest = (ms: number): Board => replay([...said('a1 b1'), { member: 'c', text: '/new', at: 2_000 + ms }])
    expect(reasonsOf(rest(restMs - 1))).toEqual(['running'])
    expect(rest(restMs)).toMatchObject({ moves: [], refusals: [] })
  })
})

describe('a log that has lost its beginning', () => {
  it('has no board before the next new game: half a game would be a false one', () => {
    const board = play('a1 b1 a2', 413)
    expect(board).toMatchObject({ known: false, from: 413, moves: [], players: [] })
    expect(reasonsOf(board)).toEqual(['unknown', 'unknown', 'unknown'])
    expect(standing(board, 'a')).toContain('from message 413 on')
    expect(warningOf(board, 'a', { kind: 'move', column: 0 }, 0)).toMatch(/cannot be known/)
  })

  it('has the same board as everybody’s from the next new game on', () => {
    const whole = play('a1 b1 a2 anew b3 a3')
    const late = play('b1 a2 anew b3 a3', 2)
    const { stacks, moves, players, outcome, since } = late
    expect({ stacks, moves: moves.map(({ seq }) => seq), players, outcome, since }).toEqual({
      stacks: whole.stacks,
      moves: whole.moves.map(({ seq }) => seq),
      players: whole.players,
      outcome: whole.outcome,
      since: whole.since,
    })
  })
})

describe('whatever is in the log', () => {
  const member = fc.constantFrom('a', 'b', 'c')
  const text = fc.oneof(
    { weight: 12, arbitrary: fc.integer({ min: 0, max: 8 }).map((column) => `/move ${column}`) },
    {
      weight: 1,
      arbitrary: fc.constantFrom('/new', ' /new ', '/move', '/move 1 1', '/move x', '/moves 1', 'hi', '', '/move 1e0', '/move ١'),
    },
    { weight: 1, arbitrary: fc.string({ unit: 'binary' }) },
  )
  const lines = fc.array(fc.record({ member, text, at: fc.integer({ min: 0, max: 1_000_000 }) }), { maxLength: 120 })

  it('never lets a piece float, keeps turns, and is over when it is over', () => {
    fc.assert(
      fc.property(lines, (told) => {
        let board = emptyBoard
        for (const message of log(told)) {
          const before = board
          board = take(before, message)
          const [cells, pieces] = [board.stacks.flat().length, board.moves.length]
          expect(cells).toBe(pieces)
          expect(Math.max(...board.stacks.map(({ length }) => length))).toBeLessThanOrEqual(rows)
          expect(board.stacks).toHaveLength(columns)
          // Each move stands where its stack ended, and sides alternate; so do the two who play.
          const heights = Array.from({ length: columns }, () => 0)
          for (const [index, move] of board.moves.entries()) {
            expect(move).toMatchObject({ side: index % 2, row: (heights[move.column] = (heights[move.column] ?? 0) + 1) - 1 })
            expect(move.player.id).toBe(board.players[index % 2]?.id)
          }
          expect(new Set(board.players.map(({ id }) => id)).size).toBe(board.players.length)
          expect(turnOf(board)).toBe(pieces % 2)
          if (before.outcome !== 'open' && board.moves.length > 0) expect(board.moves).toEqual(before.moves)
        }
      }),
      { numRuns: 150 },
    )
  })

  it('is changed by nothing that is refused', () => {
    fc.assert(
      fc.property(lines, (told) => {
        let board = emptyBoard
        for (const message of log(told)) {
          const after = take(board, message)
          if (after.refusals.at(-1)?.seq === message.seq) {
            const { refusals: _, stirredAt: __, from: ___, ...rest } = after
            const { refusals: ____, stirredAt: _____, from: ______, ...same } = board
            expect(rest).toEqual(same)
          }
          board = after
        }
      }),
      { numRuns: 150 },
    )
  })

  it('gives the same board twice, and after a part of it the same as at once', () => {
    fc.assert(
      fc.property(lines, fc.nat(120), (told, cut) => {
        const whole = replay(told)
        expect(replay(told)).toEqual(whole)
        const messages = log(told)
        const part = messages.slice(0, cut).reduce(take, emptyBoard)
        expect(
          messages
            .slice(cut)
            .reduce(
              take,
              JSON.parse(JSON.stringify({ ...part, from: part.from ?? null }), (key, value) =>
                key === 'from' && value === null ? undefined : (value as unknown),
              ) as Board,
            ),
        ).toEqual(whole)
      }),
      { numRuns: 100 },
    )
  })

  it('has four in a row exactly when it is won', () => {
    const drops = fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 42 })
    fc.assert(
      fc.property(drops, (told) => {
        let turn = 0
        let board = emptyBoard
        for (const [index, column] of told.entries()) {
          const before = board
          board = take(board, { seq: index + 1, member: turn === 0 ? 'a' : 'b', author: 'x', text: `/move ${column}`, at: index })
          if (board.moves.length > before.moves.length) turn = 1 - turn
        }
        expect(board.outcome === 'won').toBe(hasFour(board))
      }),
      { numRuns: 300 },
    )
  })
})

/** By looking at every line of four on the board, which is another way than the reducer's. */
function hasFour({ stacks }: Board): boolean {
  for (let column = 0; column < columns; column++)
    for (let row = 0; row < rows; row++)
      for (const [right, up] of [
        [0, 1],
        [1, 0],
        [1, 1],
        [1, -1],
      ] as const) {
        const four = [0, 1, 2, 3].map((far) => stacks[column + far * right]?.[row + far * up])
        if (four[0] !== undefined && four.every((side) => side === four[0])) return true
      }
  return false
}

describe('what is said', () => {
  const step = (short: string, me: string): string => {
    const messages = log(said(short))
    const before = messages.slice(0, -1).reduce(take, emptyBoard)
    return announcement(before, take(before, messages.at(-1)!), me)
  }

  it('is the move, and whose turn it is, to each', () => {
    expect(step('a3 b3', 'a')).toBe('Name of b dropped in column 3, row 2; your turn.')
    expect(step('a3 b3', 'b')).toBe('You dropped in column 3, row 2; waiting for Name of a.')
    expect(step('a3 b3', 'c')).toBe('Name of b dropped in column 3, row 2; you watch Name of a against Name of b. It is Name of a’s turn.')
    expect(step('a3 b3 b3', 'a')).toBe('')
    expect(step('a3 b3 bnew', 'a')).toBe('A new game. Nobody has moved yet.')
    expect(step('a1 b2 a1 b2 a1 b2 a1', 'a')).toMatch(/^You dropped in column 1, row 4; you have 4 in a row, after 7 moves\./)
  })
})
