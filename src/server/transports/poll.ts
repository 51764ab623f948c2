/** Polling: the client asks again and again, each question is answered at once. It never meets the hub: it reads the store. */
import { bareJson, Delivery } from '../../hub/delivery.ts'
import type { Batch, MembersChange, Since } from '../../protocol/message.ts'
import { parseQuestion } from '../query.ts'
import { batchHeaders, cutUnlessTaken, type Transport } from './transport.ts'

/** `every` is the interval in ms that the client means to keep. */
const ranges = { limit: { least: 1, most: 500 }, every: { least: 250, most: 60_000 } }

export const poll: Transport = (app, rooms) => {
  const meter = rooms.metrics.meters.poll

  app.get('/rooms/:room/poll', { exposeHeadRoute: false }, async (request, reply) => {
    const { room, since, members, numbers } = parseQuestion(request, ranges, rooms.options.allowQueryKeys)
    rooms.polled(room, await rooms.admit(request, room), numbers.every)
    const batch = await rooms.store.read(room, since, numbers.limit)
    const changed = members === undefined ? undefined : rooms.hub.members.since(room, members)
    const delivery = new Delivery(changed === undefined ? batch : withMembers(batch, since, changed))
    const body = delivery.as(bareJson)
    meter.delivered(delivery, body.length)
    void reply.headers(batchHeaders).send(body)
    cutUnlessTaken(reply.raw, meter, rooms)
    return reply
  })
}

/** The members have a batch of their own. Before messages, which are asked for again at once: where there are always some, they would never come. */
function withMembers(batch: Batch, since: Since, members: MembersChange): Batch {
  const { messages, gap, cursor } = batch
  if (since === undefined || since === 'earliest' || gap !== undefined) return batch
  return messages.length === 0 ? { messages, cursor, members } : { messages: [], cursor: since, more: true, members }
}
