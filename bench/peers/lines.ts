/** Our server with a fifth wire, the floor of the other four: a TCP connection that carries a batch's JSON a line, and nothing else. */
import type { FastifyInstance } from 'fastify'
import { type AppOptions, buildApp } from '../../src/server/app.ts'
import { MemoryStore } from '../../src/server/app.ts'

const head = ['HTTP/1.1 200 OK', 'Content-Type: application/x-ndjson', 'Connection: close', '', ''].join('\r\n')

/** `GET /rooms/:room/lines`: one question, whose answer ends with the connection. Rooms, publishing and batches are those of the others. */
export async function buildLines(options: AppOptions): Promise<FastifyInstance> {
  const store = new MemoryStore(options)
  const app = await buildApp({ ...options, store })
  app.get<{ Params: { room: string } }>('/rooms/:room/lines', async ({ params: { room }, raw: { socket } }, reply) => {
    reply.hijack()
    let { cursor } = await store.read(room, undefined, 1)
    socket.write(`${head}${JSON.stringify({ messages: [], cursor })}\n`)
    let reading = false
    const read = async (): Promise<void> => {
      reading = true
      // What is appended in the same turn is read with it, as the other wires do.
      await new Promise(setImmediate)
      reading = false
      const batch = await store.read(room, cursor)
      cursor = batch.cursor
      if (batch.messages.length > 0) socket.write(`${JSON.stringify(batch)}\n`)
    }
    const unwatch = await store.watch(room, () => void (reading || read()))
    socket.once('close', unwatch)
  })
  return app
}
