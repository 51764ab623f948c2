/** What experiments after a paper have in common: several groups of a lane told as one, times that may be withheld, and a store of latest values. */
import { plus, type Tally } from '../connection.ts'
import type { SubjectSetup } from '../subject.ts'
import { Trips } from '../trips.ts'
import type { Group, Round } from '../round.ts'

/** Groups of one lane in several rooms, as one group: counts summed, trips merged. */
export function together(lane: string, groups: readonly Group[]): Group {
  const [first] = groups
  if (first === undefined) throw new Error(`no group is called ${lane}`)
  const clients = groups.reduce((sum, group) => sum + group.clients, 0)
  return {
    ...first,
    lane,
    clients,
    messages: groups.reduce((sum, group) => sum + group.messages * group.clients, 0) / clients,
    window: groups.map(({ window }) => window).reduce(plus),
    total: groups.map(({ total }) => total).reduce(plus),
    trips: Trips.merge(groups.map(({ trips }) => trips)),
    lost: groups.reduce((sum, { lost }) => sum + lost, 0),
    sums: groups.flatMap(({ sums }) => sums),
    failures: groups.flatMap(({ failures }) => failures),
  }
}

/** The group of a round whose lane has this name. */
export function groupOf({ groups }: Pick<Round, 'groups'>, lane: string): Group {
  return together(
    lane,
    groups.filter((group) => group.lane === lane),
  )
}

/** A time, or null where a generator was too busy for it to be worth printing. */
export const timed = ({ saturated }: Pick<Round, 'saturated'>, ms: number | undefined): number | null => (saturated ? null : (ms ?? null))

/** What a reader is told of times that are not there. */
export function withheldNotes(rounds: readonly Pick<Round, 'saturated'>[]): string[] {
  const count = rounds.filter(({ saturated }) => saturated).length
  if (count === 0) return []
  return [
    `Withheld: the times of ${count} of ${rounds.length} rounds, and their checks, for a generator was saturated. Counts are exact all the same.`,
  ]
}

/** Who asks without a cursor gets the newest message alone: what a store of latest values would say (`latest` in a group). */
export const latestValues: SubjectSetup = { options: { history: 1 } }

/** All that a poller got, however often: Received Publish Messages, not unique, of Bozdag et al. */
export const received = ({ delivered, repeated }: Tally): number => delivered + repeated

/** `0.961` as `96 %`, for a sentence. */
export const percent = (share: number): string => `${(share * 100).toFixed(share < 0.1 ? 1 : 0)} %`
