/** Abril 2017: five updates, one a second, over the four wires of one browser; requests and bytes from its HAR files. */
import { longPoll, poll } from '../../src/model/pull.ts'
import type { Experiment } from '../experiment.ts'
import { around, check, exactly } from '../relations.ts'
import { bytesBothWays, bytesDown, bytesUp } from '../connection.ts'
import { computed, counted, label, published, record, said } from './recorded.ts'

/** What a second of the original lasts here. */
const secondMs = 400
const updates = 5
const pollMs = secondMs / 4
const clients = 10
const warmupMs = 400
const measureMs = updates * secondMs

export const abril5Updates: Experiment = {
  name: 'abril-5-updates',
  question: 'How many requests and bytes do five updates take?',
  source: 'Abril, Real-time methods (aquil.io, 2017), HAR files of Chrome 60 and Node 8',
  published: '15 requests polling, 5 long polling, 1 over SSE and over WebSocket; 8,820, 2,930 and 902 B for the first three',
  parameters: `5 updates, one a second, polled every 250 ms → one every ${secondMs} ms, T ${pollMs} ms, headers as Chromium sends them, ${clients} clients a wire`,
  obeys: ['payload'],
  async run(bench) {
    const wires = ['poll', 'long-poll', 'sse', 'websocket'] as const
    const { groups, lane } = await record(bench, `5 updates, one every ${secondMs} ms`, {
      groups: wires.map((wire) => ({ lane: wire, wire, room: 'updates', clients, pollMs, headers: 'chromium', cookie: true })),
      // In the middle of each second: nothing is under way where the window ends.
      schedules: { updates: Float64Array.from({ length: updates }, (_, index) => warmupMs + (index + 0.5) * secondMs) },
      payload: bench.options.payload,
      warmupMs,
      measureMs,
    })
    const load = { rate: 1000 / secondMs, payload: 150, roundTripMs: 0, arrivals: 'periodic' } as const
    const requests = [poll(load, { intervalMs: pollMs }), longPoll(load, { holdMs: 25_000 })].map(
      (cost) => (cost.requestsPerSecond * measureMs) / 1000,
    )
    const asked = (name: string): number => lane(name).window.requests / clients
    const used = (name: string): number => bytesBothWays(lane(name).window) / clients
    const scenario = `${updates} updates, one every ${secondMs} ms, T ${pollMs} ms, ${clients} clients a wire`
    return {
      scenario,
      findings: [
        `Five updates took ${wires.map((wire) => `${said(used(wire))} B over ${wire}`).join(', ')} a client, after joining (counted; ${scenario}).`,
      ],
      tables: [
        {
          title: 'Five updates, a client',
          columns: [
            label('wire'),
            published('requests'),
            computed('model'),
            counted('requests', undefined, 1),
            counted('before them, to join', undefined, 1),
            published('bytes', 'B'),
            counted('up', 'B'),
            counted('down', 'B'),
            counted('both', 'B'),
            counted('n'),
          ],
          rows: groups.map(({ lane: name, window, total }, index) => [
            name,
            [15, 5, 1, 1][index] ?? null,
            requests[index] ?? 0,
            asked(name),
            index > 1 ? total.requests / clients : 1,
            [8_820, 2_930, 902, null][index] ?? null,
            bytesUp(window) / clients,
            bytesDown(window) / clients,
            used(name),
            window.delivered,
          ]),
          note: `Long polling asks once more for what has not come yet. ${scenario}.`,
        },
      ],
      charts: [
        {
          kind: 'stack',
          title: 'Bytes of five updates, a client, after joining',
          table: 0,
          unit: 'B',
          parts: ['up', 'down'],
          bars: groups.map(({ lane: name, window }) => ({
            label: name,
            lane: name,
            values: [bytesUp(window) / clients, bytesDown(window) / clients],
          })),
        },
      ],
      checks: [
        check('polling asks D/T times', asked('poll'), around(requests[0] ?? 0, 0.15)),
        check('long polling asks once an update', asked('long-poll'), exactly(updates)),
        check('SSE asks once, before the first', lane('sse').total.requests / clients, exactly(1)),
        check('WebSocket asks once, before the first', lane('websocket').total.requests / clients, exactly(1)),
        ...wires
          .slice(1)
          .map((wire, index) =>
            check(`bytes over ${wires[index]} are more than over ${wire}: ratio`, used(wires[index] ?? wire) / used(wire), { low: 1 }),
          ),
      ],
      notes: [
        'The long poll of the original has no cursor and loses what comes between two questions; ours loses nothing.',
        'The bytes of the original are the sums of the heads and bodies in its files; its bodies have 50 B, a message here is JSON with its author, id and time.',
      ],
    }
  },
}
