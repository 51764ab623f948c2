/** The presenter's routes: what one person with the key may do to everybody, within bounds that the server keeps. */
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { type Hall, presenterLimits } from '../lab/events.ts'
import { parseCut } from '../lab/orders.ts'
import type { Tap } from '../lab/tap.ts'
import { parseRoom } from '../protocol/draft.ts'
import { Problem } from '../protocol/problem.ts'
import type { HallOrder, LiveHall } from './hall.ts'
import { parseKeys } from './query.ts'
import type { Rooms } from './rooms.ts'
import { noStore } from './transports/transport.ts'

/** Adds `/lab` and what is below it but `/lab/events`, on an application that parses JSON two deep. */
export function addPresenter(app: FastifyInstance, rooms: Rooms, tap: Tap, hall: LiveHall): void {
  app.addHook('preValidation', async (request) => {
    parseKeys(request, [], [])
  })
  const presenterOnly = { onRequest: async (request: FastifyRequest) => hall.require(request) }

  app.get('/lab', async (request, reply) => reply.headers(noStore).send({ hall: hall.now, presenter: hall.proves(request) }))

  app.post('/lab/presenter', presenterOnly, async (request, reply) => {
    refuseOthers(request.body ?? {}, [])
    const member = await rooms.member(request)
    if (member === undefined) throw rooms.stranger()
    hall.present(member)
    return reply.code(204).headers(noStore).send()
  })

  app.post('/lab/freeze', presenterOnly, async (request, reply) => {
    const { ms } = refuseOthers(request.body, ['ms'])
    const frozenMs = hall.freeze(whole('ms', ms, 1, presenterLimits.freezeMs))
    return reply.headers(noStore).send({ ms: frozenMs })
  })

  app.post('/lab/cut', presenterOnly, async (request, reply) => {
    const order = parseCut({ how: 'fin', ...refuseOthers(request.body ?? {}, ['transport', 'how']) })
    // The answer travels on it.
    tap.cut(order, request.raw.socket)
    return reply.code(204).headers(noStore).send()
  })

  app.patch('/lab/hall', presenterOnly, async (request, reply) => {
    hall.set(parseHallOrder(request.body))
    return reply.headers(noStore).send({ hall: hall.now })
  })

  app.post('/lab/clear', presenterOnly, async (request, reply) => {
    const { room } = refuseOthers(request.body, ['room'])
    await hall.clear(roomIn(room))
    return reply.code(204).headers(noStore).send()
  })
}

/** @throws Problem `invalid-request` for what is no object, or has another key */
function refuseOthers(value: unknown, known: readonly string[]): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Problem('invalid-request', 'Send one JSON object.')
  if (Object.keys(value).every((key) => known.includes(key))) return value as Record<string, unknown>
  throw new Problem('invalid-request', `Only ${known.join(', ') || 'nothing'} may be in the object.`)
}

function parseHallOrder(body: unknown): HallOrder {
  const { muted, blurred, bot, swarm } = refuseOthers(body, ['muted', 'blurred', 'bot', 'swarm'])
  return {
    ...(muted !== undefined && { muted: truth('muted', muted) }),
    ...(blurred !== undefined && { blurred: truth('blurred', blurred) }),
    ...(bot !== undefined && { bot: parseBot(bot) }),
    ...(swarm !== undefined && { swarm: parseSwarm(swarm) }),
  }
}

function parseBot(value: unknown): Hall['bot'] {
  const { rate, room } = refuseOthers(value, ['rate', 'room'])
  return { rate: whole('rate', rate, 0, presenterLimits.botRate), room: roomIn(room) }
}

function parseSwarm(value: unknown): HallOrder['swarm'] & {} {
  const { members, room } = refuseOthers(value, ['members', 'room'])
  return { members: whole('members', members, 0, presenterLimits.swarmMembers), room: roomIn(room) }
}

function roomIn(value: unknown): string {
  return parseRoom(typeof value === 'string' ? value : '')
}

function truth(name: string, value: unknown): boolean {
  if (typeof value === 'boolean') return value
  throw new Problem('invalid-request', `${name} is true or false.`)
}

function whole(name: string, value: unknown, least: number, most: number): number {
  if (Number.isSafeInteger(value) && (value as number) >= least && (value as number) <= most) return value as number
  throw new Problem('invalid-request', `${name} is a whole number from ${least} to ${most}.`)
}
