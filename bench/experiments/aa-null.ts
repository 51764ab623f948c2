/** A/A: the same wire as A and as B. What this bench would claim of the two is what it invents. */
import type { Bench } from '../bench.ts'
import type { Experiment } from '../experiment.ts'
import { check, exactly } from '../relations.ts'
import type { Interval } from '../report/report.ts'
import { bootstrapRatio, median, periodicSchedule, leastShare } from '../statistics.ts'
import * as summary from '../summary.ts'
import type { Sample } from '../summary.ts'
import { withheldNotes } from './paper.ts'

const lanes = [{ lane: 'websocket, A' }, { lane: 'websocket, B' }] as const
const clients = 10
const rate = 20
const warmupMs = 150
const measureMs = 800
const pairs = 10
/** Rounds of A and of B in random order within each pair, a fresh server each. */
export async function measurePairs(bench: Bench, count: number, forMs = measureMs): Promise<readonly [Sample[], Sample[]]> {
  const samples = await bench.interleave(lanes, count, async ({ lane }, number): Promise<Sample> => {
    const round = await bench.round({
      groups: [{ lane, wire: 'websocket', room: 'bench', clients }],
      schedules: { bench: periodicSchedule(rate, (warmupMs + forMs) / 1000, 500 / rate) },
      payload: bench.options.payload,
      warmupMs,
      measureMs: forMs,
    })
    const [group] = round.groups
    if (group === undefined) throw new Error('a round without a group')
    bench.record(`${clients} clients, ${rate}/s`, number, round, group)
    return { round, group }
  })
  return [samples.get(lanes[0]) ?? [], samples.get(lanes[1]) ?? []]
}

/** Of the rounds' bytes per message the middle: a server that was held up may put two messages into a frame. */
const bytes = (samples: readonly Sample[]): number => median(samples.map((sample) => summary.bytesPerMessage([sample])))
const deliveries = (samples: readonly Sample[]): number => samples.reduce((sum, { group }) => sum + group.total.delivered, 0)

export const nullChecks = ([a, b]: readonly [Sample[], Sample[]]) => [
  check('bytes per message of A are those of B', bytes(a) / bytes(b), exactly(1)),
  check('deliveries to A are those to B', deliveries(a) / deliveries(b), exactly(1)),
]

interface Metric {
  readonly name: string
  readonly unit: string
  readonly of: (samples: readonly Sample[]) => number
}
const metrics: readonly Metric[] = [
  { name: 'median delay', unit: 'ms', of: summary.medianMs },
  { name: 'server CPU per 1,000 deliveries', unit: 'ms', of: (samples) => summary.cpuPerThousand(samples) ?? Number.NaN },
]

/** A claim wants an interval without 1 and a difference of more than 5 %. */
const claimed = ({ value, low, high }: Interval): boolean => (low > 1 || high < 1) && Math.abs(value - 1) > leastShare

export const aaNull: Experiment = {
  name: 'aa-null',
  question: 'What difference does this bench find between a wire and itself?',
  source: 'randomised multiple interleaved trials: Abedi and Brecht, ICPE 2017',
  published: 'without interleaving, trials of the same system are often told to differ',
  parameters: `${pairs} pairs of rounds of WebSocket as A and as B in random order, ${measureMs} ms each, a fresh server each, ${clients} clients, ${rate} messages a second`,
  obeys: ['payload'],
  async run(bench) {
    const count = bench.options.quick ? 4 : pairs
    const [a, b] = await measurePairs(bench, count)
    const saturated = summary.withheld(a) || summary.withheld(b)
    const scenario = `${count} pairs, ${clients} clients, ${rate} msg/s, ${bench.options.payload} B, loopback, ${measureMs} ms a round`
    const rows = saturated
      ? []
      : metrics.map((metric) => ({ ...metric, a: metric.of(a), b: metric.of(b), ratio: bootstrapRatio(a, b, metric.of, bench.random) }))
    const told = ({ value, low, high }: Interval): string => `${value.toFixed(3)}, 95 % CI ${low.toFixed(3)} to ${high.toFixed(3)}`
    return {
      scenario,
      findings: [
        `Bytes per delivered message were ${bytes(a).toFixed(1)} for A and ${bytes(b).toFixed(1)} for B (counted, n = ${deliveries(a)} and ${deliveries(b)} deliveries; ${scenario}).`,
        ...rows.map(
          ({ name, ratio }) =>
            `${name}, A over B: ${claimed(ratio) ? 'a difference would be claimed' : 'no difference shown'} (${told(ratio)}; sampled; ${scenario}).`,
        ),
      ],
      tables: [
        {
          title: 'A wire and itself',
          columns: [
            { name: 'metric' },
            { name: 'A', how: 'sampled', digits: 2 },
            { name: 'B', how: 'sampled', digits: 2 },
            { name: 'A over B', how: 'sampled', digits: 3 },
            { name: 'model', how: 'computed' },
          ],
          rows: [
            ['bytes per message, B (counted)', bytes(a), bytes(b), bytes(a) / bytes(b), 1],
            ...rows.map(({ name, unit, a: ofA, b: ofB, ratio }) => [`${name}, ${unit}`, ofA, ofB, ratio, 1]),
          ],
          note: 'Delay by our own subscribers, CPU of the server process. Intervals: 95 %, bootstrap over rounds.',
        },
      ],
      charts: saturated
        ? []
        : [
            {
              kind: 'dots',
              title: 'A over B, with its interval',
              table: 0,
              unit: '',
              dots: rows.map(({ name, ratio }) => ({ label: name, value: ratio })),
            },
          ],
      checks: [
        ...nullChecks([a, b]),
        ...rows.flatMap(({ name, ratio }) => [
          check(`no difference is claimed between a wire and itself: ${name}`, claimed(ratio) ? 1 : 0, exactly(0)),
          check(
            `the interval of A over B contains 1: ${name}, its end nearer to 1`,
            Math.abs(ratio.low - 1) < Math.abs(ratio.high - 1) ? ratio.low : ratio.high,
            {
              ...(Math.abs(ratio.low - 1) < Math.abs(ratio.high - 1) ? { high: 1 } : { low: 1 }),
              predicted: 1,
              asserted: false,
            },
          ),
        ]),
      ],
      notes: [
        'An interval of 95 % leaves out the truth one time in twenty, and a bootstrap of ten rounds somewhat more often: that it contains 1 is reported; that nothing would be claimed is asserted.',
        ...withheldNotes([{ saturated }]),
      ],
    }
  },
}
