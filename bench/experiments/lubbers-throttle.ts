/** Lubbers and Greco 2010, an overlooked remark: for a fast feed polling is "more prudent" than long polling, for it throttles. */
import { transportNames } from '../../src/protocol/message.ts'
import { longPoll, poll, type PollOptions } from '../../src/model/pull.ts'
import { measureConstants } from '../constants.ts'
import type { Experiment } from '../experiment.ts'
import { around, check } from '../relations.ts'
import { poissonSchedule } from '../statistics.ts'
import { bytesOnTheNetwork, computed, counted, label, lasting, record, said } from './recorded.ts'
import { bytesBothWays } from '../connection.ts'

const rttMs = 50
const rate = 20
const clients = 10
const warmupMs = 1_000
const every: PollOptions = { intervalMs: 1_000 }

export const lubbersThrottle: Experiment = {
  name: 'lubbers-throttle',
  question: 'Is polling cheaper than long polling where messages come fast?',
  source: 'Lubbers and Greco, HTML5 Web Sockets: A Quantum Leap in Scalability for the Web (2010)',
  published: 'for a fast feed one-second polling "is actually more prudent than using a Comet long-polling solution"; no figure',
  parameters: `a stock feed polled every second → ${rate} msg/s at Poisson times, T ${every.intervalMs} ms, R ${rttMs} ms by a relay, ${clients} clients a wire`,
  obeys: ['payload'],
  async run(bench) {
    const constants = await measureConstants(bench, { headers: 'fetch', cookie: true })
    const seconds = lasting(bench, 6)
    const { groups, lane } = await record(bench, `${rate} msg/s, R ${rttMs} ms`, {
      relay: { rttMs },
      groups: transportNames.map((wire) => ({
        lane: wire,
        wire,
        room: 'feed',
        clients,
        pollMs: every.intervalMs,
        headers: 'fetch',
        cookie: true,
      })),
      schedules: { feed: poissonSchedule(rate, warmupMs / 1000 + seconds, bench.random) },
      payload: bench.options.payload,
      warmupMs,
      measureMs: seconds * 1000,
    })
    // Of what was drawn, and as far as it was: the relay's timers and the server add to R.
    const arrived = lane('websocket').window.delivered / clients / seconds
    const load = { rate: arrived, payload: constants.messageBytes, roundTripMs: 2 * lane('websocket').trips.at(0.5) }
    const asked = { poll: poll(load, every, constants), 'long-poll': longPoll(load, { holdMs: 25_000 }, constants) }
    const requests = (name: string): number => lane(name).window.requests / clients / seconds
    const network = (name: string): number => bytesOnTheNetwork(lane(name).window) / lane(name).window.delivered
    const scenario = `${rate} msg/s, T ${every.intervalMs} ms, R ${rttMs} ms, ${clients} clients a wire, ${seconds} s`
    const n = lane('poll').window.delivered
    return {
      scenario,
      findings: [
        `Long polling asked ${said(requests('long-poll'), 1)} times a second and client, polling ${said(requests('poll'), 1)} (counted); a delivered message used ${said(network('long-poll'))} B on the network over long polling and ${said(network('poll'))} B over polling (${scenario}, n = ${n}).`,
      ],
      tables: [
        {
          title: 'Requests and bytes at a fast feed, a client',
          columns: [
            label('wire'),
            computed('requests, model', '1/s', 2),
            counted('requests', '1/s', 2),
            counted('messages a batch', undefined, 2),
            counted('application bytes a message', 'B'),
            computed('with TCP and IP', 'B'),
            counted('n'),
          ],
          rows: groups.map(({ lane: name, window }) => [
            name,
            name in asked ? asked[name as keyof typeof asked].requestsPerSecond : 0,
            requests(name),
            window.delivered / window.batches,
            bytesBothWays(window) / window.delivered,
            network(name),
            window.delivered,
          ]),
          note: `Headers and cookie as Node's fetch sends them. The model has R as twice WebSocket's median trip. TCP and IP: 52 B a segment, 3 an exchange, 2 a push. ${scenario}.`,
        },
      ],
      charts: [],
      checks: [
        check('polling asks 1/T times a second', requests('poll'), around(asked.poll.requestsPerSecond, 0.05)),
        check('long polling asks 1/C times a second', requests('long-poll'), around(asked['long-poll'].requestsPerSecond, 0.1)),
        check('long polling asks more than five times as often', requests('long-poll') / requests('poll'), {
          low: 5,
          predicted: asked['long-poll'].requestsPerSecond / asked.poll.requestsPerSecond,
        }),
        check("polling's bytes on the network, over long polling's", network('poll') / network('long-poll'), { high: 1 }),
      ],
      notes: ['Throttling costs time: what polling saves it pays with half an interval of delay.'],
    }
  },
}
