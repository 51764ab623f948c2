/** The routes of members, what renews a lease and what does not, and the bytes in which a change is told. */
import { describe, expect, test } from 'vitest'
import { nobody } from '../../src/protocol/version.ts'
import { cursorSpelling, eventually, expectProblem, metric } from '../support/answers.ts'
import { ask, RawClient, type RawResponse, request } from '../support/raw-client.ts'
import { frame, opcodes, RawWebSocket } from '../support/raw-websocket.ts'
import { member, post, startServer, type TestServer } from '../support/server.ts'

const get = ({ port }: TestServer, target: string, headers = {}): Promise<RawResponse> => ask(port, request(port, `GET ${target}`, headers))
const send = ({ port }: TestServer, line: string, headers = {}): Promise<RawResponse> =>
  ask(port, request(port, line, { 'content-length': '0', ...headers }))

interface Listed {
  readonly id: string
  readonly name: string
  readonly wires: readonly { readonly transport: string; readonly seenMs: number }[]
}
const list = async (server: TestServer, room = 'r'): Promise<Listed[]> =>
  JSON.parse((await get(server, `/rooms/${room}/members`)).body.toString()) as Listed[]
const wires = async (server: TestServer): Promise<string[]> =>
  (await list(server)).flatMap(({ wires: all }) => all.map(({ transport }) => transport))
const gone = (server: TestServer): Promise<void> => eventually(async () => (await list(server)).length === 0, 'the member has gone')

const change = async (server: TestServer, known = '0', query = ''): Promise<{ version: string; list: object } | undefined> => {
  const { cursor } = JSON.parse((await get(server, '/rooms/r/poll')).body.toString()) as { cursor: string }
  const answer = await get(server, `/rooms/r/poll?since=${cursor}&members=${known}${query}`)
  return (JSON.parse(answer.body.toString()) as { members?: { version: string; list: object } }).members
}

async function stream(server: TestServer, cookie: string, query = ''): Promise<RawClient> {
  const client = await RawClient.connect(server.port)
  await client.send(request(server.port, `GET /rooms/r/sse${query}`, { cookie })).head()
  for (let chunk = 0; chunk < 2; chunk++) await client.chunk()
  return client
}

describe('GET /rooms/:room/members', () => {
  test('tells who is here, and how we know: each wire, and how long ago it was last heard', async () => {
    await using server = await startServer()
    const [ann, bob] = [await member(server.url, 'Ann'), await member(server.url, 'Bob')]
    await get(server, '/rooms/r/poll?every=1000', { cookie: ann.cookie })
    const client = await stream(server, ann.cookie)
    using socket = await RawWebSocket.open(server.port, '/rooms/r/websocket', { cookie: bob.cookie })
    await socket.text()
    const seenMs = expect.toSatisfy((ms: number) => Number.isInteger(ms) && ms >= 0 && ms < 5_000)
    expect(await list(server)).toEqual([
      {
        ...ann.member,
        wires: [
          { transport: 'poll', seenMs },
          { transport: 'sse', seenMs },
        ],
      },
      { ...bob.member, wires: [{ transport: 'websocket', seenMs }] },
    ])
    expect(await metric(server.url, 'fourwires_members')).toBe(2)
    client.destroy()
  })

  test('is not to be kept by caches, and neither makes a room nor a member', async () => {
    await using server = await startServer({ rooms: 1 })
    const { cookie } = await member(server.url)
    for (let n = 0; n < 3; n++) {
      const answer = await get(server, `/rooms/room-${n}/members`, { cookie })
      expect([answer.status, answer.header('cache-control'), answer.body.toString()]).toEqual([200, 'no-store', '[]'])
    }
    expect((await get(server, '/rooms/r/poll')).status).toBe(200)
  })
})

describe('POST /rooms/:room/lease', () => {
  test('renews the lease of an open stream, without a body', async () => {
    await using server = await startServer({ sseLeaseMs: 300 })
    const { cookie } = await member(server.url)
    const client = await stream(server, cookie)
    // What only listens proves nothing.
    await gone(server)
    const answer = await send(server, 'POST /rooms/r/lease', { cookie })
    expect([answer.status, answer.header('cache-control'), answer.body.length]).toEqual([204, 'no-store', 0])
    expect(await wires(server)).toEqual(['sse'])
    await gone(server)
    client.destroy()
  })

  test('makes nobody a member who has no stream', async () => {
    await using server = await startServer()
    const { cookie } = await member(server.url)
    expect((await send(server, 'POST /rooms/r/lease', { cookie })).status).toBe(204)
    expect(await list(server)).toEqual([])
  })

  test('is told to get a session first, where there is none', async () => {
    await using server = await startServer()
    expectProblem(await send(server, 'POST /rooms/r/lease'), 'session-required')
    expectProblem(await send(server, 'POST /rooms/r/lease', { cookie: 'fourwires=forged' }), 'session-required')
  })
})

describe('what renews a lease', () => {
  test('is a publish, for a stream', async () => {
    await using server = await startServer({ sseLeaseMs: 300 })
    const { cookie } = await member(server.url)
    const client = await stream(server, cookie)
    await gone(server)
    await post(server.url, 'r', cookie, { text: 'still here' })
    expect(await wires(server)).toEqual(['sse'])
    client.destroy()
  })

  test('is any frame, for a socket: a pong, a ping, a text; and silence ends it', async () => {
    await using server = await startServer({ websocketLeaseMs: 300, silentMs: 60_000 })
    const { cookie } = await member(server.url)
    using socket = await RawWebSocket.open(server.port, '/rooms/r/websocket', { cookie })
    await socket.text()
    const publish = JSON.stringify({ type: 'publish', id: 'my-first-message', text: 'hi' })
    for (const bytes of [frame('', { opcode: opcodes.pong }), frame('', { opcode: opcodes.ping }), frame(publish)]) {
      await gone(server)
      socket.send(bytes)
      await eventually(async () => (await list(server)).length === 1, 'the frame counts')
    }
    await gone(server)
  })

  test('is each question of a poller, for as long as its interval asks for, and for no less than the least', async () => {
    await using server = await startServer({ pollLeaseMs: 100, pollLeasePercent: 200 })
    const { cookie } = await member(server.url)
    await get(server, '/rooms/r/poll?every=250', { cookie })
    const begun = performance.now()
    await gone(server)
    expect(performance.now() - begun).toBeGreaterThan(450)
    await get(server, '/rooms/r/poll', { cookie })
    await gone(server)
  })

  test('is the end of a long poll as well as its beginning', async () => {
    await using server = await startServer({ longPollLeaseMs: 600, heartbeatMs: 100 })
    const { cookie } = await member(server.url)
    const { cursor } = JSON.parse((await get(server, '/rooms/r/poll')).body.toString()) as { cursor: string }
    await get(server, `/rooms/r/long-poll?since=${cursor}&wait=1`, { cookie })
    // It was held for longer than its lease, and has just ended.
    expect(await wires(server)).toEqual(['long-poll'])
    await gone(server)
  })

  test('is not the end of a long poll whose client has gone', async () => {
    await using server = await startServer({ leaseGraceMs: 100 })
    const { cookie } = await member(server.url)
    const { cursor } = JSON.parse((await get(server, '/rooms/r/poll')).body.toString()) as { cursor: string }
    const client = await RawClient.connect(server.port)
    client.send(request(server.port, `GET /rooms/r/long-poll?since=${cursor}`, { cookie }))
    await eventually(async () => (await list(server)).length === 1, 'it is held')
    client.destroy()
    await gone(server)
  })
})

test('who was forgotten meanwhile publishes as before, and what is sent again under the same id is one message', async () => {
  await using server = await startServer({ sseLeaseMs: 100, leaseGraceMs: 50, sessionSecret: 'a secret of this test' })
  const { cookie, member: ann } = await member(server.url, 'Ann')
  const client = await stream(server, cookie)
  await gone(server)
  const first = await post(server.url, 'r', cookie, { id: 'forgotten-1', text: 'still me' })
  client.destroy()
  await gone(server)
  // Neither a lease nor a wire: a session is enough to publish, and an id is its member's whoever is here.
  expect(await post(server.url, 'r', cookie, { id: 'forgotten-1', text: 'still me' })).toEqual({ ...first, duplicate: true })
  // Who is not known at all begins a session first, and sends the same again.
  expectProblem(
    await ask(
      server.port,
      request(server.port, 'POST /rooms/r/messages', { 'content-type': 'application/json' }, '{"id":"forgotten-2","text":"who?"}'),
    ),
    'session-required',
  )
  const stranger = await member(server.url)
  expect(await post(server.url, 'r', stranger.cookie, { id: 'forgotten-2', text: 'who?' })).toMatchObject({ seq: 2, duplicate: false })
  const { messages } = JSON.parse((await get(server, '/rooms/r/poll?since=earliest')).body.toString()) as { messages: { member: string }[] }
  expect(messages.map(({ member: id }) => id)).toEqual([ann.id, stranger.member.id])
})

test('DELETE /session leaves at once, also where a wire is still open', async () => {
  await using server = await startServer()
  const { cookie } = await member(server.url)
  using socket = await RawWebSocket.open(server.port, '/rooms/r/websocket', { cookie })
  await socket.text()
  expect(await wires(server)).toEqual(['websocket'])
  await send(server, 'DELETE /session', { cookie })
  expect(await list(server)).toEqual([])
  socket.send(frame('', { opcode: opcodes.pong }), frame('', { opcode: opcodes.ping }))
  while ((await socket.frame()).opcode !== opcodes.pong);
  expect(await list(server)).toEqual([])
})

describe('a reader that asks', () => {
  const version = /^[A-Za-z0-9_-]{12}\.[0-9]+$/

  test('is told of nobody in an empty room, once', async () => {
    await using server = await startServer()
    expect(await change(server)).toEqual({ version: nobody, list: {} })
    expect(await change(server, nobody)).toBeUndefined()
  })

  test('is told in a batch of its own on each wire, that ends a held long poll, and nobody else is', async () => {
    await using server = await startServer({ membersMs: 50 })
    const { port } = server
    const { cursor } = JSON.parse((await get(server, '/rooms/r/poll')).body.toString()) as { cursor: string }
    const held = get(server, `/rooms/r/long-poll?since=${cursor}&members=${nobody}`)
    const unasked = await RawClient.connect(port)
    unasked.send(request(port, `GET /rooms/r/long-poll?since=${cursor}`))
    const events = await stream(server, '', `?since=${cursor}&members=${nobody}`)
    using socket = await RawWebSocket.open(port, `/rooms/r/websocket?since=${cursor}&members=${nobody}`)
    expect(await socket.text()).toBe(`{"messages":[],"cursor":"${cursor}"}`)
    await eventually(async () => (await metric(server.url, 'fourwires_connections{transport="long-poll"}')) === 2, 'both are held')

    const ann = await member(server.url, 'Ann')
    using anns = await RawWebSocket.open(port, '/rooms/r/websocket', { cookie: ann.cookie })
    const body = await socket.text()
    const told = JSON.parse(body) as { members: { version: string } }
    expect(told.members.version).toMatch(version)
    expect(body).toBe(
      `{"messages":[],"cursor":"${cursor}","members":{"version":"${told.members.version}","list":{"${ann.member.id}":{"name":"Ann","wires":["websocket"]}}}}`,
    )
    expect((await held).body.toString()).toBe(body)
    expect(String(await events.chunk())).toBe(`id: ${cursor}\ndata: ${body}\n\n`)
    expect((await get(server, `/rooms/r/poll?since=${cursor}&members=${nobody}`)).body.toString()).toBe(body)
    expect((await get(server, `/rooms/r/poll?since=${cursor}&members=${told.members.version}`)).body.toString()).toBe(
      `{"messages":[],"cursor":"${cursor}"}`,
    )
    expect(unasked.unread.length).toBe(0)
    for (const client of [unasked, events, anns.client]) client.destroy()
  })

  test('gets messages with the same bytes as everybody', async () => {
    await using server = await startServer({ membersMs: 50 })
    const { cookie } = await member(server.url)
    await post(server.url, 'r', cookie, { text: 'hi' })
    const plain = await get(server, '/rooms/r/poll?since=earliest')
    expect((await get(server, '/rooms/r/poll?since=earliest&members=0')).body).toEqual(plain.body)
    expect((await get(server, '/rooms/r/long-poll?since=earliest&members=0')).body).toEqual(plain.body)
    using socket = await RawWebSocket.open(server.port, '/rooms/r/websocket?since=earliest&members=0')
    expect(await socket.text()).toBe(plain.body.toString())
  })

  test('by a poll that has messages to come too is told of the members first, and to ask again at once', async () => {
    await using server = await startServer()
    const { cookie } = await member(server.url)
    const { cursor } = JSON.parse((await get(server, '/rooms/r/poll')).body.toString()) as { cursor: string }
    await post(server.url, 'r', cookie, { text: 'hi' })
    const first = JSON.parse((await get(server, `/rooms/r/poll?since=${cursor}&members=0`)).body.toString()) as object
    expect(first).toEqual({ messages: [], cursor, more: true, members: { version: nobody, list: {} } })
    const next = JSON.parse((await get(server, `/rooms/r/poll?since=${cursor}&members=${nobody}`)).body.toString()) as object
    expect(next).toMatchObject({ messages: [{ text: 'hi' }], cursor: expect.stringMatching(cursorSpelling) })
    expect(next).not.toHaveProperty('members')
  })

  test('for a long list is told of it in parts, each at once', async () => {
    await using server = await startServer({ membersPerBatch: 2, membersMs: 50 })
    const reader = async () => {
      const socket = await RawWebSocket.open(server.port, '/rooms/r/websocket?members=0')
      await socket.text()
      const part = async (): Promise<string[]> => Object.keys((await socket.json<{ members: { list: object } }>()).members.list)
      return { part, [Symbol.dispose]: () => socket.client.destroy() }
    }
    using early = await reader()
    for (let n = 0; n < 5; n++) await get(server, '/rooms/r/poll', { cookie: (await member(server.url)).cookie })
    // They come in over several tellings: only who asks after the last is told of all at once.
    const told = new Set<string>()
    while (told.size < 5) for (const id of await early.part()) told.add(id)
    using late = await reader()
    const parts = [await late.part(), await late.part(), await late.part()]
    expect(parts.map((ids) => ids.length)).toEqual([2, 2, 1])
    expect(new Set(parts.flat())).toEqual(told)
  })
})

describe('refused', () => {
  test.each(['x', '', '-1', '00', 'AAAAAAAAAAAA', 'AAAAAAAAAAAA.', 'AAAAAAAAAAAA.01', 'AAAAAAAAAAAA.1.AAAAAA', `${nobody}&members=0`])(
    'is members=%s, on all four wires',
    async (value) => {
      await using server = await startServer()
      for (const transport of ['poll', 'long-poll', 'sse'])
        expectProblem(await get(server, `/rooms/r/${transport}?members=${value}`), 'invalid-request')
      using socket = await RawWebSocket.open(server.port, `/rooms/r/websocket?members=${value}`)
      expect(await socket.closing()).toMatchObject({ code: 4500 })
    },
  )

  test('is a query that the routes of members do not know, another method, another room, another media type', async () => {
    await using server = await startServer({ allowQueryKeys: ['token'] })
    const { cookie } = await member(server.url)
    expectProblem(await get(server, '/rooms/r/members?since=earliest'), 'invalid-request')
    expectProblem(await send(server, 'POST /rooms/r/lease?x=1', { cookie }), 'invalid-request')
    expect((await get(server, '/rooms/r/members?token=1')).status).toBe(200)
    expectProblem(await get(server, '/rooms/-r-/members'), 'invalid-room')
    expectProblem(await send(server, 'POST /rooms/-r-/lease', { cookie }), 'invalid-room')
    const posted = await send(server, 'POST /rooms/r/members', { cookie })
    expectProblem(posted, 'method-not-allowed')
    expect(posted.header('allow')).toBe('GET')
    const got = await get(server, '/rooms/r/lease')
    expectProblem(got, 'method-not-allowed')
    expect(got.header('allow')).toBe('POST')
    const plain = request(server.port, 'POST /rooms/r/lease', { cookie, 'content-type': 'text/plain' }, 'hi')
    expectProblem(await ask(server.port, plain), 'unsupported-media-type')
    expectProblem(await send(server, 'POST /rooms/r/lease', { cookie, origin: 'http://evil.example' }), 'origin-denied')
    expectProblem(await get(server, '/rooms/r/members', { host: 'evil.example' }), 'bad-host')
  })

  test('is who may not read the room, and all while overloaded', async () => {
    await using server = await startServer({ authorize: (_who, room, action) => !(room === 'secret' && action === 'read') })
    const { cookie } = await member(server.url)
    expectProblem(await get(server, '/rooms/secret/members'), 'forbidden')
    expectProblem(await send(server, 'POST /rooms/secret/lease', { cookie }), 'forbidden')
    expect((await get(server, '/rooms/open/members')).status).toBe(200)
    await using busy = await startServer({ maxConnections: 1 })
    const waiting = await RawClient.connect(busy.port)
    await eventually(async () => (await metric(busy.url, 'fourwires_tcp_connections')) > 1, 'both are connected')
    expectProblem(await get(busy, '/rooms/r/members'), 'overloaded')
    waiting.destroy()
  })
})

test('where the host says who somebody is, the member is the host’s', async () => {
  const authenticate = ({ headers }: { headers: Record<string, unknown> }) =>
    headers['x-user'] === undefined ? undefined : { id: 'user:1', name: String(headers['x-user']) }
  await using server = await startServer({ authenticate })
  await get(server, '/rooms/r/poll')
  expect(await list(server)).toEqual([])
  await get(server, '/rooms/r/poll', { 'x-user': 'Ann' })
  expect(await list(server)).toMatchObject([{ id: 'user:1', name: 'Ann', wires: [{ transport: 'poll' }] }])
  expect((await send(server, 'POST /rooms/r/lease', { 'x-user': 'Ann' })).status).toBe(204)
  expectProblem(await send(server, 'POST /rooms/r/lease'), 'session-required')
})

test('where no more members may be, who comes reads all the same', async () => {
  await using server = await startServer({ maxMembers: 1 })
  for (const name of ['Ann', 'Bob']) {
    const { cookie } = await member(server.url, name)
    expect((await get(server, '/rooms/r/poll', { cookie })).status).toBe(200)
  }
  expect(await list(server)).toMatchObject([{ name: 'Ann' }])
})
