/** The presenter's routes: what one person with the key may do to everybody, within bounds that the server keeps. */
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { type CutOrder, type Hall, presenterLimits } from '../lab/events.ts'
import type { Tap } from '../lab/tap.ts'
import { parseRoom } from '../protocol/draft.ts'
import { transportNames } from '../protocol/message.ts'
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
  const presenterOnly = { onRequest: async (request: FastifyRequest) => hall.key.require(request) }

  app.get('/lab', async (request, reply) => reply.headers(noStore).send({ hall: hall.now, presenter: hall.key.proves(request) }))

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
    const order = parseCut(request.body ?? {})
    // Only once the answer is out: it may travel on a connection that is cut.
    reply.raw.once('finish', () => setImmediate(() => tap.cut(order)))
    return reply.code(204).headers(noStore).send()
  })

  app.patch('/lab/hall', presenterOnly, async (request, reply) => {
    hall.set(parseHallOrder(request.body))
    return reply.headers(noStore).send({ hall: hall.now })
  })

  app.post('/lab/clear', presenterOnly, async (request, reply) => {
    const { room } = refuseOthers(request.body, ['room'])
    await rooms.store.clear(roomIn(room))
    return reply.code(204).headers(noStore).send()
  })
}

/** @throws Problem `invalid-request` for what is no object, or has another key */
function refuseOthers(value: unknown, known: readonly string[]): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Problem('invalid-request', 'Send one JSON object.')
  if (Object.keys(value).every((key) => known.includes(key))) return value as Record<string, unknown>
  throw new Problem('invalid-request', `Only ${known.join(', ') || 'nothing'} may be in the object.`)
}

function parseCut(body: unknown): CutOrder {
  const { transport, how = 'fin' } = refuseOthers(body, ['transport', 'how'])
  if (how !== 'fin' && how !== 'rst') throw new Problem('invalid-request', 'how is fin or rst.')
  if (transport === undefined) return { type: 'cut', how }
  const known = transportNames.find((name) => name === transport)
  if (known === undefined) throw new Problem('invalid-request', `transport is one of ${transportNames.join(', ')}.`)
  return { type: 'cut', how, transport: known }
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
