/** A Redis that comes back as it was some messages ago, and uses its numbers again. */
import type { Ack, Batch } from '../../../src/protocol/message.ts'
import { drawId } from '../../../src/protocol/draft.ts'
import { RedisStore } from '../../../src/store/redis.ts'
import { type Figure, count } from './figure.ts'

const rounds = 10
const lostEach = 20

const ann = { id: 'm_rollback0001', name: 'Ann' }

export const rollback: Figure = {
  name: 'rollback',
  asks: 'A restored snapshot that gives its numbers to other messages is told to every reader who stood behind it.',
  how: `${rounds} times: a snapshot, ${lostEach} messages, kill -9, the snapshot again, other messages at the same places; every cursor from in between is read with`,
  limitSeconds: 60,
  async measure(cast, say) {
    const redis = await cast.redis()
    const store = await RedisStore.open(redis.url)
    cast.also(() => store.close())
    const append = async (room: string): Promise<Ack> => {
      const appended = await persistently(() => store.append(room, ann, { id: drawId(), text: 'hi' }))
      if (appended.outcome === 'mismatch') throw new Error('an id was drawn twice')
      return appended.ack
    }
    let told = 0
    let asked = 0
    let kept = 0
    for (let round = 0; round < rounds; round++) {
      const room = `room${round}`
      const before: Ack[] = []
      for (let n = 0; n < 5; n++) before.push(await append(room))
      await redis.client.save()
      const lost: Ack[] = []
      for (let n = 0; n < lostEach; n++) lost.push(await append(room))
      await redis.restart()
      // Not as many as were lost: some cursors are from the future, the others at a number that was used again.
      for (let n = 0; n < lostEach / 2; n++) await append(room)
      const read = (cursor: string): Promise<Batch> => persistently(() => store.read(room, cursor))
      for (const { cursor } of lost) {
        asked++
        const { gap, messages } = await read(cursor)
        if (gap !== undefined && messages[0]?.seq === 1) told++
      }
      for (const { cursor, seq } of before) {
        const { gap, messages } = await read(cursor)
        if (gap === undefined && messages[0]?.seq === seq + 1) kept++
      }
      say(`${round + 1} of ${rounds}`)
    }
    return [
      { what: 'cursors of lost messages that were told a gap', asked: '100 %', measured: `${told} of ${asked}`, holds: told === asked },
      {
        what: 'cursors of kept messages that were resumed without one',
        asked: '100 %',
        measured: `${count(kept)} of ${rounds * 5}`,
        holds: kept === rounds * 5,
      },
    ]
  },
}

/** A store that has just been cut off fails at once, and soon no more. */
async function persistently<T>(call: () => Promise<T>): Promise<T> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await call()
    } catch (error) {
      if (attempt === 100) throw error
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }
}
