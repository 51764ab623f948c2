/** The room server that most people would write, in an afternoon and from Fastify's documentation: the same four wires. */
import fastifyWebsocket from '@fastify/websocket'
import Fastify, { type FastifyInstance } from 'fastify'
import type { ServerResponse } from 'node:http'
import type { WebSocket } from 'ws'

interface Room {
  readonly messages: { readonly n: number; readonly text: string; readonly at: number }[]
  readonly streams: Set<ServerResponse>
  readonly sockets: Set<WebSocket>
  waiters: (() => void)[]
}
interface Asked {
  Params: { room: string }
  Querystring: { after?: string }
  Body: { text: string }
}

const holdMs = 25_000

export async function naive(): Promise<FastifyInstance> {
  const rooms = new Map<string, Room>()
  const roomOf = ({ params: { room: name } }: { params: Asked['Params'] }): Room => {
    const room = rooms.get(name) ?? { messages: [], streams: new Set(), sockets: new Set(), waiters: [] }
    rooms.set(name, room)
    return room
  }
  const app = Fastify()
  await app.register(fastifyWebsocket)

  app.get<Asked>('/rooms/:room/poll', async (request) => roomOf(request).messages.slice(Number(request.query.after ?? 0)))

  app.get<Asked>('/rooms/:room/long-poll', async (request) => {
    const room = roomOf(request)
    const after = Number(request.query.after ?? 0)
    if (room.messages.length <= after) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, holdMs)
        room.waiters.push(() => {
          clearTimeout(timer)
          resolve()
        })
      })
    }
    return room.messages.slice(after)
  })

  app.get<Asked>('/rooms/:room/sse', (request, reply) => {
    const { streams } = roomOf(request)
    reply.hijack()
    reply.raw.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' })
    reply.raw.flushHeaders()
    streams.add(reply.raw)
    reply.raw.on('close', () => streams.delete(reply.raw))
  })

  app.get<Asked>('/rooms/:room/websocket', { websocket: true }, (socket, request) => {
    const { sockets } = roomOf(request)
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })

  app.post<Asked>('/rooms/:room/messages', async (request, reply) => {
    const room = roomOf(request)
    const message = { n: room.messages.length + 1, text: request.body.text, at: Date.now() }
    room.messages.push(message)
    const json = JSON.stringify(message)
    for (const stream of room.streams) stream.write(`id: ${message.n}\ndata: ${json}\n\n`)
    for (const socket of room.sockets) socket.send(json)
    const { waiters } = room
    room.waiters = []
    for (const wake of waiters) wake()
    return reply.code(201).send({ n: message.n })
  })

  return app
}
