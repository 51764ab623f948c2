/** The tap's door: a session watches its own connections over a WebSocket, which takes none of a browser's six HTTP connections. */
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Server } from 'node:http'
import type { WebSocket } from 'ws'
import { parseOrder } from '../lab/events.ts'
import { Tap, viewersPerSession } from '../lab/tap.ts'
import { encodeCloseReason } from '../protocol/frame.ts'
import { Problem, problems } from '../protocol/problem.ts'
import { drawMs } from '../protocol/random.ts'
import { parseJson } from './json.ts'
import { problemOf } from './problems.ts'
import type { Rooms } from './rooms.ts'
import { checkHandshake } from './transports/websocket.ts'

const path = '/lab/events'

/** Taps every connection of the server from now on. */
export function tapInto(server: Server, { sessions }: Rooms): Tap {
  const tap = new Tap({
    ownerOf: (cookie) => sessions.memberOf(cookie)?.id,
    observes: (target) => target === path || target.startsWith(`${path}?`),
  })
  tap.install(server)
  return tap
}

/** Adds `/lab/events`: reports down, questions for the bytes of a block up. */
export function addLab(app: FastifyInstance, rooms: Rooms, tap: Tap): void {
  const viewers = new Set<WebSocket>()
  app.addHook('preClose', async () => {
    for (const viewer of viewers) leave(viewer, rooms.drain.problem())
  })
  app.route({
    method: 'GET',
    url: path,
    exposeHeadRoute: false,
    config: { upgrade: true },
    onRequest: checkHandshake,
    handler: () => {
      throw new Problem('upgrade-required')
    },
    wsHandler: (socket, request) => {
      viewers.add(socket)
      socket.once('close', () => viewers.delete(socket))
      show(socket, request, rooms, tap)
    },
  })
}

function show(socket: WebSocket, request: FastifyRequest, rooms: Rooms, tap: Tap): void {
  const member = rooms.sessions.read(request)
  if (member === undefined) return leave(socket, new Problem('session-required'))
  if (rooms.drain.draining) return leave(socket, rooms.drain.problem())
  const watching = tap.watch(member.id, {
    get waiting() {
      return socket.bufferedAmount
    },
    report: (report) => socket.send(JSON.stringify(report)),
  })
  if (watching === undefined) {
    const retryAfterMs = drawMs(1_000, 5_000)
    return leave(socket, new Problem('overloaded', `Watch in ${viewersPerSession} pages at the most.`, { retryAfterMs }))
  }
  const cancelPing = keepAlive(socket, rooms)
  socket.once('close', () => {
    cancelPing()
    watching.leave()
  })
  socket.on('message', (data) => {
    try {
      const question = parseOrder(parseJson(data as Buffer))
      if (question.type !== 'bytes') throw new Problem('invalid-request', 'Not yet.')
      // Who reads no answers is given none.
      if (socket.bufferedAmount > rooms.options.highWaterBytes) return
      socket.send(JSON.stringify(watching.bytesOf(question)))
    } catch (error) {
      leave(socket, problemOf(error, request.log))
    }
  })
}

function leave(socket: WebSocket, problem: Problem): void {
  const { close = problems['invalid-request'].close } = problems[problem.code] as { readonly close?: number }
  socket.close(close, encodeCloseReason(problem.code, problem.retryAfterMs))
}

/** A viewer that answers no ping is gone. Returns its undo. */
function keepAlive(socket: WebSocket, { wheel, options }: Rooms): () => void {
  let heard = true
  let cancel = (): void => {}
  socket.on('pong', () => (heard = true))
  const ping = (): void => {
    cancel = wheel.after(options.silentMs, () => {
      if (!heard) return socket.terminate()
      heard = false
      socket.ping()
      ping()
    })
  }
  ping()
  return () => cancel()
}
