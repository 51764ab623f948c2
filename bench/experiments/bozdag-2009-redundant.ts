/** Bozdag, Mesbah, van Deursen 2009, received messages: what a poller gets again and again. */
import { useless } from '../../src/model/pull.ts'
import { type TransportName, transportNames } from '../../src/protocol/message.ts'
import type { Bench } from '../bench.ts'
import { type Experiment, NoNumber } from '../experiment.ts'
import { around, check, exactly } from '../relations.ts'
import type { Table } from '../report/report.ts'
import { periodicSchedule, stratifiedSchedule } from '../statistics.ts'
import { groupOf, latestValues, percent, received } from './paper.ts'
import type { Group } from '../round.ts'

/** Publish intervals over the pull interval, P/T: theirs in seconds at a pull interval of 1 s. */
const ratios = [1, 5, 15, 30, 50] as const
/** What they published at each interval. */
const messages = 10
const clients = 2

type Feed = 'periodic' | 'poisson'
/** A poller of a store of latest values, as theirs was; ours with a cursor; and what is pushed. */
const lanes: readonly Lane[] = [
  { lane: 'poll, latest value', wire: 'poll', latest: true },
  ...transportNames.map((wire) => ({ lane: wire === 'poll' ? 'poll, cursor' : wire, wire, latest: false })),
]
interface Lane {
  readonly lane: string
  readonly wire: TransportName
  readonly latest: boolean
}

export interface Received extends Lane {
  readonly feed: Feed
  /** T/P. */
  readonly share: number
  readonly published: number
  readonly group: Group
  /** Per ten published and client: with repeats, and without. */
  readonly rpm: number
  readonly unique: number
  /** Share of the questions that brought nothing new, and what the model says of it; undefined where nobody asks. */
  readonly useless: number | undefined
  readonly predicted: number | undefined
}

/** Every room is published to until the slowest has had its ten. */
export async function measureReceived(bench: Bench, pullMs: number, over: readonly number[] = ratios): Promise<Received[]> {
  const measureMs = Math.max(...over) * pullMs * messages
  const rooms = over.flatMap((ratio) => (['periodic', 'poisson'] as const).map((feed) => ({ ratio, feed, room: `${feed}-${ratio}` })))
  const schedules = Object.fromEntries(
    rooms.map(({ ratio, feed, room }) => {
      const rate = 1000 / (ratio * pullMs)
      const offsetMs = (ratio * pullMs) / 2
      const poisson = () => stratifiedSchedule(rate, Math.round((measureMs * rate) / 1000), bench.random)
      return [room, feed === 'poisson' ? poisson() : periodicSchedule(rate, measureMs / 1000, offsetMs)]
    }),
  )
  const round = await bench.round({
    subject: latestValues,
    groups: rooms.flatMap(({ room }) =>
      lanes.map(({ lane, wire, latest }) => ({
        lane: `${lane} ${room}`,
        wire,
        latest,
        room,
        clients: latest ? clients : 1,
        pollMs: pullMs,
      })),
    ),
    schedules,
    payload: bench.options.payload,
    warmupMs: 0,
    measureMs,
    mayLose: true,
  })
  return rooms.flatMap(({ ratio, feed, room }) =>
    lanes.map(({ lane, wire, latest }): Received => {
      const group = groupOf(round, `${lane} ${room}`)
      if (!latest && group.lost + group.total.repeated > 0)
        throw new NoNumber(`${lane} lost ${group.lost} and repeated ${group.total.repeated}`)
      bench.record(`T ${pullMs} ms, T/P 1/${ratio}, ${feed}`, 0, round, { ...group, lane })
      const published = schedules[room]?.length ?? 0
      const { window } = group
      const load = { rate: 1000 / (ratio * pullMs), payload: bench.options.payload, roundTripMs: 0, arrivals: feed }
      const perTen = messages / (published * group.clients)
      return {
        feed,
        lane,
        wire,
        latest,
        share: 1 / ratio,
        published,
        group,
        rpm: received(latest ? window : group.total) * perTen,
        unique: group.total.delivered * perTen,
        useless: latest ? 1 - window.delivered / window.requests : undefined,
        predicted: latest ? useless(load, pullMs) : undefined,
      }
    }),
  )
}

/** Relations that hold for each room, whatever the times. */
export function receivedChecks(rows: readonly Received[]) {
  const slow = rows.filter(({ share }) => share < 1)
  const named = ({ lane, share, feed }: Received): string => `${lane}, T/P 1/${Math.round(1 / share)}, ${feed} feed`
  return [
    ...slow.flatMap((row) =>
      row.useless === undefined || row.predicted === undefined
        ? []
        : [
            check(
              `useless questions are 1 − T/P, with a Poisson feed e^(−T/P): ${named(row)}`,
              row.useless,
              around(row.predicted, 0, 0.03),
            ),
          ],
    ),
    ...rows
      .filter(({ wire }) => wire !== 'poll')
      .map((row) => check(`10 are received for 10 published: ${named(row)}`, row.rpm, exactly(messages))),
    ...rows
      .filter(({ wire, latest }) => wire === 'poll' && !latest)
      .map((row) => check(`10 different ones are received for 10 published: ${named(row)}`, row.unique, exactly(messages))),
    ...slow
      .filter(({ latest, feed }) => latest && feed === 'periodic')
      .map((row) =>
        check(`without a cursor all different ones are received where P > T: ${named(row)}`, row.unique, around(messages, 0.05)),
      ),
  ]
}

function tableOf(rows: readonly Received[]): Table {
  return {
    title: 'Received for ten published, per client',
    columns: [
      { name: 'wire' },
      { name: 'feed' },
      { name: 'T/P', how: 'computed', digits: 2 },
      { name: 'published', how: 'counted' },
      { name: 'received', how: 'counted', digits: 1 },
      { name: 'different', how: 'counted', digits: 1 },
      { name: 'useless questions', unit: '%', how: 'counted', digits: 1 },
      { name: 'model', unit: '%', how: 'computed', digits: 1 },
      { name: 'paper', unit: '%', how: 'published' },
    ],
    rows: rows.map((row) => [
      row.lane,
      row.feed,
      row.share,
      row.published,
      row.rpm,
      row.unique,
      row.useless === undefined ? null : row.useless * 100,
      row.predicted === undefined ? null : row.predicted * 100,
      row.useless !== undefined && row.share === 1 / 50 && row.feed === 'periodic' ? 96 : null,
    ]),
    note: `${clients} clients a row of latest values, 1 in the others, our own subscribers. Received counts repeats; a question is useless if nothing was published since the last one.`,
  }
}

export const bozdag2009Redundant: Experiment = {
  name: 'bozdag-2009-redundant',
  question: 'How much of what a poller receives does it have already?',
  source: 'Bozdag, Mesbah, van Deursen, J. Web Engineering 8(4), 2009, received publish messages',
  published:
    'pull interval 1 s: up to about 250 received for 10 published; at a publish interval of 50 s 96 % of the requests were unnecessary',
  parameters: `publish intervals of 1, 5, 15, 30, 50 s at a pull interval of 1 s → the same ratios at 30 ms, ${clients} clients without a cursor and 1 on each wire, all intervals at once`,
  obeys: ['payload'],
  async run(bench) {
    const pullMs = bench.options.quick ? 15 : 30
    const rows = await measureReceived(bench, pullMs)
    const worst = rows.find(
      ({ share, useless: wasted, feed }) => share === 1 / 50 && wasted !== undefined && feed === 'periodic',
    ) as Received
    const scenario = `T ${pullMs} ms, P ${ratios.map((ratio) => ratio * pullMs).join(', ')} ms, ${clients} clients without a cursor and 1 on each wire, ${bench.options.payload} B, loopback`
    return {
      scenario,
      findings: [
        `A poller of latest values received ${worst.rpm.toFixed(0)} for 10 published at T/P = 1/50, and ${percent(worst.useless ?? 0)} of its questions were useless (model ${percent(worst.predicted ?? 0)}, published 96 %; counted, n = ${worst.group.window.requests} questions; ${scenario}).`,
        `With a cursor, and over long polling, SSE and WebSocket, each client received 10 for 10 at every interval (counted, n = ${rows.length - ratios.length * 2} lanes; ${scenario}).`,
      ],
      tables: [tableOf(rows)],
      charts: [
        {
          kind: 'lines',
          title: 'Questions that brought nothing new',
          table: 0,
          x: { label: 'T/P', scale: 'log' },
          y: { label: 'useless questions', unit: '%', scale: 'linear' },
          series: (['periodic', 'poisson'] as const).flatMap((feed) => {
            const own = rows.filter((row) => row.feed === feed && row.useless !== undefined)
            return [
              {
                name: `poll, ${feed} feed`,
                lane: 'poll',
                points: own.map(({ share, useless: wasted = 0 }) => [share, wasted * 100] as const),
              },
              {
                name: `model, ${feed} feed`,
                kind: 'model' as const,
                points: own.map(({ share, predicted = 0 }) => [share, predicted * 100] as const),
              },
            ]
          }),
        },
      ],
      checks: receivedChecks(rows),
      notes: [
        'Their pull server had no cursor: it answers each question with its latest message. Ours does so with `history` 1 for who sends none.',
        'Their 96 % are 240 of 250 requests; 500 questions fit 10 publish intervals of 50 s, of which 98 % find nothing: their clients asked half as often as their interval says.',
        'At T = P poller and publisher keep one phase, and what a poller of latest values misses or repeats is chance: nothing is asserted of it.',
      ],
    }
  },
}
