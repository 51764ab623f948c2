/** Upgrades: one WebSocket server for all routes that take one, and what is refused before it. */
import fastifyWebsocket from '@fastify/websocket'
import type { FastifyInstance, FastifyRequest, onRequestHookHandler } from 'fastify'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { WebSocket } from 'ws'
import { encodeCloseReason } from '../protocol/frame.ts'
import { Problem, problems } from '../protocol/problem.ts'
import type { ServerOptions } from './options.ts'
import { rawProblem } from './problems.ts'
import { hasForeignMethod } from './process.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** A route that may be upgraded to a WebSocket. */
    upgrade?: true
  }
}

/** How long a peer may take to answer a close, in ms, before its socket is destroyed. */
const closeTimeout = 5_000
/** Pongs that may wait for a peer: more than a flood needs to be told so, where `ws` alone would hang up without a word. */
const maxPendingAutoPongs = 1_000

/** How a connection ends where its peer, or the network, has ended it. */
const networkErrors: ReadonlySet<string> = new Set(['ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ECONNABORTED'])
const { close: closeInternal } = problems.internal

/** Ours only where the host has none: one server can have one. */
export async function addWebSocket(app: FastifyInstance, { frameBytes, frameFragments }: ServerOptions): Promise<void> {
  if (app.hasDecorator('websocketServer')) return
  const options = {
    maxPayload: frameBytes,
    maxFragments: frameFragments,
    perMessageDeflate: false,
    closeTimeout,
    maxPendingAutoPongs,
  }
  await app.register(fastifyWebsocket, {
    options,
    errorHandler: failSocket,
    // Sockets are sent away by us, each in its turn.
    preClose: (done) => done(),
  })
  refuseUpgradesWithoutPlace(app.server)
}

/**
 * What a peer does wrong `ws` tells it in a close, and is no fault of ours: to end the connection at once, as
 * @fastify/websocket does by itself, could take the close with it. What we do wrong is logged, and told as such.
 */
function failSocket(error: Error, socket: WebSocket, { log }: FastifyRequest): void {
  const { code = '' } = error as NodeJS.ErrnoException
  if (code.startsWith('WS_ERR_') || networkErrors.has(code)) return log.debug(error)
  log.error(error)
  socket.close(closeInternal, encodeCloseReason('internal'))
}

/** Upgrades that came while nothing else was to be answered: the first listener that takes one has an answer on its socket. */
const inTime = new WeakSet<IncomingMessage>()

/**
 * An upgrade behind a question that is not answered yet has no place: like garbage there, it ends the connection. One with a
 * method that no router knows would be answered by nobody who ends it.
 */
function refuseUpgradesWithoutPlace(server: Server): void {
  for (const upgrade of server.listeners('upgrade')) {
    server.off('upgrade', upgrade as () => void)
    server.on('upgrade', (request: IncomingMessage, socket: Duplex & { _httpMessage?: ServerResponse | null }, head: Buffer) => {
      if (socket._httpMessage == null) inTime.add(request)
      // Node has taken its own listener away by now.
      if (!inTime.has(request)) socket.on('error', () => {}).destroy()
      else if (hasForeignMethod(request)) refuseSocket(socket, new Problem('invalid-request'))
      else upgrade.call(server, request, socket, head)
    })
  }
}

/** Tells who asked for an upgrade what is wrong with it, and ends the connection: its socket has left Node's hands. */
function refuseSocket(socket: Duplex, problem: Problem): void {
  socket.on('error', () => {})
  socket.end(rawProblem(problem), () => socket.destroy())
}

/** On any route but one @fastify/websocket would accept an upgrade first, and think later. */
export const refuseUpgrade: onRequestHookHandler = (request, _reply, done) => {
  done(request.ws && !request.routeOptions.config.upgrade ? new Problem('invalid-request', 'This address is no WebSocket.') : undefined)
}
