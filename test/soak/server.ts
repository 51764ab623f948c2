/** The server of a soak, in a process of its own: what it holds, counted from outside what it serves. */
import type { AddressInfo } from 'node:net'
import { Registry } from 'prom-client'
import { answer } from '../../bench/processes.ts'
import { buildApp } from '../../src/server/app.ts'
import { heldBy } from './held.ts'

const registry = new Registry()
const app = await buildApp({ registry, drainMs: 0, publishesPerSecond: 0, roomsPerMinute: 0, maxLagMs: 60_000 })

const methods = {
  /** Listens on a free port of 127.0.0.1; resolves with its address. */
  async open(): Promise<string> {
    await app.listen({ port: 0, host: '127.0.0.1' })
    return `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`
  },
  held: () => heldBy(registry),
  async close(): Promise<void> {
    app.server.closeAllConnections()
    await app.close()
  },
}
export type ServerMethods = typeof methods

answer(methods)
