/** What the rounds of a lane say together: counts summed, histograms merged, intervals by resampling rounds. */
import { bytesBothWays, plus, type Tally } from './connection.ts'
import type { Interval } from './report/report.ts'
import { bootstrap } from './statistics.ts'
import { Trips } from './trips.ts'
import type { Group, Round } from './round.ts'

/** A lane that runs WebSocket a second time (A/A): what the two differ by is noise. */
export const again = 'websocket, again'

/** One lane in one round. */
export interface Sample {
  readonly round: Round
  readonly group: Group
}

export const tallyOf = (samples: readonly Sample[]): Tally => samples.map(({ group }) => group.window).reduce(plus)

/** Bytes both ways per delivered message: counted over all rounds, no average of ratios. */
export function bytesPerMessage(samples: readonly Sample[]): number {
  const tally = tallyOf(samples)
  return bytesBothWays(tally) / tally.delivered
}

/** Share of the bytes that is no batch with messages. */
export function overheadShare(samples: readonly Sample[]): number {
  const tally = tallyOf(samples)
  return 1 - tally.payload / bytesBothWays(tally)
}

export const requestsPerSecond = (samples: readonly Sample[]): number =>
  tallyOf(samples).requests / samples.reduce((sum, { round }) => sum + round.seconds, 0)

export const tripsOf = (samples: readonly Sample[]): Trips => Trips.merge(samples.map(({ group }) => group.trips))

/** Was a generator too busy in any of them? Then no time of this lane is worth printing. */
export const withheld = (samples: readonly Sample[]): boolean => samples.some(({ round }) => round.saturated)

/** A quantile of the merged trips in ms; null where it was withheld or too few samples lie beyond it. */
export function delay(samples: readonly Sample[], q: number, random: () => number): Interval | null {
  if (samples.length === 0 || withheld(samples) || tripsOf(samples).quantile(q) === undefined) return null
  return bootstrap(samples, (rounds) => tripsOf(rounds).at(q), random)
}

export const medianMs = (samples: readonly Sample[]): number => tripsOf(samples).at(0.5)

/** Server CPU in ms per 1,000 deliveries; undefined where the server is not ours to ask. */
export function cpuPerThousand(samples: readonly Sample[]): number | undefined {
  const delivered = samples.reduce((sum, { group }) => sum + group.window.delivered, 0)
  const cpuMs = samples.reduce((sum, { round }) => sum + (round.server?.cpuMs ?? Number.NaN), 0)
  return Number.isNaN(cpuMs) ? undefined : (cpuMs * 1000) / delivered
}

export function cpu(samples: readonly Sample[], random: () => number): Interval | null {
  return cpuPerThousand(samples) === undefined ? null : bootstrap(samples, (rounds) => cpuPerThousand(rounds) ?? Number.NaN, random)
}

/** The largest RSS in MB; null where the server is not ours to ask. */
export function memory(samples: readonly Sample[]): number | null {
  const largest = Math.max(...samples.map(({ round }) => round.server?.rssBytes ?? Number.NaN))
  return Number.isNaN(largest) ? null : largest / 1e6
}
