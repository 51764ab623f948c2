/** RFC 6202, 3.2: an intermediary may "buffer the entire response before sending any data to the client". */
import type { TransportName } from '../../src/protocol/message.ts'
import type { Experiment } from '../experiment.ts'
import { check, exactly } from '../relations.ts'
import { periodicSchedule } from '../statistics.ts'
import { percent } from './paper.ts'
import { counted, label, record, sampled } from './recorded.ts'

const rate = 10
const pollMs = 200
const clients = 5
const measureMs = 2_500
/** The server ends its streams after the window, so that what was held back is seen at last. It draws 10 % either way. */
const streamMs = 4_000
/** What was published so late may still wait for its poll. */
const lastMs = measureMs - 2 * pollMs

const wires: readonly TransportName[] = ['poll', 'long-poll', 'sse', 'websocket']

export const rfc6202BufferingProxy: Experiment = {
  name: 'rfc6202-buffering-proxy',
  question: 'Which wires get through an intermediary that holds an answer back until it is whole?',
  source: 'RFC 6202 (2011), 3.2',
  published: 'an intermediary may "buffer the entire response before sending any data to the client"; no figure',
  parameters: `a buffering proxy → a relay that buffers each answer, ${rate} msg/s at even times, T ${pollMs} ms, ${clients} clients a wire`,
  obeys: ['payload'],
  async run(bench) {
    const { groups, time } = await record(bench, 'a buffering relay', {
      subject: { options: { streamMs } },
      relay: { buffers: true },
      groups: wires.map((wire) => ({ lane: wire, wire, room: 'behind', clients, pollMs, greeted: wire !== 'sse' }) as const),
      schedules: { behind: periodicSchedule(rate, lastMs / 1000, 50) },
      payload: bench.options.payload,
      warmupMs: 0,
      measureMs,
      // A stream that ends is what is waited for.
      mayLose: true,
    })
    const expected = Math.ceil((lastMs - 50) / (1000 / rate)) * clients
    const rows = groups.map(({ lane, window, total, trips }) => ({
      lane,
      share: window.delivered / expected,
      later: total.delivered / expected,
      trips,
    }))
    const scenario = `${rate} msg/s, T ${pollMs} ms, ${clients} clients a wire, streams ended by the server after ${streamMs / 1000} s`
    return {
      scenario,
      findings: [
        `Behind a relay that buffers, ${rows.map(({ lane, share }) => `${percent(share)} came over ${lane}`).join(', ')} before a stream ended (counted; ${scenario}, n = ${expected} a wire).`,
      ],
      tables: [
        {
          title: 'What comes through, before the answer ends and after',
          columns: [label('wire'), counted('while it lasts', '%'), counted('once it has ended', '%'), sampled('mean', 'ms'), counted('n')],
          rows: rows.map(({ lane, share, later, trips }) => [
            lane,
            share * 100,
            later * 100,
            trips.count === 0 ? null : time(trips.mean),
            expected,
          ]),
          note: `A WebSocket is opaque after its 101. ${scenario}.`,
        },
      ],
      charts: [],
      checks: rows.flatMap(({ lane, share, later }) => [
        check(`${lane}: share delivered while the answers last`, share, exactly(lane === 'sse' ? 0 : 1)),
        check(`${lane}: share delivered in the end`, later, exactly(1)),
      ]),
      notes: [
        '`X-Accel-Buffering: no` and `no-transform`, which our server sends, ask intermediaries not to do this; this relay obeys nobody.',
      ],
    }
  },
}
