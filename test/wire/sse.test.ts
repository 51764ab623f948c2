/** Server-sent events on the wire. */
import { describe, expect, test } from 'vitest'
import type { Batch } from '../../src/protocol/message.ts'
import { cursorSpelling, eventually, expectProblem, lines, masked, metric } from '../support/answers.ts'
import { ask, RawClient, request } from '../support/raw-client.ts'
import { member, post, startServer, type TestServer } from '../support/server.ts'

const streamHead = (...after: readonly string[]): string =>
  lines(
    'HTTP/1.1 200 OK',
    'content-type: text/event-stream',
    'cache-control: no-store, no-transform',
    'x-accel-buffering: no',
    'Date: <date>',
    ...after,
    '',
  )
const chunkedHead = streamHead('Connection: keep-alive', 'Keep-Alive: timeout=72', 'Transfer-Encoding: chunked')
const retryEvent = /^retry: ([0-9]+)\n\n$/

async function open(server: TestServer, query = '', headers = {}): Promise<RawClient> {
  const client = await RawClient.connect(server.port)
  client.send(request(server.port, `GET /rooms/r/sse${query}`, headers))
  expect(masked(await client.head())).toBe(chunkedHead)
  expect(Number(retryEvent.exec(String(await client.chunk()))?.[1])).toSatisfy((ms: number) => ms >= 1_000 && ms <= 3_000)
  return client
}
const batchOf = (event: Buffer | undefined): Batch => JSON.parse(/^data: (.*)$/m.exec(String(event))?.[1] ?? 'null') as Batch

describe('SSE on the wire', () => {
  test('the head and the time to come back after are there before any event', async () => {
    let answer: () => void = () => {}
    const asked = new Promise<void>((resolve) => (answer = resolve))
    await using server = await startServer()
    const { store } = server
    const read = store.read.bind(store)
    store.read = async (...args) => asked.then(() => read(...args))
    const client = await open(server)
    expect(client.unread).toHaveLength(0)
    answer()
    const event = await client.chunk()
    const { cursor } = batchOf(event)
    expect(String(event)).toBe(`id: ${cursor}\ndata: {"messages":[],"cursor":"${cursor}"}\n\n`)
    expect(cursor).toMatch(cursorSpelling)
    client.destroy()
  })

  test('each batch is one event in one chunk, its id the cursor, its data the bytes of a poll', async () => {
    await using server = await startServer()
    const { cookie } = await member(server.url, 'Zoë 🦊')
    const client = await open(server)
    let { cursor: since } = batchOf(await client.chunk())
    for (const text of ['a', 'grüße 𝄞', '👩‍👩‍👧\n\tdata: x\n\nid: evil\nevent: problem', '\u2028\u2029\ufeff\\"']) {
      const { cursor } = await post(server.url, 'r', cookie, { text })
      const poll = await ask(server.port, request(server.port, `GET /rooms/r/poll?since=${since}`))
      expect(String(await client.chunk())).toBe(`id: ${cursor}\ndata: ${poll.body.toString()}\n\n`)
      since = cursor
    }
    client.destroy()
  })

  test('what is appended in one turn goes out as one batch', async () => {
    await using server = await startServer()
    const { member: ann } = await member(server.url)
    const client = await open(server)
    await client.chunk()
    await Promise.all(['a', 'b', 'c'].map((text, index) => server.store.append('r', ann, { id: `same-turn-${index}`, text })))
    expect(batchOf(await client.chunk()).messages.map(({ text }) => text)).toEqual(['a', 'b', 'c'])
    client.destroy()
  })

  test('more follows by itself', async () => {
    await using server = await startServer({ batchMessages: 2 })
    const { cookie } = await member(server.url)
    for (const text of ['a', 'b', 'c']) await post(server.url, 'r', cookie, { text })
    const client = await open(server, '?since=earliest')
    expect(batchOf(await client.chunk())).toMatchObject({ messages: [{ seq: 1 }, { seq: 2 }], more: true })
    expect(batchOf(await client.chunk())).toMatchObject({ messages: [{ seq: 3 }] })
    client.destroy()
  })

  test('the header Last-Event-ID wins over since', async () => {
    await using server = await startServer()
    const { cookie } = await member(server.url)
    const { cursor } = await post(server.url, 'r', cookie, { text: 'a' })
    await post(server.url, 'r', cookie, { text: 'b' })
    const client = await open(server, '?since=earliest', { 'last-event-id': cursor })
    expect(batchOf(await client.chunk()).messages.map(({ text }) => text)).toEqual(['b'])
    client.destroy()
  })

  test('a heartbeat is an empty batch at the cursor where the stream stands', async () => {
    await using server = await startServer({ heartbeatMs: 100 })
    const { cookie } = await member(server.url)
    const { cursor } = await post(server.url, 'r', cookie, { text: 'a' })
    const client = await open(server)
    await client.chunk()
    for (let beat = 0; beat < 2; beat++) {
      expect(String(await client.chunk())).toBe(`id: ${cursor}\ndata: {"messages":[],"cursor":"${cursor}"}\n\n`)
    }
    client.destroy()
  })

  test('the stream ends by itself, and its connection may be used again', async () => {
    await using server = await startServer({ streamMs: 100 })
    const client = await open(server)
    await client.chunk()
    expect(await client.chunk()).toBeUndefined()
    client.send(request(server.port, 'GET /rooms/r/poll'))
    expect((await client.response()).status).toBe(200)
    client.destroy()
  })

  test('a client of HTTP/1.0 gets no chunks, and the connection ends with the stream', async () => {
    await using server = await startServer({ streamMs: 300 })
    const { cookie } = await member(server.url)
    const client = await RawClient.connect(server.port)
    client.send(request(server.port, 'GET /rooms/r/sse HTTP/1.0'))
    expect(masked(await client.head())).toBe(streamHead('Connection: close'))
    expect(await client.until('\n\n')).toMatch(retryEvent)
    expect(await client.until('\n\n')).toMatch(/^id: \S+\ndata: \{"messages":\[\],.*\}\n\n$/)
    const { cursor } = await post(server.url, 'r', cookie, { text: 'a' })
    expect(await client.until('\n\n')).toMatch(new RegExp(`^id: ${cursor}\ndata: \\{.*"text":"a".*\\}\n\n$`))
    expect(await client.rest()).toHaveLength(0)
  })

  test('behind another answer of the same connection the stream waits its turn', async () => {
    await using server = await startServer()
    const { cookie } = await member(server.url)
    const other = (await (await fetch(`${server.url}/rooms/other/poll`)).json()) as Batch
    const client = await RawClient.connect(server.port)
    client.send(request(server.port, `GET /rooms/other/long-poll?since=${other.cursor}`) + request(server.port, 'GET /rooms/r/sse'))
    await eventually(async () => (await metric(server.url, 'fourwires_connections{transport="sse"}')) === 1, 'the stream is open')
    for (const text of ['a', 'b']) await post(server.url, 'r', cookie, { text })
    await post(server.url, 'other', cookie, { text: 'first' })
    expect(JSON.parse((await client.response()).body.toString())).toMatchObject({ messages: [{ text: 'first' }] })
    expect(masked(await client.head())).toBe(chunkedHead)
    await post(server.url, 'r', cookie, { text: 'c' })
    expect(String(await client.chunk())).toMatch(retryEvent)
    const texts: string[] = []
    while (texts.length < 3) texts.push(...batchOf(await client.chunk()).messages.map(({ text }) => text))
    expect(texts).toEqual(['a', 'b', 'c'])
    client.destroy()
  })

  test('a temporary refusal is a 200 with retry, an event "problem" and the end', async () => {
    await using server = await startServer({ maxConnections: 1 })
    const first = await open(server)
    const client = await RawClient.connect(server.port)
    client.send(request(server.port, 'GET /rooms/r/sse'))
    expect(masked(await client.head())).toBe(chunkedHead)
    const event = String(await client.chunk())
    const [, retry, data] = /^retry: ([0-9]+)\nevent: problem\ndata: (.*)\n\n$/.exec(event) ?? []
    expect(JSON.parse(data ?? 'null')).toMatchObject({ code: 'overloaded', status: 503, retryAfterMs: Number(retry) })
    expect(await client.chunk()).toBeUndefined()
    first.destroy()
    client.destroy()
  })

  test('on drain the last event has the time to come back after and the cursor', async () => {
    await using server = await startServer()
    const client = await open(server)
    const { cursor } = batchOf(await client.chunk())
    const closed = server.close()
    const event = String(await client.chunk())
    const [, retry] = /^retry: ([0-9]+)\n/.exec(event) ?? []
    expect(event).toBe(`retry: ${retry}\nid: ${cursor}\ndata: {"messages":[],"cursor":"${cursor}","retryMs":${retry}}\n\n`)
    expect(await client.chunk()).toBeUndefined()
    await closed
  })

  test('what no waiting mends is a status: an invalid cursor, a bad room, a forbidden one', async () => {
    await using server = await startServer({ authorize: (_member, room) => room !== 'secret' })
    expectProblem(await ask(server.port, request(server.port, 'GET /rooms/r/sse?since=1')), 'invalid-cursor')
    expectProblem(await ask(server.port, request(server.port, 'GET /rooms/-/sse')), 'invalid-room')
    expectProblem(await ask(server.port, request(server.port, 'GET /rooms/secret/sse')), 'forbidden')
  })

  test('who half-closes or resets is forgotten at once', async () => {
    await using server = await startServer()
    const [leaves, resets] = [await open(server), await open(server)]
    leaves.halfClose()
    resets.reset()
    await eventually(async () => (await metric(server.url, 'fourwires_connections{transport="sse"}')) === 0, 'no stream is left')
  })
})
