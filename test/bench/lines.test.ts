/** The floor that the wires are held against, and what an intermediary does to them: counts and bytes alone. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { Bench } from '../../bench/bench.ts'
import { bytesDown } from '../../bench/connection.ts'
import { rfc6202BufferingProxy } from '../../bench/experiments/rfc6202-buffering-proxy.ts'
import { parseOptions } from '../../bench/options.ts'
import { frameHead } from '../../src/model/constants.ts'

let bench: Bench
beforeAll(() => {
  bench = new Bench(parseOptions(['--seed', '7']), new AbortController().signal, () => {})
})
afterAll(() => bench.close())

it('writes over bare lines what a WebSocket carries, a line feed in place of the head of a frame', async () => {
  const { groups } = await bench.round({
    subject: { peer: 'lines' },
    groups: [
      { lane: 'tcp', wire: 'sse', room: 'floor', clients: 2 },
      { lane: 'websocket', wire: 'websocket', room: 'floor', clients: 2, peer: 'fourwires' },
    ],
    // Far enough apart that none shares a batch.
    schedules: { floor: Float64Array.from([50, 250, 450]) },
    payload: 100,
    warmupMs: 0,
    measureMs: 600,
  })
  const [tcp, socket] = groups.map(({ total }) => total)
  if (tcp === undefined || socket === undefined) throw new Error('a group is missing')
  expect([tcp.delivered, socket.delivered]).toEqual([6, 6])
  expect(tcp.payload).toBe(socket.payload)
  expect(tcp.framing).toBe(tcp.batches + tcp.empty)
  const greeting = socket.emptyPayload / socket.empty
  const heads = socket.batches * frameHead(socket.payload / socket.batches) + socket.empty * frameHead(greeting)
  expect(bytesDown(socket) - socket.responseHead - (bytesDown(tcp) - tcp.responseHead)).toBe(heads - tcp.framing)
})

it('gets through a relay that buffers answers on every wire but SSE, and there once the stream has ended', async () => {
  const { checks } = await rfc6202BufferingProxy.run(bench)
  expect(checks.filter(({ holds }) => !holds)).toEqual([])
})
