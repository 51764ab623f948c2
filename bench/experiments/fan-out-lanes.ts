/** Lanes of the fan-out: one room, one wire, so many subscribers, of our server or of a peer; and one round of each. */
import { type TransportName, transportNames } from '../../src/protocol/message.ts'
import type { Bench } from '../bench.ts'
import { dialects, type PeerName } from '../dialects/index.ts'
import { again, type Sample } from '../summary.ts'

export interface Lane {
  readonly lane: string
  readonly peer: PeerName
  readonly wire: TransportName
  readonly clients: number
}

export const ourLanes = (clients: number, twice: boolean): Lane[] => [
  ...transportNames.map((wire): Lane => ({ lane: wire, peer: 'fourwires', wire, clients })),
  ...(twice ? [{ lane: again, peer: 'fourwires', wire: 'websocket', clients } as const] : []),
]

export const peerLanes = (peer: PeerName, clients: number): Lane[] =>
  dialects[peer].wires.map((wire): Lane => ({ lane: `${peer} ${wire}`, peer, wire, clients }))

/** For the compiler that a server runs: its hot paths are hot before anything is counted. */
const leastWarmupMs = 1_000
/** So many deliveries a second leave a slow core time to breathe; so many polls a second, too. */
const deliveriesPerSecond = 4_000
const pollsPerSecond = 2_500
const slowest = 1
const fastest = 25
/** Messages in a window, however short. */
const fewest = 2

/** Messages a second. */
export const rateOf = ({ options }: Bench, clients: number): number =>
  options.rate ?? Math.round(Math.min(fastest, Math.max(slowest, deliveriesPerSecond / clients)))

export const pollMsOf = ({ options }: Bench, clients: number): number => Math.max(options.pollMs, (clients / pollsPerSecond) * 1000)

export const roundsText = (count: number): string => `${count} ${count === 1 ? 'round' : 'rounds'}`

export function scenarioOf(bench: Bench, clients: number): string {
  const pollMs = pollMsOf(bench, clients)
  const stretched = pollMs > bench.options.pollMs ? ` (stretched: at most ${pollsPerSecond} polls/s)` : ''
  return `${clients} subscribers of one room, ${rateOf(bench, clients)} msg/s, ${bench.options.payload} B, poll ${pollMs} ms${stretched}, loopback`
}

/** One lane, once, on a fresh server. Warm-up and window are whole periods with as many messages each round; pollers warm up for a cycle. */
export async function oneRound(bench: Bench, { lane, peer, wire, clients }: Lane, number: number): Promise<Sample> {
  const periodMs = 1000 / rateOf(bench, clients)
  const pollMs = pollMsOf(bench, clients)
  const warmup = Math.ceil(Math.max(leastWarmupMs, wire === 'poll' ? pollMs : 0) / periodMs)
  const measured = Math.max(fewest, Math.floor((bench.options.seconds * 1000) / periodMs))
  const round = await bench.round({
    subject: { peer },
    groups: [{ lane, wire, room: 'bench', clients, pollMs }],
    schedules: { bench: onceAPeriod(periodMs, warmup + measured, bench.random) },
    payload: bench.options.payload,
    warmupMs: warmup * periodMs,
    measureMs: measured * periodMs,
  })
  const [group] = round.groups
  if (group === undefined) throw new Error('a round without a group')
  bench.record(scenarioOf(bench, clients), number, round, group)
  return { round, group }
}

/** A message in the first half of every period, at a time of its own: its deliveries are over when the period is. */
const onceAPeriod = (periodMs: number, count: number, random: () => number): Float64Array =>
  Float64Array.from({ length: count }, (_, index) => (index + random() / 2) * periodMs)
