/** Polling: the client asks again and again, each question is answered at once. It never meets the hub: it reads the store. */
import { bareJson, Delivery } from '../../hub/delivery.ts'
import { parseQuestion } from '../query.ts'
import { batchHeaders, cutUnlessTaken, type Transport } from './transport.ts'

/** `every` is the interval in ms that the client means to keep. */
const ranges = { limit: { least: 1, most: 500 }, every: { least: 250, most: 60_000 } }

export const poll: Transport = (app, rooms) => {
  const meter = rooms.metrics.meters.poll

  app.get('/rooms/:room/poll', { exposeHeadRoute: false }, async (request, reply) => {
    const { room, since, numbers } = parseQuestion(request, ranges, rooms.options.allowQueryKeys)
    await rooms.admit(request, room)
    const delivery = new Delivery(await rooms.store.read(room, since, numbers.limit))
    const body = delivery.as(bareJson)
    meter.delivered(delivery, body.length)
    void reply.headers(batchHeaders).send(body)
    cutUnlessTaken(reply.raw, meter, rooms)
    return reply
  })
}
