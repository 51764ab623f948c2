/** Socket.IO 4 with its defaults: rooms by the handshake's query, and a plain POST that emits to one. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import { Server as SocketServer } from 'socket.io'

export function socketIo(): { readonly server: Server; readonly close: () => Promise<void> } {
  const server = createServer((request, response) => void publish(request, response))
  const io = new SocketServer(server)
  io.on('connection', (socket) => socket.join(String(socket.handshake.query['room'])))
  const publish = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const room = /^\/rooms\/([\w-]+)\/messages$/.exec(request.url ?? '')?.[1] ?? ''
    const message = JSON.parse(await text(request)) as { text: string }
    io.to(room).emit('message', message.text)
    response.writeHead(204).end()
  }
  return { server, close: () => io.close() }
}
