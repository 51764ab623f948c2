/** The subject: the server under test, in a process of its own, with counters on its sockets. */
import type { FastifyInstance } from 'fastify'
import type { Server } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { AppOptions } from '../src/server/app.ts'
import type { PeerName } from './dialects/index.ts'
import { answer } from './processes.ts'

export interface SubjectSetup {
  readonly peer?: PeerName
  /** The room server's own options; what would refuse a load is off already. */
  readonly options?: Omit<AppOptions, 'store' | 'authenticate' | 'authorize' | 'registry' | 'logger'>
}

/** What the server has used so far. */
export interface Usage {
  /** User and system time of its process, in ms. */
  readonly cpuMs: number
  readonly rssBytes: number
  /** By its sockets' counters; undefined where nobody can ask them. */
  readonly bytesRead?: number
  readonly bytesWritten?: number
  readonly connections?: number
}

/** A measured server refuses nobody: limits are what other tests are about. */
const unlimited = { publishesPerSecond: 0, roomsPerMinute: 0, maxConnections: 100_000, maxLagMs: 60_000 } as const

const sockets = new Set<Socket>()
const gone = { read: 0, written: 0 }
let served: Served | undefined

function count(server: Server): void {
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.once('close', () => {
      sockets.delete(socket)
      gone.read += socket.bytesRead
      gone.written += socket.bytesWritten
    })
  })
}

/** A server in a process of its own: it listens already, and says by itself what it uses. */
interface Apart {
  readonly url: string
  usage(): Usage
}

/** A server that was made; ours does not listen yet. */
interface Served {
  readonly server: Server | Apart
  readonly close: () => unknown
}

const isApart = (server: Server | Apart): server is Apart => 'url' in server

/** @throws Error where the server is a process that takes no such orders */
function refuseApart(order: string): void {
  if (served !== undefined && isApart(served.server)) throw new Error(`this server is a process of its own: nobody can tell it to ${order}`)
}

/** How each is made. What it needs is loaded with it: the memory of one has nothing of the others. */
const make: Readonly<Record<PeerName, (options: AppOptions) => Promise<Served>>> = {
  fourwires: async (options) => ready(await (await import('../src/server/app.ts')).buildApp(options)),
  lines: async (options) => ready(await (await import('./peers/lines.ts')).buildLines(options)),
  naive: async () => ready(await (await import('./peers/naive.ts')).naive()),
  'socket.io': async () => (await import('./peers/socket-io.ts')).socketIo(),
  nchan: async () => {
    const server = await (await import('./peers/nchan.ts')).startNchan()
    return { server, close: () => server.end() }
  },
}

async function ready(app: FastifyInstance): Promise<Served> {
  await app.ready()
  return { server: app.server, close: () => app.close() }
}

const methods = {
  /** Listens on a free port of 127.0.0.1; resolves with its address. */
  async open(setup: SubjectSetup): Promise<string> {
    const { peer = 'fourwires', options = {} } = setup
    served = await make[peer]({ ...unlimited, drainMs: 0, ...options })
    const { server } = served
    if (isApart(server)) return server.url
    count(server)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  },
  usage(): Usage {
    if (served !== undefined && isApart(served.server)) return served.server.usage()
    const { user, system } = process.cpuUsage()
    let { read, written } = gone
    for (const socket of sockets) {
      read += socket.bytesRead
      written += socket.bytesWritten
    }
    return {
      cpuMs: (user + system) / 1000,
      rssBytes: process.memoryUsage.rss(),
      bytesRead: read,
      bytesWritten: written,
      connections: sockets.size,
    }
  },
  /** Frees what nobody holds, so that memory can be compared. */
  collect(): void {
    refuseApart('collect')
    setFlagsFromString('--expose-gc')
    const gc = runInNewContext('gc') as () => void
    gc()
    gc()
  },
  /** Cuts the connections from these ports of their clients, or every one, as a network does that goes away. */
  cut(ports?: readonly number[]): void {
    refuseApart('cut connections')
    for (const socket of sockets) if (ports === undefined || ports.includes(socket.remotePort ?? 0)) socket.destroy()
  },
  /** Does nothing but this for so many ms. */
  stall(ms: number): void {
    refuseApart('stall')
    const end = performance.now() + ms
    while (performance.now() < end);
  },
  async close(): Promise<void> {
    for (const socket of sockets) socket.destroy()
    await served?.close()
  },
}
export type SubjectMethods = typeof methods

answer(methods)
