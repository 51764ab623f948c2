/**
 * A TCP proxy on 127.0.0.1 that gets in the way as a network does. It reads as much HTTP as it takes to know where a
 * request begins, and asks for each what is to become of it; whoever answers draws from a seed, and the run can be had again.
 */
import { type AddressInfo, createServer, type Socket } from 'node:net'
import type { Exchange, Fault } from './fault.ts'
import { FaultyConnection, type Way } from './faulty-connection.ts'

export type Choose = (exchange: Exchange) => Fault | undefined

export interface FaultyProxy extends AsyncDisposable {
  readonly port: number
  readonly url: string
  /** The server's port, for connections from now on. */
  to: number
  /** What becomes of each exchange from now on; nothing, if nothing is said. */
  choose: Choose
  /** Connections on which nothing passed for so long are cut, in ms; 0 is never. For connections from now on. */
  idleMs: number
  /** Nobody gets in: connections are closed as they come. */
  away: boolean
  /** Faults that came into effect, and all that was asked. */
  readonly injections: number
  readonly exchanges: readonly Exchange[]
  /** Is called at each fault that comes into effect. */
  onInjected: () => void
  /** Cuts every connection. Returns how many there were. */
  cut(how?: 'end' | 'reset'): number
  /** No byte passes on the connections that are open now, either way, and nobody is told. Returns how many there were. */
  freeze(): number
}

const nothing: Choose = () => undefined

export async function startFaultyProxy(to: number, choose: Choose = nothing, at = 0): Promise<FaultyProxy> {
  const connections = new Set<FaultyConnection>()
  const exchanges: Exchange[] = []
  let injections = 0
  const injected = (): void => {
    injections++
    proxy.onInjected()
  }
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (client: Socket) => {
    if (proxy.away) return client.destroy()
    const connection = new FaultyConnection(client, way)
    connections.add(connection)
    void connection.closed.then(() => connections.delete(connection))
    return undefined
  })
  await new Promise<void>((resolve) => server.listen(at, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const proxy: FaultyProxy & { injections: number } = {
    port,
    url: `http://127.0.0.1:${port}`,
    to,
    choose,
    idleMs: 0,
    away: false,
    get injections() {
      return injections
    },
    exchanges,
    onInjected: () => {},
    cut: (how = 'end') => {
      const { size } = connections
      for (let each = 0; each < size; each++) injected()
      for (const connection of connections) connection.cut(how)
      return size
    },
    freeze: () => {
      const { size } = connections
      for (let each = 0; each < size; each++) injected()
      for (const connection of connections) connection.freeze()
      return size
    },
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => server.close(resolve))
      for (const connection of connections) connection.cut('end')
      await closed
    },
  }
  const way: Way = {
    get to() {
      return proxy.to
    },
    get idleMs() {
      return proxy.idleMs
    },
    begin: (exchange) => {
      exchanges.push(exchange)
      return proxy.choose(exchange)
    },
    number: () => exchanges.length + 1,
    injected,
  }
  return proxy
}
