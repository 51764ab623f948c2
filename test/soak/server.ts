/** The server of a soak, in a process of its own: what it holds, counted from outside what it serves. */
import { readdirSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { Registry } from 'prom-client'
import { answer } from '../../bench/processes.ts'
import { buildApp } from '../../src/server/app.ts'

/** What the process holds at one moment, after everything that nobody holds was freed. */
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
const registry = new Registry()
const app = await buildApp({ registry, drainMs: 0, publishesPerSecond: 0, roomsPerMinute: 0, maxLagMs: 60_000 })

async function gauge(name: string): Promise<number> {
  const metric = await registry.getSingleMetric(name)?.get()
  return (metric?.values ?? []).reduce((sum, { value }) => sum + value, 0)
}

const methods = {
  /** Listens on a free port of 127.0.0.1; resolves with its address. */
  async open(): Promise<string> {
    await app.listen({ port: 0, host: '127.0.0.1' })
    return `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`
  },
  async held(): Promise<Held> {
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
  },
  async close(): Promise<void> {
    app.server.closeAllConnections()
    await app.close()
  },
}
export type ServerMethods = typeof methods

answer(methods)
