/** Everybody's connection is cut at once, in the midst of messages: how long until all are back, and is anything lost? */
import { type TransportName, transportNames } from '../../src/protocol/message.ts'
import type { Bench } from '../bench.ts'
import { until } from '../clock.ts'
import { bytesBothWays } from '../connection.ts'
import { NoNumber, type Experiment } from '../experiment.ts'
import { check, exactly } from '../relations.ts'
import { laneTitle } from '../report/lanes.ts'
import { poissonSchedule } from '../statistics.ts'
import type { Group } from '../round.ts'

const cutMs = 300
const seconds = 1.2
/** At once; and over one wire within a second, drawn evenly by each (full jitter). */
const atOnce = transportNames.map((wire) => [wire, 0] as const)
const spread = [['websocket', 1_000]] as const

interface Storm {
  readonly lane: string
  readonly group: Group
  readonly cpuMs: number
  /** Was a generator saturated? Then its times are withheld. */
  readonly busy: boolean
}

export const reconnectStorm: Experiment = {
  name: 'reconnect-storm',
  question: 'When every connection is cut at once, how long until all are back, and what was missed?',
  parameters:
    'all connections cut 0.3 s into 1.2 s of messages; clients come back at once, or within a second at random, each from its cursor',
  obeys: ['clients', 'rate', 'payload', 'poll-interval'],
  async run(bench) {
    const { clients = 300, rate = 10, payload, pollMs } = bench.options
    const lanes = [...atOnce, ...spread].map(([wire, comeBackMs]) => ({ lane: laneOf(wire, comeBackMs), wire, comeBackMs }))
    const storms: Storm[] = []
    await bench.interleave(lanes, 1, async ({ wire, comeBackMs }) => storms.push(await storm(bench, wire, comeBackMs)))
    const place = (each: Storm): number => lanes.findIndex(({ lane }) => lane === each.lane)
    storms.sort((a, b) => place(a) - place(b))
    const scenario = `${clients} clients cut at once, ${rate} msg/s, ${payload} B, poll ${pollMs} ms, loopback`
    const missed = storms.reduce((sum, { group }) => sum + group.lost, 0)
    const pressed = storms.filter(({ lane, busy }) => !busy && lane.endsWith('at once'))
    return {
      scenario,
      findings: [
        `All ${clients} clients came back from their cursors and missed ${missed} messages on any wire (counted; ${scenario}).`,
        ...(pressed.length === 0
          ? []
          : [
              `Coming back at once, the last client was back after ${pressed.map(({ lane, group }) => `${group.returns.max.toFixed(0)} ms (${laneTitle(lane.split(',')[0] ?? lane)})`).join(', ')}; a poller waits for its next question (${scenario}, one storm a lane).`,
            ]),
      ],
      tables: [
        {
          title: 'After the cut',
          columns: [
            { name: 'wire' },
            { name: 'back, median', unit: 'ms', how: 'sampled' },
            { name: 'back, last', unit: 'ms', how: 'sampled' },
            { name: 'longest delay', unit: 'ms', how: 'sampled' },
            { name: 'missed', how: 'counted' },
            { name: 'repeated', how: 'counted' },
            { name: 'bytes a connection', unit: 'B', how: 'counted' },
            { name: 'CPU', unit: 'ms', how: 'sampled' },
            { name: 'n', how: 'counted' },
          ],
          rows: storms.map(({ lane, group, cpuMs, busy }) => [
            lane,
            busy ? null : group.returns.at(0.5),
            busy ? null : group.returns.max,
            busy ? null : group.trips.max,
            group.lost,
            group.total.repeated,
            bytesBothWays(group.total) / group.total.connects - group.total.payload / group.total.connects,
            cpuMs,
            group.returns.count,
          ]),
          note: 'Back: from the cut to the first batch over the next connection. Bytes: of the whole round but for payloads, per connection: of the wires that ask, their questions too. CPU of the server for the whole round. One storm a lane: no interval.',
        },
      ],
      charts: [
        {
          kind: 'dots',
          title: 'Until the last client is back',
          table: 0,
          unit: 'ms',
          dots: storms
            .filter(({ busy }) => !busy)
            .map(({ lane, group: { returns } }) => ({
              label: lane,
              lane,
              value: { value: returns.max, low: returns.at(0.5), high: returns.max },
            })),
          note: 'From the median client to the last one.',
        },
      ],
      checks: [check('nobody misses a message', missed, exactly(0))],
      notes: ['Our client waits 0.5 to 20 s at random; here it comes back faster, so that the server is pressed.'],
    }
  },
}

const laneOf = (wire: TransportName, comeBackMs: number): string =>
  `${wire}, ${comeBackMs === 0 ? 'at once' : `within ${comeBackMs / 1000} s`}`

/** @throws NoNumber where a message was missed */
export async function storm(bench: Bench, wire: TransportName, comeBackMs: number, clients = bench.options.clients ?? 300): Promise<Storm> {
  const { rate = 10, payload, pollMs } = bench.options
  const lane = laneOf(wire, comeBackMs)
  const round = await bench.round({
    groups: [{ lane, wire, room: 'storm', clients, pollMs, comeBackMs }],
    schedules: { storm: poissonSchedule(rate, seconds, bench.random) },
    payload,
    warmupMs: 0,
    measureMs: seconds * 1000,
    mayLose: true,
    during: async (live) => {
      await until(live.start + cutMs, bench.signal)
      await live.subject.ask('cut', (await live.ports()).flat())
    },
  })
  const [group] = round.groups as [Group]
  bench.record(`${clients} clients cut at once`, 0, round, group)
  if (group.lost > 0) throw new NoNumber(`${group.lost} deliveries were lost over a reconnect: ${group.example}`)
  return { lane, group, cpuMs: round.server?.cpuMs ?? Number.NaN, busy: round.saturated }
}
