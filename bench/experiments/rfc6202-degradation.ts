/** RFC 6202, 2.2, Graceful Degradation: under load a long poll brings several messages at once, down to polling at intervals of a round trip. */
import { longPoll } from '../../src/model/pull.ts'
import type { Experiment } from '../experiment.ts'
import { around, check } from '../relations.ts'
import { poissonSchedule } from '../statistics.ts'
import { withheldNotes } from './paper.ts'
import { computed, counted, label, lasting, record, said, sampled } from './recorded.ts'

const rttMs = 50
const rates = [2, 10, 50, 200, 600] as const
const clients = 8
const warmupMs = 1_000

export const rfc6202Degradation: Experiment = {
  name: 'rfc6202-degradation',
  question: 'What becomes of long polling under load?',
  source: 'RFC 6202 (2011), 2.2',
  published: 'messages "might be delivered in a batch within a single long poll response"; no figure',
  parameters: `${clients} clients a room, R ${rttMs} ms by a relay, Poisson messages at ${rates.join(', ')}/s`,
  obeys: ['payload'],
  async run(bench) {
    const seconds = lasting(bench, 5)
    const rooms = rates.map((rate) => ({ rate, room: `rate-${rate}` }))
    const recorded = await record(bench, `R ${rttMs} ms`, {
      relay: { rttMs },
      groups: [
        ...rooms.map(({ rate, room }) => ({ lane: `long-poll at ${rate}/s`, wire: 'long-poll', room, clients }) as const),
        { lane: 'websocket', wire: 'websocket', room: 'rate-50', clients },
      ],
      schedules: Object.fromEntries(rooms.map(({ rate, room }) => [room, poissonSchedule(rate, warmupMs / 1000 + seconds, bench.random)])),
      payload: bench.options.payload,
      warmupMs,
      measureMs: seconds * 1000,
    })
    // As far as it was: the relay's timers and the server add to R.
    const roundTripMs = 2 * recorded.lane('websocket').trips.at(0.5)
    const rows = recorded.groups.slice(0, rates.length).map(({ lane, window, trips, lost }, index) => {
      const rate = rates[index] ?? 0
      // What was published within the window is what the model is asked about: few messages are far from their rate.
      const arrived = window.delivered / clients / seconds
      const model = longPoll({ rate: arrived, payload: 150, roundTripMs }, { holdMs: 25_000 })
      const asked = window.requests / clients / seconds
      return { lane, rate, trips, lost, model, asked, batch: window.delivered / window.batches, n: window.delivered }
    })
    const last = rows.at(-1)
    const scenario = `${clients} clients a room, R ${rttMs} ms, ${seconds} s`
    return {
      scenario,
      findings: [
        `At ${last?.rate} msg/s an answer brought ${said(last?.batch ?? 0, 1)} messages and a client asked ${said(last?.asked ?? 0, 1)} times a second (counted; ${scenario}, n = ${last?.n}): no oftener than a round trip allows.`,
      ],
      tables: [
        {
          title: 'Long polling from few messages to many',
          columns: [
            label('load'),
            computed('requests, model', '1/s', 2),
            counted('requests', '1/s', 2),
            computed('messages an answer, model', undefined, 2),
            counted('messages an answer', undefined, 2),
            computed('mean, model', 'ms', 1),
            sampled('mean', 'ms', 1),
            sampled('p95', 'ms', 1),
            counted('lost'),
            counted('n'),
          ],
          rows: rows.map(({ lane, trips, lost, model, asked, batch, n }) => [
            lane,
            model.requestsPerSecond,
            asked,
            model.messagesPerBatch,
            batch,
            model.meanMs,
            recorded.time(trips.mean),
            recorded.time(trips.quantile(0.95)),
            lost,
            n,
          ]),
          note: `Requests are a client's. All rooms at once on one server; the model has R as twice the median trip of a WebSocket among them, ${said(roundTripMs, 1)} ms. ${scenario}.`,
        },
      ],
      charts: [
        {
          kind: 'lines',
          title: 'Messages an answer brings',
          table: 0,
          x: { label: 'messages', unit: '1/s', scale: 'log' },
          y: { label: 'messages an answer', scale: 'log' },
          series: [
            { name: 'long-poll', lane: 'long-poll', points: rows.map(({ rate, batch }) => [rate, batch]) },
            { name: 'model', kind: 'model', points: rows.map(({ rate, model }) => [rate, model.messagesPerBatch]) },
          ],
        },
      ],
      checks: rows.flatMap(({ rate, model, asked, batch, trips }) => [
        check(`at ${rate}/s an answer brings λC messages`, batch, around(model.messagesPerBatch, 0.15)),
        check(`at ${rate}/s a client asks at most once a round trip`, asked, {
          high: 1.02 * (1000 / rttMs),
          predicted: model.requestsPerSecond,
        }),
        ...recorded.timed(
          check(`at ${rate}/s the mean trip is R/2 + late · R/2`, trips.mean, { ...around(model.meanMs, 0.1, 8), unit: 'ms' }),
        ),
      ]),
      notes: ['Nothing was lost: a round that loses a message has no number.', ...withheldNotes([recorded])],
    }
  },
}
