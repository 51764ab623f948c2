/** What a report keeps of a round: one line of metrics for each group. */
import type { Group, Round } from './round.ts'
import { bytesDown, bytesUp } from './connection.ts'
import type { MetricName } from './report/metrics.ts'
import type { RoundRecord } from './report/report.ts'

/** Times are left out where a generator was saturated, and what was not measured: of a round with several lanes their CPU. */
export function metricsOf({ groups, server, audience, saturated, seconds }: Round, group: Group): RoundRecord['metrics'] {
  const { lane, window, total, trips, clients, lost, messages } = group
  const alone = groups.every((each) => each.lane === lane) ? server : undefined
  const up = bytesUp(window)
  const down = bytesDown(window)
  const times: Partial<Record<MetricName, number | undefined>> = saturated
    ? {}
    : { p50: trips.quantile(0.5), p95: trips.quantile(0.95), p99: trips.quantile(0.99), mean: trips.mean, max: trips.max }
  const all: Partial<Record<MetricName, number | undefined>> = {
    clients,
    seconds,
    published: messages,
    delivered: total.delivered,
    expected: messages * clients,
    lost,
    repeated: total.repeated,
    requests: window.requests,
    deliveredInWindow: window.delivered,
    batches: window.batches,
    empty: window.empty,
    bytesUp: up,
    bytesDown: down,
    bytesPerMessage: (up + down) / window.delivered,
    requestsPerSecond: window.requests / seconds,
    ...times,
    cpuPerThousand: alone && (alone.cpuMs * 1000) / window.delivered,
    cpuShare: alone && alone.cpuMs / 1000 / seconds,
    rssBytes: alone?.rssBytes,
    generatorLagP99: audience.lagP99,
    generatorCpuShare: audience.cpuShare,
  }
  return Object.fromEntries(Object.entries(all).filter((entry): entry is [string, number] => Number.isFinite(entry[1])))
}
