/** Bigestans 2014: the number of HTTP requests for one hundred messages sent. */
import { type TransportName, transportNames } from '../../src/protocol/message.ts'
import type { Bench } from '../bench.ts'
import type { Experiment } from '../experiment.ts'
import { around, type Bounds, check, exactly } from '../relations.ts'
import { periodicSchedule } from '../statistics.ts'
import { computed, counted, label, record, said, type Recorded } from './recorded.ts'

const messages = 100
/** Far enough apart that each long poll is held again before the next message. */
const periodMs = 40
const pollMs = 250
const durationMs = messages * periodMs

export const bigestans100: Experiment = {
  name: 'bigestans-100',
  question: 'How many HTTP requests does a client make that sends and receives 100 messages?',
  source: 'Bigestans, University of Skövde, his-9618 (2014) (abstract)',
  published: 'WebSocket makes fewer by large margins; the figures are not readable',
  parameters: `100 messages → ${messages} messages, one every ${periodMs} ms, T ${pollMs} ms, one receiver a wire, sent by POST, and up a WebSocket`,
  obeys: ['payload'],
  async run(bench) {
    const rounds = {
      post: await send(bench, ['poll', 'long-poll', 'sse'], 'post'),
      websocket: await send(bench, ['websocket'], 'websocket'),
    }
    const rows = transportNames.map((wire) => {
      const { lane, round } = wire === 'websocket' ? rounds.websocket : rounds.post
      const { window, total } = lane(wire)
      const sending = wire === 'websocket' ? 0 : round.published.answers.count
      const receiving = wire === 'poll' || wire === 'long-poll' ? window.requests : total.requests
      const predicted = { poll: Math.ceil(durationMs / pollMs) + messages, 'long-poll': 2 * messages, sse: 1 + messages, websocket: 1 }[
        wire
      ]
      return { wire, sending, receiving, predicted, all: sending + receiving, n: total.delivered }
    })
    const scenario = `${messages} messages, one every ${periodMs} ms, T ${pollMs} ms, one client a wire`
    return {
      scenario,
      findings: [
        `To send and receive ${messages} messages took ${rows.map(({ wire, all }) => `${said(all)} HTTP requests over ${wire}`).join(', ')} (counted; ${scenario}).`,
      ],
      tables: [
        {
          title: 'HTTP requests for 100 messages sent and received',
          columns: [label('wire'), counted('to send'), counted('to receive'), computed('both, model'), counted('both'), counted('n')],
          rows: rows.map(({ wire, sending, receiving, predicted, all, n }) => [wire, sending, receiving, predicted, all, n]),
          note: `Without joining for poll and long poll; the one request of SSE and of WebSocket is what joins. ${scenario}.`,
        },
      ],
      charts: [],
      checks: rows.map(({ wire, all, predicted }) => check(`requests over ${wire} for ${messages} messages`, all, bounds(wire, predicted))),
      notes: [
        "The sender of the WebSocket has a socket beside the receiver's, in another process: a real client has one, and that one is counted.",
      ],
    }
  },
}

/** A stall of this machine may put two messages into one answer: fewer questions, never more. */
const bounds = (wire: TransportName, predicted: number): Bounds => {
  if (wire === 'poll') return around(predicted, 0.05)
  return wire === 'long-poll' ? { predicted, low: 0.8 * predicted, high: predicted } : exactly(predicted)
}

const send = (bench: Bench, wires: readonly TransportName[], by: 'post' | 'websocket'): Promise<Recorded> =>
  record(bench, `${messages} messages by ${by}`, {
    groups: wires.map((wire) => ({ lane: wire, wire, room: 'hundred', clients: 1, pollMs })),
    schedules: { hundred: periodicSchedule(1000 / periodMs, durationMs / 1000, periodMs / 2) },
    payload: bench.options.payload,
    by,
    warmupMs: 0,
    measureMs: durationMs,
  })
