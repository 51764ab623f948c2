import { expect, it } from 'vitest'
import { type Batch, isBatch, isHeartbeat } from '../../src/protocol/message.ts'

const empty: Batch = { messages: [], cursor: 'EEEEEEEEEEEE.0.AAAAAA' }
const change = { version: 'EEEEEEEEEEEE.1', list: {} }

it('is a heartbeat where a batch brings nothing at all: what brings news of members or states is none', () => {
  expect(isHeartbeat(empty)).toBe(true)
  expect(isHeartbeat({ ...empty, retryMs: 5 })).toBe(true)
  const news: Partial<Batch>[] = [{ members: change }, { states: change }, { gap: { reason: 'epoch' } }]
  for (const one of news) expect(isHeartbeat({ ...empty, ...one })).toBe(false)
})

it('is a batch where it has messages and a cursor, whatever else it is', () => {
  expect(isBatch(empty)).toBe(true)
  for (const value of [null, undefined, 5, 'batch', [], {}, { messages: [] }, { messages: {}, cursor: '' }])
    expect(isBatch(value)).toBe(false)
})
