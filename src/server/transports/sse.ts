/** Server-sent events: one answer that never ends. WHATWG HTML, 9.2; an unmodified EventSource works and resumes. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import Negotiator from 'negotiator'
import type { OutgoingHttpHeaders } from 'node:http'
import type { Delivery, Envelope } from '../../hub/delivery.ts'
import type { Subscriber, Subscription } from '../../hub/subscription.ts'
import { encodeEvent, type EventFields, eventStreamType } from '../../protocol/event-stream.ts'
import { Problem } from '../../protocol/problem.ts'
import type { Meter } from '../metrics.ts'
import { problemOf } from '../problems.ts'
import { parseQuestion } from '../query.ts'
import { jittered, leaveOnClose, type Transport } from './transport.ts'

const streamHeaders = {
  'content-type': eventStreamType,
  // Neither compressed nor gathered on the way: an event is for now.
  'cache-control': 'no-store, no-transform',
  'x-accel-buffering': 'no',
} as const

export const sse: Transport = (app, rooms) => {
  const meter = rooms.metrics.meters.sse
  const { heartbeatMs, streamMs, retryMs, highWaterBytes, allowQueryKeys } = rooms.options

  app.get('/rooms/:room/sse', { exposeHeadRoute: false }, async (request, reply) => {
    if (!acceptsStream(request)) throw new Problem('not-acceptable')
    const { room, since } = parseQuestion(request, {}, allowQueryKeys)
    const refusal = await rooms.admit(request, room).then(
      () => undefined,
      (error: unknown) => problemOf(error),
    )
    if (refusal !== undefined && !refusal.comeBack) throw refusal
    reply.hijack()
    reply.headers(streamHeaders)
    reply.raw.writeHead(200, reply.getHeaders() as OutgoingHttpHeaders)
    const stream = new Stream(reply, meter, highWaterBytes)
    // A native EventSource dies for good on any status but 200: who may come back is told so within one.
    if (refusal !== undefined) return stream.close(refusal)
    stream.begin(jittered(retryMs, 0.5))
    stream.follow(rooms.hub.subscribe(room, since, stream, { greet: true, heartbeatMs: jittered(heartbeatMs, 0.1) }))
    const cancelEnd = rooms.wheel.after(jittered(streamMs, 0.1), () => stream.end())
    reply.raw.once('close', cancelEnd)
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
  readonly #highWaterBytes: number
  #subscription: Subscription | undefined

  constructor(reply: FastifyReply, meter: Meter, highWaterBytes: number) {
    this.#raw = reply.raw
    this.#meter = meter
    this.#highWaterBytes = highWaterBytes
  }

  /** The head goes out at once, with the time to come back after. */
  begin(retryMs: number): void {
    this.#event({ retry: retryMs })
  }

  follow(subscription: Subscription): void {
    this.#subscription = subscription
    leaveOnClose(this.#raw, this.#meter, subscription)
  }

  get waiting(): number {
    return this.#raw.writableLength
  }

  deliver(delivery: Delivery): number {
    const { socket, chunkedEncoding } = this.#raw
    // Its own chunk may go straight to the socket where that is this answer's by now: behind another answer of a
    // pipelined connection it would come too early, and HTTP/1.0 has no chunks.
    const direct = socket !== null && chunkedEncoding
    const bytes = delivery.as(direct ? asChunk : asEvent)
    const wire = direct ? socket : this.#raw
    wire.write(bytes)
    if (this.waiting >= this.#highWaterBytes) wire.once('drain', () => this.#subscription?.resume())
    return this.#meter.delivered(delivery, bytes.length)
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
  }

  #event(fields: EventFields): void {
    this.#raw.write(encodeEvent(fields))
  }
}
