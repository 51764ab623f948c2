/** What autocannon is for: requests and their answers, as many as the server can give. */
import type { Bench } from '../bench.ts'
import type { Experiment } from '../experiment.ts'
import type { Load, Loaded } from '../load.ts'
import { isSaturated } from '../self.ts'
import { Trips } from '../trips.ts'
import { said } from './recorded.ts'

const connections = 10
const seconds = 1
const warmupSeconds = 1
const room = 'requests'
/** Below this share of a core the server was not what held the load back. */
const fullShare = 0.9

interface Lane {
  readonly lane: string
  readonly load: (url: string, cookie: string, payload: number) => Pick<Load, 'url' | 'method' | 'headers' | 'body'>
}

const lanes: readonly Lane[] = [
  {
    lane: 'POST …/messages',
    load: (url, cookie, payload) => ({
      url: `${url}/rooms/${room}/messages`,
      method: 'POST',
      headers: { 'content-type': 'application/json', cookie },
      body: JSON.stringify({ id: '[<id>]', text: '.'.repeat(payload) }),
    }),
  },
  { lane: 'GET …/poll, empty', load: (url) => ({ url: `${url}/rooms/quiet/poll`, method: 'GET' }) },
]

interface Sample {
  readonly lane: string
  readonly answers: Trips
  readonly loaded: Loaded
  readonly cpuMs: number
}

export const requests: Experiment = {
  name: 'requests',
  question: 'How many requests a second does the server answer, and what does one cost it?',
  parameters: `autocannon 9, ${connections} connections that each wait for their answer, ${seconds} s after ${warmupSeconds} s of the same`,
  obeys: ['payload'],
  async run(bench) {
    const samples: Sample[] = []
    for (const lane of lanes) samples.push(await press(bench, lane))
    const scenario = `autocannon 9, closed loop, ${connections} connections, ${bench.options.payload} B, loopback, ${seconds} s`
    const share = ({ cpuMs, loaded }: Sample): number => cpuMs / 1000 / loaded.seconds
    const perSecond = ({ loaded }: Sample): number => loaded.answersMs.length / loaded.seconds
    return {
      scenario,
      findings: samples.map(
        (sample) =>
          `${sample.lane}: ${said(perSecond(sample))} answers a second at ${(share(sample) * 100).toFixed(0)} % of a core, ${((sample.cpuMs * 1000) / sample.loaded.answersMs.length).toFixed(0)} ms of server CPU per 1,000 (n = ${sample.loaded.answersMs.length}; ${scenario}).`,
      ),
      tables: [
        {
          title: 'Requests and their answers',
          columns: [
            { name: 'request' },
            { name: 'answers', unit: '1/s', how: 'sampled' },
            { name: 'failed', how: 'counted' },
            { name: 'p50', unit: 'ms', how: 'sampled', digits: 2 },
            { name: 'p99', unit: 'ms', how: 'sampled', digits: 2 },
            { name: 'down', unit: 'B', how: 'counted', digits: 1 },
            { name: 'CPU per 1,000', unit: 'ms', how: 'sampled' },
            { name: 'server CPU', unit: '%', how: 'sampled' },
            { name: 'n', how: 'counted' },
          ],
          rows: samples.map((sample) => [
            sample.lane,
            perSecond(sample),
            sample.loaded.failed,
            isSaturated(sample.loaded.busy) ? null : sample.answers.at(0.5),
            isSaturated(sample.loaded.busy) ? null : (sample.answers.quantile(0.99) ?? null),
            sample.loaded.bytesDown / sample.loaded.answersMs.length,
            (sample.cpuMs * 1000) / sample.loaded.answersMs.length,
            share(sample) * 100,
            sample.loaded.answersMs.length,
          ]),
          note: 'Closed loop: who waits sends nothing, so these are times from sending, not delays of messages. Times are of autocannon’s events in fractions of a ms; its own histogram has whole ones.',
        },
      ],
      charts: [],
      checks: [],
      notes: samples.flatMap((sample) => [
        ...(isSaturated(sample.loaded.busy) ? [`${sample.lane}: times are withheld, for autocannon was as busy as the server.`] : []),
        ...(share(sample) < fullShare ? [`${sample.lane}: the server was not full, so its limit is higher than what was seen.`] : []),
      ]),
    }
  },
}

async function press(bench: Bench, { lane, load }: Lane): Promise<Sample> {
  bench.say(lane)
  const cannon = bench.load()
  let loaded: Loaded | undefined
  let cpuMs = 0
  try {
    await bench.round({
      groups: [],
      schedules: {},
      payload: bench.options.payload,
      warmupMs: 0,
      measureMs: 0,
      during: async ({ url, cookie, subject }) => {
        const run = (forSeconds: number): Promise<Loaded> =>
          cannon.ask('run', { ...load(url, cookie, bench.options.payload), connections, seconds: forSeconds })
        await run(warmupSeconds)
        const before = await subject.ask('usage')
        loaded = await run(seconds)
        cpuMs = (await subject.ask('usage')).cpuMs - before.cpuMs
      },
    })
  } finally {
    await cannon.end()
  }
  if (loaded === undefined) throw new Error('autocannon said nothing')
  const answers = new Trips()
  for (const ms of loaded.answersMs) answers.record(ms)
  return { lane, answers, loaded, cpuMs }
}
