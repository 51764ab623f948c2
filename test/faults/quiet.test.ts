/** A connection on which nothing came for longer than anything is kept: its cursor is of a message that is no more, and nothing is missing. */
import { describe, expect, vi } from 'vitest'
import { transportNames } from '../../src/protocol/message.ts'
import { MemoryStore } from '../../src/store/memory.ts'
import { promise } from '../support/company.ts'
import { sharedRedis } from '../support/shared-redis.ts'

const redis = sharedRedis()
const author = { id: 'm_quiet0000001', name: 'Quiet' }

for (const transport of transportNames) {
  for (const store of ['memory', 'redis'] as const) {
    describe.concurrent(`${transport} over the ${store} store`, () => {
      const promised = promise(transport, (limits) => (store === 'redis' ? redis.open(limits) : new MemoryStore(limits)), {
        keepSeconds: 1,
      })

      promised('is resumed without a gap where it was quiet for longer than anything is kept', async (company) => {
        const said = await company.server.store.append('lobby', author, { id: 'message-1', text: 'the last for long' })
        const since = said.outcome === 'mismatch' ? undefined : said.ack.cursor
        const reader = company.follow({ observe: true, since })
        let batches = 0
        reader.channel.on('batch', () => batches++)
        await reader.live()
        const nothingIsKept = async (): Promise<void> => expect((await company.server.store.read('lobby', 'earliest')).messages).toEqual([])
        await vi.waitFor(nothingIsKept, { timeout: 10_000 })
        const before = batches
        company.server.cut()
        reader.channel.nudge(true)
        await reader.until('resumed', () => batches > before)
        expect(reader.gaps).toEqual([])
        expect(reader.channel.cursor).toBe(since)
      })
    })
  }
}
