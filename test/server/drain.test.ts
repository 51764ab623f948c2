/** Shutting down, contract §10: everybody is told when to come back, what is being published is finished. */
import { connect } from 'node:net'
import { describe, expect, test } from 'vitest'
import type { Batch } from '../../src/protocol/message.ts'
import { eventually, metric } from '../support/answers.ts'
import { ask, RawClient, request } from '../support/raw-client.ts'
import { RawWebSocket } from '../support/raw-websocket.ts'
import type { RoomStore } from '../../src/store/store.ts'
import { member, postRaw, startServer, type TestServer } from '../support/server.ts'

const connections = async ({ url }: TestServer, transport: string): Promise<number> =>
  metric(url, `fourwires_connections{transport="${transport}"}`)

async function holdLongPoll(server: TestServer): Promise<RawClient> {
  const { cursor } = (await (await fetch(`${server.url}/rooms/r/poll`)).json()) as Batch
  const client = await RawClient.connect(server.port)
  client.send(request(server.port, `GET /rooms/r/long-poll?since=${cursor}`))
  await eventually(async () => (await connections(server, 'long-poll')) === 1, 'it is held')
  return client
}
async function openStream(server: TestServer): Promise<RawClient> {
  const client = await RawClient.connect(server.port)
  await client.send(request(server.port, 'GET /rooms/r/sse')).head()
  await client.chunk()
  await client.chunk()
  return client
}
const expectRetryMs = (ms: unknown): void => expect(ms).toSatisfy((value: number) => value >= 500 && value <= 20_000)

/** Every append waits for `go()`; `asked` resolves when the first has come. */
function holdAppends(store: RoomStore): { readonly asked: Promise<void>; readonly go: () => void } {
  const append = store.append.bind(store)
  let release = (): void => {}
  const released = new Promise<void>((resolve) => (release = resolve))
  const asked = new Promise<void>((resolve) => {
    store.append = async (...args) => {
      resolve()
      await released
      return append(...args)
    }
  })
  return { asked, go: release }
}

describe('on shutting down', () => {
  test('a held long poll is answered by an empty batch with the time to come back after', async () => {
    await using server = await startServer()
    const client = await holdLongPoll(server)
    const closed = server.close()
    const answer = await client.response()
    const { retryMs, ...batch } = JSON.parse(answer.body.toString()) as Batch
    expect(answer.status).toBe(200)
    expect(batch).toEqual({ messages: [], cursor: expect.stringMatching(/\.0\.AAAAAA$/) as string })
    expectRetryMs(retryMs)
    await client.ended
    await closed
  })

  test('each stream gets a last batch and ends, each WebSocket is closed with 1012', async () => {
    await using server = await startServer()
    const stream = await openStream(server)
    using socket = await RawWebSocket.open(server.port, '/rooms/r/websocket')
    await socket.text()
    const closed = server.close()
    const event = String(await stream.chunk())
    expectRetryMs(Number(/^retry: (\d+)$/m.exec(event)?.[1]))
    expect(await stream.chunk()).toBeUndefined()
    await stream.ended
    expectRetryMs((await socket.json<Batch>()).retryMs)
    const { code, reason } = await socket.closing()
    expect(code).toBe(1012)
    expect(Buffer.byteLength(reason)).toBeLessThanOrEqual(123)
    expect(JSON.parse(reason)).toMatchObject({ code: 'draining' })
    await closed
  })

  test('each is told a time of its own', async () => {
    await using server = await startServer()
    const streams = await Promise.all(Array.from({ length: 12 }, () => openStream(server)))
    const closed = server.close()
    const events = await Promise.all(streams.map(async (stream) => String(await stream.chunk())))
    expect(new Set(events.map((event) => /^retry: (\d+)$/m.exec(event)?.[1])).size).toBeGreaterThan(6)
    await closed
  })

  test('they are sent away evenly over drainMs', async () => {
    await using server = await startServer({ drainMs: 1_000 })
    const streams = await Promise.all(Array.from({ length: 20 }, () => openStream(server)))
    const begun = performance.now()
    const closed = server.close()
    const after = await Promise.all(
      streams.map(async (stream) => {
        await stream.chunk()
        return performance.now() - begun
      }),
    )
    // No more than a half of them within any quarter of the time: a tick of the wheel is 50 ms.
    for (let from = 0; from < 1_000; from += 250) {
      expect(after.filter((ms) => ms >= from && ms < from + 250).length).toBeLessThanOrEqual(10)
    }
    expect(Math.max(...after)).toSatisfy((ms: number) => ms > 500 && ms < 10_000)
    await closed
  })

  test('a publish in flight is finished and acknowledged', async () => {
    await using server = await startServer()
    const { asked, go } = holdAppends(server.store)
    const { cookie } = await member(server.url)
    const answer = postRaw(server.url, 'r', cookie, '{"id":"in-flight","text":"hi"}')
    await asked
    const closed = server.close()
    await new Promise((resolve) => setImmediate(resolve))
    go()
    expect([(await answer).status, await (await answer).json()]).toMatchObject([201, { id: 'in-flight', seq: 1 }])
    await closed
  })

  test('a publish up the socket in flight is acknowledged before the socket is gone', async () => {
    await using server = await startServer()
    const { asked, go } = holdAppends(server.store)
    const { cookie } = await member(server.url)
    using socket = await RawWebSocket.open(server.port, '/rooms/r/websocket', { cookie })
    await socket.text()
    socket.sendJson({ type: 'publish', id: 'in-flight', text: 'hi' })
    await asked
    const closed = server.close()
    await new Promise((resolve) => setImmediate(resolve))
    go()
    const types: unknown[] = []
    for (let last = false; !last;) {
      const { type, retryMs } = await socket.json()
      types.push(type)
      last = type === 'ack'
      if (retryMs !== undefined) expectRetryMs(retryMs)
    }
    expect(types).toContain('ack')
    expect((await socket.closing()).code).toBe(1012)
    await closed
  })

  test('it listens, and keeps its store, until the publishes in flight are finished', async () => {
    await using server = await startServer()
    const { store } = server
    const order: string[] = []
    const [append, close] = [store.append.bind(store), store.close.bind(store)]
    store.append = (...args) => {
      order.push('appended')
      return append(...args)
    }
    const { asked, go } = holdAppends(store)
    store.close = () => {
      order.push('closed')
      return close()
    }
    const { cookie } = await member(server.url)
    using socket = await RawWebSocket.open(server.port, '/rooms/r/websocket', { cookie })
    await socket.text()
    socket.sendJson({ type: 'publish', id: 'in-flight', text: 'hi' })
    await asked
    const closed = server.close()
    expect((await fetch(`${server.url}/healthz`)).status).toBe(200)
    go()
    await closed
    expect(order).toEqual(['appended', 'closed'])
  })

  test('nobody new is let in, and afterwards nobody listens', async () => {
    await using server = await startServer()
    const stream = await openStream(server)
    const { port } = server
    await server.close()
    await stream.ended
    const refused = await new Promise((resolve) => connect(port, '127.0.0.1').once('error', resolve))
    expect(refused).toMatchObject({ code: 'ECONNREFUSED' })
  })

  test('/readyz says so at once, while streams are still being sent away', async () => {
    await using server = await startServer({ drainMs: 400 })
    const streams = await Promise.all(Array.from({ length: 4 }, () => openStream(server)))
    expect((await ask(server.port, request(server.port, 'GET /readyz'))).status).toBe(200)
    const closed = server.close()
    expect((await ask(server.port, request(server.port, 'GET /readyz'))).status).toBe(503)
    expect(streams.some((stream) => !stream.over)).toBe(true)
    await closed
  })
})
