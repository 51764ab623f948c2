/** A door in front of a server: connections go where it leads now, and what comes back can be kept from coming. */
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

export interface Door extends AsyncDisposable {
  readonly port: number
  /** The port on 127.0.0.1 that new connections are led to. */
  to: number
  /** Answers are swallowed: what is asked happens, and nobody hears of it. */
  mute: boolean
  /** Cuts every connection, without a word. */
  cut(): void
}

export async function startDoor(to: number): Promise<Door> {
  const sockets = new Set<Socket>()
  const server = createServer((client) => {
    const upstream = connect(door.to, '127.0.0.1')
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => sockets.delete(socket))
    }
    client.pipe(upstream)
    upstream.on('data', (bytes: Buffer) => {
      if (!door.mute) client.write(bytes)
    })
    client.on('close', () => upstream.destroy())
    upstream.on('close', () => client.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const cut = (): void => sockets.forEach((socket) => socket.destroy())
  const door: Door = {
    port: (server.address() as AddressInfo).port,
    to,
    mute: false,
    cut,
    async [Symbol.asyncDispose]() {
      cut()
      await new Promise((resolve) => server.close(resolve))
    },
  }
  return door
}
