/** Time, as the client sees it: what is not heard of in time is given up, what may be lost for good is asked about. */
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { Outbox, type Post } from '../../src/client/outbox.ts'
import type { Transport } from '../../src/client/transports/transport.ts'
import { Silence, Wire } from '../../src/client/wire.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

/** A transport that brings one batch, promises another within 45 s, and never does. */
const silent: Transport = {
  name: 'sse',
  async *receive(_since, signal, promise) {
    promise(5_000)
    yield { messages: [], cursor: 'EEEEEEEEEEEE.0.AAAAAA' }
    promise(45_000)
    await new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('cancelled'))))
  },
  send: () => Promise.reject(new Error('it only listens')),
  state: () => Promise.reject(new Error('it only listens')),
}

it('gives a wire up that is silent for longer than it promised, also once it was live', async () => {
  const batches = new Wire(silent).receive(undefined)
  await batches.next()
  const outcome = batches.next().catch((error: unknown) => error)
  let settled = false
  void outcome.then(() => (settled = true))
  await vi.advanceTimersByTimeAsync(44_900)
  expect(settled).toBe(false)
  await vi.advanceTimersByTimeAsync(200)
  expect(await outcome).toBeInstanceOf(Silence)
})

it('looks at the time at once where timers came late: after sleep, behind a hidden tab', async () => {
  const wire = new Wire(silent)
  const batches = wire.receive(undefined)
  await batches.next()
  const outcome = batches.next().catch((error: unknown) => error)
  wire.check()
  // The machine slept: the clock went on, no timer did.
  vi.setSystemTime(Date.now() + 60_000)
  wire.check()
  expect(await outcome).toBeInstanceOf(Silence)
})

it('sends the same again by itself for 8 minutes, and then asks', async () => {
  const wire = {}
  let attempts = 0
  const post: Post = {
    wire: () => wire,
    member: () => 'm_1',
    renew: async () => {},
    changed: () => {},
    send: () => {
      attempts++
      return Promise.reject(new Error('the answer was lost'))
    },
  }
  const outbox = new Outbox(post, new AbortController().signal)
  outbox.add({ id: 'message-1', text: 'hello' }).catch(() => {})
  await vi.advanceTimersByTimeAsync(7.9 * 60_000)
  expect(outbox.unsent).toMatchObject([{ id: 'message-1', state: 'queued' }])
  await vi.advanceTimersByTimeAsync(60_000)
  expect(outbox.unsent).toMatchObject([{ id: 'message-1', state: 'asking' }])
  const before = attempts
  await vi.advanceTimersByTimeAsync(10 * 60_000)
  expect(attempts).toBe(before)
  outbox.answer('message-1', true)
  await vi.advanceTimersByTimeAsync(10)
  expect(attempts).toBe(before + 1)
})
