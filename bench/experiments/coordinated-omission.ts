/** Coordinated omission (G. Tene): three instruments watch the same stall, and two of them miss it. */
import type { Bench } from '../bench.ts'
import { until } from '../clock.ts'
import type { Experiment } from '../experiment.ts'
import type { Loaded } from '../load.ts'
import { around, check } from '../relations.ts'
import { poissonSchedule } from '../statistics.ts'
import { Trips } from '../trips.ts'
import { timed, withheldNotes } from './paper.ts'

/** As in wrk2's example the server does nothing for a while; a fifth of this run, so that a short one has samples of it. */
const stallMs = 1_000
const seconds = 5
/** Requests a second of each instrument, and the connections of the closed loop. */
const rate = 250
const connections = 5
/** What a connection of the closed loop means to keep between its requests. */
const expectedMs = (1000 * connections) / rate

const room = 'load'
const text = '.'.repeat(40)

/** Answer times of a closed loop, corrected as HdrHistogram does it: what a late answer kept from being sent is put in. */
export function corrected(answersMs: Iterable<number>, intervalMs: number): Trips {
  const trips = new Trips()
  for (const ms of answersMs) {
    trips.record(ms)
    for (let missing = ms - intervalMs; missing >= intervalMs; missing -= intervalMs) trips.record(missing)
  }
  return trips
}

/** An open loop and autocannon, at the same time, on a server that stalls once. */
export async function watchStall(bench: Bench, forSeconds: number, ms: number) {
  const load = bench.load()
  let loaded: Loaded | undefined
  const round = await bench.round({
    groups: [],
    schedules: { open: poissonSchedule(rate, forSeconds, bench.random) },
    payload: bench.options.payload,
    warmupMs: 0,
    measureMs: forSeconds * 1000,
    during: async ({ start, url, cookie, subject }) => {
      const running = load.ask('run', {
        url: `${url}/rooms/${room}/messages`,
        method: 'POST',
        headers: { 'content-type': 'application/json', cookie },
        body: JSON.stringify({ id: '[<id>]', text }),
        connections,
        rate,
        seconds: forSeconds,
        corrects: true,
      })
      await until(start + forSeconds * 300)
      await subject.ask('stall', ms)
      loaded = await running
    },
  })
  await load.end()
  if (loaded === undefined) throw new Error('autocannon said nothing')
  return { round, loaded, intended: round.published.intendedAnswers }
}

/** Samples that autocannon's correction records for these answers: one more for each whole ms but the first. */
export const inventedBy = (answersMs: Float64Array): number => answersMs.reduce((sum, ms) => sum + Math.max(0, Math.floor(ms) - 1), 0)

/** Counted: samples in a histogram of so many answers. */
export const samplesCheck = ({ answersMs, told }: Loaded) =>
  check('autocannon 9 tells a sample for each ms of each answer', told.samples, around(answersMs.length + inventedBy(answersMs), 0.02))

export const coordinatedOmission: Experiment = {
  name: 'coordinated-omission',
  question: 'What does a benchmark say of a server that stalls once?',
  source: 'G. Tene, wrk2 (README, "acknowledged coordinated omission"); HdrHistogram',
  published: 'one stall of 1.4 s within 30 s puts the 99th percentile 200 times above what a closed loop tells',
  parameters: `30 s with one stall of 1.4 s → ${seconds} s with one of ${stallMs / 1000} s, ${rate} POSTs a second of an open loop and as many of autocannon on ${connections} connections, at the same time`,
  obeys: ['payload'],
  async run(bench) {
    const { round, loaded, intended } = await watchStall(bench, seconds, stallMs)
    const naive = new Trips()
    for (const ms of loaded.answersMs) naive.record(ms)
    const right = corrected(loaded.answersMs, expectedMs)
    // All that was meant for the stall waits for its end; 1 % of the run is later than its 99th percentile.
    const predicted = stallMs - 0.01 * seconds * 1000
    const [truth, missed] = [intended.at(0.99), naive.at(0.99)]
    const scenario = `${rate} requests/s, ${seconds} s, one stall of ${stallMs} ms, ${bench.options.payload} B, loopback`
    const row = (name: string, trips: Trips) => [
      name,
      ...[0.5, 0.9, 0.99].map((q) => timed(round, trips.at(q))),
      timed(round, trips.max),
      trips.count,
    ]
    const { told } = loaded
    return {
      scenario,
      findings: round.saturated
        ? []
        : [
            `The 99th percentile was ${truth.toFixed(0)} ms from the time a request was meant to be sent (n = ${intended.count}), and ${missed.toFixed(1)} ms from the time a closed loop sent it (n = ${naive.count}), of the same stall (sampled in one run; ${scenario}).`,
            `autocannon 9 corrects by default, with an interval of 1 ms for any rate: of ${naive.count} answers it told ${told.samples} samples, and a median of ${told.p50} ms where it was ${intended.at(0.5).toFixed(1)} ms (sampled; ${scenario}).`,
          ],
      tables: [
        {
          title: 'One stall, by four ways to look at it',
          columns: [
            { name: 'instrument' },
            { name: 'p50', unit: 'ms', how: 'sampled', digits: 1 },
            { name: 'p90', unit: 'ms', how: 'sampled', digits: 1 },
            { name: 'p99', unit: 'ms', how: 'sampled', digits: 1 },
            { name: 'longest', unit: 'ms', how: 'sampled', digits: 1 },
            { name: 'samples', how: 'counted' },
          ],
          rows: [
            row('open loop, from the intended time', intended),
            row('closed loop, from sending (autocannon, uncorrected)', naive),
            row('closed loop, corrected by its interval (computed)', right),
            [
              "autocannon 9's own correction",
              ...[told.p50, told.p90, told.p99, told.max].map((value) => timed(round, value)),
              told.samples,
            ],
          ],
          note: `All in one run, on one server. The interval of a connection is ${expectedMs} ms; autocannon takes it for 1 ms, and sends the quota of each second at its beginning.`,
        },
      ],
      charts: round.saturated
        ? []
        : [
            {
              kind: 'lines',
              title: 'The same stall, told from the intended time and from sending',
              note: 'A line ends where fewer than 10 samples remain.',
              table: 0,
              x: { label: 'percentile', scale: 'percentile' },
              y: { label: 'answer time', unit: 'ms', scale: 'log' },
              series: [
                { name: 'open loop, intended', lane: 'open loop', points: intended.curve() },
                { name: 'closed loop, naive', lane: 'closed loop', points: naive.curve() },
                { name: 'closed loop, corrected', lane: 'corrected', points: right.curve() },
              ],
            },
          ],
      checks: [
        samplesCheck(loaded),
        ...(round.saturated
          ? []
          : [
              check('the intended 99th percentile is the stall less 1 % of the run, and a while for what queued', truth, {
                predicted,
                low: 0.95 * predicted,
                high: 1.15 * stallMs,
                unit: 'ms',
              }),
              check('the intended 99th percentile is at least 20 times the naive one', truth / missed, { low: 20 }),
              check("autocannon's own correction puts the median at least twice too high", told.p50 / intended.at(0.5), { low: 2 }),
            ]),
      ],
      notes: [
        `A closed loop on ${connections} connections has ${connections} samples of a stall, however long: of ${rate * seconds} they lie beyond the 99th percentile.`,
        'For this reason autocannon is told to ignore coordinated omission everywhere else in this bench, and publishing is an open loop.',
        ...withheldNotes([round]),
      ],
    }
  },
}
