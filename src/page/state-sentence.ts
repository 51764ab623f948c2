/** What the channel is doing, in one sentence for a person. Pure: the clock is an argument. */
import { type ChannelState, Problem, type TransportName } from '../client/index.ts'
import { aboutMinutes, duration } from './units.ts'
import { type Account, wires } from './wires.ts'

/** `live` and `opening` are well; `lost` comes back by itself; `refused` does not. */
export type Tone = 'live' | 'opening' | 'lost' | 'refused'

export interface Sentence {
  readonly tone: Tone
  /** The wire it speaks of; its word stands before the text. Undefined: no wire is open. */
  readonly wire: TransportName | undefined
  readonly text: string
  /** What else is to be known of the wire that was wanted. */
  readonly aside: string | undefined
  /** What a person can do now. */
  readonly remedy: 'now' | 'again' | undefined
}

/** The channel's own: after so long on a lower transport the wanted one is tried again. */
const upwardMs = 5 * 60_000

export function describe(state: ChannelState, account: Account, now: number): Sentence {
  const { title, word } = wires[state.transport]
  const plain = (tone: Tone, text: string, remedy?: Sentence['remedy']): Sentence => ({
    tone,
    text,
    wire: undefined,
    aside: undefined,
    remedy,
  })
  switch (state.status) {
    case 'live':
      return {
        ...plain('live', `${wires[state.transport].tell(account)}.`, isFallen(state) ? 'again' : undefined),
        wire: state.transport,
        aside: asideOf(state, now),
      }
    case 'waiting':
      return plain('lost', `${lossOf(state)} ${againOf(state, now)}`, 'now')
    case 'connecting':
      return state.problem === undefined ? plain('opening', `Opening ${word}.`) : plain('lost', `${lossOf(state)} Trying ${word} now.`)
    case 'refused':
      return plain('refused', refusalOf(state), 'again')
  }
  return plain('opening', `${title} is closed: the room is left.`)
}

/** The same without what ticks: what a screen reader is told when it changes. */
export function announcement(state: ChannelState): string {
  const { word, title } = wires[state.transport]
  if (state.status === 'waiting' || (state.status === 'connecting' && state.problem !== undefined))
    return `${lossOf(state)} Trying again by itself.`
  if (state.status === 'refused') return refusalOf(state)
  if (state.status !== 'live') return `Opening ${word}.`
  return [`${title} is live.`, asideOf(state, state.since)].filter(Boolean).join(' ')
}

function lossOf({ problem }: ChannelState): string {
  if (problem instanceof Problem) return `The server sent us away: ${problem.message}`
  if (!navigator.onLine) return 'This device is offline.'
  return 'Lost the server.'
}

const againOf = ({ retryAt }: ChannelState, now: number): string =>
  retryAt === undefined || retryAt <= now ? 'Trying again.' : `Trying again in ${shortly(retryAt - now)}.`

/** On a lower wire than the one that was wanted, with none on its way. */
export const isFallen = ({ transport, wanted, opening }: ChannelState): boolean => transport !== wanted && opening === undefined

/** Under a second nobody reads a number that runs down. */
const shortly = (ms: number): string => (ms < 1000 ? 'a moment' : duration(ms))

const refusalOf = ({ problem }: ChannelState): string => `The server refused: ${problem?.message ?? 'it did not say why.'}`

/** Where the live wire is not the one that was wanted: why, and what becomes of it. */
function asideOf({ transport, wanted, opening, problem, since }: ChannelState, now: number): string | undefined {
  if (opening !== undefined) return `Opening ${wires[opening].word}; ${wires[transport].word} still runs.`
  if (transport === wanted) return undefined
  const { title } = wires[wanted]
  const here = wires[transport].word
  if (problem instanceof Problem) return `${title} was refused: ${problem.message} This is still ${here}.`
  const reason = /\((.*)\)$/.exec(problem?.message ?? '')?.[1]
  const because = reason === undefined ? '' : ` (${reason})`
  return `${title} does not get through${because}, so this is ${here}. Trying it again in ${aboutMinutes(since + upwardMs - now)}.`
}
