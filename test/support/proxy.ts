/** A reverse proxy of real sockets that gets in the way as real ones do: no upgrades, held streams, pages of its own, gone. */
import { createServer, request as forward } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'

export interface Obstacles {
  /** Upgrades are refused with 502, or accepted and then nothing comes through. */
  upgrade?: 'refuse' | 'swallow'
  /** An event stream is held back until it ends. */
  buffer?: boolean
  /** Every answer is a page of the proxy's own. */
  page?: boolean
  /** The connection is cut instead of an answer. */
  dead?: boolean
  /** The answer to a publish is lost: it has happened, and nobody hears of it. */
  loseAcks?: boolean
}

export interface Proxy {
  readonly url: string
  /** In force from the next request on. */
  obstacles: Obstacles
  /** Publishes seen. */
  publishes: number
  /** Cuts every connection, without a word. */
  cut(): void
  close(): Promise<void>
}

export async function startProxy(port: number, obstacles: Obstacles = {}, at = 0): Promise<Proxy> {
  const sockets = new Set<Socket>()
  const server = createServer((request, response) => {
    const { dead, page, buffer, loseAcks } = proxy.obstacles
    const publish = request.method === 'POST' && request.url?.endsWith('/messages') === true
    if (publish) proxy.publishes++
    if (dead) {
      request.socket.destroy()
      return
    }
    if (page) {
      response.writeHead(502, { 'content-type': 'text/html' }).end('<h1>Bad gateway</h1>')
      return
    }
    const upstream = forward({ port, host: '127.0.0.1', method: request.method, path: request.url, headers: request.headers }, (answer) => {
      if (publish && loseAcks) {
        request.socket.destroy()
        return
      }
      const held = buffer === true && answer.headers['content-type'] === 'text/event-stream'
      response.writeHead(answer.statusCode ?? 502, answer.headers)
      if (held) answer.resume()
      else answer.pipe(response)
    })
    upstream.on('error', () => response.destroy())
    response.on('close', () => upstream.destroy())
    request.pipe(upstream)
  })
  server.on('upgrade', (request, socket: Socket) => {
    const { dead, upgrade } = proxy.obstacles
    socket.on('error', () => {})
    if (dead) {
      socket.destroy()
      return
    }
    if (upgrade === 'refuse') {
      socket.end('HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\nconnection: close\r\n\r\n')
      return
    }
    const upstream = connect(port, '127.0.0.1')
    sockets.add(upstream)
    upstream.on('close', () => socket.destroy())
    upstream.on('error', () => socket.destroy())
    socket.on('close', () => upstream.destroy())
    const head = [`${request.method} ${request.url} HTTP/1.1`]
    for (let index = 0; index < request.rawHeaders.length; index += 2)
      head.push(`${request.rawHeaders[index]}: ${request.rawHeaders[index + 1]}`)
    upstream.write(`${head.join('\r\n')}\r\n\r\n`)
    socket.pipe(upstream)
    // The answer to the handshake passes; what follows it does not.
    upstream.on('data', (bytes: Buffer) => {
      const end = bytes.indexOf('\r\n\r\n')
      if (upgrade !== 'swallow') socket.write(bytes)
      else if (end !== -1 && bytes.toString().startsWith('HTTP/1.1 101')) socket.write(bytes.subarray(0, end + 4))
    })
  })
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  await new Promise<void>((resolve) => server.listen(at, '127.0.0.1', resolve))
  const cut = (): void => sockets.forEach((socket) => socket.destroy())
  const proxy: Proxy = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    obstacles,
    publishes: 0,
    cut,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        cut()
      }),
  }
  return proxy
}
