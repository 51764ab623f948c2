/** Publishing, and carrying a state: the same functions for a request and for a frame up the socket. */
import type { FastifyRequest } from 'fastify'
import { raceRoomOf } from '../lab/events.ts'
import { parseDraft, parseState } from '../protocol/draft.ts'
import type { Ack, Draft, Member } from '../protocol/message.ts'
import { Problem } from '../protocol/problem.ts'
import type { Appended } from '../store/store.ts'
import type { Rooms } from './rooms.ts'

/** Who publishes, and from where. */
export interface Publisher {
  readonly member: Member | undefined
  readonly address: string
}

export async function publisherOf(rooms: Rooms, request: FastifyRequest): Promise<Publisher> {
  return { member: await rooms.member(request), address: request.ip }
}

const onlyItsOwn = 'In a race only its own page speaks, over the socket of the lab.'

/** Takes a token of a member's: 0, or how many ms to wait for one. */
export type TakeToken = (member: string) => number

/**
 * Takes a draft, fresh from JSON, into the room. What comes back is kept; the repeat of an id is answered with the
 * place of the first, in a muted hall too. As often as every member may, and not where the hall is muted, unless
 * `take` says otherwise: it is the lab's own, for a race.
 * @throws Problem, of which `store-unavailable` has an unknown outcome: the same id may be sent again
 */
export function publish(rooms: Rooms, { member, address }: Publisher, room: string, input: unknown, take?: TakeToken): Promise<Ack> {
  return rooms.drain.finish(
    (async () => {
      const author = await admit(rooms, member, room, take ?? ((id) => rooms.publishRate.take(id)))
      // Whoever else spoke there would weigh on all four lanes of somebody's race.
      if (take === undefined && rooms.hall !== undefined && room.startsWith(raceRoomOf(''))) throw new Problem('forbidden', onlyItsOwn)
      const draft = parseDraft(input, rooms.options.textUnits)
      // Who is muted and sends again what was kept before has not heard of it, and does now.
      const muted = take === undefined && rooms.hall?.maySpeak(author) === false
      const appended = muted ? await rooms.store.find(room, author, draft) : await append(rooms, room, author, address, draft)
      if (appended === undefined) throw new Problem('muted')
      if (appended.outcome === 'mismatch') throw new Problem('idempotency-mismatch')
      return appended.ack
    })(),
  )
}

async function append(rooms: Rooms, room: string, author: Member, address: string, draft: Draft): Promise<Appended> {
  await rooms.createRoom(room, address)
  rooms.renew(room, author)
  return rooms.store.append(room, author, draft)
}

/**
 * Takes a member's state, fresh from JSON: the latest wins, in memory only, for as long as it is here. Of who is not here
 * by any wire nothing is kept, and no room is made for it.
 * @throws Problem as `publish` does, but for what a store or a room would refuse
 */
export async function carry(rooms: Rooms, { member }: Publisher, room: string, input: unknown): Promise<void> {
  const author = await admit(rooms, member, room, (id) => rooms.stateRate.take(id))
  const state = parseState(input)
  rooms.renew(room, author)
  rooms.hub.members.carry(room, author.id, state)
}

/** @throws Problem where this member may not write here, or not so often */
async function admit(rooms: Rooms, member: Member | undefined, room: string, take: TakeToken): Promise<Member> {
  rooms.refuseWhenBusy()
  if (member === undefined) throw rooms.stranger()
  await rooms.authorize(member, room, 'publish')
  const retryAfterMs = take(member.id)
  if (retryAfterMs > 0) throw new Problem('rate-limited', undefined, { retryAfterMs })
  return member
}
