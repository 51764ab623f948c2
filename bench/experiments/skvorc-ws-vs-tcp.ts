/** Skvorc, Horvat and Srbljic 2014: a WebSocket makes no more traffic than TCP does, but for its handshake. */
import { frameHead } from '../../src/model/constants.ts'
import type { Experiment } from '../experiment.ts'
import { bytesBothWays, type Tally } from '../connection.ts'
import { around, check } from '../relations.ts'
import { periodicSchedule } from '../statistics.ts'
import { withheldNotes } from './paper.ts'
import { computed, counted, inTurn, label, record, said, sampled } from './recorded.ts'

/** Of a text, which has 4,096 characters at the most. */
const payloads = [16, 128, 1_024, 4_096] as const
const messages = 1_000
const rate = 400

export const skvorcWsVsTcp: Experiment = {
  name: 'skvorc-ws-vs-tcp',
  question: 'Does a WebSocket make more traffic than TCP?',
  source: 'Skvorc, Horvat and Srbljic, MIPRO 2014 (abstract)',
  published: '"except a small overhead imposed due to initial handshaking" no more traffic than plain TCP, slightly later',
  parameters: `WebSocket and TCP → ${messages} messages of ${payloads.join(', ')} B at ${rate}/s, one client on each, the same server`,
  async run(bench) {
    const count = bench.options.quick ? messages / 2 : messages
    const rounds = await inTurn(payloads, async (payload) => {
      const recorded = await record(bench, `${payload} B, ${rate} msg/s`, {
        subject: { peer: 'lines' },
        groups: [
          { lane: 'tcp', wire: 'sse', room: 'feed', clients: 1 },
          { lane: 'websocket', wire: 'websocket', room: 'feed', clients: 1, peer: 'fourwires' },
        ],
        schedules: { feed: periodicSchedule(rate, count / rate) },
        payload,
        // Bytes are counted over all; delays once the server is warm.
        warmupMs: (count / rate) * 400,
        measureMs: (count / rate) * 600,
      })
      const tcp = recorded.lane('tcp')
      const socket = recorded.lane('websocket')
      const ratio = afterHandshake(socket.total) / afterHandshake(tcp.total)
      const batch = socket.total.payload / socket.total.batches
      return { payload, recorded, tcp, socket, ratio, predicted: (batch + frameHead(batch)) / (batch + 1) }
    })
    const [least] = rounds
    const scenario = `${count} messages at ${rate}/s, one client a lane`
    return {
      scenario,
      findings: [
        `After their handshakes WebSocket moved ${rounds.map(({ ratio, payload }) => `${said(ratio, 4)} times the bytes of TCP at ${payload} B`).join(', ')} (counted; ${scenario}, n = ${count} a payload); the handshake took ${least && handshake(least.socket.total)} B.`,
      ],
      tables: [
        {
          title: 'WebSocket and TCP, the same messages',
          columns: [
            label('payload'),
            counted('handshake, WebSocket', 'B'),
            counted('after it, WebSocket', 'B'),
            counted('TCP', 'B'),
            computed('ratio, model', undefined, 4),
            counted('ratio', undefined, 4),
            sampled('mean, WebSocket', 'ms', 2),
            sampled('mean, TCP', 'ms', 2),
            counted('n'),
          ],
          rows: rounds.map(({ payload, recorded, tcp, socket, ratio, predicted }) => [
            `${payload} B`,
            handshake(socket.total),
            afterHandshake(socket.total),
            afterHandshake(tcp.total),
            predicted,
            ratio,
            recorded.time(socket.trips.mean),
            recorded.time(tcp.trips.mean),
            socket.total.delivered,
          ]),
          note: `tcp: the same JSON with a line feed behind it. Delays are those of the last 60 % of one round: no difference is claimed. ${scenario}.`,
        },
      ],
      charts: [],
      checks: rounds.flatMap(({ payload, ratio, predicted }) => [
        check(`${payload} B: (WebSocket − handshake)/TCP is at most 1 + 10/p`, ratio, { high: 1 + 10 / payload }),
        check(`${payload} B: (WebSocket − handshake)/TCP is a frame's head for a line feed`, ratio, around(predicted, 0.01)),
      ]),
      notes: [
        'No 64 kB: a text has 4,096 characters at the most. A frame of 65,536 bytes has a head of 10.',
        'Two messages that meet in one turn of the server share a batch, on either wire.',
        ...withheldNotes(rounds.map(({ recorded }) => recorded)),
      ],
    }
  },
}

const handshake = (tally: Tally): number => tally.requestLine + tally.requestHeaders + tally.responseHead
const afterHandshake = (tally: Tally): number => bytesBothWays(tally) - handshake(tally)
