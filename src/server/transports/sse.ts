/** Server-sent events: one answer that never ends. WHATWG HTML, 9.2; an unmodified EventSource works and resumes. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import Negotiator from 'negotiator'
import type { OutgoingHttpHeaders } from 'node:http'
import type { Socket } from 'node:net'
import type { Delivery, Envelope } from '../../hub/delivery.ts'
import type { Lease } from '../../hub/members.ts'
import type { Subscriber, Subscription } from '../../hub/subscription.ts'
import { encodeEvent, type EventFields, eventStreamType } from '../../protocol/event-stream.ts'
import { Problem } from '../../protocol/problem.ts'
import type { Meter } from '../metrics.ts'
import { problemOf } from '../problems.ts'
import { parseQuestion } from '../query.ts'
import type { Rooms } from '../rooms.ts'
import { cutUnlessTaken, jittered, leaveOnClose, refuseToHold, type Transport, whenTaken } from './transport.ts'

const streamHeaders = {
  'content-type': eventStreamType,
  // Neither compressed nor gathered on the way: an event is for now.
  'cache-control': 'no-store, no-transform',
  'x-accel-buffering': 'no',
} as const

export const sse: Transport = (app, rooms) => {
  const meter = rooms.metrics.meters.sse
  const { heartbeatMs, retryMs, allowQueryKeys } = rooms.options

  app.get('/rooms/:room/sse', { exposeHeadRoute: false }, async (request, reply) => {
    if (!acceptsStream(request)) throw new Problem('not-acceptable')
    const { room, since, known } = parseQuestion(request, {}, allowQueryKeys)
    const { member, refusal } = await rooms.admit(request, room).then(
      (reader) => ({ member: reader, refusal: refuseToHold(request) }),
      (error: unknown) => ({ member: undefined, refusal: problemOf(error, request.log) }),
    )
    if (refusal !== undefined && !refusal.comeBack) throw refusal
    reply.hijack()
    reply.headers(streamHeaders)
    reply.raw.writeHead(200, reply.getHeaders() as OutgoingHttpHeaders)
    const stream = new Stream(reply, meter, rooms)
    // A native EventSource dies for good on any status but 200: who may come back is told so within one.
    if (refusal !== undefined) return stream.close(refusal)
    stream.begin(jittered(retryMs, 0.5))
    const lease = rooms.hold(room, member, 'sse')
    stream.follow(rooms.hub.subscribe(room, since, stream, { greet: true, heartbeatMs: jittered(heartbeatMs, 0.1), known }), lease)
  })
}

function acceptsStream(request: FastifyRequest): boolean {
  return new Negotiator(request.raw).mediaType([eventStreamType]) !== undefined
}

/** One event per batch. */
const asEvent: Envelope = ({ batch, json }) => Buffer.from(encodeEvent({ id: batch.cursor, data: json }))

/** The same as a chunk of HTTP/1.1 (RFC 9112, 7.1), framing included: one buffer, one write. */
const asChunk: Envelope = (delivery) => {
  const event = delivery.as(asEvent)
  return Buffer.concat([Buffer.from(`${event.length.toString(16)}\r\n`), event, Buffer.from('\r\n')])
}

class Stream implements Subscriber {
  readonly #raw: FastifyReply['raw']
  readonly #meter: Meter
  readonly #rooms: Rooms
  #subscription: Subscription | undefined

  constructor(reply: FastifyReply, meter: Meter, rooms: Rooms) {
    this.#raw = reply.raw
    this.#meter = meter
    this.#rooms = rooms
  }

  /** The head goes out at once, with the time to come back after. */
  begin(retryMs: number): void {
    this.#event({ retry: retryMs })
  }

  follow(subscription: Subscription, lease: Lease): void {
    this.#subscription = subscription
    const { wheel, options } = this.#rooms
    // Behind heartbeats a peer that is silently gone is noticed in no other way.
    const cancelEnd = wheel.after(jittered(options.streamMs, 0.1), () => this.end())
    leaveOnClose(this.#raw, this.#meter, () => {
      cancelEnd()
      subscription.leave()
      lease.leave()
    })
  }

  get waiting(): number {
    return this.#raw.writableLength
  }

  /**
   * The socket, where an event's own chunk may go straight to it because it is this answer's by now: behind another answer
   * of a pipelined connection it would come too early, and HTTP/1.0 has no chunks.
   */
  get #direct(): Socket | undefined {
    const { socket, chunkedEncoding } = this.#raw
    return socket !== null && chunkedEncoding ? socket : undefined
  }

  deliver(delivery: Delivery): number {
    const direct = this.#direct
    const bytes = delivery.as(direct === undefined ? asEvent : asChunk)
    ;(direct ?? this.#raw).write(bytes)
    return this.#meter.delivered(delivery, bytes.length)
  }

  taken(then: () => void): void {
    whenTaken(this.#direct ?? this.#raw, then)
  }

  close(problem: Problem, last?: Delivery): void {
    const { retryAfterMs } = problem
    const retry = retryAfterMs === undefined ? {} : { retry: retryAfterMs }
    if (problem.code === 'draining' && last !== undefined) this.#event({ id: last.batch.cursor, data: last.json, ...retry })
    else this.#event({ event: 'problem', data: JSON.stringify(problem), ...retry })
    this.end()
  }

  cut(): void {
    this.#meter.slowReadersCut++
    this.#raw.destroy()
  }

  end(): void {
    this.#subscription?.leave()
    this.#raw.end()
    cutUnlessTaken(this.#raw, this.#meter, this.#rooms)
  }

  #event(fields: EventFields): void {
    this.#raw.write(encodeEvent(fields))
  }
}
