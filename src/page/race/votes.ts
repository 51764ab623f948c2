/** What a hall expects: each member's vote is a state that it carries in the room of the vote, `{"vote":"sse"}`. */
import { type TransportName, transportNames } from '../../protocol/message.ts'

/** The one room of a server in which is voted. Everybody who looks at the race is in it. */
export const voteRoom = 'race'

export interface Votes {
  readonly total: number
  readonly of: Readonly<Record<TransportName, number>>
}

export const noVotes: Votes = { total: 0, of: { poll: 0, 'long-poll': 0, sse: 0, websocket: 0 } }

/** What a member's state says; others may carry whatever they like there. */
export function voteOf(state: unknown): TransportName | undefined {
  const vote = typeof state === 'object' && state !== null && 'vote' in state ? state.vote : undefined
  return transportNames.find((name) => name === vote)
}

/** One vote a member: a state is one. */
export function tally(states: ReadonlyMap<string, unknown>): Votes {
  const of = { ...noVotes.of }
  let total = 0
  for (const state of states.values()) {
    const vote = voteOf(state)
    if (vote === undefined) continue
    of[vote]++
    total++
  }
  return { total, of }
}

/** Counts until it is closed: who has revealed sees a figure beside the votes, and whoever votes later may have seen it too. */
export class BallotBox {
  #votes = noVotes
  #closed = false

  get votes(): Votes {
    return this.#votes
  }

  count(states: ReadonlyMap<string, unknown>): void {
    if (!this.#closed) this.#votes = tally(states)
  }

  /** For good. `own` counts though the server has not told it back yet. */
  close(states: ReadonlyMap<string, unknown>, own?: { readonly member: string; readonly vote: TransportName }): void {
    this.count(own === undefined ? states : new Map([...states, [own.member, { vote: own.vote }]]))
    this.#closed = true
  }
}
