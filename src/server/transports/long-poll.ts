/** Long polling (Comet): the question is held until there is news. A subscription of length one; RFC 6202, section 2. */
import type { FastifyReply } from 'fastify'
import { bareJson, type Delivery } from '../../hub/delivery.ts'
import type { Lease } from '../../hub/members.ts'
import type { Subscriber, Subscription } from '../../hub/subscription.ts'
import type { Problem } from '../../protocol/problem.ts'
import type { Meter } from '../metrics.ts'
import { answerProblem } from '../problems.ts'
import { parseQuestion } from '../query.ts'
import type { Rooms } from '../rooms.ts'
import { batchHeaders, cutUnlessTaken, leaveOnClose, refuseToHold, type Transport } from './transport.ts'

export const longPoll: Transport = (app, rooms) => {
  const meter = rooms.metrics.meters['long-poll']
  const { waitSeconds, waitMaxSeconds, allowQueryKeys } = rooms.options
  const ranges = { wait: { least: 0, most: waitMaxSeconds } }

  app.get('/rooms/:room/long-poll', { exposeHeadRoute: false }, async (request, reply) => {
    const { room, since, known, numbers } = parseQuestion(request, ranges, allowQueryKeys)
    const member = await rooms.admit(request, room)
    const { wait = waitSeconds } = numbers
    const refusal = refuseToHold(request)
    if (refusal !== undefined) throw refusal
    const subscriber = new HeldRequest(reply, meter, rooms)
    const lease = rooms.hold(room, member, 'long-poll')
    // When nothing happens it is answered with what a stream sends then: a heartbeat, and its first is its last.
    const subscription = rooms.hub.subscribe(room, since, subscriber, {
      greet: since === undefined || wait === 0,
      heartbeatMs: wait * 1000,
      known,
    })
    subscriber.hold(subscription, lease)
    return reply
  })
}

class HeldRequest implements Subscriber {
  readonly #reply: FastifyReply
  readonly #meter: Meter
  readonly #rooms: Rooms
  #subscription: Subscription | undefined

  constructor(reply: FastifyReply, meter: Meter, rooms: Rooms) {
    this.#reply = reply
    this.#meter = meter
    this.#rooms = rooms
  }

  hold(subscription: Subscription, lease: Lease): void {
    this.#subscription = subscription
    const { raw } = this.#reply
    leaveOnClose(raw, this.#meter, () => {
      subscription.leave()
      // An answer is followed by the next question; who went before it has left.
      if (!raw.writableFinished) return lease.leave()
      lease.renew()
      lease.end()
    })
  }

  get waiting(): number {
    return 0
  }

  deliver(delivery: Delivery): number {
    this.#subscription?.leave()
    const body = delivery.as(bareJson)
    void this.#reply.headers(batchHeaders).send(body)
    cutUnlessTaken(this.#reply.raw, this.#meter, this.#rooms)
    return this.#meter.delivered(delivery, body.length)
  }

  taken(then: () => void): void {
    then()
  }

  close(problem: Problem, last: Delivery | undefined): void {
    if (problem.code === 'draining' && last !== undefined) this.deliver(last)
    else void answerProblem(this.#reply, problem)
  }

  cut(): void {
    this.#reply.raw.destroy()
  }
}
