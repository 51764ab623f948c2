/** Connections that end at every place where they can: each byte of what is read, and of what is said. */
import type { FaultyProxy } from '../../support/faulty-proxy.ts'
import type { Exchange, Fault } from '../../support/fault.ts'
import type { Participant } from '../participant.ts'
import { onlyOver, type Scenario } from '../scenario.ts'
import type { Stage } from '../stage.ts'

/** So many messages, each in a batch of its own, are the stream that is cut. */
const streamMessages = 10

/** So many are cut at a time: enough that a core is never idle, few enough that nobody else on its event loop waits long. */
const atOnce = 4

/** Where a wire is cut does not ask for the store: over the others than the first every so many offsets are tried. */
const strideOverOthers = 16

/** Every offset; where it has to be quick every so many, from a drawn one on. */
function offsets(stage: Stage, total: number, quickly: number): number[] {
  const stride = stage.quick ? Math.ceil(total / quickly) : stage.store === 'memory' ? 1 : strideOverOthers
  return Array.from({ length: Math.ceil(total / stride) }, (_, index) => index * stride + stage.between(0, stride - 1)).filter(
    (at) => at < total,
  )
}

/** Works them off, several at a time, and says how far it is. */
async function each<T>(stage: Stage, items: readonly T[], what: string, work: (item: T, index: number) => Promise<void>): Promise<void> {
  let next = 0
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      for (let index = next++; index < items.length; index = next++) {
        await work(items[index] as T, index)
        if (index % 100 === 99) stage.progress(`${index + 1} of ${items.length} ${what}`)
      }
    }),
  )
}

/** Cuts once, after so many bytes of the answers to what is read; they may be many answers. */
function cutReadsAt(proxy: FaultyProxy, at: number, how: 'end' | 'reset'): void {
  let done = false
  const reads: Exchange[] = []
  proxy.choose = (exchange): Fault | undefined => {
    if (exchange.asks !== 'read' || done) return undefined
    const before = reads.reduce((sum, { passed }) => sum + passed.down, 0)
    reads.push(exchange)
    if (proxy.injections > 0) done = true
    return done ? undefined : { kind: 'cut', side: 'down', at: at - before, how }
  }
}

const seen = (participant: Participant): number => participant.channel.counts.delivered

async function readThrough(stage: Stage, name: string, at: number | undefined): Promise<number> {
  const reader = await stage.enter(name, { observe: true, since: 'earliest', hurried: true })
  if (at !== undefined) cutReadsAt(reader.proxy, at, stage.chance(0.5) ? 'end' : 'reset')
  await reader.until('all is read', () => seen(reader) >= streamMessages)
  const bytes = reader.proxy.exchanges.filter(({ asks }) => asks === 'read').reduce((sum, { passed }) => sum + passed.down, 0)
  // A store that fails now and then lengthens a stream by its problems, and the next one may end before that place.
  const shorter = stage.store === 'late' && bytes < (at ?? 0)
  if (at !== undefined && reader.proxy.injections === 0 && !shorter) throw new Error(`${name} was not cut`)
  reader.leave()
  await reader[Symbol.asyncDispose]()
  return bytes
}

export const cutEverywhere: Scenario = {
  name: 'cut-everywhere',
  busy: true,
  must: 'Cut after any byte, in the midst of a head, an event, a frame or a body, a stream is resumed: all ten shown, once.',
  // Each message in a batch of its own: there is something in between to cut.
  options: { batchMessages: 1 },
  quick: onlyOver({ memory: ['poll', 'long-poll', 'sse', 'websocket'] }),
  async run(stage) {
    const writer = await stage.join('ann')
    await stage.chat([writer], streamMessages, 0, (n) => `${n} 🙂 cut me`)
    const total = await readThrough(stage, 'uncut', undefined)
    const cuts = offsets(stage, total, 24)
    await each(stage, cuts, `cuts of ${total} bytes`, async (at) => void (await readThrough(stage, `cut at ${at}`, at)))
  },
}

/** Cuts one publish after so many bytes of it, or of its answer. On a socket: of what goes up, or comes down. */
function cutPublishAt({ proxy }: Participant, side: 'up' | 'down', at: number, how: 'end' | 'reset'): void {
  const before = proxy.injections
  proxy.choose = (exchange) =>
    (exchange.asks === 'publish' || exchange.upgrade) && proxy.injections === before ? { kind: 'cut', side, at, how } : undefined
}

export const cutPublish: Scenario = {
  name: 'cut-publish',
  busy: true,
  must: 'Cut after any byte of a publish or of its answer, the message stands in the log once, in its place.',
  quick: onlyOver({ memory: ['poll', 'websocket'] }),
  async run(stage) {
    const probe = await stage.join('probe')
    await stage.chat([probe], 1, 0)
    const whole = probe.proxy.exchanges.findLast(({ asks, upgrade }) => asks === 'publish' || upgrade)?.passed
    if (whole === undefined) throw new Error('nothing was published')
    const cuts = (['up', 'down'] as const).flatMap((side) => offsets(stage, whole[side], 16).map((at) => ({ side, at })))
    const writers = await Promise.all(
      Array.from({ length: stage.quick ? 8 : 48 }, (_, index) => stage.join(`ann${index}`, { hurried: true })),
    )
    let done = 0
    await Promise.all(
      writers.map(async (writer, index) => {
        for (const { side, at } of cuts.filter((_, cut) => cut % writers.length === index)) {
          cutPublishAt(writer, side, at, stage.chance(0.5) ? 'end' : 'reset')
          // Its socket was opened before: the next one is cut, in its handshake or in what it carries.
          if (stage.transport === 'websocket') writer.proxy.cut()
          await stage.chat([writer], 1, 0)
          if (++done % 100 === 0) stage.progress(`${done} of ${cuts.length} cuts`)
        }
      }),
    )
  },
}
