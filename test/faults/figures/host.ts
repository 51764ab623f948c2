/** The server of a figure, in a process of its own: it is asked what it holds, beside what it serves. */
import type { AddressInfo, Socket } from 'node:net'
import { Registry } from 'prom-client'
import { answer } from '../../../bench/processes.ts'
import { drawId } from '../../../src/protocol/draft.ts'
import { buildApp } from '../../../src/server/app.ts'
import { type ServerOptions, withDefaults } from '../../../src/server/options.ts'
import { FileStore } from '../../../src/store/file.ts'
import { MemoryStore } from '../../../src/store/memory.ts'
import { RedisStore } from '../../../src/store/redis.ts'
import type { RoomStore } from '../../../src/store/store.ts'
import { gaugeOf, heldBy } from '../../soak/held.ts'

export interface HostSetup {
  readonly options?: Partial<ServerOptions>
  /** The directory of a file store, or where a Redis is; memory, where neither is said. */
  readonly data?: string
  readonly redis?: string
  readonly port?: number
  /** 127.0.0.1, if nothing else is said. */
  readonly host?: string
}

/** Sessions outlive a restart. */
const sessionSecret = 'the secret of the figures'

const registry = new Registry()
const sockets = new Set<Socket>()
let store: RoomStore | undefined

function open(limits: ServerOptions, { data, redis }: HostSetup): Promise<RoomStore> | RoomStore {
  if (redis !== undefined) return RedisStore.open(redis, limits)
  return data === undefined ? new MemoryStore(limits) : FileStore.open(data, { limits })
}

const methods = {
  /** Listens; resolves with its port. */
  async open({ options = {}, port = 0, host = '127.0.0.1', ...where }: HostSetup): Promise<number> {
    const all = { sessionSecret, drainMs: 0, publishesPerSecond: 0, roomsPerMinute: 0, maxLagMs: 60_000, ...options }
    store = await open(withDefaults(all), where)
    const app = await buildApp({ ...withDefaults(all), registry, store })
    app.server.on('connection', (socket: Socket) => {
      sockets.add(socket)
      socket.once('close', () => sockets.delete(socket))
    })
    await app.listen({ port, host, backlog: 4_096 })
    return (app.server.address() as AddressInfo).port
  },
  held: () => heldBy(registry),
  /** Connections with so much waiting that the log is not read on for them. */
  waiting: (): number => [...sockets].filter(({ writableLength }) => writableLength >= 65_536).length,
  rss: (): number => process.memoryUsage().rss,
  /** Requests and streams that are held, by transport. */
  async wires(): Promise<Readonly<Record<string, number>>> {
    const metric = await registry.getSingleMetric('fourwires_connections')?.get()
    return Object.fromEntries((metric?.values ?? []).map(({ labels, value }) => [labels['transport'], value]))
  },
  connections: (): Promise<number> => gaugeOf(registry, 'fourwires_connections'),
  members: (): Promise<number> => gaugeOf(registry, 'fourwires_members'),
  rooms: (): Promise<number> => gaugeOf(registry, 'fourwires_rooms_watched'),
  /** Rooms that the memory store keeps. */
  kept: (): number => (store instanceof MemoryStore ? store.size.rooms : Number.NaN),
  /** Cuts every n-th connection, as a network does that goes away. Resolves with how many. */
  cut(every: number): number {
    const chosen = [...sockets].filter((_, index) => index % every === 0)
    for (const socket of chosen) socket.resetAndDestroy()
    return chosen.length
  },
  /** So many messages of so many characters by one author, over the store that is served from. */
  async say(url: string, room: string, messages: number, characters: number): Promise<void> {
    const response = await fetch(`${url}/session`, { method: 'POST' })
    const cookie = response.headers.getSetCookie()[0]?.split(';')[0] ?? ''
    await response.text()
    for (let sent = 0; sent < messages; sent++) {
      const body = JSON.stringify({ id: drawId(), text: 'x'.repeat(characters) })
      const headers = { 'content-type': 'application/json', cookie }
      const { ok } = await fetch(`${url}/rooms/${room}/messages`, { method: 'POST', headers, body })
      if (!ok) throw new Error('a message was refused')
    }
  },
  /** The wires of everybody who is listed as a member. */
  async list(url: string, room: string): Promise<string[]> {
    const members = (await (await fetch(`${url}/rooms/${room}/members`)).json()) as { wires: { transport: string }[] }[]
    return members.flatMap(({ wires }) => wires.map(({ transport }) => transport))
  },
}
export type Host = typeof methods

answer(methods)
