/** A server with a short play on it: members on all four wires who talk, move their heads and play, for pictures of the page. */
import { type Channel, connect } from '../../src/client/node.ts'
import { type TransportName, transportNames } from '../../src/protocol/message.ts'
import { eventually } from './answers.ts'
import { key } from './presenter.ts'
import { startServer, type TestServer } from './server.ts'

export const room = 'lobby'
/** The game's room beside it. */
const table = `${room}~four`

const cast = ['Ada', 'Grace', 'Alan', 'Edsger', 'Barbara', 'Donald'] as const
/** Said in the order of the cast, by turns: each speaks of the wire that it is on. */
const lines = [
  'I poll: one question a second, whatever happens.',
  'My question waits on the server until there is something to say.',
  'SSE here: one response that never ends.',
  'One socket, both ways.',
  'Why did you all read this before I did?',
  'Because you asked too early, and then you slept.',
  'At fifty messages a second I need fewer bytes than any of you.',
  'And you are half a second late.',
  'That is what it costs.',
  'Who needs 722 bytes to hear nothing?',
  'I do. Every second.',
  'I hear nothing for free, until the timer runs out.',
] as const
const moves = ['/move 4', '/move 4', '/move 3', '/move 5', '/move 2', '/move 1', '/move 3'] as const
const talkMs = 700
const moveHeadMs = 60

/** What a member may carry, where the client can. */
type Carrying = Channel & { setState?(state: unknown): void }

export interface Stage extends AsyncDisposable {
  readonly server: TestServer
  /** What a page opens to be the presenter's. */
  readonly key: string
}

/** Raises the curtain: resolves when everybody is live and the first lines are said. */
export async function raise(): Promise<Stage> {
  const server = await startServer({ lab: true, presenterKey: key, hall: { open: true }, publishesPerSecond: 0 })
  const wireOf = (index: number): TransportName => transportNames[index % transportNames.length] ?? 'websocket'
  const enter = (name: string, index: number, where: string): Channel =>
    connect({ url: server.url, room: where, transport: wireOf(index), pollMs: 1_000, members: true, name })
  const talkers = cast.map((name, index) => enter(name, index, room))
  const players = cast.slice(0, 2).map((name, index) => enter(name, index + 2, table))
  const all = [...talkers, ...players]
  await eventually(() => all.every(({ state }) => state.status === 'live'), 'the cast is live', 15_000)
  for (const [index, move] of moves.entries()) await players[index % 2]?.send(move)
  let turn = 0
  const talk = async (): Promise<void> => {
    const speaker = talkers[turn % talkers.length]
    const line = lines[turn++ % lines.length] ?? ''
    await speaker?.send(line)
  }
  for (const _ of lines) await talk()
  const talking = setInterval(() => void talk().catch(() => {}), talkMs)
  const moving = setInterval(() => talkers.forEach((each, index) => (each as Carrying).setState?.(orbit(index))), moveHeadMs)
  return {
    server,
    key,
    async [Symbol.asyncDispose]() {
      clearInterval(talking)
      clearInterval(moving)
      for (const channel of all) channel.close()
      await server.close()
    },
  }
}

/** Where a head is now: each on a circle of its own. */
function orbit(index: number): { readonly x: number; readonly y: number } {
  const angle = performance.now() / (900 + 150 * index) + index
  const round = (value: number): number => Math.round(value * 10_000) / 10_000
  return { x: round(0.2 + 0.12 * index + 0.08 * Math.cos(angle)), y: round(0.5 + 0.3 * Math.sin(angle)) }
}
