/** Tangen 2015: a chat over long polling, SSE and WebSocket, under moderate load and with the server's CPU used up. */
import { transportNames } from '../../src/protocol/message.ts'
import type { Experiment } from '../experiment.ts'
import { check } from '../relations.ts'
import { poissonSchedule, shuffled } from '../statistics.ts'
import { withheldNotes } from './paper.ts'
import { counted, inTurn, label, lasting, record, type Recorded, said, sampled } from './recorded.ts'

const pollMs = 200
/** Members of a chat, who all hear what each of them says. */
const moderate = { members: 20, rate: 20 } as const
const heavy = { members: 100, rate: 250 } as const
const warmupMs = 1_000

interface Row {
  readonly load: string
  readonly wire: string
  readonly recorded: Recorded
  readonly share: number | null
}

export const tangenChatSaturation: Experiment = {
  name: 'tangen-chat-saturation',
  question: 'Which wire is least late in a chat, and what becomes of it once the server has no CPU left?',
  source: 'Tangen, University of Oslo, master thesis (2015) (abstract)',
  published:
    '"WebSocket outperforms both … under moderate load levels", and both it and SSE behave unexpectedly once the server is CPU constrained',
  parameters: `a chat with more and more senders → ${moderate.members} members and ${moderate.rate} msg/s on all wires at once, and ${heavy.members} members and ${heavy.rate} msg/s on each wire alone; T ${pollMs} ms, Poisson times`,
  obeys: ['payload'],
  async run(bench) {
    const seconds = lasting(bench, 3)
    const { payload } = bench.options
    const calm = await record(bench, `${moderate.members} members, ${moderate.rate} msg/s`, {
      groups: transportNames.map((wire) => ({ lane: wire, wire, room: 'chat', clients: moderate.members, pollMs })),
      schedules: { chat: poissonSchedule(moderate.rate, warmupMs / 1000 + seconds, bench.random) },
      payload,
      warmupMs,
      measureMs: seconds * 1000,
    })
    const pressed = await inTurn(shuffled(transportNames, bench.random), async (wire): Promise<Row> => {
      bench.say(`${heavy.rate} msg/s, ${wire}`)
      const recorded = await record(bench, `${heavy.members} members, ${heavy.rate} msg/s`, {
        groups: [{ lane: wire, wire, room: 'chat', clients: heavy.members, pollMs }],
        schedules: { chat: poissonSchedule(heavy.rate, warmupMs / 1000 + seconds / 2, bench.random) },
        payload,
        warmupMs,
        measureMs: (seconds / 2) * 1000,
      })
      const cpuMs = recorded.round.server?.cpuMs
      return { load: 'heavy', wire, recorded, share: cpuMs === undefined ? null : cpuMs / (seconds / 2) / 1000 }
    })
    const rows: Row[] = [
      ...transportNames.map((wire) => ({ load: 'moderate', wire, recorded: calm, share: null })),
      ...transportNames.flatMap((wire) => pressed.filter((row) => row.wire === wire)),
    ]
    const median = (wire: string): number => calm.lane(wire).trips.at(0.5)
    const held = pressed.find(({ wire }) => wire === 'long-poll')
    const window = held?.recorded.lane('long-poll').window
    const batch = window === undefined ? Number.NaN : window.delivered / window.batches
    const scenario = `moderate: ${moderate.members} members, ${moderate.rate} msg/s; heavy: ${heavy.members} members, ${heavy.rate} msg/s; ${seconds} s and ${seconds / 2} s`
    return {
      scenario,
      findings: [
        `At ${heavy.rate} msg/s to ${heavy.members} members an answer of long polling brought ${said(batch, 1)} messages (counted, n = ${window?.delivered}), with the server's CPU at ${said(100 * (held?.share ?? Number.NaN))} % of a core.`,
        ...calm.timed(
          `At ${moderate.rate} msg/s to ${moderate.members} members the median delay was ${transportNames.map((wire) => `${said(median(wire), 1)} ms over ${wire}`).join(', ')} (one round, n = ${calm.lane('sse').trips.count} a wire).`,
        ),
      ],
      tables: [
        {
          title: 'A chat, moderate and heavy',
          columns: [
            label('load and wire'),
            sampled('median', 'ms', 2),
            sampled('p95', 'ms', 2),
            counted('messages a batch', undefined, 2),
            sampled('server CPU, share of a core', undefined, 2),
            counted('n'),
          ],
          rows: rows.map(({ load, wire, recorded, share }) => {
            const { trips, window: tally } = recorded.lane(wire)
            return [
              `${load}, ${wire}`,
              recorded.time(trips.at(0.5)),
              recorded.time(trips.quantile(0.95)),
              tally.delivered / tally.batches,
              share,
              tally.delivered,
            ]
          }),
          note: `The four wires of the moderate load share a server, whose CPU is not told apart. ${scenario}.`,
        },
      ],
      charts: [],
      checks: [
        check('heavy: messages in an answer of long polling', batch, { low: 1.5 }),
        ...calm.timed(
          check('moderate: median of WebSocket over that of SSE', median('websocket') / median('sse'), { high: 1.3, asserted: false }),
          check('moderate: median of SSE over that of long polling', median('sse') / median('long-poll'), { high: 1, asserted: false }),
          check('moderate: median of long polling over that of polling', median('long-poll') / median('poll'), { high: 1 }),
        ),
      ],
      notes: [
        'The order of the wires is reported and not asserted; differences of a millisecond in one round claim nothing.',
        'Where the printed share of a core is below 1 the server was not CPU constrained: then what the thesis says of saturation is not reproduced, and messages in an answer are those of a fast feed. On two cores the generator is used up first.',
        ...withheldNotes([calm, ...pressed.map(({ recorded }) => recorded)]),
      ],
    }
  },
}
