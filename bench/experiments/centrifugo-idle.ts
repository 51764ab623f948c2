/** Centrifugo 2026: what an idle connection costs the server, in memory and CPU. */
import { type TransportName, transportNames } from '../../src/protocol/message.ts'
import type { Experiment } from '../experiment.ts'
import { now, until } from '../clock.ts'
import { check } from '../relations.ts'
import { shuffled, slope } from '../statistics.ts'
import { counted, inTurn, label, lasting, published, record, said, sampled } from './recorded.ts'

const halls = [200, 600, 1_200] as const
const most = halls[2]
const pollMs = 1_000
const holdSeconds = 3
/** Five times as often as by default, so that a few seconds see some: what is printed is too much for the pushed wires. */
const often = { pingMs: 2_000, heartbeatMs: 4_000 } as const
const settleMs = 400

export const centrifugoIdle: Experiment = {
  name: 'centrifugo-idle',
  question: 'What does an idle client cost the server?',
  source: 'Centrifugo, idle connections benchmark (2026)',
  published:
    '200,000 idle WebSockets: 27 kB each by default and 10.9 kB tuned, 0.94 and 0.45 of a core, and about 4 kB of the kernel a socket besides',
  parameters: `200,000 idle WebSockets → ${halls.join(', ')} idle clients on each wire, T ${pollMs / 1000} s, W ${holdSeconds} s, a ping every 2 s and a heartbeat every 4, a server for each wire`,
  async run(bench) {
    const seconds = lasting(bench, 2)
    const rounds = await inTurn(shuffled(transportNames, bench.random), async (wire) => {
      bench.say(wire)
      const group = { lane: wire, wire, room: 'idle', pollMs, holdSeconds } as const
      const steps: [clients: number, rssBytes: number][] = []
      let used = Number.NaN
      await record(bench, `${most} idle`, {
        subject: { options: often },
        groups: [{ ...group, clients: halls[0] }],
        schedules: {},
        payload: bench.options.payload,
        warmupMs: 0,
        measureMs: settleMs,
        during: async (live) => {
          const { subject } = live
          for (const [index, clients] of halls.entries()) {
            if (index > 0) await live.join([{ ...group, clients: clients - (halls[index - 1] ?? 0) }])
            await until(now() + settleMs)
            await subject.ask('collect')
            steps.push([clients, (await subject.ask('usage')).rssBytes])
          }
          const before = await subject.ask('usage')
          await until(now() + seconds * 1000)
          const after = await subject.ask('usage')
          used = (after.cpuMs - before.cpuMs) / 1000 / seconds
        },
      })
      return { wire, steps, used, line: slope(steps.map(([clients, rssBytes]) => [clients, rssBytes / 1000] as const)) }
    })
    const rows = transportNames.flatMap((wire) => rounds.filter((round) => round.wire === wire))
    const share = (wire: TransportName): number => rows.find((row) => row.wire === wire)?.used ?? Number.NaN
    const scenario = `${halls.join(', ')} idle clients a wire, T ${pollMs / 1000} s, W ${holdSeconds} s, after a forced collection, one round`
    return {
      scenario,
      findings: [
        `An idle client took ${rows.map(({ wire, line }) => `${said(line.slope, 1)} kB over ${wire}`).join(', ')} of the server's memory (slope of RSS; ${scenario}, n = ${halls.length} a wire); ${said(most)} of them took ${rows.map((row) => `${said(100 * row.used, 1)} % of a core over ${row.wire}`).join(', ')}.`,
      ],
      tables: [
        {
          title: 'An idle client',
          columns: [
            label('wire'),
            published('memory, by default', 'kB'),
            sampled('memory, slope', 'kB', 1),
            sampled('R²', undefined, 3),
            ...halls.map((clients) => sampled(`RSS at ${said(clients)}`, 'MB', 1)),
            sampled(`CPU at ${said(most)}, share of a core`, undefined, 3),
            counted('n'),
          ],
          rows: rows.map(({ wire, steps, line, used }) => [
            wire,
            wire === 'websocket' ? 27 : null,
            line.slope,
            line.r2,
            ...steps.map(([, rssBytes]) => rssBytes / 1e6),
            used,
            steps.length,
          ]),
          note: `Without the kernel's memory of a socket. ${scenario}.`,
        },
      ],
      charts: [
        {
          kind: 'lines',
          title: 'Memory of the server over idle clients',
          table: 0,
          x: { label: 'clients', scale: 'linear' },
          y: { label: 'RSS', unit: 'MB', scale: 'linear' },
          series: rows.map(({ wire, steps }) => ({
            name: wire,
            lane: wire,
            points: steps.map(([clients, rssBytes]) => [clients, rssBytes / 1e6] as const),
          })),
        },
      ],
      checks: [
        ...rows.map(({ wire, line }) =>
          check(`${wire}: memory grows linearly in the clients, R²`, line.r2, { low: 0.98, asserted: false }),
        ),
        check('CPU of idle long polls over idle polls', share('long-poll') / share('poll'), { high: 1 }),
        check('CPU of idle WebSockets over idle long polls', share('websocket') / share('long-poll'), { high: 1 }),
        check('CPU of idle event streams over idle long polls', share('sse') / share('long-poll'), { high: 1 }),
      ],
      notes: [
        'The memory that the kernel keeps for a socket is in no process and is not measured; 4 kB each by the source.',
        'RSS of one process moves in steps of the collector: with so few clients its linearity is reported and not asserted.',
      ],
    }
  },
}
