/** The tap's door: a session watches its own connections, and troubles them, over a WebSocket, which takes none of a browser's six HTTP connections. */
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Server } from 'node:http'
import type { WebSocket } from 'ws'
import type { HallNow, LabNews } from '../lab/events.ts'
import { parseOrder } from '../lab/orders.ts'
import { Tap, viewersPerSession } from '../lab/tap.ts'
import { encodeCloseReason, encodeProblem } from '../protocol/frame.ts'
import { Problem, problems } from '../protocol/problem.ts'
import { drawMs } from '../protocol/random.ts'
import { parseJson } from './json.ts'
import { type Asker, LabOrders } from './lab-orders.ts'
import { problemOf } from './problems.ts'
import type { Rooms } from './rooms.ts'
import { checkHandshake } from './transports/websocket.ts'

const path = '/lab/events'

/** RFC 6455, 7.4.1. */
const unsupportedData = 1003
/** After so many bad orders a viewer is sent away. */
const badOrders = 3
/** Reports stop long before so much waits for a viewer: who has it waiting reads nothing, and is cut. */
const mostWaitingBytes = 1_048_576

interface Lab {
  readonly rooms: Rooms
  readonly tap: Tap
  readonly orders: LabOrders
}
interface Hearing {
  readonly rooms: Rooms
  readonly orders: LabOrders
  readonly asker: Asker
}

/** Taps every connection of the server from now on. */
export function tapInto(server: Server, { sessions }: Rooms): Tap {
  const tap = new Tap({
    ownerOf: (cookie) => sessions.memberOf(cookie)?.id,
    observes: (target) => target === path || target.startsWith(`${path}?`),
  })
  tap.install(server)
  return tap
}

/** Adds `/lab/events`: what passes and what holds down, questions and orders up. */
export function addLab(app: FastifyInstance, rooms: Rooms, tap: Tap): void {
  const viewers = new Set<WebSocket>()
  const orders = new LabOrders(rooms)
  app.addHook('preClose', async () => {
    tap.close()
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
      show(socket, request, { rooms, tap, orders })
    },
  })
}

function show(socket: WebSocket, request: FastifyRequest, { rooms, tap, orders }: Lab): void {
  const member = rooms.sessions.read(request)
  if (member === undefined) return leave(socket, new Problem('session-required'))
  if (rooms.drain.draining) return leave(socket, rooms.drain.problem())
  const tell = (news: LabNews): void => socket.send(JSON.stringify(news))
  const watching = tap.watch(member.id, {
    get waiting() {
      return socket.bufferedAmount
    },
    report: tell,
    tell,
  })
  if (watching === undefined) {
    const retryAfterMs = drawMs(1_000, 5_000)
    return leave(socket, new Problem('overloaded', `Watch in ${viewersPerSession} pages at the most.`, { retryAfterMs }))
  }
  const cancelPing = keepAlive(socket, rooms)
  const unfollow = rooms.hall?.follow((hall) => {
    if (socket.bufferedAmount > mostWaitingBytes) socket.terminate()
    else tell({ type: 'hall', hall } satisfies HallNow)
  })
  socket.once('close', () => {
    cancelPing()
    unfollow?.()
    watching.leave()
  })
  hear(socket, request, { rooms, orders, asker: { member, address: request.ip, watching } })
}

/** Answers each order. Who reads no answers is given none. */
function hear(socket: WebSocket, request: FastifyRequest, { rooms, orders, asker }: Hearing): void {
  let bad = 0
  const answer = (text: string): void => {
    if (socket.bufferedAmount <= rooms.options.highWaterBytes) socket.send(text)
  }
  const refuse = (error: unknown, id: string | undefined): void => {
    const problem = problemOf(error, request.log)
    answer(encodeProblem(problem, id))
    if (problem.status === 400 && ++bad >= badOrders) leave(socket, new Problem('invalid-request'))
  }
  socket.on('message', (data, isBinary) => {
    if (isBinary) return socket.close(unsupportedData, encodeCloseReason('invalid-request'))
    const retryAfterMs = orders.take(asker)
    if (retryAfterMs > 0) return leave(socket, new Problem('rate-limited', undefined, { retryAfterMs }))
    let id: string | undefined
    try {
      const value = parseJson(data as Buffer, ['chaos'])
      id = idOf(value)
      const told = orders.obey(parseOrder(value), asker)
      if (told instanceof Promise) told.then((news) => answer(JSON.stringify(news))).catch((error: unknown) => refuse(error, id))
      else if (told !== undefined) answer(JSON.stringify(told))
    } catch (error) {
      refuse(error, id)
    }
  })
}

const idOf = (value: unknown): string | undefined => {
  const { id } = (typeof value === 'object' && value !== null ? value : {}) as { readonly id?: unknown }
  return typeof id === 'string' ? id : undefined
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
