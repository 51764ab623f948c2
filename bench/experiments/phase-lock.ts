/** Phase lock: a publisher at a constant interval shows each poller one delay, and calls it the delay. */
import { poll } from '../../src/model/pull.ts'
import type { Bench } from '../bench.ts'
import type { Experiment } from '../experiment.ts'
import { around, check } from '../relations.ts'
import { deviation, median, periodicSchedule, stratifiedSchedule } from '../statistics.ts'
import type { Sums } from '../subscriber.ts'
import { groupOf, timed, withheldNotes } from './paper.ts'
import type { Group } from '../round.ts'

const intervalMs = 400
const feeds = ['constant', 'poisson'] as const

/** What the trips of each client say, in ms. */
interface Spread {
  readonly feed: (typeof feeds)[number]
  readonly group: Group
  /** Mean trip of each client, rising. */
  readonly means: readonly number[]
  /** Deviation of the means between clients, and the median client's own deviation. */
  readonly between: number
  readonly within: number
}

const meanOf = ({ sum, count }: Sums): number => sum / count
const deviationOf = ({ sum, squares, count }: Sums): number => Math.sqrt(Math.max(0, squares / count - (sum / count) ** 2))

function spreadOf(feed: Spread['feed'], group: Group): Spread {
  const means = group.sums.map(meanOf).toSorted((a, b) => a - b)
  return { feed, group, means, between: deviation(means), within: median(group.sums.map(deviationOf)) }
}

export async function measureSpread(bench: Bench, clients: number, messages: number) {
  const rate = 1000 / intervalMs
  const round = await bench.round({
    groups: feeds.map((feed) => ({ lane: `poll, ${feed} feed`, wire: 'poll', room: feed, clients, pollMs: intervalMs })),
    schedules: { constant: periodicSchedule(rate, messages / rate), poisson: stratifiedSchedule(rate, messages, bench.random) },
    payload: bench.options.payload,
    warmupMs: 0,
    measureMs: messages * intervalMs,
  })
  const spreads = feeds.map((feed) => spreadOf(feed, groupOf(round, `poll, ${feed} feed`)))
  for (const { group } of spreads) bench.record(`T = P = ${intervalMs} ms`, 0, round, group)
  return { round, spreads }
}

export const phaseLock: Experiment = {
  name: 'phase-lock',
  question: 'May a benchmark publish at a constant interval, where pollers poll at one?',
  parameters: `T = P = ${intervalMs} ms, one feed at constant times and one at Poisson times, 100 pollers each at a phase of its own, 30 messages`,
  obeys: ['clients', 'payload'],
  async run(bench) {
    const { payload, quick } = bench.options
    // Between fewer than two there is no deviation.
    const clients = Math.max(2, bench.options.clients ?? 100)
    const messages = quick ? 15 : 30
    const { round, spreads } = await measureSpread(bench, clients, messages)
    const [constant, poisson] = spreads as [Spread, Spread]
    const { deviationMs, meanMs } = poll({ rate: 1000 / intervalMs, payload, roundTripMs: 0 }, { intervalMs })
    const scenario = `T = P = ${intervalMs} ms, ${clients} pollers a feed, ${messages} messages, ${payload} B, loopback`
    const ms = (value: number): string => value.toFixed(0)
    return {
      scenario,
      findings: round.saturated
        ? []
        : [
            `At a constant interval the mean delay of a poller was anything from ${ms(constant.means[0] ?? 0)} to ${ms(constant.means.at(-1) ?? 0)} ms, and told by itself to ± ${constant.within.toFixed(1)} ms; with Poisson times all ${clients} agreed on ${ms(poisson.group.trips.mean)} ms within ${poisson.between.toFixed(1)} ms (deviation between pollers, model T/2 = ${ms(meanMs)}; sampled, n = ${poisson.group.trips.count}; ${scenario}).`,
          ],
      tables: [
        {
          title: 'The mean delay of one poller, and of another',
          columns: [
            { name: 'feed' },
            { name: 'mean of all', unit: 'ms', how: 'sampled', digits: 1 },
            { name: 'least mean of a poller', unit: 'ms', how: 'sampled', digits: 1 },
            { name: 'greatest', unit: 'ms', how: 'sampled', digits: 1 },
            { name: 'deviation between pollers', unit: 'ms', how: 'sampled', digits: 1 },
            { name: 'model', unit: 'ms', how: 'computed', digits: 1 },
            { name: 'deviation within one', unit: 'ms', how: 'sampled', digits: 1 },
            { name: 'model', unit: 'ms', how: 'computed', digits: 1 },
            { name: 'n', how: 'counted' },
          ],
          rows: spreads.map(({ feed, group, means, between, within }) => [
            `poll, ${feed} feed`,
            ...[group.trips.mean, means[0], means.at(-1), between].map((value) => timed(round, value)),
            feed === 'constant' ? deviationMs : deviationMs / Math.sqrt(messages),
            timed(round, within),
            feed === 'constant' ? 0 : deviationMs,
            group.trips.count,
          ]),
          note: "Trips by our own subscribers. Deviation within: the median poller's. The model: T/√12 between pollers of one phase each, and T/√12/√n between means of n trips.",
        },
      ],
      charts: round.saturated
        ? []
        : [
            {
              kind: 'lines',
              title: "Each poller's mean delay, in order",
              table: 0,
              x: { label: 'share of the pollers', unit: '%', scale: 'linear' },
              y: { label: 'mean delay', unit: 'ms', scale: 'linear' },
              series: spreads.map(({ feed, means }) => ({
                name: `${feed} feed`,
                lane: feed,
                points: means.map((value, index) => [(100 * (index + 0.5)) / means.length, value] as const),
              })),
            },
          ],
      checks: round.saturated
        ? []
        : [
            check('at a constant interval a poller has one delay: its deviation is under T/10', constant.within, {
              high: intervalMs / 10,
              unit: 'ms',
            }),
            check('at a constant interval pollers differ by T/√12', constant.between, { ...around(deviationMs, 0.25), unit: 'ms' }),
            check('at Poisson times their means differ by less than T/10', poisson.between, { high: intervalMs / 10, unit: 'ms' }),
            check('at Poisson times the mean is T/2', poisson.group.trips.mean, { ...around(meanMs, 0.1, 8), unit: 'ms' }),
          ],
      notes: withheldNotes([round]),
    }
  },
}
