/** What happens, counted: by transport where it differs. Plain numbers while it happens, Prometheus when asked. */
import { Counter, Gauge, Registry } from 'prom-client'
import type { Delivery } from '../hub/delivery.ts'
import type { Hub } from '../hub/hub.ts'
import { gapReasons, type GapReason, type TransportName, transportNames } from '../protocol/message.ts'
import type { Load } from './load.ts'

/** The counters of one transport. */
export class Meter {
  connections = 0
  batches = 0
  messages = 0
  bytes = 0
  slowReadersCut = 0
  readonly #gaps: Record<GapReason, number>

  constructor(gaps: Record<GapReason, number>) {
    this.#gaps = gaps
  }

  /** A delivery was written, `bytes` long in its envelope. Returns them. */
  delivered({ batch }: Delivery, bytes: number): number {
    this.batches++
    this.messages += batch.messages.length
    this.bytes += bytes
    if (batch.gap !== undefined) this.#gaps[batch.gap.reason]++
    return bytes
  }
}

export class Metrics {
  readonly registry: Registry
  readonly meters: Readonly<Record<TransportName, Meter>>
  readonly #gaps: Record<GapReason, number> = { epoch: 0, ahead: 0, rollback: 0, trimmed: 0 }

  constructor(load: Load, hub: Hub, registry = new Registry()) {
    this.registry = registry
    const meter = (): Meter => new Meter(this.#gaps)
    this.meters = { poll: meter(), 'long-poll': meter(), sse: meter(), websocket: meter() }
    const registers = [registry]

    const perTransport = (
      name: string,
      help: string,
      read: (meter: Meter) => number,
      Kind: typeof Counter | typeof Gauge = Counter,
    ): void => {
      new Kind({
        name: `fourwires_${name}`,
        help,
        labelNames: ['transport'],
        registers,
        collect() {
          this.reset()
          for (const transport of transportNames) this.inc({ transport }, read(meters[transport]))
        },
      })
    }
    const { meters } = this
    perTransport('connections', 'Held requests and streams open now.', (m) => m.connections, Gauge)
    perTransport('batches_total', 'Batches written, heartbeats included.', (m) => m.batches)
    perTransport('deliveries_total', 'Messages written: one to each of ten readers is ten.', (m) => m.messages)
    perTransport('delivered_bytes_total', 'Bytes of batches in their envelope, HTTP heads not included.', (m) => m.bytes)
    perTransport('slow_readers_cut_total', 'Connections cut because their peer took nothing any more.', (m) => m.slowReadersCut)

    const gaps = this.#gaps
    new Counter({
      name: 'fourwires_gaps_total',
      help: 'Gaps told to readers, by reason.',
      labelNames: ['reason'],
      registers,
      collect() {
        this.reset()
        for (const reason of gapReasons) this.inc({ reason }, gaps[reason])
      },
    })
    new Gauge({
      name: 'fourwires_event_loop_lag_seconds',
      help: 'Lag of the event loop since the last time this was asked.',
      labelNames: ['quantile'],
      registers,
      collect() {
        const { p50, p99, max } = load.lag()
        for (const [quantile, ms] of [
          ['0.5', p50],
          ['0.99', p99],
          ['1', max],
        ] as const)
          this.set({ quantile }, ms / 1000)
      },
    })
    const gauge = (name: string, help: string, read: () => number): void => {
      new Gauge({
        name,
        help,
        registers,
        collect() {
          this.set(read())
        },
      })
    }
    gauge('fourwires_tcp_connections', 'TCP connections open now.', () => load.connections)
    gauge('fourwires_rooms_watched', 'Rooms in which somebody holds a wire.', () => hub.rooms)
    gauge(
      'fourwires_members',
      'Members that are here by a live lease, on whatever node, in rooms that somebody is in or reads here; one in two rooms counts twice.',
      () => hub.members.size,
    )
    gauge('fourwires_states', 'Members that carry a state.', () => hub.members.states)
    gauge('fourwires_timers', 'Timers that wait on the wheel.', () => hub.wheel.size)
    gauge('process_resident_memory_bytes', 'Resident memory of the process.', () => process.memoryUsage.rss())
  }
}
