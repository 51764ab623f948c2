/** What stands before several nodes and keeps no one at any of them: every request and every upgrade goes to the next in turn. */
import { Agent, createServer, type IncomingMessage, request as forward } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'

export interface Turns {
  readonly port: number
  /** Where requests go, in turn. Without one that takes no connections they go to the next. */
  ports: readonly number[]
  /** How many went to which. */
  readonly counts: Map<number, number>
  /** Cuts every connection, without a word. */
  cut(): void
  close(): Promise<void>
}

export async function startTurns(ports: readonly number[], at = 0): Promise<Turns> {
  const sockets = new Set<Socket>()
  const agent = new Agent({ keepAlive: true })
  let turn = 0
  const next = (): number => {
    const port = turns.ports[turn++ % turns.ports.length] ?? 0
    turns.counts.set(port, (turns.counts.get(port) ?? 0) + 1)
    return port
  }
  const server = createServer((request, response) => {
    const { method, url: path, headers } = request
    const upstream = forward({ port: next(), host: '127.0.0.1', method, path, headers, agent }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers)
      response.flushHeaders()
      answer.pipe(response)
      // What ends early there ends early here.
      answer.on('close', () => answer.complete || response.destroy())
    })
    upstream.on('error', () => response.destroy())
    response.on('close', () => response.writableFinished || upstream.destroy())
    request.pipe(upstream)
  })
  server.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => {
    const upstream = connect(next(), '127.0.0.1')
    for (const [one, other] of [[socket, upstream] as const, [upstream, socket] as const]) {
      one.on('error', () => {})
      one.on('close', () => other.destroy())
    }
    sockets.add(upstream)
    const lines = [`${request.method} ${request.url} HTTP/1.1`]
    for (let index = 0; index < request.rawHeaders.length; index += 2)
      lines.push(`${request.rawHeaders[index]}: ${request.rawHeaders[index + 1]}`)
    upstream.write(`${lines.join('\r\n')}\r\n\r\n`)
    upstream.write(head)
    socket.pipe(upstream)
    upstream.pipe(socket)
  })
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  await new Promise<void>((resolve) => server.listen(at, '127.0.0.1', resolve))
  const cut = (): void => sockets.forEach((socket) => socket.destroy())
  const turns: Turns = {
    port: (server.address() as AddressInfo).port,
    ports,
    counts: new Map(),
    cut,
    close: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      cut()
      agent.destroy()
      await closed
    },
  }
  return turns
}
