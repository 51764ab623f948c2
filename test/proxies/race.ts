/** The race of an idle connection: the server closes it in the moment in which the proxy sends a request down it. */
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { RawClient, request } from '../support/raw-client.ts'
import { type ProxyName, startRealProxy } from '../support/real-proxy.ts'
import { member, postRaw, startServer } from '../support/server.ts'
import { keeping } from './edits.ts'
import { unhurried } from './look.ts'

/** So many ms lie between proxy and server, each way: on one machine alone the moment is too short to be met. */
const distanceMs = 20

export interface Race {
  readonly reuses: number
  /** Publishes that were not answered by the server: a 502, or a connection cut. */
  readonly failed: number
  /** Connections that the proxy opened to the server for them: with one for each nothing was reused. */
  readonly connections: number
}

/** Publishes, with an idle time before each that ends about when the first of the two gives the connection up. */
export async function race(proxy: ProxyName, serverMs: number, proxyMs: number, reuses: number): Promise<Race> {
  await using server = await startServer({ ...unhurried, keepAliveMs: serverMs, publishesPerSecond: 0 })
  await using distance = await startDistance(server.port)
  await using front = await startRealProxy({ proxy, config: 'tuned', servers: [distance.port], edit: keeping(proxy, proxyMs) })
  const { cookie } = await member(front.url)
  const closedMs = await idleTime(server.port)
  const before = distance.connections()
  let failed = 0
  for (let n = 0; n < reuses; n++) {
    // The server's FIN is on its way for one distance, and so is the request.
    const idleMs = Math.min(closedMs, proxyMs) - distanceMs + (n % 5) * 3 - 6
    await new Promise((resolve) => setTimeout(resolve, idleMs))
    const status = await postRaw(front.url, 'lobby', cookie, JSON.stringify({ text: `text ${n}` })).then(
      async (answer) => (await answer.text(), answer.status),
      () => 0,
    )
    if (status !== 201) failed++
  }
  return { reuses, failed, connections: distance.connections() - before }
}

/** After how many ms the server closes an idle connection: later Nodes add a second of their own. */
async function idleTime(port: number): Promise<number> {
  using client = await RawClient.connect(port)
  await client.send(request(port, 'GET /healthz')).response()
  const answered = performance.now()
  await client.ended
  return performance.now() - answered
}

/** A TCP relay that holds every byte, and every end, for `distanceMs`. */
async function startDistance(to: number): Promise<AsyncDisposable & { readonly port: number; connections(): number }> {
  const sockets = new Set<Socket>()
  let connections = 0
  const later = (act: () => void): void => void setTimeout(act, distanceMs)
  const pass = (from: Socket, onto: Socket): void => {
    sockets.add(from)
    from.on('data', (bytes) => later(() => onto.write(bytes)))
    from.on('end', () => later(() => onto.end()))
    from.on('error', () => {})
    from.on('close', () => later(() => onto.destroy()))
  }
  const server = createServer({ noDelay: true, allowHalfOpen: true }, (client) => {
    connections++
    const upstream = connect({ port: to, host: '127.0.0.1', noDelay: true, allowHalfOpen: true })
    pass(client, upstream)
    pass(upstream, client)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    connections: () => connections,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
