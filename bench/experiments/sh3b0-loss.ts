/** Sh3b0/realtime-web 2023: what packet loss does to wires over TCP, where all that follows a lost packet waits for it. */
import type { Experiment } from '../experiment.ts'
import { around, check, exactly } from '../relations.ts'
import type { Check } from '../report/report.ts'
import { poissonSchedule } from '../statistics.ts'
import { withheldNotes } from './paper.ts'
import { computed, counted, inTurn, label, lasting, percentiles, record, type Recorded, said, sampled } from './recorded.ts'
import type { Group, RoundGroup } from '../round.ts'

const rate = 10
const warmupMs = 1_000
/** What TCP waits before it sends a lost packet again, at the least (Linux). */
const recoveryMs = 200
const losses = [0, 0.15] as const
const pollMs = 100
/** So many on a pushed wire that a 99th percentile may be told. */
const pushed = 40
const pulled = 10
const lanes: readonly Omit<RoundGroup, 'room'>[] = [
  { lane: 'websocket', wire: 'websocket', clients: pushed },
  { lane: 'sse', wire: 'sse', clients: pushed },
  { lane: 'long-poll', wire: 'long-poll', clients: pulled },
  { lane: 'poll', wire: 'poll', clients: pulled, pollMs },
  { lane: 'poll, overlapping', wire: 'poll', clients: pulled, pollMs, overlap: true },
]

/** Pushed at Poisson times: a message waits for the last loss within the recovery before it, its own included. */
const heldMs = (probability: number, { window, clients }: Group, seconds: number): number => {
  // Of so few messages the rate is what was drawn.
  const perMs = (window.delivered / clients / seconds / 1000) * probability
  return perMs === 0 ? 0 : recoveryMs - ((1 - probability) * -Math.expm1(-perMs * recoveryMs)) / perMs
}

export const sh3b0Loss: Experiment = {
  name: 'sh3b0-loss',
  question: 'How late are messages where packets are lost?',
  source: 'Sh3b0/realtime-web (2023), a recorded demonstration with a chart and no figures',
  published: '0 % loss: "almost no performance differences"; 15 %: WebSocket suffers "due to TCP head-of-line blocking"',
  parameters: `2,500 messages at 1 ms, tc netem loss 15 % → ${rate} msg/s at Poisson times, a relay that holds a connection for ${recoveryMs} ms with probability ${losses.join(' and ')} a piece, T ${pollMs} ms, ${pushed} clients on a pushed wire, ${pulled} on a pulled one`,
  obeys: ['payload'],
  async run(bench) {
    const seconds = lasting(bench, 5)
    const rounds = await inTurn(losses, async (probability) => {
      bench.say(`loss ${probability * 100} %`)
      const recorded = await record(bench, `loss ${probability * 100} %`, {
        relay: { rttMs: 0, loss: { probability, ms: recoveryMs } },
        groups: lanes.map((lane) => ({ ...lane, room: 'points' })),
        schedules: { points: poissonSchedule(rate, warmupMs / 1000 + seconds, bench.random) },
        payload: bench.options.payload,
        warmupMs,
        measureMs: seconds * 1000,
        // Two questions under way at once have the same cursor, and both bring what follows it.
        mayLose: true,
      })
      return { probability, recorded }
    })
    const scenario = `${rate} msg/s at Poisson times, T ${pollMs} ms, ${pushed} clients on a pushed wire, ${pulled} on a pulled one, ${seconds} s`
    const rows = rounds.flatMap(({ probability, recorded }) =>
      lanes.map(({ lane }) => ({ probability, recorded, lane, group: recorded.lane(lane) })),
    )
    return {
      scenario,
      findings: rounds
        .slice(1)
        .flatMap(({ probability, recorded }) =>
          recorded.timed(
            `With ${probability * 100} % of the pieces held up for ${recoveryMs} ms the mean delay was ${lanes.map(({ lane }) => `${said(recorded.lane(lane).trips.mean)} ms over ${lane}`).join(', ')} (${scenario}, n = ${recorded.lane('sse').trips.count} a lane).`,
          ),
        ),
      tables: [
        {
          title: 'Delay with loss and without',
          columns: [
            label('loss and wire'),
            computed('mean, model', 'ms', 1),
            sampled('mean', 'ms', 1),
            sampled('p99', 'ms', 1),
            sampled('deviation', 'ms', 1),
            counted('repeated'),
            counted('n'),
          ],
          rows: rows.map(({ probability, recorded, lane, group: { trips, total } }) => [
            `${probability * 100} %, ${lane}`,
            lane === 'websocket' || lane === 'sse' ? heldMs(probability, recorded.lane(lane), seconds) : null,
            recorded.time(trips.mean),
            recorded.time(trips.quantile(0.99)),
            recorded.time(trips.deviation),
            total.repeated,
            trips.count,
          ]),
          note: `A piece is what the relay reads at once, one message on a pushed wire. ${scenario}.`,
        },
      ],
      charts: rounds.map(({ probability, recorded }) =>
        percentiles(`Delay, ${probability * 100} % lost`, 0, recorded.round.saturated ? [] : recorded.groups),
      ),
      checks: [
        ...rows.map(({ probability, lane, group: { lost } }) =>
          check(`${probability * 100} %: messages lost over ${lane} in the end`, lost, exactly(0)),
        ),
        ...(rounds.some(({ recorded }) => recorded.round.saturated) ? [] : relations(rounds, seconds)),
      ],
      notes: [
        'Loss is imitated above TCP, each piece alone; a real loss on a busy connection is mended sooner by duplicate acknowledgements.',
        'Which of the pulled wires suffers less is reported and not asserted.',
        ...withheldNotes(rounds.map(({ recorded }) => recorded)),
      ],
    }
  },
}

/** Between the rounds, so that what the machine adds to each is not taken for loss. */
function relations([clean, lossy]: readonly { readonly probability: number; readonly recorded: Recorded }[], seconds: number): Check[] {
  if (clean === undefined || lossy === undefined) return []
  const mean = (round: typeof clean, lane: string): number => round.recorded.lane(lane).trips.mean
  const at = `${lossy.probability * 100} %`
  return [
    check('0 %: mean delay of WebSocket less that of SSE', mean(clean, 'websocket') - mean(clean, 'sse'), {
      low: -8,
      high: 8,
      predicted: 0,
      unit: 'ms',
    }),
    ...['websocket', 'sse'].flatMap((lane) => {
      const p99 = lossy.recorded.lane(lane).trips.quantile(0.99)
      return [
        check(`${at}: what loss adds to the mean delay of ${lane}`, mean(lossy, lane) - mean(clean, lane), {
          ...around(heldMs(lossy.probability, lossy.recorded.lane(lane), seconds), 0.2, 10),
          unit: 'ms',
        }),
        ...(p99 === undefined
          ? []
          : [check(`${at}: p99 of ${lane} is a recovery at the least`, p99, { low: 0.98 * recoveryMs, unit: 'ms' })]),
      ]
    }),
    check(`${at}: mean delay of polls on two sockets, over that on one`, mean(lossy, 'poll, overlapping') / mean(lossy, 'poll'), {
      high: 1,
      asserted: false,
    }),
  ]
}
