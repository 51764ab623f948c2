/** Bozdag, Mesbah, van Deursen 2007, data misses: what a poller of latest values never sees, and a cursor does not lose. */
import { missLatest } from '../../src/model/pull.ts'
import type { Bench } from '../bench.ts'
import { type Experiment, NoNumber } from '../experiment.ts'
import { around, check, exactly } from '../relations.ts'
import { periodicSchedule, stratifiedSchedule } from '../statistics.ts'
import { groupOf, latestValues, percent } from './paper.ts'
import type { Group } from '../round.ts'

/** T/P: how many messages a poller's interval has. */
const ratios = [0.5, 1, 2, 5] as const
const pullMs = 200
/** Fewer messages, more clients. */
const clientsFor = (ratio: number): number => Math.max(5, Math.round(20 / ratio))

const feeds = ['periodic', 'poisson'] as const
const stores = ['latest value', 'cursor'] as const

export interface Missed {
  readonly ratio: number
  readonly feed: (typeof feeds)[number]
  readonly store: (typeof stores)[number]
  readonly group: Group
  readonly deliverable: number
  /** Shares of what was published. */
  readonly missed: number
  readonly predicted: number
}

/** @throws NoNumber where a poller with a cursor got a message twice */
export async function measureMissed(bench: Bench, seconds: number, over: readonly number[] = ratios): Promise<Missed[]> {
  const rooms = over.flatMap((ratio) => feeds.map((feed) => ({ ratio, feed, rate: (ratio * 1000) / pullMs, room: `${feed}-${ratio}` })))
  const schedules = Object.fromEntries(
    rooms.map(({ feed, rate, room }) => [
      room,
      feed === 'poisson' ? stratifiedSchedule(rate, Math.round(rate * seconds), bench.random) : periodicSchedule(rate, seconds),
    ]),
  )
  const round = await bench.round({
    subject: latestValues,
    groups: rooms.flatMap(({ ratio, room }) =>
      stores.map((store) => {
        const latest = store === 'latest value'
        return { lane: `${store} ${room}`, wire: 'poll' as const, room, latest, clients: latest ? clientsFor(ratio) : 1, pollMs: pullMs }
      }),
    ),
    schedules,
    payload: bench.options.payload,
    warmupMs: 0,
    measureMs: seconds * 1000,
    mayLose: true,
  })
  return rooms.flatMap(({ ratio, feed, rate, room }) =>
    stores.map((store): Missed => {
      const group = groupOf(round, `${store} ${room}`)
      if (store === 'cursor' && group.total.repeated > 0)
        throw new NoNumber(`a poller with a cursor got ${group.total.repeated} messages again`)
      bench.record(`T ${pullMs} ms, T/P ${ratio}, ${feed}`, 0, round, { ...group, lane: `poll, ${store}` })
      const deliverable = (schedules[room]?.length ?? 0) * group.clients
      const load = { rate, payload: bench.options.payload, roundTripMs: 0, arrivals: feed }
      const predicted = store === 'cursor' ? 0 : missLatest(load, pullMs)
      return { ratio, feed, store, group, deliverable, missed: group.lost / deliverable, predicted }
    }),
  )
}

export const missedChecks = (rows: readonly Missed[]) =>
  rows.map(({ ratio, feed, store, group, missed, predicted }) =>
    store === 'cursor'
      ? check(`with a cursor nothing is missed: T/P ${ratio}, ${feed} feed`, group.lost, exactly(0))
      : check(
          `a poller of latest values misses ${feed === 'poisson' ? '1 − (1 − e^(−x))/x' : 'max(0, 1 − P/T)'}: T/P ${ratio}, ${feed} feed`,
          missed,
          around(predicted, 0, 0.03),
        ),
  )

export const bozdag2007Misses: Experiment = {
  name: 'bozdag-2007-misses',
  question: 'How many messages does a poller never see?',
  source: 'Bozdag, Mesbah, van Deursen, WSE 2007 (arXiv 0706.3984), conclusions',
  published: 'a pull interval above the publish interval misses data, one below it costs network performance',
  parameters: `pull intervals of seconds against a stock ticker → T ${pullMs} ms, T/P ${ratios.join(', ')}, periodic and Poisson, with and without a cursor`,
  obeys: ['payload'],
  async run(bench) {
    const seconds = bench.options.quick ? 6 : 15
    const rows = await measureMissed(bench, seconds)
    const scenario = `T ${pullMs} ms, T/P ${ratios.join(', ')}, ${ratios.map(clientsFor).join(', ')} clients without a cursor and 1 with one, ${bench.options.payload} B, loopback, ${seconds} s`
    const latest = rows.filter(({ store }) => store === 'latest value')
    const told = latest.filter(({ ratio }) => ratio === 2)
    const kept = rows.filter(({ store }) => store === 'cursor').reduce((sum, { deliverable }) => sum + deliverable, 0)
    return {
      scenario,
      findings: [
        `At two messages an interval a poller of latest values missed ${told.map(({ feed, missed }) => `${percent(missed)} of a ${feed} feed`).join(' and ')} (model ${told.map(({ predicted }) => percent(predicted)).join(' and ')}; counted, n = ${told.map(({ deliverable }) => deliverable).join(' and ')}; ${scenario}).`,
        `With a cursor ${rows.filter(({ store }) => store === 'cursor').reduce((sum, { group }) => sum + group.lost, 0)} of ${kept} deliveries were missed, at any interval (counted; ${scenario}).`,
      ],
      tables: [
        {
          title: 'Messages that a poller never sees',
          columns: [
            { name: 'store' },
            { name: 'feed' },
            { name: 'T/P', how: 'computed', digits: 1 },
            { name: 'deliverable', how: 'counted' },
            { name: 'missed', how: 'counted' },
            { name: 'share', unit: '%', how: 'counted', digits: 1 },
            { name: 'model', unit: '%', how: 'computed', digits: 1 },
          ],
          rows: rows.map(({ store, feed, ratio, deliverable, group, missed, predicted }) => [
            `poll, ${store}`,
            feed,
            ratio,
            deliverable,
            group.lost,
            missed * 100,
            predicted * 100,
          ]),
          note: 'Deliverable: messages published times clients. Our own subscribers, each at a phase of its own.',
        },
      ],
      charts: [
        {
          kind: 'lines',
          title: 'Messages that a poller of latest values never sees',
          table: 0,
          x: { label: 'T/P', scale: 'log' },
          y: { label: 'missed', unit: '%', scale: 'linear' },
          series: feeds.flatMap((feed) => {
            const own = latest.filter((row) => row.feed === feed)
            return [
              {
                name: `poll, latest value, ${feed} feed`,
                lane: 'poll',
                points: own.map(({ ratio, missed }) => [ratio, missed * 100] as const),
              },
              {
                name: `model, ${feed} feed`,
                kind: 'model' as const,
                points: own.map(({ ratio, predicted }) => [ratio, predicted * 100] as const),
              },
            ]
          }),
        },
      ],
      checks: missedChecks(rows),
      notes: [
        'The paper gives no share that can be read; the model is ours, and what is asserted. The poisson feed has exponential gaps drawn evenly, so that a short run has few surprises.',
        'The last message of a room can count as missed where the run ends before the next question: one in some hundred.',
      ],
    }
  },
}
