/** What the four siblings have in common: each is a function that adds its route to an application. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Socket } from 'node:net'
import type { Writable } from 'node:stream'
import { Problem } from '../../protocol/problem.ts'
import { drawMs } from '../../protocol/random.ts'
import type { Meter } from '../metrics.ts'
import type { Rooms } from '../rooms.ts'

/** Adds `/rooms/:room/<name>` to the application. */
export type Transport = (app: FastifyInstance, rooms: Rooms) => void

/** Of every answer that changes. */
export const noStore = { 'cache-control': 'no-store' } as const

/** Of every batch in a body of its own. */
export const batchHeaders = { ...noStore, 'content-type': 'application/json; charset=utf-8' } as const

/** `ms` give or take a share of it: what happens to many is not to happen to all at once. */
export const jittered = (ms: number, share: number): number => Math.round(ms * (1 - share + Math.random() * 2 * share))

/** So many answers one HTTP/1.1 connection may wait for: it carries one at a time, and each takes memory. */
const heldPerConnection = 4
const held = new WeakMap<Socket, number>()

/** The refusal of one more answer to a connection that waits for too many already. */
export function refuseToHold({ raw }: FastifyRequest): Problem | undefined {
  if (raw.httpVersionMajor > 1 || (held.get(raw.socket) ?? 0) < heldPerConnection) return undefined
  return new Problem('overloaded', 'One connection holds few questions at once: wait for an answer, or open another.', {
    retryAfterMs: drawMs(1_000, 5_000),
  })
}

/** A held answer: counted while it is open, and `leave` is called when it closes. */
export function leaveOnClose(answer: FastifyReply['raw'], meter: Meter, leave: () => void): void {
  const { socket } = answer.req
  meter.connections++
  held.set(socket, (held.get(socket) ?? 0) + 1)
  onceClosed(answer, () => {
    meter.connections--
    held.set(socket, (held.get(socket) ?? 1) - 1)
    leave()
  })
}

/** The last of an answer is taken within the time of a stall, or its connection is cut: behind it nobody looks any more. */
export function cutUnlessTaken(answer: FastifyReply['raw'], meter: Meter, { wheel, options }: Rooms): void {
  if (answer.writableLength === 0) return
  // The connection, not the answer: behind others of a pipeline that has none of its own yet.
  const { socket } = answer.req
  const cancel = wheel.after(options.stallMs, () => {
    if (socket.destroyed) return
    meter.slowReadersCut++
    socket.destroy()
  })
  onceClosed(answer, cancel)
}

/** What is to be done when a connection closes: one listener for all answers that wait on it, which may be hundreds. */
const endings = new WeakMap<Socket, Set<() => void>>()

function endingsOf(socket: Socket): Set<() => void> {
  const known = endings.get(socket)
  if (known !== undefined) return known
  const made = new Set<() => void>()
  endings.set(socket, made)
  socket.once('close', () => made.forEach((end) => end()))
  return made
}

/** Calls `then` once, when the answer or its connection closes: an answer that waits behind others of a pipeline does not hear of its own end. */
export function onceClosed(answer: FastifyReply['raw'], then: () => void): void {
  const { socket } = answer.req
  const waiting = endingsOf(socket)
  const closed = (): void => {
    // A connection that closes tells its answer first, and then us once more.
    if (waiting.delete(closed)) then()
  }
  waiting.add(closed)
  // Whoever went while it was being admitted has closed already, and will not again.
  if (answer.destroyed || socket.destroyed) closed()
  else answer.once('close', closed)
}

/** Calls `then` when the network has taken all that was written so far. (`drain` comes only where more than a stream's own mark waited.) */
export function whenTaken(wire: Writable, then: () => void): void {
  wire.write('', () => then())
}
