/** The room server: `buildApp()` for a process of its own, `fourwires` as a plugin for yours. The only place that knows every part. */
import Fastify, {
  type FastifyInstance,
  type FastifyPluginAsync,
  type FastifyRequest,
  type FastifyServerOptions,
  LogController,
  type RouteOptions,
} from 'fastify'
import type { AddressInfo } from 'node:net'
import type { Tap } from '../lab/tap.ts'
import { parseName } from '../protocol/draft.ts'
import { Problem } from '../protocol/problem.ts'
import { guard } from './guard.ts'
import { type HallOptions, LiveHall } from './hall.ts'
import { addLab, tapInto } from './lab.ts'
import { parseJson } from './json.ts'
import { addMembers } from './members.ts'
import { answerExpectations, refuseForeignMethods, serverOptions } from './process.ts'
import { pages } from './pages.ts'
import { addPresenter } from './presenter.ts'
import { drawPresenterKey } from './presenter-key.ts'
import { answerError } from './problems.ts'
import { publish, publisherOf } from './publish.ts'
import { roomOf } from './query.ts'
import { Rooms, type RoomServerOptions } from './rooms.ts'
import { longPoll } from './transports/long-poll.ts'
import { poll } from './transports/poll.ts'
import { sse } from './transports/sse.ts'
import { noStore, type Transport } from './transports/transport.ts'
import { websocket } from './transports/websocket.ts'
import { addWebSocket, refuseUpgrade } from './upgrade.ts'

export type { Member, Message, Batch, Cursor, Draft, TransportName } from '../protocol/message.ts'
export { Problem, type ProblemCode } from '../protocol/problem.ts'
export { FileStore, type FileStoreOptions, type FsyncPolicy } from '../store/file.ts'
export type { Attendance, Attended, Listener, Notice, Sighting } from '../store/attendance.ts'
export { MemoryStore } from '../store/memory.ts'
export type { Appended, RoomStore, StoreLimits } from '../store/store.ts'
export type { ServerOptions } from './options.ts'
export { serverOptions } from './process.ts'
export type { Authorize, RoomServerOptions } from './rooms.ts'
export type { Authenticate } from './session.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** A route for probes: asked by address and name alike. */
    probe?: true
  }
}

/** How long the last answers and farewells may take once everybody has been sent away. */
const lastAnswersMs = 1_000

const transports: readonly Transport[] = [poll, longPoll, sse, websocket]

/**
 * The room server as a Fastify plugin: all routes of the contract under the prefix it is registered with, its limits
 * and its problems kept to itself. Register with `serverOptions()` on the application for what belongs to the process.
 */
export const fourwires: FastifyPluginAsync<RoomServerOptions> = async (app, options) => {
  const rooms = new Rooms(options, app.server, app.log, app.prefix)
  await addWebSocket(app, rooms.options)
  app.addHook('onRequest', refuseUpgrade)
  app.addHook('onRequest', guard(rooms.options))
  await addRooms(app, rooms)
  if (app.prefix !== '') app.setNotFoundHandler(notFound)
}

/** What of a whole application may be set: the room server's options, and how it logs. */
export interface AppOptions extends RoomServerOptions {
  readonly logger?: FastifyServerOptions['logger']
  /** Tap every connection, and let each session watch its own. Off if nothing else is said: it costs, and shows. */
  readonly lab?: boolean
  /** What proves the presenter of the lab; drawn, and nobody's, if nothing is said. */
  readonly presenterKey?: string
  readonly hall?: HallOptions
}

/** A process's own application: the room server, the page, and the probes `/healthz`, `/readyz` and `/metrics`. */
export async function buildApp({ logger = false, lab = false, ...others }: AppOptions = {}): Promise<FastifyInstance> {
  const { presenterKey = drawPresenterKey(), hall = {}, ...options } = others
  const app = Fastify({ ...serverOptions(options), logger, logController: new LogController({ disableRequestLogging: true }) })
  answerExpectations(app.server)
  refuseForeignMethods(app.server)
  const rooms = new Rooms(options, app.server, app.log, '')
  const tap = lab ? tapInto(app.server, rooms) : undefined
  const liveHall = lab ? new LiveHall(rooms, presenterKey, () => app.server.address() as AddressInfo | null, app.log, hall) : undefined
  rooms.hall = liveHall
  app.setErrorHandler(answerError)
  app.setNotFoundHandler(notFound)
  await addWebSocket(app, rooms.options)
  const guarded = guard(rooms.options)
  app.addHook('onRequest', refuseUpgrade)
  app.addHook('onRequest', function (request, reply, done) {
    if (request.routeOptions.config.probe) return done()
    guarded.call(this, request, reply, done)
  })
  app.addHook('preClose', async () => {
    await Promise.all([liveHall?.close(), rooms.drain.start()])
    rooms.load.release(lastAnswersMs)
  })
  addProbes(app, rooms)
  await app.register((scope) => addRooms(scope, rooms))
  if (tap !== undefined && liveHall !== undefined) {
    await app.register((scope) => addLab(scope, rooms, tap))
    await app.register((scope) => addHall(scope, rooms, tap, liveHall))
  }
  await app.register(pages)
  return app
}

function notFound(): never {
  throw new Problem('not-found')
}

/** The routes of the contract, on an application whose requests have passed the guard. */
async function addRooms(app: FastifyInstance, rooms: Rooms): Promise<void> {
  app.setErrorHandler(answerError)
  takeJson(app, rooms.options.bodyBytes, ['state'])
  app.addHook('preClose', () => rooms.drain.start())
  app.addHook('onClose', () => rooms.close())
  addOnly(app, () => {
    addSession(app, rooms)
    addPublishing(app, rooms)
    for (const transport of transports) transport(app, rooms)
    addMembers(app, rooms)
  })
}

/** The presenter's routes. */
async function addHall(app: FastifyInstance, rooms: Rooms, tap: Tap, hall: LiveHall): Promise<void> {
  takeJson(app, rooms.options.bodyBytes, ['bot', 'swarm'])
  addOnly(app, () => addPresenter(app, rooms, tap, hall))
}

/** Bodies are JSON, flat but for these keys, and nothing else. */
function takeJson(app: FastifyInstance, bodyLimit: number, nested: readonly string[]): void {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('application/json', { parseAs: 'buffer', bodyLimit }, async (request: FastifyRequest, body: Buffer) => {
    const charset = /charset="?([^;"\s]+)/i.exec(request.headers['content-type'] ?? '')?.[1]
    if (charset !== undefined && charset.toLowerCase() !== 'utf-8') throw new Problem('unsupported-media-type')
    return parseJson(body, nested)
  })
}

/** What `add` adds is all that its paths know: other methods are refused. */
function addOnly(app: FastifyInstance, add: () => void): void {
  const methods = new Map<string, string[]>()
  app.addHook('onRoute', ({ url, routePath, method }: RouteOptions & { readonly routePath: string }) => {
    if (url !== '*') methods.set(routePath, [...(methods.get(routePath) ?? []), ...[method].flat()])
  })
  add()
  for (const [path, allowed] of methods) refuseOtherMethods(app, path, allowed)
}

function addSession(app: FastifyInstance, rooms: Rooms): void {
  app.post('/session', async (request, reply) => {
    rooms.refuseWhenBusy()
    const given = parseName(request.body ?? {})
    const name = rooms.options.generatedNames && !presents(rooms, request) ? undefined : given
    const member = await rooms.enter(request, reply, name)
    return reply.code(201).headers(noStore).send({ member })
  })
  app.delete('/session', async (request, reply) => {
    const member = await rooms.member(request)
    if (member !== undefined) rooms.hub.members.forget(member.id)
    rooms.sessions.forget(request, reply)
    return reply.code(204).headers(noStore).send()
  })
}

/** Is it the presenter who asks, by the key or by a session that has shown it? */
function presents({ hall, sessions }: Rooms, request: FastifyRequest): boolean {
  return hall !== undefined && (hall.presents(sessions.read(request)) || hall.proves(request))
}

function addPublishing(app: FastifyInstance, rooms: Rooms): void {
  app.post('/rooms/:room/messages', async (request, reply) => {
    const room = roomOf(request)
    const ack = await publish(rooms, await publisherOf(rooms, request), room, request.body)
    return reply
      .code(ack.duplicate ? 200 : 201)
      .headers(noStore)
      .send(ack)
  })
}

/** Another method on a known path is told which it may use (RFC 9110, 15.5.6). */
function refuseOtherMethods(app: FastifyInstance, url: string, allowed: readonly string[]): void {
  const method = app.supportedMethods.filter((name) => !allowed.includes(name))
  const refuse = (): never => {
    throw new Problem('method-not-allowed', `Here one may ${allowed.join(' or ')}.`)
  }
  app.route({
    method,
    url,
    onRequest: async (_request, reply) => {
      reply.header('allow', allowed.join(', '))
      refuse()
    },
    handler: refuse,
  })
}

function addProbes(app: FastifyInstance, rooms: Rooms): void {
  const config = { probe: true } as const
  app.get('/healthz', { config }, async (_request, reply) => reply.headers(noStore).send({ status: 'alive' }))
  app.get('/readyz', { config }, async (_request, reply) => {
    if (rooms.drain.draining) throw rooms.drain.problem()
    await rooms.store.has('readyz')
    return reply.headers(noStore).send({ status: 'ready' })
  })
  app.get('/metrics', { config }, async (_request, reply) => {
    const { registry } = rooms.metrics
    return reply
      .headers(noStore)
      .type(registry.contentType)
      .send(await registry.metrics())
  })
  for (const path of ['/healthz', '/readyz', '/metrics']) refuseOtherMethods(app, path, ['GET'])
}
