/** An independent counter: a TCP relay that passes bytes on as they come, and counts them both ways. */
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

export interface CountedConnection {
  /** What the server takes for the client's port. */
  readonly port: number
  readonly up: number
  readonly down: number
  /** What the client has sent, as far as it is kept: tells what kind of connection it is. */
  readonly text: string
}

/** So much of what a client sends is kept, in bytes. */
const keptBytes = 65_536

export interface Relay extends AsyncDisposable {
  readonly port: number
  /** Bytes of all connections so far. */
  readonly up: number
  readonly down: number
  /** Those on which anything passed, closed ones too. */
  readonly connections: readonly CountedConnection[]
}

export async function startRelay(to: number): Promise<Relay> {
  const count = { up: 0, down: 0 }
  const connections: { -readonly [Name in keyof CountedConnection]: CountedConnection[Name] }[] = []
  const sockets = new Set<Socket>()
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    const upstream = connect({ port: to, host: '127.0.0.1', allowHalfOpen: true, noDelay: true })
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.on('error', () => {})
    }
    const each = { port: 0, up: 0, down: 0, text: '' }
    connections.push(each)
    upstream.on('connect', () => (each.port = upstream.localPort ?? 0))
    client.on('data', (bytes: Buffer) => {
      count.up += bytes.length
      each.up += bytes.length
      if (each.text.length < keptBytes) each.text += bytes.toString('latin1')
    })
    upstream.on('data', ({ length }: Buffer) => {
      count.down += length
      each.down += length
    })
    client.pipe(upstream)
    upstream.pipe(client)
    client.on('close', () => upstream.destroy())
    upstream.on('close', () => client.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    get up() {
      return count.up
    },
    get down() {
      return count.down
    },
    get connections() {
      return connections.filter(({ up, down }) => up + down > 0)
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
