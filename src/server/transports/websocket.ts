/** WebSocket: another protocol on the same connection, both ways. RFC 6455. */
import type { FastifyRequest, onRequestHookHandler } from 'fastify'
import type { Socket } from 'node:net'
import type { WebSocket } from 'ws'
import type { Delivery, Envelope } from '../../hub/delivery.ts'
import type { Lease } from '../../hub/members.ts'
import type { Subscriber, Subscription } from '../../hub/subscription.ts'
import { encodeAck, encodeCloseReason, encodeProblem, parseClientFrame } from '../../protocol/frame.ts'
import { Problem, problems } from '../../protocol/problem.ts'
import { parseJson } from '../json.ts'
import { problemOf } from '../problems.ts'
import { carry, type Publisher, publish } from '../publish.ts'
import { parseQuestion } from '../query.ts'
import type { Rooms } from '../rooms.ts'
import { jittered, type Transport, whenTaken } from './transport.ts'

/** RFC 6455, 7.4.1. */
const closeCode = { unsupportedData: 1003, policyViolation: 1008, tooBig: 1009, internal: 1011 } as const

/** Publishes of one socket that wait their turn; with more its frames are not read on. */
const inboxFrames = 16
/** After so many bad requests, or publishes and states over the rate in a row, the socket is closed. */
const badRequests = 3
const ignoredRefusals = 40

export const websocket: Transport = (app, rooms) => {
  app.route({
    method: 'GET',
    url: '/rooms/:room/websocket',
    exposeHeadRoute: false,
    config: { upgrade: true },
    onRequest: checkHandshake,
    handler: () => {
      throw new Problem('upgrade-required')
    },
    wsHandler: (socket, request) => new Peer(socket, request, rooms).serve(),
  })
}

/** Before the upgrade only what RFC 6455, 4.2 asks for is refused: of a failed handshake a browser sees nothing else. */
export const checkHandshake: onRequestHookHandler = (request, _reply, done) => {
  if (!request.ws) return done()
  const { headers, httpVersion } = request.raw
  if (httpVersion !== '1.1' || headers['sec-websocket-version'] !== '13') return done(new Problem('upgrade-required'))
  const key = headers['sec-websocket-key']
  const valid = typeof key === 'string' && /^[A-Za-z0-9+/]{22}==$/.test(key) && headers.upgrade?.toLowerCase() === 'websocket'
  done(valid ? undefined : new Problem('invalid-request', 'A handshake has Upgrade: websocket and a Sec-WebSocket-Key of 16 bytes.'))
}

/** One unfragmented, unmasked text frame (RFC 6455, 5.2), header and payload in one buffer. */
const asFrame: Envelope = ({ json }) => {
  const length = Buffer.byteLength(json)
  const extra = length < 126 ? 0 : length < 65_536 ? 2 : 8
  const frame = Buffer.allocUnsafe(2 + extra + length)
  frame[0] = 0x81
  frame[1] = extra === 0 ? length : extra === 2 ? 126 : 127
  if (extra === 2) frame.writeUInt16BE(length, 2)
  if (extra === 8) frame.writeBigUInt64BE(BigInt(length), 2)
  frame.write(json, 2 + extra)
  return frame
}

/** Whom a socket publishes for, and where. */
interface Admitted {
  readonly room: string
  readonly publisher: Publisher
}

class Peer implements Subscriber {
  readonly #socket: WebSocket
  readonly #tcp: Socket
  readonly #request: FastifyRequest
  readonly #rooms: Rooms
  #subscription: Subscription | undefined
  #lease: Lease | undefined
  #inbox = Promise.resolve()
  #inboxLength = 0
  #bad = 0
  #refused = 0
  #seenAt = performance.now()
  #controlFrames = 0
  #cancelPing: () => void = () => {}

  constructor(socket: WebSocket, request: FastifyRequest, rooms: Rooms) {
    this.#socket = socket
    this.#tcp = request.raw.socket
    this.#request = request
    this.#rooms = rooms
  }

  /** Every listener is there before anything is awaited: a frame may come in the same packet as the handshake. */
  serve(): void {
    const meter = this.#meter
    meter.connections++
    const admitted = this.#admit()
    this.#socket.on('message', (data, isBinary) => this.#receive(data as Buffer, isBinary, admitted))
    for (const event of ['ping', 'pong'] as const) this.#socket.on(event, () => this.#controlled())
    this.#socket.once('close', () => {
      meter.connections--
      this.#cancelPing()
      this.#subscription?.leave()
      this.#lease?.leave()
    })
    this.#ping()
  }

  get waiting(): number {
    return this.#tcp.writableLength
  }

  deliver(delivery: Delivery): number {
    if (this.#socket.readyState !== this.#socket.OPEN) return 0
    // Past `ws`, to the same connection: the frame is made once for all, and `ws` writes whole frames only.
    const frame = delivery.as(asFrame)
    this.#tcp.write(frame)
    return this.#meter.delivered(delivery, frame.length)
  }

  taken(then: () => void): void {
    whenTaken(this.#tcp, then)
  }

  close(problem: Problem, last?: Delivery): void {
    if (last !== undefined && last.batch.retryMs !== undefined) this.deliver(last)
    const { close = closeCode.internal } = problems[problem.code] as { readonly close?: number }
    const end = (): void => this.#socket.close(close, encodeCloseReason(problem.code, problem.retryAfterMs))
    // What is being published is answered first.
    if (problem.code === 'draining') void this.#inbox.then(end)
    else end()
  }

  cut(): void {
    this.#meter.slowReadersCut++
    this.#socket.terminate()
  }

  get #meter() {
    return this.#rooms.metrics.meters.websocket
  }

  /** Who this is, once it may read; undefined where it was sent away. Only after the upgrade: now it can be told why. */
  async #admit(): Promise<Admitted | undefined> {
    const { hub, options } = this.#rooms
    try {
      const { room, since, known } = parseQuestion(this.#request, {}, options.allowQueryKeys)
      const member = await this.#rooms.admit(this.#request, room)
      if (this.#socket.readyState !== this.#socket.OPEN) return undefined
      this.#lease = this.#rooms.hold(room, member, 'websocket')
      this.#subscription = hub.subscribe(room, since, this, { greet: true, heartbeatMs: jittered(options.heartbeatMs, 0.1), known })
      return { room, publisher: { member, address: this.#request.ip } }
    } catch (error) {
      this.close(problemOf(error, this.#request.log))
      return undefined
    }
  }

  #receive(data: Buffer, isBinary: boolean, admitted: Promise<Admitted | undefined>): void {
    this.#heard()
    if (isBinary) return this.#refuse(closeCode.unsupportedData)
    if (data.length > this.#rooms.options.frameBytes) return this.#refuse(closeCode.tooBig)
    // In order, one at a time; who sends faster than it is answered, or reads no answers, is not read on.
    if (++this.#inboxLength >= inboxFrames) this.#socket.pause()
    this.#inbox = this.#inbox.then(async () => {
      const peer = await admitted
      if (peer !== undefined && this.#socket.readyState === this.#socket.OPEN) await this.#answer(data, peer.publisher, peer.room)
      await this.#drained()
      // While it was paused for its own sake it could not be heard.
      this.#heard()
      if (--this.#inboxLength < inboxFrames && this.#socket.isPaused) this.#socket.resume()
    })
  }

  async #answer(data: Buffer, publisher: Publisher, room: string): Promise<void> {
    let id: string | undefined
    try {
      const frame = parseClientFrame(parseJson(data, ['state']))
      id = frame.id
      if (frame.kind === 'publish') this.#socket.send(encodeAck(await publish(this.#rooms, publisher, room, frame.body)))
      else await carry(this.#rooms, publisher, room, frame.body)
      this.#refused = 0
    } catch (error) {
      const problem = problemOf(error, this.#request.log)
      this.#socket.send(encodeProblem(problem, id))
      if (problem.status === 400 && ++this.#bad >= badRequests) this.close(new Problem('invalid-request'))
      if (problem.code === 'rate-limited' && ++this.#refused >= ignoredRefusals) this.close(problem)
    }
  }

  /** Answers wait for a peer that does not read them. */
  async #drained(): Promise<void> {
    if (this.waiting < this.#rooms.options.highWaterBytes || this.#tcp.destroyed) return
    await new Promise<void>((resolve) => whenTaken(this.#tcp, resolve))
  }

  /** Any frame proves that its peer is there. */
  #heard(): void {
    this.#seenAt = performance.now()
    this.#lease?.renew()
  }

  #controlled(): void {
    this.#heard()
    if (++this.#controlFrames > (this.#rooms.options.controlFramesPerSecond * this.#rooms.options.pingMs) / 1000) {
      this.#refuse(closeCode.policyViolation)
    }
  }

  #refuse(code: number): void {
    this.#socket.close(code, encodeCloseReason('invalid-request'))
  }

  /** A peer that says nothing for too long is gone, unless it was this process that was not listening. */
  #ping(): void {
    const { pingMs, silentMs, maxLagMs } = this.#rooms.options
    const due = performance.now() + pingMs
    this.#cancelPing = this.#rooms.wheel.after(pingMs, () => {
      const now = performance.now()
      if (now - due > maxLagMs) this.#seenAt = now
      if (now - this.#seenAt >= silentMs) return this.#socket.terminate()
      this.#controlFrames = 0
      this.#socket.ping()
      this.#ping()
    })
  }
}
