/** High Performance Browser Networking, ch. 15: when long polling asks more often than polling does. */
import { type Cost, crossover } from '../../src/model/cost.ts'
import { longPoll, poll } from '../../src/model/pull.ts'
import type { Bench } from '../bench.ts'
import type { Experiment } from '../experiment.ts'
import { around, check } from '../relations.ts'
import { stratifiedSchedule } from '../statistics.ts'
import { groupOf } from './paper.ts'
import type { Group } from '../round.ts'

/** Messages in a poller's interval, λT. */
const perInterval = [0.1, 0.25, 0.5, 0.9, 1.1, 2, 5, 10, 50] as const
/** A tenth of the interval is on the way, there and back. */
const pollMs = 400
const rttMs = 40
const clients = 4

export interface Asked {
  readonly perInterval: number
  readonly poll: Group
  readonly longPoll: Group
  /** Requests of long polling over those of polling. */
  readonly ratio: number
  readonly predicted: number
}

const loadOf = (bench: Bench, messages: number) => ({
  rate: (messages * 1000) / pollMs,
  payload: bench.options.payload,
  roundTripMs: rttMs,
})
const costs = (bench: Bench, messages: number): { readonly poll: Cost; readonly longPoll: Cost } => {
  const load = loadOf(bench, messages)
  return { poll: poll(load, { intervalMs: pollMs }), longPoll: longPoll(load, { holdMs: 25_000 }) }
}

export async function measureAsked(bench: Bench, seconds: number, over: readonly number[] = perInterval): Promise<Asked[]> {
  const round = await bench.round({
    relay: { rttMs },
    groups: over.flatMap((messages) =>
      (['poll', 'long-poll'] as const).map((wire) => ({
        lane: `${wire} ${messages}`,
        wire,
        room: `interval-${messages}`,
        clients,
        pollMs,
      })),
    ),
    schedules: Object.fromEntries(
      over.map((messages) => {
        const { rate } = loadOf(bench, messages)
        return [`interval-${messages}`, stratifiedSchedule(rate, Math.max(1, Math.round(rate * seconds)), bench.random)]
      }),
    ),
    payload: bench.options.payload,
    warmupMs: 0,
    measureMs: seconds * 1000,
  })
  return over.map((messages): Asked => {
    const [polled, longPolled] = (['poll', 'long-poll'] as const).map((wire) => groupOf(round, `${wire} ${messages}`)) as [Group, Group]
    bench.record(`T ${pollMs} ms, R ${rttMs} ms, λT ${messages}`, 0, round, { ...polled, lane: 'poll' })
    bench.record(`T ${pollMs} ms, R ${rttMs} ms, λT ${messages}`, 0, round, { ...longPolled, lane: 'long-poll' })
    const model = costs(bench, messages)
    return {
      perInterval: messages,
      poll: polled,
      longPoll: longPolled,
      ratio: longPolled.window.requests / polled.window.requests,
      predicted: model.longPoll.requestsPerSecond / model.poll.requestsPerSecond,
    }
  })
}

/** Where the two ask equally often lies between 0.9 and 1.1 messages an interval; and never more often than once in a gap. */
export const askedChecks = (rows: readonly Asked[]) => [
  ...rows.map(({ perInterval: messages, ratio }) =>
    messages < 1
      ? check(`long polling asks less often than polling at λT ${messages}`, ratio, { high: 1 - 1e-9 })
      : check(`long polling asks more often than polling at λT ${messages}`, ratio, { low: 1 + 1e-9 }),
  ),
  ...rows.map(({ perInterval: messages, ratio }) =>
    check(`long polling asks at most T/R times as often, at λT ${messages}`, ratio, {
      high: (pollMs / rttMs) * 1.05,
      predicted: pollMs / rttMs,
    }),
  ),
]

export const hpbnCrossover: Experiment = {
  name: 'hpbn-crossover',
  question: 'When does long polling ask more often than polling?',
  source: 'I. Grigorik, High Performance Browser Networking (2013), ch. 15',
  published: 'at a high arrival rate long polling issues more requests than polling',
  parameters: `no figures → λT from ${perInterval[0]} to ${perInterval.at(-1)} at T ${pollMs} ms, R ${rttMs} ms by a relay, Poisson messages, ${clients} clients a wire, all rates at once`,
  obeys: ['payload'],
  async run(bench) {
    const seconds = bench.options.quick ? 4 : 12
    const rows = await measureAsked(bench, seconds)
    const at = crossover(
      (messages) => costs(bench, messages).longPoll.requestsPerSecond,
      (messages) => costs(bench, messages).poll.requestsPerSecond,
      { from: 0.1, to: 10 },
    )
    const scenario = `T ${pollMs} ms, R ${rttMs} ms, λT ${perInterval.join(', ')}, ${clients} clients a wire, ${bench.options.payload} B, ${seconds} s`
    const [seldom, often] = [rows[0], rows.at(-1)] as [Asked, Asked]
    const times = ({ ratio, longPoll: { window } }: Asked): string => `${ratio.toFixed(2)} times (n = ${window.requests} questions)`
    return {
      scenario,
      findings: [
        `Long polling asked ${times(seldom)} as often as polling at ${seldom.perInterval} messages an interval, and ${times(often)} at ${often.perInterval}; the two are even at ${at?.toFixed(2)} by the model (counted; ${scenario}).`,
      ],
      tables: [
        {
          title: 'Questions of long polling and of polling',
          columns: [
            { name: 'messages an interval' },
            { name: 'poll', unit: '1/s', how: 'counted', digits: 2 },
            { name: 'long-poll', unit: '1/s', how: 'counted', digits: 2 },
            { name: 'ratio', how: 'counted', digits: 2 },
            { name: 'model', how: 'computed', digits: 2 },
            { name: 'messages an answer of long-poll', how: 'counted', digits: 2 },
          ],
          rows: rows.map(({ perInterval: messages, poll: { window }, longPoll: { window: long, total }, ratio, predicted }) => [
            String(messages),
            window.requests / seconds / clients,
            long.requests / seconds / clients,
            ratio,
            predicted,
            total.delivered / total.batches,
          ]),
          note: 'Requests a second of one client, counted by our own subscribers.',
        },
      ],
      charts: [
        {
          kind: 'lines',
          title: 'Questions of long polling over those of polling',
          table: 0,
          x: { label: "messages in a poller's interval", scale: 'log' },
          y: { label: 'ratio of requests', scale: 'log' },
          series: [
            { name: 'long-poll over poll', lane: 'long-poll', points: rows.map((row) => [row.perInterval, row.ratio] as const) },
            { name: 'model', lane: 'long-poll', kind: 'model', points: rows.map((row) => [row.perInterval, row.predicted] as const) },
          ],
          ...(at !== undefined && { marks: [{ x: at, label: `even at ${at.toFixed(2)}` }] }),
        },
      ],
      checks: [
        ...askedChecks(rows),
        ...rows.map(({ perInterval: messages, ratio, predicted }) =>
          check(`the ratio of requests is T/C at λT ${messages}`, ratio, around(predicted, 0.15, 0.03)),
        ),
      ],
      notes: [
        'Above the crossing long polling becomes polling at the interval of a round trip: the ratio ends at T/R. A pause of the client before it asks again lowers that end.',
      ],
    }
  },
}
