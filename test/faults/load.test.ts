/** Too many, too fast, gone in the midst of it: what a server does with them, and what the others notice. Real sockets, shortened options. */
import { describe, expect, test } from 'vitest'
import { drawId } from '../../src/protocol/draft.ts'
import type { Batch } from '../../src/protocol/message.ts'
import { eventually, expectProblem, expectRetry, metric } from '../support/answers.ts'
import { ask, RawClient, request } from '../support/raw-client.ts'
import { RawWebSocket } from '../support/raw-websocket.ts'
import { member, post, startServer, type TestServer } from '../support/server.ts'

const get = (server: TestServer, path: string) => ask(server.port, request(server.port, `GET ${path}`))

async function openStream({ port }: TestServer, room = 'r'): Promise<RawClient> {
  const client = await RawClient.connect(port)
  await client.send(request(port, `GET /rooms/${room}/sse`)).head()
  await client.chunk()
  await client.chunk()
  return client
}

/** Reads events until this seq has come; returns all in the order they came. */
async function seqsUntil(client: RawClient, last: number): Promise<number[]> {
  const seqs: number[] = []
  while (seqs.at(-1) !== last) {
    const { messages } = JSON.parse(/^data: (.*)$/m.exec(String(await client.chunk()))?.[1] ?? '{"messages":[]}') as Batch
    seqs.push(...messages.map(({ seq }) => seq))
  }
  return seqs
}

/** A member without a request: a server that is full answers none. */
const stranger = { id: 'm_load000000001', name: 'Load' }

const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1)

test('readers who are reset by the hundred while a room is busy cost nobody else a message, and nothing of them is left', async () => {
  await using server = await startServer()
  const healthy = await Promise.all([openStream(server), openStream(server)])
  const sick = await Promise.all([
    ...upTo(60).map(() => openStream(server)),
    ...upTo(60).map(async () => (await RawWebSocket.open(server.port, '/rooms/r/websocket')).client),
  ])
  const { member: ann } = await member(server.url)
  const messages = 240
  for (const n of upTo(messages)) {
    await server.store.append('r', ann, { id: drawId(), text: `${n} ${'x'.repeat(500)}` })
    // Two for one of them: in the midst of what is being written to it, and after.
    if (n % 2 === 0) sick[n / 2 - 1]?.reset()
    if (n % 20 === 0) await new Promise((resolve) => setImmediate(resolve))
  }
  for (const client of healthy) expect(await seqsUntil(client, messages)).toEqual(upTo(messages))
  await eventually(async () => (await server.connections()) === healthy.length, 'only the healthy are held')
  for (const client of healthy) client.destroy()
  await server.quiet()
})

describe('503 overloaded', () => {
  test('is what who comes gets beside --max-connections; who is here goes on, and who comes when one has left is let in', async () => {
    await using server = await startServer({ maxConnections: 3 })
    const { cookie } = await member(server.url)
    const streams = await Promise.all([openStream(server), openStream(server)])
    const author = await RawWebSocket.open(server.port, '/rooms/r/websocket', { cookie }).catch(() => undefined)
    // The connection of `fetch` may be kept, and the first of these may be one too few: nobody hangs, and the others are refused.
    const answers = await Promise.all(upTo(9).map(() => get(server, '/rooms/r/poll')))
    const over = answers.filter(({ status }) => status !== 200)
    expect(over.length).toBeGreaterThanOrEqual(6)
    // Each is to come back at a time of its own.
    expect(new Set(over.map((answer) => expectRetry(answer, 'overloaded')['retryAfterMs'])).size).toBeGreaterThan(over.length / 2)
    await server.store.append('r', stranger, { id: drawId(), text: 'still here' })
    for (const stream of streams) expect(await seqsUntil(stream, 1)).toEqual([1])
    for (const stream of streams) stream.destroy()
    author?.client.destroy()
    await eventually(async () => (await get(server, '/rooms/r/poll')).status === 200, 'who comes now is let in')
  })

  test('is the answer while the event loop is more than maxLagMs late, and probes and metrics are answered all the same', async () => {
    await using server = await startServer({ maxLagMs: 200 })
    const clients = await Promise.all(upTo(5).map(() => RawClient.connect(server.port)))
    // Lateness is looked at every 250 ms: it stands still for longer than two looks.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 700)
    const asked = ['/rooms/r/poll', '/rooms/r/long-poll', '/healthz', '/readyz', '/metrics']
    const answers: Awaited<ReturnType<RawClient['response']>>[] = []
    // The look comes with the next turn, before any socket is read.
    await new Promise((resolve) => setTimeout(resolve, 1))
    for (const [index, path] of asked.entries()) clients[index]?.send(request(server.port, `GET ${path}`))
    for (const client of clients) answers.push(await client.response())
    for (const answer of answers.slice(0, 2)) expectRetry(answer, 'overloaded')
    expect(answers.slice(2).map(({ status }) => status)).toEqual([200, 200, 200])
    await eventually(async () => (await get(server, '/rooms/r/poll')).status === 200, 'it has caught up')
    for (const client of clients) client.destroy()
  })
})

test('of a thousand names of rooms as many are made as there may be: the others are a room-limit, and leave nothing behind', async () => {
  await using server = await startServer({ rooms: 20, roomsPerMinute: 0 })
  const names = upTo(1_000).map((n) => `room-${n}`)
  using client = await RawClient.connect(server.port)
  const statuses: number[] = []
  for (const name of names) {
    const answer = await client.send(request(server.port, `GET /rooms/${name}/poll`)).response()
    if (answer.status !== 200) expectProblem(answer, 'room-limit')
    statuses.push(answer.status)
  }
  expect(statuses.filter((status) => status === 200)).toHaveLength(20)
  const there = await Promise.all(names.map((name) => server.store.has(name)))
  expect(there.filter(Boolean)).toHaveLength(20)
  // Those who were made are not given up for those who were refused.
  expect(await get(server, '/rooms/room-1/poll')).toMatchObject({ status: 200 })
})

test('who publishes though their lease has run out is taken, kept once, and is a member again by the stream that is open', async () => {
  await using server = await startServer({ sseLeaseMs: 300, leaseGraceMs: 50, membersMs: 50 })
  const { cookie } = await member(server.url, 'Ann')
  using stream = await RawClient.connect(server.port)
  await stream.send(request(server.port, 'GET /rooms/r/sse', { cookie })).head()
  const here = async (): Promise<number> => ((await (await fetch(`${server.url}/rooms/r/members`)).json()) as unknown[]).length
  await eventually(async () => (await here()) === 1, 'is here')
  await eventually(async () => (await here()) === 0, 'the lease has run out')
  const draft = { id: 'after-the-lease', text: 'hi' }
  const first = await post(server.url, 'r', cookie, draft)
  const again = await post(server.url, 'r', cookie, draft)
  expect([first.duplicate, again.duplicate, again.seq]).toEqual([false, true, first.seq])
  expect(await here()).toBe(1)
  expect(await metric(server.url, 'fourwires_connections{transport="sse"}')).toBe(1)
  const { messages } = (await (await fetch(`${server.url}/rooms/r/poll?since=earliest`)).json()) as Batch
  expect(messages.map(({ id }) => id)).toEqual([draft.id])
})

test('a room that gave way to others under --total-bytes is a gap to who stood in it, told by the wire, with what is missed exactly', async () => {
  await using server = await startServer({ totalBytes: 120_000, publishesPerSecond: 0 })
  const { cookie } = await member(server.url)
  const text = 'x'.repeat(4_000)
  const { cursor } = await post(server.url, 'idle', cookie, { text })
  for (let n = 0; n < 4; n++) await post(server.url, 'idle', cookie, { text })
  for (let n = 0; n < 40; n++) await post(server.url, `busy${n % 2}`, cookie, { text })
  const { messages, gap } = (await (await fetch(`${server.url}/rooms/idle/poll?since=${cursor}`)).json()) as Batch
  expect(gap).toEqual({ reason: 'trimmed', missed: 4 - messages.length })
  expect(messages.length).toBeLessThan(4)
  // It counts on where it was.
  expect(await post(server.url, 'idle', cookie, { text: 'again' })).toMatchObject({ seq: 6 })
})
