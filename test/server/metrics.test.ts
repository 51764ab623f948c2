/** What happens, counted, and how the process is. */
import { describe, expect, test } from 'vitest'
import { Registry } from 'prom-client'
import { eventually, metric } from '../support/answers.ts'
import { ask, RawClient, request } from '../support/raw-client.ts'
import { RawWebSocket } from '../support/raw-websocket.ts'
import { member, post, startServer } from '../support/server.ts'

const of = (name: string, transport: string): string => `fourwires_${name}{transport="${transport}"}`

describe('/metrics', () => {
  test('is in the text format of Prometheus, each line of it', async () => {
    await using server = await startServer()
    const response = await fetch(`${server.url}/metrics`)
    expect(response.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/)
    expect(response.headers.get('cache-control')).toBe('no-store')
    const sample = /^[a-z_]+(\{[a-z]+="[^"]*"\})? -?[0-9.e+-]+$/
    for (const line of (await response.text()).trim().split('\n'))
      expect(line).toMatch(line.startsWith('#') ? /^# (HELP|TYPE) \S+ / : line === '' ? /^$/ : sample)
  })

  test('counts batches, messages and bytes by transport, and connections while they are open', async () => {
    await using server = await startServer()
    const { port, url } = server
    const { cookie } = await member(url)
    await post(url, 'r', cookie, { text: 'a' })
    await post(url, 'r', cookie, { text: 'b' })
    const poll = await ask(port, request(port, 'GET /rooms/r/poll'))
    await ask(port, request(port, 'GET /rooms/r/long-poll'))
    const stream = await RawClient.connect(port)
    await stream.send(request(port, 'GET /rooms/r/sse')).head()
    await stream.chunk()
    const event = await stream.chunk()
    const socket = await RawWebSocket.open(port, '/rooms/r/websocket')
    await socket.text()
    for (const transport of ['poll', 'long-poll', 'sse', 'websocket']) {
      expect([transport, await metric(url, of('batches_total', transport))]).toEqual([transport, 1])
      expect([transport, await metric(url, of('deliveries_total', transport))]).toEqual([transport, 2])
    }
    const { length } = poll.body
    expect(await metric(url, of('delivered_bytes_total', 'poll'))).toBe(length)
    expect(await metric(url, of('delivered_bytes_total', 'long-poll'))).toBe(length)
    const size = event?.length ?? 0
    expect(await metric(url, of('delivered_bytes_total', 'sse'))).toBe(size + size.toString(16).length + 4)
    expect(await metric(url, of('delivered_bytes_total', 'websocket'))).toBe(length + 4)

    expect(await metric(url, of('connections', 'sse'))).toBe(1)
    expect(await metric(url, of('connections', 'websocket'))).toBe(1)
    expect(await metric(url, 'fourwires_rooms_watched')).toBe(1)
    stream.destroy()
    socket.client.destroy()
    await eventually(
      async () => (await metric(url, of('connections', 'sse'))) + (await metric(url, of('connections', 'websocket'))) === 0,
      'both have left',
    )
    await eventually(async () => (await metric(url, 'fourwires_rooms_watched')) === 0, 'the room is no longer watched')
  })

  test('counts gaps by reason', async () => {
    await using server = await startServer()
    for (const since of ['abcdefghijkl.0.AAAAAA', 'abcdefghijkl.5.AAAAAA']) await fetch(`${server.url}/rooms/r/poll?since=${since}`)
    expect(await metric(server.url, 'fourwires_gaps_total{reason="epoch"}')).toBe(2)
    expect(await metric(server.url, 'fourwires_gaps_total{reason="trimmed"}')).toBe(0)
  })

  test('tells of the process: memory, connections, the lag of its event loop', async () => {
    await using server = await startServer()
    expect(await metric(server.url, 'process_resident_memory_bytes')).toBeGreaterThan(10_000_000)
    expect(await metric(server.url, 'fourwires_tcp_connections')).toBeGreaterThanOrEqual(1)
    for (const quantile of ['0.5', '0.99', '1']) {
      expect(await metric(server.url, `fourwires_event_loop_lag_seconds{quantile="${quantile}"}`)).toBeGreaterThanOrEqual(0)
    }
  })

  test('can go into a registry of the host', async () => {
    const registry = new Registry()
    await using server = await startServer({ registry })
    await fetch(`${server.url}/rooms/r/poll`)
    expect(await registry.metrics()).toContain('fourwires_batches_total{transport="poll"} 1')
  })
})

describe('probes', () => {
  test('/healthz tells that the process is alive, /readyz that it has a store', async () => {
    await using server = await startServer()
    expect((await ask(server.port, request(server.port, 'GET /healthz'))).body.toString()).toBe('{"status":"alive"}')
    expect((await ask(server.port, request(server.port, 'GET /readyz'))).body.toString()).toBe('{"status":"ready"}')
    server.store.has = () => Promise.reject(new Error('gone'))
    expect((await ask(server.port, request(server.port, 'GET /readyz'))).status).toBe(503)
    expect((await ask(server.port, request(server.port, 'GET /healthz'))).status).toBe(200)
  })

  test('/readyz creates no room', async () => {
    await using server = await startServer({ rooms: 1 })
    for (let index = 0; index < 3; index++) expect((await fetch(`${server.url}/readyz`)).status).toBe(200)
    expect((await fetch(`${server.url}/rooms/r/poll`)).status).toBe(200)
  })
})
