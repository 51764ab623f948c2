/** Polling: the client asks again and again, each question is answered at once. It never meets the hub: it reads the store. */
import { bareJson, Delivery, goesFirst } from '../../hub/delivery.ts'
import { type Aside, asides, type Batch, type Change, type Known, type Since, type Told } from '../../protocol/message.ts'
import { parseQuestion } from '../query.ts'
import { batchHeaders, cutUnlessTaken, type Transport } from './transport.ts'

/** `every` is the interval in ms that the client means to keep. */
const ranges = { limit: { least: 1, most: 500 }, every: { least: 250, most: 60_000 } }

export const poll: Transport = (app, rooms) => {
  const meter = rooms.metrics.meters.poll

  app.get('/rooms/:room/poll', { exposeHeadRoute: false }, async (request, reply) => {
    const { room, since, known, numbers } = parseQuestion(request, ranges, rooms.options.allowQueryKeys)
    rooms.polled(room, await rooms.admit(request, room), numbers.every)
    const batch = await rooms.store.read(room, since, numbers.limit)
    // Nothing waits here to be told later.
    if (asides.some((name) => known[name] !== undefined)) await rooms.known(room)
    const changed = (name: Aside, version: string) => rooms.hub.members.since(room, name, version)
    const delivery = new Delivery(aside(batch, since, known, changed) ?? batch)
    const body = delivery.as(bareJson)
    meter.delivered(delivery, body.length)
    void reply.headers(batchHeaders).send(body)
    cutUnlessTaken(reply.raw, meter, rooms)
    return reply
  })
}

/**
 * Members and states have batches of their own, where there is something new of them. Before messages: those are asked for
 * again at once, and where there are always some they would never come.
 */
function aside(
  { messages, gap, cursor }: Batch,
  since: Since,
  known: Known,
  changed: (aside: Aside, version: string) => Change<Told[Aside]> | undefined,
): Batch | undefined {
  if (since === undefined || since === 'earliest' || gap !== undefined) return undefined
  const told: Batch[] = []
  for (const name of asides) {
    const version = known[name]
    const change = version === undefined || (messages.length > 0 && !goesFirst(name)) ? undefined : changed(name, version)
    if (change !== undefined) told.push({ messages: [], cursor: since, [name]: change })
  }
  const [first, another] = told
  if (first === undefined) return undefined
  return messages.length > 0 || another !== undefined ? { ...first, more: true } : { ...first, cursor }
}
