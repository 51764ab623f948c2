/** Who is here: the list, the renewal of a lease that no wire of its own can carry, and the state of a member. */
import type { FastifyInstance } from 'fastify'
import { Problem } from '../protocol/problem.ts'
import { drawMs } from '../protocol/random.ts'
import { carry, publisherOf } from './publish.ts'
import { parseKeys, roomOf } from './query.ts'
import type { Rooms } from './rooms.ts'
import { noStore } from './transports/transport.ts'

/** Adds `GET /rooms/:room/members`, `POST /rooms/:room/lease` and `PUT /rooms/:room/state` to the application. */
export function addMembers(app: FastifyInstance, rooms: Rooms): void {
  const { allowQueryKeys } = rooms.options

  app.get('/rooms/:room/members', { exposeHeadRoute: false }, async (request, reply) => {
    const room = roomOf(request)
    parseKeys(request, [], allowQueryKeys)
    await rooms.allow(request, room)
    if (!(await rooms.known(room))) throw new Problem('store-unavailable', undefined, { retryAfterMs: drawMs(500, 2_000) })
    return reply.headers(noStore).send(rooms.hub.members.list(room))
  })

  app.post('/rooms/:room/lease', async (request, reply) => {
    const room = roomOf(request)
    parseKeys(request, [], allowQueryKeys)
    const member = await rooms.allow(request, room)
    if (member === undefined) throw rooms.stranger()
    rooms.renew(room, member)
    return reply.code(204).headers(noStore).send()
  })

  app.put('/rooms/:room/state', async (request, reply) => {
    const room = roomOf(request)
    parseKeys(request, [], allowQueryKeys)
    await carry(rooms, await publisherOf(rooms, request), room, request.body)
    // The next one may go to another node: it is to be told there later than this one.
    await rooms.hub.members.told(room)
    return reply.code(204).headers(noStore).send()
  })
}
