/** A full hall: mixed subscribers of one room on the four wires, a steady talk, and what the server says of itself. */
import { transportNames } from '../../src/protocol/message.ts'
import { until } from '../clock.ts'
import type { Experiment } from '../experiment.ts'
import { check, exactly } from '../relations.ts'
import { poissonSchedule } from '../statistics.ts'
import { withheldNotes } from './paper.ts'
import { counted, label, record, sampled } from './recorded.ts'

const warmupMs = 2_000

/** A gauge or counter of the server's own metrics; summed over its labels. */
async function readMetrics(url: string): Promise<(name: string) => number> {
  const lines = (await (await fetch(`${url}/metrics`)).text()).split('\n')
  return (name) => lines.filter((line) => line.startsWith(name)).reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0)
}

export const hall: Experiment = {
  name: 'hall',
  question: 'Does a full hall hold, a quarter of it on each wire?',
  parameters: 'one room, as many subscribers on each wire, all at once; 15 s of a steady talk',
  obeys: ['clients', 'rate', 'payload', 'poll-interval'],
  async run(bench) {
    const { clients = 2_000, rate = 50, payload, pollMs, quick } = bench.options
    const seconds = quick ? 3 : 15
    let seen: (name: string) => number = () => Number.NaN
    const recorded = await record(bench, `${clients} clients on four wires`, {
      groups: transportNames.map((wire) => ({
        lane: wire,
        wire,
        room: 'hall',
        clients: Math.ceil(clients / transportNames.length),
        pollMs,
      })),
      schedules: { hall: poissonSchedule(rate, warmupMs / 1000 + seconds, bench.random) },
      payload,
      warmupMs,
      measureMs: seconds * 1000,
      during: async ({ start, url }) => {
        // Asking begins a new window of the lag.
        await until(start + warmupMs, bench.signal)
        await readMetrics(url)
        await until(start + warmupMs + seconds * 1000, bench.signal)
        seen = await readMetrics(url)
      },
    })
    const lag = (q: string): number => seen(`fourwires_event_loop_lag_seconds{quantile="${q}"}`) * 1000
    const cut = seen('fourwires_slow_readers_cut_total')
    const share = (recorded.round.server?.cpuMs ?? Number.NaN) / 10 / seconds
    const scenario = `${clients} clients, a quarter on each wire, ${rate} msg/s, ${payload} B, poll ${pollMs} ms, loopback, ${seconds} s`
    return {
      scenario,
      findings: [
        `The server's event loop was late by ${lag('0.5').toFixed(1)} ms at the median and ${lag('0.99').toFixed(0)} ms at the 99th percentile, at ${share.toFixed(0)} % of a core; ${cut} readers were cut (one run; ${scenario}).`,
      ],
      tables: [
        {
          title: 'Each quarter of the hall',
          columns: [
            label('wire'),
            counted('clients'),
            counted('delivered'),
            counted('lost'),
            sampled('delay p50', 'ms', 1),
            sampled('p99', 'ms', 1),
          ],
          rows: recorded.groups.map(({ lane, clients: count, total, lost, trips }) => [
            lane,
            count,
            total.delivered,
            lost,
            recorded.time(trips.quantile(0.5)),
            recorded.time(trips.quantile(0.99)),
          ]),
          note: 'Lag from the server’s own /metrics. One run: no interval.',
        },
      ],
      charts: [],
      checks: [check('no reader is cut', cut, exactly(0))],
      notes: withheldNotes([recorded]),
    }
  },
}
