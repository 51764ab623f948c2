/** Etherpad 7767 (2026): without polling its p95 got worse, and polling was suspected to be "a natural coalescer". Does gathering messages help? */
import { microBatch } from '../../src/model/push.ts'
import type { Experiment } from '../experiment.ts'
import { around, check } from '../relations.ts'
import { mean, poissonSchedule, shuffled } from '../statistics.ts'
import { withheldNotes } from './paper.ts'
import { computed, counted, inTurn, label, lasting, record, said, sampled } from './recorded.ts'

const authors = 60
/** Of one author, a second; all hear all. */
const each = 2
const rate = authors * each
/** w: how long the first message waits for others, in ms. */
const windows = [0, 5, 20, 50] as const
const warmupMs = 1_000

export const etherpadCoalesce: Experiment = {
  name: 'etherpad-coalesce',
  question: 'Does it help a WebSocket to gather messages before they are sent?',
  source: 'Etherpad, issue 7767, pull requests 7772 and 7774 (2026)',
  published: 'p95 at 200 authors 22 ms with the polling fallback, 82 ms without; a prototype that packs messages "did not help"',
  parameters: `20 to 200 authors → ${authors} receivers, ${each} msg/s of each author at Poisson times, windows of ${windows.join(', ')} ms held in front of the server, one WebSocket up, one down for each`,
  obeys: ['payload'],
  async run(bench) {
    const seconds = lasting(bench, 3)
    const drawn = await inTurn(shuffled(windows, bench.random), async (windowMs) => {
      bench.say(`window ${windowMs} ms`)
      const { due, waits } = gathered(poissonSchedule(rate, warmupMs / 1000 + seconds, bench.random), windowMs)
      const recorded = await record(bench, `window ${windowMs} ms, ${authors} authors, ${rate} msg/s`, {
        groups: [{ lane: `websocket, window ${windowMs} ms`, wire: 'websocket', room: 'pad', clients: authors }],
        schedules: { pad: due },
        payload: bench.options.payload,
        by: 'websocket',
        warmupMs,
        measureMs: seconds * 1000,
      })
      const [group] = recorded.groups
      if (group === undefined) throw new Error('a round without a group')
      const arrived = group.window.delivered / authors / seconds
      const frames = group.window.batches / authors / seconds
      const cpu = (recorded.round.server?.cpuMs ?? Number.NaN) / group.window.delivered
      return {
        windowMs,
        recorded,
        group,
        waitMs: mean(waits),
        frames,
        cpu: cpu * 1000,
        model: microBatch({ rate: arrived, payload: 150, roundTripMs: 0 }, windowMs),
        n: group.window.delivered,
      }
    })
    const rounds = drawn.toSorted((a, b) => a.windowMs - b.windowMs)
    const [none, , , longest] = rounds
    const scenario = `${authors} receivers, ${rate} msg/s, ${seconds} s a window`
    return {
      scenario,
      findings: [
        `A window of ${longest?.windowMs} ms took the frames of a receiver from ${said(none?.frames ?? 0)} to ${said(longest?.frames ?? 0)} a second (counted) and the server's CPU for a delivery from ${said(none?.cpu ?? 0)} to ${said(longest?.cpu ?? 0)} µs (sampled once), and made a message ${said(longest?.waitMs ?? 0)} ms later on average (${scenario}, n = ${none?.n} and ${longest?.n} deliveries).`,
      ],
      tables: [
        {
          title: 'Gathered for so long',
          columns: [
            label('window'),
            computed('frames, model', '1/s', 1),
            counted('frames', '1/s', 1),
            computed('wait, model', 'ms', 1),
            computed('wait, of this schedule', 'ms', 1),
            sampled('mean behind it', 'ms', 2),
            sampled('p95 behind it', 'ms', 2),
            sampled('CPU a delivery', 'µs', 1),
            counted('n'),
          ],
          rows: rounds.map(({ windowMs, recorded: { time }, group: { trips }, waitMs, frames, cpu, model, n }) => [
            `${windowMs} ms`,
            model.batchesPerSecond,
            frames,
            model.meanMs,
            waitMs,
            time(trips.mean),
            time(trips.quantile(0.95)),
            cpu,
            n,
          ]),
          note: `Frames are a receiver's. A delay is the wait and what is behind it: sending, the server, the way. ${scenario}.`,
        },
      ],
      charts: [],
      checks: [
        ...rounds.map(({ windowMs, frames, model }) =>
          // A late turn of the server takes more together, never less.
          check(`window ${windowMs} ms: frames are at most λ/(1 + λw)`, frames, {
            predicted: model.batchesPerSecond,
            high: 1.1 * model.batchesPerSecond,
            unit: '1/s',
          }),
        ),
        ...rounds.map(({ windowMs, waitMs, model }) =>
          check(`window ${windowMs} ms: the wait, of the schedule alone, is w (1 + x/2)/(1 + x)`, waitMs, {
            ...around(model.meanMs, 0, 5),
            unit: 'ms',
            asserted: false,
          }),
        ),
        check('CPU of a delivery with the longest window over that with none', (longest?.cpu ?? 0) / (none?.cpu ?? 1), { high: 1 }),
        ...(none && longest
          ? longest.recorded.timed(
              check(
                'p95 behind the longest window, less that behind none',
                (longest.group.trips.quantile(0.95) ?? 0) - (none.group.trips.quantile(0.95) ?? 0),
                { unit: 'ms', asserted: false },
              ),
            )
          : []),
      ],
      notes: [
        'Our server has no window: it flushes once a turn of its event loop. The window is held in front of it, by the sender; a server that gathered would save the receivers the same frames, and not the reading of each publish.',
        'What the wait saves in queueing shows beyond saturation only, which this load is not: the 22 and 82 ms of the issue are not reproduced.',
        ...withheldNotes(rounds.map(({ recorded }) => recorded)),
      ],
    }
  },
}

/** When messages of these times are sent, if the first waits so long for others; and how long each of them waits. */
function gathered(times: Float64Array, windowMs: number): { readonly due: Float64Array; readonly waits: number[] } {
  let end = -Infinity
  const due = times.map((time) => (time <= end ? end : (end = time + windowMs)))
  return { due, waits: Array.from(due, (sent, index) => sent - (times[index] ?? sent)) }
}
