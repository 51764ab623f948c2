/** Readers that read nothing: do the others notice, and what do they cost the server's memory? */
import type { TransportName } from '../../src/protocol/message.ts'
import type { Bench } from '../bench.ts'
import { until } from '../clock.ts'
import { NoNumber, type Experiment } from '../experiment.ts'
import { check, exactly } from '../relations.ts'
import { laneTitle } from '../report/lanes.ts'
import { poissonSchedule } from '../statistics.ts'
import { Trips } from '../trips.ts'
import type { Group, Round } from '../round.ts'

/** Enough that no kernel's buffers hold it: some 5 MB a reader. */
const payload = 4_000
const rate = 700
const seconds = 2
const readers = 5
const stuck = 5

interface Lane {
  readonly lane: string
  readonly wire: TransportName
  readonly stuck: number
}
interface Sample {
  readonly round: Round
  readonly healthy: Group
  /** After what nobody holds was collected. */
  readonly rssBytes: number
}

const lanes: readonly Lane[] = (['sse', 'websocket'] as const).flatMap((wire) => [
  { lane: wire, wire, stuck: 0 },
  { lane: `${wire}, with ${stuck} stuck`, wire, stuck },
])

export const slowReader: Experiment = {
  name: 'slow-reader',
  question: 'Do readers that read nothing slow the others, or fill the memory?',
  parameters: `${readers} healthy readers, with and without ${stuck} that stop reading, ${rate} messages of ${payload} bytes a second`,
  async run(bench) {
    const samples = await bench.interleave(lanes, 1, (lane, number) => oneRound(bench, lane, number))
    const of = (lane: Lane): readonly Sample[] => samples.get(lane) ?? []
    const scenario = `${readers} readers, ${stuck} stuck beside them, ${rate} msg/s of ${payload} B, loopback, ${seconds} s`
    const unread = (of(lanes[1] as Lane)[0]?.round.published.accepted ?? 0) * payload
    const grown = (index: number): number => memory(of(lanes[index] as Lane)) - memory(of(lanes[index - 1] as Lane))
    return {
      scenario,
      findings: [
        `With ${stuck} readers that left ${(unread / 1e6).toFixed(0)} MB each unread, healthy ones missed nothing, and the server held ${more(grown(1))} on SSE and ${more(grown(3))} on WebSocket (RSS; a queue without a bound would hold ${mib(unread * stuck)} MiB; ${scenario}).`,
      ],
      tables: [
        {
          title: 'Healthy readers',
          columns: [
            { name: 'lane' },
            { name: 'delivered', how: 'counted' },
            { name: 'lost', how: 'counted' },
            { name: 'delay p50', unit: 'ms', how: 'sampled', digits: 1 },
            { name: 'p99', unit: 'ms', how: 'sampled', digits: 1 },
            { name: 'RSS', unit: 'MiB', how: 'sampled' },
          ],
          rows: lanes.map((lane) => [
            lane.lane,
            of(lane).reduce((sum, { healthy }) => sum + healthy.total.delivered, 0),
            of(lane).reduce((sum, { healthy }) => sum + healthy.lost, 0),
            quantile(of(lane), 0.5),
            quantile(of(lane), 0.99),
            memory(of(lane)) / 2 ** 20,
          ]),
          note: `Healthy readers alone. RSS of the server at the end of a round, after a forced collection; what was left unread is ${mib(unread * stuck)} MiB. One round a lane: no interval.`,
        },
      ],
      charts: [],
      checks: [
        check(
          'healthy readers miss nothing',
          lanes.flatMap(of).reduce((sum, { healthy }) => sum + healthy.lost, 0),
          exactly(0),
        ),
        ...([1, 3] as const).map((index) =>
          check(
            `${laneTitle(lanes[index]?.lane ?? '')}: the server holds less than half of what was left unread`,
            Math.max(0, grown(index)) / 1e6,
            {
              low: 0,
              high: (unread * stuck) / 2e6,
              unit: 'MB',
            },
          ),
        ),
      ],
      notes: [
        'The kernel holds up to some MB for a socket that nobody reads; the server stops reading the log for it at 64 KiB of its own.',
      ],
    }
  },
}

const more = (bytes: number): string => (bytes < 2 ** 20 ? 'no MiB more' : `${mib(bytes)} MiB more`)
const mib = (bytes: number): string => (bytes / 2 ** 20).toFixed(0)
const memory = (samples: readonly Sample[]): number => samples.reduce((sum, { rssBytes }) => sum + rssBytes, 0) / samples.length

function quantile(samples: readonly Sample[], q: number): number | null {
  if (samples.some(({ round }) => round.saturated)) return null
  return Trips.merge(samples.map(({ healthy }) => healthy.trips)).quantile(q) ?? null
}

/** @throws NoNumber where a healthy reader missed something */
async function oneRound(bench: Bench, { lane, wire, stuck: count }: Lane, number: number): Promise<Sample> {
  let rssBytes = Number.NaN
  const still = { lane: 'stuck', wire, room: 'slow', clients: count, reads: false } as const
  const round = await bench.round({
    groups: [{ lane, wire, room: 'slow', clients: readers }, ...(count > 0 ? [still] : [])],
    schedules: { slow: poissonSchedule(rate, seconds, bench.random) },
    payload,
    warmupMs: 0,
    measureMs: seconds * 1000,
    by: 'websocket',
    // Of those who do not read neither the messages nor the bytes are looked for.
    mayLose: true,
    during: async ({ start, subject }) => {
      await until(start + seconds * 1000, bench.signal)
      await subject.ask('collect')
      rssBytes = (await subject.ask('usage')).rssBytes
    },
  })
  const [healthy] = round.groups as [Group]
  bench.record(`${readers} healthy readers, ${rate} msg/s of ${payload} B`, number, round, healthy)
  if (healthy.lost > 0) throw new NoNumber(`${healthy.lost} deliveries to healthy readers were lost: ${healthy.example}`)
  return { round, healthy, rssBytes }
}
