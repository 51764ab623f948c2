/** Bozdag et al.: push took seven times the server's CPU (2007), and not significantly more (2009). Who wins is a matter of the poll interval. */
import type { TransportName } from '../../src/protocol/message.ts'
import type { Experiment } from '../experiment.ts'
import { check } from '../relations.ts'
import { jitteredSchedule, shuffled } from '../statistics.ts'
import { computed, counted, inTurn, label, record, said, sampled } from './recorded.ts'

/** P, and T either as long or a fifteenth of it. */
const publishMs = 500
const often = publishMs / 15
const halls = [40, 120] as const
const warmupMs = 500
const measureMs = 2_000

interface Lane {
  readonly name: string
  readonly wire: TransportName
  readonly pollMs?: number
}
const lanes: readonly Lane[] = [
  { name: 'poll, T = P', wire: 'poll', pollMs: publishMs },
  { name: 'poll, T = P/15', wire: 'poll', pollMs: often },
  { name: 'long-poll', wire: 'long-poll' },
  { name: 'websocket', wire: 'websocket' },
]

export const bozdagCpuReversal: Experiment = {
  name: 'bozdag-cpu-reversal',
  question: 'Does push or pull take more of the server?',
  source: 'Bozdag, Mesbah and van Deursen, WSE 2007 (abstract and conclusions) and J. Web Engineering 8(4), 2009',
  published: '2007: "server application CPU usage is 7 times higher" for push; 2009: the difference "is not significant"',
  parameters: `up to 10,000 users, T 1 s, P 1 to 50 s → ${halls.join(' and ')} clients, P ${publishMs} ms, T = P and P/15, a server for each lane alone`,
  obeys: ['payload'],
  async run(bench) {
    const all = halls.flatMap((clients) => lanes.map((lane) => ({ clients, ...lane })))
    const drawn = await inTurn(shuffled(all, bench.random), async ({ clients, name, wire, pollMs }) => {
      bench.say(`${clients} clients, ${name}`)
      const { groups, round } = await record(bench, `${clients} clients, P ${publishMs} ms`, {
        groups: [{ lane: name, wire, room: 'ticker', clients, ...(pollMs !== undefined && { pollMs }) }],
        schedules: { ticker: jitteredSchedule(publishMs, (warmupMs + measureMs) / publishMs, bench.random) },
        payload: bench.options.payload,
        warmupMs,
        measureMs,
      })
      const window = groups[0]?.window
      return { clients, name, cpuMs: round.server?.cpuMs ?? Number.NaN, requests: window?.requests ?? 0, n: window?.delivered ?? 0 }
    })
    const rows = all.flatMap(({ clients, name }) => drawn.filter((row) => row.clients === clients && row.name === name))
    const cost = (clients: number, lane: string): number => {
      const row = rows.find((each) => each.clients === clients && each.name === lane)
      return row === undefined ? Number.NaN : row.cpuMs / row.n
    }
    const most = halls[1]
    const scenario = `P ${publishMs} ms, each lane alone for ${measureMs / 1000} s, one round`
    return {
      scenario,
      findings: [
        `With ${most} clients a delivery took ${lanes.map(({ name }) => `${said(cost(most, name), 2)} ms over ${name}`).join(', ')} of server CPU (sampled once, so nothing is claimed; ${scenario}).`,
      ],
      tables: [
        {
          title: 'Server CPU for a delivered message',
          columns: [
            label('clients and lane'),
            sampled('CPU', 'ms', 1),
            sampled('CPU a delivery', 'ms', 3),
            computed('to WebSocket', undefined, 1),
            counted('requests'),
            counted('n'),
          ],
          rows: rows.map(({ clients, name, cpuMs, requests, n }) => [
            `${clients}, ${name}`,
            cpuMs,
            cpuMs / n,
            cost(clients, name) / cost(clients, 'websocket'),
            requests,
            n,
          ]),
          note: `User and system time of the server's process within the window, publishing included. ${scenario}.`,
        },
      ],
      charts: [],
      checks: halls.flatMap((clients) => [
        check(
          `${clients} clients: CPU of polling at T = P/15 over that at T = P`,
          cost(clients, 'poll, T = P/15') / cost(clients, 'poll, T = P'),
          { low: 1.5 },
        ),
        check(`${clients} clients: CPU of long polling over polling at T = P`, cost(clients, 'long-poll') / cost(clients, 'poll, T = P'), {
          asserted: false,
        }),
        check(
          `${clients} clients: CPU of WebSocket over polling at T = P/15`,
          cost(clients, 'websocket') / cost(clients, 'poll, T = P/15'),
          { high: 1, asserted: false },
        ),
      ]),
      notes: [
        'Push has no T, so its CPU cannot depend on it: nothing was run to show that.',
        'The server of 2007 had a thread for each connection; this one has an event loop. Its saturation at 350 to 500 users is not looked for.',
      ],
    }
  },
}
