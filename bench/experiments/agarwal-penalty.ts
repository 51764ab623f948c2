/** Agarwal 2012: what HTML sockets and XHR polling cost over raw TCP, in bytes and in delay, for small payloads and large ones. */
import { longPoll, poll } from '../../src/model/pull.ts'
import { sse, websocket } from '../../src/model/push.ts'
import { bytesPerMessage } from '../../src/model/cost.ts'
import { measureConstants } from '../constants.ts'
import type { Experiment } from '../experiment.ts'
import { around, check } from '../relations.ts'
import { periodicSchedule } from '../statistics.ts'
import { withheldNotes } from './paper.ts'
import { computed, counted, inTurn, label, lasting, record, said, sampled } from './recorded.ts'
import { bytesBothWays } from '../connection.ts'

const rttMs = 40
/** Rarer than a round trip: each message is a batch of its own on every wire. */
const rate = 10
const clients = 5
const warmupMs = 500
/** A text has 4,096 characters at the most. */
const payloads = [16, 100, 1_000, 4_096] as const
const lanes = ['tcp', 'websocket', 'sse', 'long-poll', 'poll, back to back'] as const

export const agarwalPenalty: Experiment = {
  name: 'agarwal-penalty',
  question: 'What do the four wires cost over bare TCP?',
  source: 'Agarwal, Real-time web application roadblock: performance penalty of HTML sockets, ICC 2012 (abstract)',
  published: 'overhead up to 5 times, delay up to 3 times, worst for payloads of some hundred bytes',
  parameters: `payloads of some hundred bytes and more, 3G → ${payloads.join(', ')} B, ${rate} msg/s at even times, R ${rttMs} ms by a relay, ${clients} clients a lane`,
  async run(bench) {
    const seconds = lasting(bench, 2)
    const carried = { headers: 'chromium', cookie: true } as const
    const rounds = await inTurn(payloads, async (payload) => {
      const constants = await measureConstants(bench, carried, payload)
      const recorded = await record(bench, `${payload} B, R ${rttMs} ms`, {
        subject: { peer: 'lines' },
        relay: { rttMs },
        groups: [
          { lane: 'tcp', wire: 'sse', room: 'feed', clients },
          { lane: 'websocket', wire: 'websocket', room: 'feed', clients, peer: 'fourwires', ...carried },
          { lane: 'sse', wire: 'sse', room: 'feed', clients, peer: 'fourwires', ...carried },
          { lane: 'long-poll', wire: 'long-poll', room: 'feed', clients, peer: 'fourwires', ...carried },
          { lane: 'poll, back to back', wire: 'poll', room: 'feed', clients, peer: 'fourwires', pollMs: rttMs / 4, ...carried },
        ],
        schedules: { feed: periodicSchedule(rate, warmupMs / 1000 + seconds, 50) },
        payload,
        warmupMs,
        measureMs: seconds * 1000,
      })
      const load = { rate, payload: constants.messageBytes, roundTripMs: rttMs, arrivals: 'periodic' } as const
      const floor = constants.emptyBatch + constants.messageBytes + lineFeed
      const costs = [
        websocket(load, {}, constants),
        sse(load, {}, constants),
        longPoll(load, { holdMs: 25_000 }, constants),
        poll(load, { intervalMs: rttMs }, constants),
      ]
      const ratios = [1, ...costs.map((cost) => bytesPerMessage(cost, load) / floor)]
      return { payload, recorded, ratios, floor }
    })
    const rows = rounds.flatMap(({ payload, recorded, ratios }) =>
      lanes.map((lane, index) => {
        const { window, trips } = recorded.lane(lane)
        const tcp = recorded.lane('tcp')
        const each = bytesBothWays(window) / window.delivered
        return {
          payload,
          lane,
          recorded,
          predicted: ratios[index] ?? 1,
          each,
          ratio: (each * tcp.window.delivered) / bytesBothWays(tcp.window),
          delay: trips.mean / tcp.trips.mean,
          trips,
        }
      }),
    )
    const ratio = (lane: string, payload: number): number =>
      rows.find((row) => row.lane === lane && row.payload === payload)?.ratio ?? Number.NaN
    const scenario = `${rate} msg/s, R ${rttMs} ms, ${clients} clients a lane, ${seconds} s a payload, headers and cookie as Chromium sends them`
    return {
      scenario,
      findings: [
        `At 100 B a message took ${said(ratio('poll, back to back', 100), 1)} times the bytes of bare TCP polled back to back, ${said(ratio('long-poll', 100), 1)} times long polled, ${said(ratio('sse', 100), 2)} over SSE and ${said(ratio('websocket', 100), 2)} over WebSocket; at 4,096 B ${said(ratio('poll, back to back', 4_096), 1)}, ${said(ratio('long-poll', 4_096), 2)}, ${said(ratio('sse', 4_096), 2)} and ${said(ratio('websocket', 4_096), 3)} (counted; ${scenario}).`,
      ],
      tables: [
        {
          title: 'Over bare TCP',
          columns: [
            label('payload and wire'),
            counted('bytes a message', 'B', 1),
            computed('to TCP, model', undefined, 3),
            counted('to TCP', undefined, 3),
            sampled('mean delay', 'ms', 1),
            sampled('to TCP', undefined, 2),
            counted('n'),
          ],
          rows: rows.map(({ payload, lane, recorded, each, predicted, ratio: measured, delay, trips }) => [
            `${payload} B, ${lane}`,
            each,
            predicted,
            measured,
            recorded.time(trips.mean),
            recorded.time(delay),
            trips.count,
          ]),
          note: `tcp: the same server writes the same JSON with a line feed behind it, after one request. Application bytes, both ways. ${scenario}.`,
        },
      ],
      charts: [
        {
          kind: 'lines',
          title: 'Bytes over bare TCP',
          table: 0,
          x: { label: 'payload', unit: 'B', scale: 'log' },
          y: { label: 'bytes to TCP', scale: 'log' },
          series: lanes
            .slice(1)
            .map((lane) => ({ name: lane, lane, points: payloads.map((payload) => [payload, ratio(lane, payload)] as const) })),
        },
      ],
      checks: [
        ...rows
          .filter(({ lane }) => lane !== 'tcp')
          // How often is asked, and what shares an answer, is a matter of time.
          .flatMap(({ payload, lane, recorded, ratio: measured, predicted }) =>
            recorded.timed(
              check(
                `${payload} B over ${lane}: bytes to TCP are the model's`,
                measured,
                around(predicted, lane === 'poll, back to back' ? 0.25 : 0.03),
              ),
            ),
          ),
        ...lanes
          .slice(2)
          .flatMap((lane) =>
            payloads
              .slice(1)
              .map((payload, index) =>
                check(
                  `${lane}: to TCP at ${payload} B, over that at ${payloads[index]} B`,
                  ratio(lane, payload) / ratio(lane, payloads[index] ?? 0),
                  { high: 1 },
                ),
              ),
          ),
        ...payloads.slice(1).map((payload) => check(`WebSocket to TCP at ${payload} B`, ratio('websocket', payload), { high: 1.1 })),
        check('long polling to TCP at 100 B', ratio('long-poll', 100), { low: 3, asserted: false }),
        check('long polling to TCP at 4,096 B', ratio('long-poll', 4_096), { high: 1.3, asserted: false }),
        ...rounds.flatMap(({ payload, recorded }) =>
          recorded.timed(
            check(
              `${payload} B: mean delay of WebSocket over TCP`,
              recorded.lane('websocket').trips.mean - recorded.lane('tcp').trips.mean,
              { low: -8, high: 8, predicted: 0, unit: 'ms' },
            ),
            check(
              `${payload} B: mean delay of polling back to back, to TCP`,
              recorded.lane('poll, back to back').trips.mean / recorded.lane('tcp').trips.mean,
              { low: 1, high: 3, predicted: 2, asserted: false },
            ),
          ),
        ),
      ],
      notes: [
        'The payload of TCP here is our JSON with author, id and time, so ratios are smaller than over a bare text.',
        'No text of 10 kB: a message has 4,096 characters at the most.',
        ...withheldNotes(rounds.map(({ recorded }) => recorded)),
      ],
    }
  },
}

const lineFeed = 1
