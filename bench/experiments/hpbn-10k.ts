/** Grigorik, High Performance Browser Networking, ch. 15: what ten thousand clients cost that poll once a minute. */
import type { Bench } from '../bench.ts'
import type { Experiment } from '../experiment.ts'
import { measureConstants } from '../constants.ts'
import { answerBytes } from '../../src/model/constants.ts'
import { around, check } from '../relations.ts'
import { bytesBothWays, bytesDown, bytesUp } from '../connection.ts'
import { computed, counted, inTurn, label, lasting, published, record, said } from './recorded.ts'

const allClients = 10_000
const intervalSeconds = 60
/** As many that ask each second ask as often as all of them. */
const clients = Math.round(allClients / intervalSeconds)
const publishedBytes = 850
const bitsOf = (perRequest: number): number => (perRequest * 8 * allClients) / intervalSeconds / 1e6

export const hpbn10k: Experiment = {
  name: 'hpbn-10k',
  question: 'What do ten thousand idle pollers cost?',
  source: 'Grigorik, High Performance Browser Networking (2013), ch. 15',
  published: '850 B a request, so 1.13 Mbit/s and 167 requests/s for 10,000 clients that ask every 60 s',
  parameters: `10,000 clients every 60 s → ${clients} clients every second, the same ${clients} requests/s; an idle room; headers minimal, of fetch and of Chromium`,
  async run(bench) {
    const seconds = lasting(bench, 4)
    const sets = ['minimal', 'fetch', 'chromium'] as const
    const constants = await inTurn(sets, (headers) => measureConstants(bench, { headers, cookie: headers !== 'minimal' }))
    const predicted = constants.map((each) => each.requestHead + answerBytes(each.emptyBatch, each))
    const { groups } = await record(bench, 'an idle room', {
      groups: sets.map(
        (headers, index) =>
          ({
            lane: `poll, ${headers}`,
            wire: 'poll',
            // As long as the room in which heads were weighed.
            room: `idle${index}`,
            clients,
            pollMs: 1_000,
            headers,
            cookie: headers !== 'minimal',
          }) as const,
      ),
      schedules: {},
      payload: bench.options.payload,
      warmupMs: 1_000,
      measureMs: seconds * 1000,
    })
    const rows = groups.map(({ lane, window }, index) => ({
      lane,
      predicted: predicted[index] ?? 0,
      // Of each direction its own count: what is under way at an edge of the window is in one of them.
      perRequest: bytesUp(window) / window.requests + bytesDown(window) / window.responses,
      rate: window.requests / seconds,
      megabits: (bytesBothWays(window) * 8) / seconds / 1e6,
      n: window.requests,
    }))
    const scenario = `${clients} clients a lane, T 1 s, an idle room, ${seconds} s`
    const last = rows.at(-1)
    const spot = await spotCheck(bench, seconds)
    return {
      scenario,
      findings: [
        `Ten thousand clients that ask every minute used ${said(last?.megabits ?? 0, 2)} Mbit/s with Chromium's headers, ${said(last?.perRequest ?? 0)} B a request and its empty answer (counted over ${last?.n} requests; ${scenario}); the book has 1.13 Mbit/s for 850 B.`,
      ],
      tables: [
        {
          title: 'Ten thousand idle pollers, once a minute',
          columns: [
            label('lane'),
            published('a request', 'B'),
            computed('model', 'B'),
            counted('a request', 'B', 1),
            published('requests', '1/s'),
            counted('requests', '1/s', 1),
            published('bandwidth', 'Mbit/s', 2),
            computed('model', 'Mbit/s', 3),
            counted('bandwidth', 'Mbit/s', 3),
            counted('n'),
          ],
          rows: [
            ...rows.map(({ lane, predicted: each, perRequest, rate, megabits, n }) => [
              lane,
              publishedBytes,
              each,
              perRequest,
              167,
              rate,
              bitsOf(publishedBytes),
              bitsOf(each),
              megabits,
              n,
            ]),
            [
              'autocannon',
              publishedBytes,
              null,
              spot.bytes / spot.sent,
              167,
              spot.sent / spot.seconds,
              bitsOf(publishedBytes),
              null,
              (spot.bytes * 8) / spot.seconds / 1e6,
              spot.sent,
            ],
          ],
          note: `Application bytes, question and empty answer, counted by our own pollers; autocannon's by the server's sockets, with headers of its own. ${scenario}.`,
        },
      ],
      charts: [],
      checks: [
        ...rows.flatMap(({ lane, predicted: each, perRequest, rate, megabits }) => [
          check(`${lane}: bandwidth at N/T requests/s is (Hq + Hs + e) · 8 · N/T`, bitsOf(perRequest), {
            ...around(bitsOf(each), 0.02),
            unit: 'Mbit/s',
          }),
          check(`${lane}: bandwidth within the window, its edges included`, megabits, {
            ...around(bitsOf(each), 0.1),
            unit: 'Mbit/s',
            asserted: false,
          }),
          check(`${lane}: requests are N/T`, rate, { ...around(allClients / intervalSeconds, 0.05), unit: '1/s' }),
        ]),
        check('autocannon: requests are N/T', spot.sent / spot.seconds, {
          ...around(allClients / intervalSeconds, 0.1),
          unit: '1/s',
          asserted: false,
        }),
      ],
      notes: [
        'autocannon is told no cursor, which makes its question shorter and its answer no other. Its limiter fires the quota of a second at once, at both ends of its run: over a few seconds it asks oftener than it was told to.',
      ],
    }
  },
}

/** autocannon at N/T requests a second, and what the server's sockets counted. */
async function spotCheck(
  bench: Bench,
  seconds: number,
): Promise<{ readonly sent: number; readonly seconds: number; readonly bytes: number }> {
  bench.say('autocannon')
  const subject = await bench.subject()
  const load = bench.load()
  try {
    const loaded = await load.ask('run', { url: `${subject.url}/rooms/spot/poll`, connections: 10, rate: clients, seconds })
    const { bytesRead = 0, bytesWritten = 0 } = await subject.process.ask('usage')
    return { sent: loaded.sent, seconds: loaded.seconds, bytes: bytesRead + bytesWritten }
  } finally {
    await Promise.all([load.end(), subject.process.end()])
  }
}
