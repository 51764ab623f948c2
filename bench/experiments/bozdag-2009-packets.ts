/** Bozdag, Mesbah and van Deursen 2009: TCP packets of pull and push, counted by the kernel (`ss -ti`) on the subscribers' sockets. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { exchangeSegments, pushSegments } from '../../src/model/constants.ts'
import { now, until } from '../clock.ts'
import type { Experiment } from '../experiment.ts'
import { around, check } from '../relations.ts'
import { periodicSchedule } from '../statistics.ts'
import { computed, counted, label, published, record, said } from './recorded.ts'
import type { Live } from '../round.ts'

const pollMs = 100
/** P is 15 T, as 15 s and 1 s. */
const publishMs = 15 * pollMs
const clients = 10
const warmupMs = 500
const wires = ['poll', 'long-poll', 'sse', 'websocket'] as const

export const bozdag2009Packets: Experiment = {
  name: 'bozdag-2009-packets',
  question: 'How many TCP packets do pull and push take?',
  source:
    'Bozdag, Mesbah and van Deursen, Performance Testing of Data Delivery Techniques for AJAX Applications, J. Web Engineering 8(4), 2009',
  published: 'pull takes 7 times more packets than Cometd (long polling)',
  parameters: `T 1 s, P 15 s → T ${pollMs} ms, P ${publishMs} ms, ${clients} clients a wire`,
  obeys: ['payload'],
  async run(bench) {
    const messages = bench.options.quick ? 2 : 4
    const measureMs = messages * publishMs
    const scenario = `T ${pollMs} ms, P ${publishMs} ms, ${clients} clients a wire, ${measureMs / 1000} s`
    let counts: readonly number[] | undefined
    const { groups } = await record(bench, scenario, {
      groups: wires.map((wire) => ({ lane: wire, wire, room: 'ticker', clients, pollMs })),
      schedules: { ticker: periodicSchedule(1000 / publishMs, (warmupMs + measureMs) / 1000, warmupMs + publishMs / 2) },
      payload: bench.options.payload,
      warmupMs,
      measureMs,
      during: async (live) => {
        await until(live.start + warmupMs)
        const before = await segments(live)
        await until(Math.max(now(), live.start + warmupMs + measureMs))
        const after = await segments(live)
        counts = before && after?.map((count, index) => (count - (before[index] ?? 0)) / clients)
      },
    })
    if (counts === undefined) {
      const notes = ['Skipped: there is no `ss` (iproute2) here, and nothing else tells the segments of a single socket.']
      return { scenario, findings: [], tables: [], charts: [], checks: [], notes }
    }
    const polls = measureMs / pollMs
    const models = [polls * exchangeSegments, messages * exchangeSegments, messages * pushSegments, messages * pushSegments]
    const [polled = 0, held = 0, streamed = 0, pushed = 0] = counts
    return {
      scenario,
      findings: [
        `For ${messages} messages a client's sockets saw ${said(polled)} TCP segments polling, ${said(held)} long polling, ${said(streamed)} over SSE and ${said(pushed)} over WebSocket (counted by the kernel; ${scenario}): polling took ${said(polled / held, 1)} times as many as long polling.`,
      ],
      tables: [
        {
          title: `TCP segments for ${messages} messages, a client`,
          columns: [
            label('wire'),
            published('to long polling'),
            computed('segments, model'),
            counted('segments', undefined, 1),
            counted('to long polling', undefined, 1),
            counted('n'),
          ],
          rows: groups.map(({ lane, window }, index) => [
            lane,
            [7, 1, null, null][index] ?? null,
            models[index] ?? null,
            counts?.[index] ?? null,
            (counts?.[index] ?? 0) / held,
            window.delivered,
          ]),
          note: `Both ways, acknowledgements included, by \`ss -ti\` on our own subscribers' sockets. ${scenario}.`,
        },
      ],
      charts: [],
      checks: [
        check("polling's segments over long polling's are P/T", polled / held, around(publishMs / pollMs, 0.15)),
        check("polling's segments over WebSocket's", polled / pushed, { low: 5 }),
        check("polling's segments over those of SSE", polled / streamed, { low: 5 }),
        check('segments of an exchange, polling', polled / polls, { ...around(exchangeSegments, 0.35), asserted: false }),
      ],
      notes: [
        'An acknowledgement rides on the next question where that comes soon enough, so an exchange is two or three segments.',
        'Bytes of both ends are not compared in this round, for the sockets are looked at while it runs.',
      ],
    }
  },
}

/** Segments so far of each group's connections, both ways; undefined where there is no `ss`. */
async function segments(live: Live): Promise<number[] | undefined> {
  const groups = await live.ports()
  const listed = await promisify(execFile)('ss', ['-tinHO'], { maxBuffer: 2 ** 26 }).catch(() => undefined)
  if (listed === undefined) return undefined
  const byPort = new Map<number, number>()
  for (const line of listed.stdout.split('\n')) {
    const port = Number(/:(\d+)\s+\S+:\d+\s/.exec(line)?.[1])
    const count = (name: string): number => Number(new RegExp(` ${name}:(\\d+)`).exec(line)?.[1] ?? 0)
    byPort.set(port, count('segs_in') + count('segs_out'))
  }
  return groups.map((group) => group.reduce((sum, port) => sum + (byPort.get(port) ?? 0), 0))
}
