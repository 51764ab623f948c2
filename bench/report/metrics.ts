/** The metrics of a round: what each is, its unit, and whether it is counted or sampled. */
import type { How } from './report.ts'

export interface Metric {
  readonly label: string
  readonly unit: string
  readonly how: How & ('counted' | 'sampled')
  /** Counted within a window of time: exact, and one more or less by where the window ends. */
  readonly windowed?: true
}

const counted = (label: string): Metric => ({ label, unit: '', how: 'counted' })
const windowed = (label: string, unit = ''): Metric => ({ label, unit, how: 'counted', windowed: true })
const sampled = (label: string, unit: string): Metric => ({ label, unit, how: 'sampled' })

export const metrics = {
  clients: counted('clients'),
  seconds: sampled('measured for', 's'),
  published: counted('messages published'),
  delivered: counted('messages delivered'),
  expected: counted('deliveries expected'),
  deliveredInWindow: windowed('messages delivered within the window'),
  lost: counted('messages lost'),
  repeated: counted('messages repeated'),
  requests: windowed('requests'),
  batches: windowed('batches with messages'),
  empty: windowed('empty answers'),
  bytesUp: windowed('bytes up', 'B'),
  bytesDown: windowed('bytes down', 'B'),
  bytesPerMessage: windowed('bytes per delivered message', 'B'),
  requestsPerSecond: windowed('requests a second', '1/s'),
  p50: sampled('delay, median', 'ms'),
  p95: sampled('delay, 95th percentile', 'ms'),
  p99: sampled('delay, 99th percentile', 'ms'),
  mean: sampled('delay, mean', 'ms'),
  max: sampled('delay, longest', 'ms'),
  cpuPerThousand: sampled('server CPU per 1,000 deliveries', 'ms'),
  cpuShare: sampled('server CPU, share of a core', ''),
  rssBytes: sampled('server memory (RSS)', 'B'),
  generatorLagP99: sampled("generator's event loop, 99th percentile", 'ms'),
  generatorCpuShare: sampled('generator CPU, share of a core', ''),
} as const satisfies Record<string, Metric>

export type MetricName = keyof typeof metrics
