/** Gutwin, Lippold and Graham 2011: telepointers of a group of four, their latency and jitter at several rates and distances. */
import { longPoll, poll } from '../../src/model/pull.ts'
import { sse, websocket } from '../../src/model/push.ts'
import { transportNames } from '../../src/protocol/message.ts'
import type { Experiment } from '../experiment.ts'
import { around, check } from '../relations.ts'
import type { Check } from '../report/report.ts'
import { poissonSchedule } from '../statistics.ts'
import { withheldNotes } from './paper.ts'
import { computed, counted, inTurn, label, lasting, record, type Recorded, said, sampled } from './recorded.ts'

const members = 4
const pollMs = 200
/** Updates of one member, a second. A room has those of all four. */
const rates = [1, 5, 20, 60] as const
const distances = [0, 50, 150] as const
/** A fresh server takes hundreds of publishes before it is as fast as it gets. */
const warmupMs = 1_500
/** What a shared core may be late. */
const slackMs = 30

const laneOf = (wire: string, rate: number): string => `${wire} at ${rate}/s`

export const gutwinGroupware: Experiment = {
  name: 'gutwin-groupware',
  question: 'Are telepointers smooth over each of the wires?',
  source: 'Gutwin, Lippold and Graham, Real-time groupware in the browser, CSCW 2011 (abstract)',
  published: 'web networking "performs well", better than plug-ins in some cases; the tables are not readable',
  parameters: `groups of ${members}, telepointers at ${rates.join(', ')}/s a member, R ${distances.join(', ')} ms by a relay, T ${pollMs} ms; Poisson times`,
  obeys: ['payload'],
  async run(bench) {
    const seconds = lasting(bench, 4)
    const rounds = await inTurn(distances, async (rttMs) => {
      bench.say(`R ${rttMs} ms`)
      const recorded = await record(bench, `R ${rttMs} ms`, {
        ...(rttMs > 0 && { relay: { rttMs } }),
        groups: rates.flatMap((rate) =>
          transportNames.map((wire) => ({ lane: laneOf(wire, rate), wire, room: `group-${rate}`, clients: members, pollMs })),
        ),
        schedules: Object.fromEntries(
          rates.map((rate) => [`group-${rate}`, poissonSchedule(rate * members, warmupMs / 1000 + seconds, bench.random)]),
        ),
        payload: bench.options.payload,
        warmupMs,
        measureMs: seconds * 1000,
      })
      return { rttMs, recorded }
    })
    const rows = rounds.flatMap(({ rttMs, recorded }) =>
      rates.flatMap((rate) =>
        transportNames.map((wire) => {
          const load = { rate: rate * members, payload: 150, roundTripMs: rttMs }
          const model = {
            poll: poll(load, { intervalMs: pollMs }),
            'long-poll': longPoll(load, { holdMs: 25_000 }),
            sse: sse(load),
            websocket: websocket(load),
          }[wire]
          return { rttMs, rate, wire, recorded, model, trips: recorded.lane(laneOf(wire, rate)).trips }
        }),
      ),
    )
    const scenario = `groups of ${members}, T ${pollMs} ms, ${seconds} s`
    return {
      scenario,
      findings: rounds
        .slice(-1)
        .flatMap(({ rttMs, recorded }) =>
          recorded.timed(
            `At R ${rttMs} ms and 20 updates a member and second, jitter (standard deviation) was ${transportNames.map((wire) => `${said(recorded.lane(laneOf(wire, 20)).trips.deviation, 1)} ms over ${wire}`).join(', ')} (${scenario}, n = ${recorded.lane(laneOf('sse', 20)).trips.count} a wire).`,
          ),
        ),
      tables: [
        {
          title: 'Latency and jitter of telepointers',
          columns: [
            label('R, wire and rate of a member'),
            computed('mean, model', 'ms', 1),
            sampled('mean', 'ms', 1),
            computed('jitter, model', 'ms', 1),
            sampled('jitter', 'ms', 1),
            sampled('longest', 'ms', 1),
            counted('n'),
          ],
          rows: rows.map(({ rttMs, rate, wire, recorded: { time }, model, trips }) => [
            `${rttMs} ms, ${laneOf(wire, rate)}`,
            model.meanMs,
            time(trips.mean),
            model.deviationMs,
            time(trips.deviation),
            time(trips.max),
            trips.count,
          ]),
          note: `Jitter: standard deviation of the trips. All four wires read the same rooms at once. ${scenario}.`,
        },
      ],
      charts: [],
      checks: rows.flatMap((row) => row.recorded.timed(...relations(row))),
      notes: ['Nothing was lost: a round that loses a message has no number.', ...withheldNotes(rounds.map(({ recorded }) => recorded))],
    }
  },
}

interface Row {
  readonly rttMs: number
  readonly rate: number
  readonly wire: string
  readonly trips: ReturnType<Recorded['lane']>['trips']
}

function relations({ rttMs, rate, wire, trips }: Row): Check[] {
  const at = `R ${rttMs} ms, ${laneOf(wire, rate)}`
  if (wire === 'poll') {
    // A member's one update a second is too few to tell a deviation.
    return [check(`${at}: jitter is T/√12`, trips.deviation, { ...around(pollMs / Math.sqrt(12), 0.15), unit: 'ms', asserted: rate > 1 })]
  }
  if (wire === 'long-poll')
    return [
      check(`${at}: no later than three transits`, trips.max, { low: rttMs / 2, high: 1.5 * rttMs + slackMs, unit: 'ms', asserted: false }),
      check(`${at}: mean is one to two transits`, trips.mean, { low: rttMs / 2, high: rttMs + 8, unit: 'ms' }),
    ]
  return [check(`${at}: jitter is less than T/10`, trips.deviation, { high: 0.1 * pollMs, predicted: 0, unit: 'ms' })]
}
