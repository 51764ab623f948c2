/** Bozdag, Mesbah, van Deursen 2009, mean publish trip-time: how old a message is when it is there, by publish interval and clients. */
import { poll } from '../../src/model/pull.ts'
import { type TransportName, transportNames } from '../../src/protocol/message.ts'
import type { Bench } from '../bench.ts'
import type { Experiment } from '../experiment.ts'
import { around, check, exactly } from '../relations.ts'
import type { Check } from '../report/report.ts'
import { jitteredSchedule, mean } from '../statistics.ts'
import { groupOf, timed, withheldNotes } from './paper.ts'
import type { Group } from '../round.ts'

/** A tenth of their seconds. */
const pullMs = 100
const publishMs = [100, 500, 1_500, 3_000, 5_000] as const
const mostMessages = 10
/** Longer is not waited for: at the two slowest intervals fewer than ten are published. */
const longestMs = 15_000
/** Of a wire in each room. */
const clientsPerInterval = 20
/** And at P = 5 T. The largest has the server for itself, one wire at a time: what is pushed to others delays what is pushed next. */
const crowds = [
  { clients: 10, rounds: [transportNames] },
  { clients: 50, rounds: [transportNames] },
  { clients: 200, rounds: transportNames.map((wire) => [wire]) },
] as const
const crowdMs = 500
const crowdMessages = 5

export interface Trip {
  readonly wire: TransportName
  readonly publishMs: number
  readonly clients: number
  readonly messages: number
  readonly group: Group
  readonly saturated: boolean
}

interface Setup {
  readonly intervals: readonly number[]
  readonly clients: number
  readonly messages?: number
  readonly wires?: readonly TransportName[]
}

/** A room for each publish interval, all wires in each, at once. */
export async function measureTrips(bench: Bench, setup: Setup): Promise<Trip[]> {
  const { intervals, clients, messages = mostMessages, wires = transportNames } = setup
  const schedules = Object.fromEntries(
    intervals.map((ms) => [`every-${ms}`, jitteredSchedule(ms, Math.min(messages, Math.floor(longestMs / ms)), bench.random)]),
  )
  const round = await bench.round({
    groups: intervals.flatMap((ms) => wires.map((wire) => ({ lane: `${wire} ${ms}`, wire, room: `every-${ms}`, clients, pollMs: pullMs }))),
    schedules,
    payload: bench.options.payload,
    warmupMs: 0,
    measureMs: Math.max(...Object.values(schedules).map((times) => times.at(-1) ?? 0)) + 2 * pullMs,
  })
  return intervals.flatMap((ms) =>
    wires.map((wire): Trip => {
      const group = groupOf(round, `${wire} ${ms}`)
      bench.record(`T ${pullMs} ms, P ${ms} ms, ${clients} clients`, 0, round, { ...group, lane: wire })
      return { wire, publishMs: ms, clients, messages: schedules[`every-${ms}`]?.length ?? 0, group, saturated: round.saturated }
    }),
  )
}

/** Received of what was to be received: RMP. */
export const receivedShare = ({ group, messages, clients }: Trip): number => group.total.delivered / (messages * clients)

function checksOf(rows: readonly Trip[], predictedMs: number): Check[] {
  const told = rows.filter(({ saturated }) => !saturated)
  const polls = told.filter(({ wire }) => wire === 'poll')
  const means = polls.filter(({ clients }) => clients === clientsPerInterval).map(({ group }) => group.trips.mean)
  const pushed = told.filter(({ wire }) => wire !== 'poll')
  return [
    ...polls.map(({ publishMs: ms, clients, group }) =>
      check(`poll's mean trip is T/2 + R/2: P ${ms} ms, ${clients} clients`, group.trips.mean, {
        ...around(predictedMs, 0.1, 8),
        unit: 'ms',
      }),
    ),
    ...(means.length > 1
      ? [
          check("poll's mean trip does not depend on P: widest difference", Math.max(...means) - Math.min(...means), {
            high: 16,
            unit: 'ms',
          }),
        ]
      : []),
    ...pushed.map(({ wire, publishMs: ms, clients, group }) =>
      check(`what is pushed is there within T/5 on average: ${wire}, P ${ms} ms, ${clients} clients`, group.trips.mean, {
        high: pullMs / 5,
        unit: 'ms',
      }),
    ),
    check('all that is published is received, on every wire', mean(rows.map(receivedShare)) * 100, { ...exactly(100), unit: '%' }),
  ]
}

export const bozdag2009Triptime: Experiment = {
  name: 'bozdag-2009-triptime',
  question: 'How old is a message when it arrives, by publish interval and number of clients?',
  source: 'Bozdag, Mesbah, van Deursen, J. Web Engineering 8(4), 2009, mean publish trip-time',
  published: 'pushed at most 1,200 ms, pulled more: push has a higher degree of data coherence; received share falls above 2,000 users',
  parameters: `publish intervals of 1, 5, 15, 30, 50 s, pull interval 1 s, 10 messages, up to 10,000 clients → a tenth of each time, ${clientsPerInterval} clients; ${crowds.map((crowd) => crowd.clients).join(', ')} clients at P = 5 T`,
  obeys: ['clients', 'payload'],
  async run(bench) {
    const { quick, payload, clients = clientsPerInterval } = bench.options
    const intervals = quick ? publishMs.slice(0, 3) : publishMs
    const rows = await measureTrips(bench, { intervals, clients })
    for (const crowd of quick ? crowds.slice(0, 2) : crowds)
      for (const wires of crowd.rounds)
        rows.push(...(await measureTrips(bench, { intervals: [crowdMs], clients: crowd.clients, messages: crowdMessages, wires })))
    const { meanMs, maxMs } = poll({ rate: 1, payload, roundTripMs: 0 }, { intervalMs: pullMs })
    const scenario = `T ${pullMs} ms, P ${intervals.join(', ')} ms with ${clients} clients a wire, P ${crowdMs} ms with ${crowds.map((crowd) => crowd.clients).join(', ')}, ${payload} B, loopback`
    const told = rows.filter(({ saturated }) => !saturated)
    const polls = told.filter(({ wire }) => wire === 'poll').map(({ group }) => group.trips.mean)
    const pushed = told.filter(({ wire }) => wire !== 'poll').map(({ group }) => group.trips.mean)
    const n = told.reduce((sum, { group }) => sum + group.trips.count, 0)
    const span = (values: readonly number[]): string => `${Math.min(...values).toFixed(1)} to ${Math.max(...values).toFixed(1)} ms`
    return {
      scenario,
      findings: [
        ...(told.length === 0
          ? []
          : [
              `Polled, the mean trip was ${span(polls)} at every publish interval and number of clients (model ${meanMs} ms); over the other three wires ${span(pushed)} (sampled, n = ${n} trips; ${scenario}).`,
            ]),
        `Every wire delivered ${(mean(rows.map(receivedShare)) * 100).toFixed(0)} % of what was published (counted, n = ${rows.reduce((sum, { group }) => sum + group.total.delivered, 0)} deliveries; ${scenario}).`,
      ],
      tables: [
        {
          title: 'Trip times and received messages',
          columns: [
            { name: 'wire' },
            { name: 'P', unit: 'ms', how: 'computed' },
            { name: 'clients', how: 'counted' },
            { name: 'published', how: 'counted' },
            { name: 'received', unit: '%', how: 'counted', digits: 1 },
            { name: 'mean trip', unit: 'ms', how: 'sampled', digits: 1 },
            { name: 'model', unit: 'ms', how: 'computed', digits: 1 },
            { name: 'p95', unit: 'ms', how: 'sampled', digits: 1 },
            { name: 'longest', unit: 'ms', how: 'sampled', digits: 1 },
            { name: 'n', how: 'counted' },
          ],
          rows: rows.map((row) => {
            const { trips } = row.group
            const predicted = row.wire === 'poll' ? meanMs : 0
            const times = [timed(row, trips.mean), predicted, timed(row, trips.quantile(0.95)), timed(row, trips.max)]
            return [row.wire, row.publishMs, row.clients, row.messages, receivedShare(row) * 100, ...times, trips.count]
          }),
          note: `Published at jittered times, so that no poller keeps a phase. Trips by our own subscribers, from when a message was meant to be sent; the model has no time for the server itself, and at most ${maxMs} ms for a poller.`,
        },
      ],
      charts:
        told.length < rows.length
          ? []
          : [
              {
                kind: 'lines',
                title: 'Mean trip by publish interval',
                table: 0,
                x: { label: 'publish interval', unit: 'ms', scale: 'log' },
                y: { label: 'mean trip', unit: 'ms', scale: 'linear' },
                series: [
                  ...transportNames.map((wire) => ({
                    name: wire,
                    lane: wire,
                    points: rows
                      .filter((row) => row.wire === wire && row.clients === clients && intervals.some((ms) => ms === row.publishMs))
                      .map((row) => [row.publishMs, row.group.trips.mean] as const),
                  })),
                  { name: 'model of polling', lane: 'poll', kind: 'model', points: intervals.map((ms) => [ms, meanMs] as const) },
                ],
              },
            ],
      checks: checksOf(rows, meanMs),
      notes: [
        'Their server, clients and publisher were machines of a cluster with clocks of their own; ours share a machine and its clock. Nothing is said of 2,000 users and more.',
        `At the two slowest intervals ${longestMs / 3_000} and ${longestMs / 5_000} messages are published, not 10; ${crowdMessages} where the number of clients is varied.`,
        ...withheldNotes(rows),
      ],
    }
  },
}
