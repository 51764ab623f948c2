/** One proxy, as it is configured for one server, with many servers behind it: what its start costs is paid once. */
import { type AddressInfo, createServer, type Socket } from 'node:net'
import type { Front } from './company.ts'
import { configuration, type ProxyName, startProgram } from './real-proxy.ts'
import type { TestServer } from './server.ts'

export interface SharedProxy extends AsyncDisposable {
  /** An address through the proxy to this server, for as long as it is not given back; waits where all are taken. */
  front(server: TestServer): Promise<Front>
}

/**
 * The configuration so many times over, each with an address and a server of its own. Its end throws where a server was asked
 * past the proxy only.
 */
export async function startSharedProxy(proxy: ProxyName, config: string, places: number): Promise<SharedProxy> {
  const doors = await Promise.all(Array.from({ length: places }, openDoor))
  const close = (): Promise<unknown> => Promise.all(doors.map((door) => door.close()))
  let addresses: readonly number[] = []
  const configure = (ports: readonly number[]): string => {
    addresses = ports
    return ports.map((port, place) => numbered(configuration(proxy, config, { port, server: doors[place]?.port ?? 0 }), place)).join('\n')
  }
  const program = await startProgram(proxy, places, configure).catch((error: unknown) => close().then(() => Promise.reject(error)))
  const free = doors.map((door, place) => ({ door, url: `http://127.0.0.1:${addresses[place]}` }))
  const waiting: (() => void)[] = []
  let passedBy = 0
  return {
    async front(server) {
      while (free.length === 0) await new Promise<void>((resolve) => waiting.push(resolve))
      // The one that has been free for the longest: what was said there before is over.
      const place = free.shift() as (typeof free)[number]
      place.door.to = server
      return {
        url: place.url,
        async [Symbol.asyncDispose]() {
          if (place.door.leave() === 0) passedBy++
          free.push(place)
          waiting.shift()?.()
        },
      }
    },
    async [Symbol.asyncDispose]() {
      await program.close()
      await close()
      if (passedBy > 0) throw new Error(`To ${passedBy} servers behind ${proxy} nobody came through it`)
    },
  }
}

/** Names of sections are given once in a configuration. */
const numbered = (text: string, place: number): string => text.replace(/\b(fourwires|public|connection_upgrade)\b/g, `$1_${place}`)

interface Door {
  readonly port: number
  /** Who is given the connections that come. */
  to: TestServer | undefined
  /** Nobody is, and those that came are cut. Says how many came. */
  leave(): number
  close(): Promise<void>
}

/** A port whose connections are handed to a server of this process as if they had come to its own: nothing is between. */
async function openDoor(): Promise<Door> {
  const sockets = new Set<Socket>()
  let came = 0
  const listener = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    came++
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
    if (door.to === undefined) socket.destroy()
    else door.to.app.server.emit('connection', socket)
  })
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve))
  const door: Door = {
    port: (listener.address() as AddressInfo).port,
    to: undefined,
    leave() {
      door.to = undefined
      for (const socket of sockets) socket.destroy()
      const before = came
      came = 0
      return before
    },
    async close() {
      door.leave()
      await new Promise((resolve) => listener.close(resolve))
    },
  }
  return door
}
