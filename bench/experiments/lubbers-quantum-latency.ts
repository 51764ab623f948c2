/** Lubbers and Greco 2010: latency "from 150ms to 50ms", polling back to back against a WebSocket. */
import { longPoll, poll } from '../../src/model/pull.ts'
import { websocket } from '../../src/model/push.ts'
import type { Experiment } from '../experiment.ts'
import { around, check } from '../relations.ts'
import { stratifiedSchedule } from '../statistics.ts'
import type { Trips } from '../trips.ts'
import { withheldNotes } from './paper.ts'
import { computed, counted, label, lasting, percentiles, published, record, said, sampled } from './recorded.ts'

const rttMs = 100
const rate = 10
const clients = 10
const warmupMs = 1_000
/** A poller with this interval asks again as soon as it is answered, a round trip later. */
const pollMs = 10
/** What a shared core may be late. */
const slackMs = 30

export const lubbersQuantumLatency: Experiment = {
  name: 'lubbers-quantum-latency',
  question: 'Does a WebSocket bring messages in a third of the time that polling takes?',
  source: 'Lubbers and Greco, HTML5 Web Sockets: A Quantum Leap in Scalability for the Web (2010)',
  published: '"3:1 reduction in latency", 150 ms to 50 ms, drawn and not measured',
  parameters: `100 ms round trip, questions back to back → R ${rttMs} ms by a relay, ${rate} msg/s at Poisson times, ${clients} clients a wire`,
  obeys: ['payload'],
  async run(bench) {
    const seconds = lasting(bench, 6)
    const recorded = await record(bench, `R ${rttMs} ms`, {
      relay: { rttMs },
      groups: [
        { lane: 'poll, back to back', wire: 'poll', room: 'stock', clients, pollMs },
        { lane: 'long-poll', wire: 'long-poll', room: 'stock', clients },
        { lane: 'websocket', wire: 'websocket', room: 'stock', clients },
      ],
      // So few messages have a mean of their own, where chance has its way with them.
      schedules: { stock: stratifiedSchedule(rate, rate * (warmupMs / 1000 + seconds), bench.random) },
      payload: bench.options.payload,
      warmupMs,
      measureMs: seconds * 1000,
    })
    const load = { rate, payload: 150, roundTripMs: rttMs }
    const models = [poll(load, { intervalMs: rttMs }), longPoll(load, { holdMs: 25_000 }), websocket(load)]
    const { groups, time, timed } = recorded
    const [asked, held, pushed] = groups.map(({ trips }) => trips) as [Trips, Trips, Trips]
    const scenario = `R ${rttMs} ms, ${rate} msg/s at Poisson times, ${clients} clients a wire, ${seconds} s`
    return {
      scenario,
      findings: timed(
        `Polling back to back took ${said(asked.mean)} ms on average and ${said(asked.max)} at the most, WebSocket ${said(pushed.mean)} and ${said(pushed.max)} (${scenario}, n = ${asked.count}, one round).`,
      ),
      tables: [
        {
          title: 'How late a message is',
          columns: [
            label('wire'),
            published('drawn', 'ms'),
            computed('mean, model', 'ms', 1),
            sampled('mean', 'ms', 1),
            computed('longest, model', 'ms', 1),
            sampled('longest', 'ms', 1),
            counted('n'),
          ],
          rows: groups.map(({ lane, trips }, index) => [
            lane,
            [150, null, 50][index] ?? null,
            models[index]?.meanMs ?? null,
            time(trips.mean),
            models[index]?.maxMs ?? null,
            time(trips.max),
            trips.count,
          ]),
          note: `Trips by our own subscribers, from when a message was meant to be sent. ${scenario}.`,
        },
      ],
      charts: [percentiles('Delay, back to back against pushed', 0, recorded.round.saturated ? [] : groups)],
      checks: timed(
        check("WebSocket's mean is one transit, R/2", pushed.mean, { ...around(rttMs / 2, 0.1, 8), unit: 'ms' }),
        check("back-to-back polling's mean is two transits, R", asked.mean, { ...around(rttMs, 0.1, 8), unit: 'ms' }),
        check("back-to-back polling's longest is three transits, 3R/2", asked.max, {
          predicted: 1.5 * rttMs,
          low: 0.9 * 1.5 * rttMs,
          high: 1.5 * rttMs + slackMs,
          unit: 'ms',
        }),
        check("long polling's mean is R/2 + late · R/2", held.mean, { ...around(models[1]?.meanMs ?? 0, 0.1, 8), unit: 'ms' }),
        check("long polling's longest is three transits, 3R/2", held.max, {
          predicted: 1.5 * rttMs,
          low: 0.9 * 1.5 * rttMs,
          high: 1.5 * rttMs + slackMs,
          unit: 'ms',
        }),
        check('polling to WebSocket, means: at most 2 to 1', asked.mean / pushed.mean, { high: 2.1, predicted: 2 }),
      ),
      notes: [
        'The 3 to 1 of the paper is the longest against the shortest; a question that is always under way waits half a round trip on average.',
        ...withheldNotes([recorded]),
      ],
    }
  },
}
