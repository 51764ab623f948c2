/** What a server's process holds, counted from outside what it serves. */
import { readdirSync } from 'node:fs'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { Registry } from 'prom-client'

/** At one moment, after everything that nobody holds was freed. */
export interface Held {
  readonly heapBytes: number
  readonly rssBytes: number
  readonly descriptors: number
  readonly timers: number
  readonly members: number
  readonly connections: number
  readonly rooms: number
}

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

/** A gauge of the server, all its labels together. */
export async function gaugeOf(registry: Registry, name: string): Promise<number> {
  const metric = await registry.getSingleMetric(name)?.get()
  return (metric?.values ?? []).reduce((sum, { value }) => sum + value, 0)
}

/** Of this process, by the metrics of its server. */
export async function heldBy(registry: Registry): Promise<Held> {
  const gauge = (name: string): Promise<number> => gaugeOf(registry, name)
  collect()
  collect()
  const { heapUsed, rss } = process.memoryUsage()
  return {
    heapBytes: heapUsed,
    rssBytes: rss,
    descriptors: readdirSync('/proc/self/fd').length,
    timers: await gauge('fourwires_timers'),
    members: await gauge('fourwires_members'),
    connections: await gauge('fourwires_tcp_connections'),
    rooms: await gauge('fourwires_rooms_watched'),
  }
}
