/** Publishing: the same function for a POST and for a frame up the socket. */
import type { FastifyRequest } from 'fastify'
import { parseDraft } from '../protocol/draft.ts'
import type { Ack, Member } from '../protocol/message.ts'
import { Problem } from '../protocol/problem.ts'
import type { Rooms } from './rooms.ts'

/** Who publishes, and from where. */
export interface Publisher {
  readonly member: Member | undefined
  readonly address: string
}

export async function publisherOf(rooms: Rooms, request: FastifyRequest): Promise<Publisher> {
  return { member: await rooms.member(request), address: request.ip }
}

/**
 * Takes a draft, fresh from JSON, into the room. What comes back is kept; the repeat of an id is answered with the
 * place of the first.
 * @throws Problem, of which `store-unavailable` has an unknown outcome: the same id may be sent again
 */
export function publish(rooms: Rooms, { member, address }: Publisher, room: string, input: unknown): Promise<Ack> {
  return rooms.drain.finish(
    (async () => {
      rooms.refuseWhenBusy()
      if (member === undefined) throw rooms.stranger()
      await rooms.authorize(member, room, 'publish')
      const retryAfterMs = rooms.publishRate.take(member.id)
      if (retryAfterMs > 0) throw new Problem('rate-limited', undefined, { retryAfterMs })
      const draft = parseDraft(input)
      await rooms.createRoom(room, address)
      rooms.renew(room, member)
      const appended = await rooms.store.append(room, member, draft)
      if (appended.outcome === 'mismatch') throw new Problem('idempotency-mismatch')
      return appended.ack
    })(),
  )
}
