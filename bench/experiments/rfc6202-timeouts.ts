/** RFC 6202, 5.5: how long a question may be held before something on the way loses its patience. */
import { longPoll } from '../../src/model/pull.ts'
import type { Experiment } from '../experiment.ts'
import { around, check, exactly } from '../relations.ts'
import { computed, counted, label, record, said } from './recorded.ts'

/** 30 s and 120 s of the original are 1 s and 4 s here; the intermediary, of which the RFC gives no figure, is between them. */
const holds = [1, 4] as const
const idleMs = 2_000
const seconds = 8
const clients = 20
const comeBackMs = 50
/** The server's timers fire at a tick, at or after their time; a question that follows an answer comes right behind one. */
const tickMs = 50

export const rfc6202Timeouts: Experiment = {
  name: 'rfc6202-timeouts',
  question: 'How long may a long poll be held?',
  source: 'RFC 6202 (2011), 5.5',
  published: '"timeouts as high as 120 seconds, but generally 30 seconds is a safer value"',
  parameters: `30 s and 120 s → W ${holds.join(' and ')} s and a relay that cuts what is idle for ${idleMs / 1000} s; an idle room, ${clients} clients a lane`,
  async run(bench) {
    const room = 'idle'
    const { groups } = await record(bench, `idle room, cut after ${idleMs / 1000} s`, {
      // Pings and heartbeats as rare, against the patience, as a question of 30 s is.
      subject: { options: { pingMs: 1_000, heartbeatMs: 1_000 } },
      relay: { idleMs },
      groups: [
        ...holds.map(
          (holdSeconds) => ({ lane: `long-poll, W ${holdSeconds} s`, wire: 'long-poll', room, clients, holdSeconds, comeBackMs }) as const,
        ),
        { lane: 'sse, heartbeats each second', wire: 'sse', room, clients, comeBackMs },
        { lane: 'websocket, pings each second', wire: 'websocket', room, clients, comeBackMs },
      ],
      schedules: {},
      payload: bench.options.payload,
      warmupMs: 0,
      measureMs: seconds * 1000,
    })
    const rows = groups.map(({ lane, window, total }, index) => ({
      lane,
      hold: holds[index],
      resets: total.connects - clients,
      empty: window.empty / clients / seconds,
      // A question that is cut is answered by nobody.
      predicted:
        holds[index] === undefined
          ? null
          : holds[index] * 1000 < idleMs
            ? longPoll(quiet, { holdMs: holds[index] * 1000 + tickMs }).requestsPerSecond
            : 0,
    }))
    const [short, long] = rows
    const scenario = `an idle room, a relay that cuts after ${idleMs / 1000} s, ${clients} clients a lane, ${seconds} s`
    return {
      scenario,
      findings: [
        `Held for ${short?.hold} s no question was cut, held for ${long?.hold} s ${said(long?.resets ?? 0)} were (counted; ${scenario}): a hold has to be shorter than the patience of everything on the way.`,
      ],
      tables: [
        {
          title: 'Held below and above the patience of an intermediary',
          columns: [
            label('lane'),
            counted('connections cut'),
            computed('empty answers, model', '1/s', 2),
            counted('empty answers or heartbeats', '1/s', 2),
            counted('clients'),
          ],
          rows: rows.map(({ lane, resets, predicted, empty }) => [lane, resets, predicted, empty, clients]),
          note: `Empty answers are a client's, a second; pings are not among them. ${scenario}.`,
        },
      ],
      charts: [],
      checks: [
        check('held for less than the patience, none is cut', short?.resets ?? 0, exactly(0)),
        check('held for longer, each client is cut again and again', long?.resets ?? 0, {
          low: clients * Math.floor((seconds * 1000) / (idleMs + 2 * comeBackMs)) * 0.9,
          predicted: (clients * seconds * 1000) / (idleMs + comeBackMs / 2),
        }),
        check(
          'empty answers come every W and a tick, one more or less in the window',
          short?.empty ?? 0,
          around(short?.predicted ?? 0, 0, 1 / seconds),
        ),
        ...rows.slice(2).map(({ lane, resets }) => check(`${lane}: none is cut`, resets, exactly(0))),
      ],
      notes: ['Only the ratio of hold to patience is kept; that 30 s is safer than 120 s in the wild is a matter of what stands there.'],
    }
  },
}

const quiet = { rate: 0, payload: 150, roundTripMs: 0 } as const
