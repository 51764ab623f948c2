/** The route of states, what it refuses, and the bytes in which a change is told. */
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Batch } from '../../src/protocol/message.ts'
import { nobody } from '../../src/protocol/version.ts'
import { parseJson } from '../../src/server/json.ts'
import { eventually, expectProblem, expectRetry, metric } from '../support/answers.ts'
import { ask, RawClient, type RawResponse, request } from '../support/raw-client.ts'
import { RawWebSocket } from '../support/raw-websocket.ts'
import { member, post, startServer, type TestMember, type TestServer } from '../support/server.ts'

const get = ({ port }: TestServer, target: string, headers = {}): Promise<RawResponse> => ask(port, request(port, `GET ${target}`, headers))
const putRaw = ({ port }: TestServer, cookie: string, body: string, room = 'r', headers = {}): Promise<RawResponse> =>
  ask(port, request(port, `PUT /rooms/${room}/state`, { cookie, 'content-type': 'application/json', ...headers }, body))
const put = (server: TestServer, cookie: string, state: unknown): Promise<RawResponse> => putRaw(server, cookie, JSON.stringify({ state }))
const cursorOf = async (server: TestServer): Promise<string> =>
  (JSON.parse((await get(server, '/rooms/r/poll')).body.toString()) as { cursor: string }).cursor
const change = async (server: TestServer, known = '0'): Promise<Batch['states']> => {
  const answer = await get(server, `/rooms/r/poll?since=${await cursorOf(server)}&states=${known}`)
  return (JSON.parse(answer.body.toString()) as Batch).states
}
/** Somebody who is here, by polling. */
async function present(server: TestServer, name = 'Ann'): Promise<TestMember> {
  const who = await member(server.url, name)
  await get(server, '/rooms/r/poll?every=60000', { cookie: who.cookie })
  return who
}
const carried = (server: TestServer, states: Record<string, unknown>): Promise<void> =>
  eventually(
    async () => JSON.stringify((await change(server))?.list) === JSON.stringify(states),
    `the states are ${JSON.stringify(states)}`,
  )

/** JSON of exactly so many bytes in UTF-8. */
const stateOf = (bytes: number): string => 'x'.repeat(bytes - 2)

describe('PUT /rooms/:room/state', () => {
  test('is 204 without a body, is told to who asks, and is taken back by null', async () => {
    await using server = await startServer()
    const { cookie, member: ann } = await present(server)
    const answer = await put(server, cookie, { x: 0.5, deep: [{ y: null }] })
    expect([answer.status, answer.header('cache-control'), answer.body.length]).toEqual([204, 'no-store', 0])
    await carried(server, { [ann.id]: { x: 0.5, deep: [{ y: null }] } })
    expect(await metric(server.url, 'fourwires_states')).toBe(1)
    expect((await put(server, cookie, null)).status).toBe(204)
    await eventually(async () => (await change(server, 'AAAAAAAAAAAA.9'))?.version === nobody, 'nobody carries one')
  })

  test('takes 256 bytes of JSON and no more, counted in UTF-8 and without white space', async () => {
    await using server = await startServer()
    const { cookie, member: ann } = await present(server)
    for (const state of [stateOf(256), 'é'.repeat(127)]) {
      expect((await putRaw(server, cookie, `{ "state" :   ${JSON.stringify(state)} }`)).status).toBe(204)
      await carried(server, { [ann.id]: state })
    }
    for (const state of [stateOf(257), 'é'.repeat(128), Array.from({ length: 129 }, () => 1)])
      expectProblem(await put(server, cookie, state), 'invalid-message')
    await carried(server, { [ann.id]: 'é'.repeat(127) })
  })

  test('needs a session, and to be let in as for a publish', async () => {
    await using server = await startServer({ authorize: (_who, room, action) => !(room === 'quiet' && action === 'publish') })
    const { cookie } = await present(server)
    expectProblem(await put(server, '', 1), 'session-required')
    expectProblem(await put(server, 'fourwires=forged', 1), 'session-required')
    expectProblem(await putRaw(server, cookie, '{"state":1}', 'quiet'), 'forbidden')
  })

  test('of who is not here is dropped, and neither makes a room nor a member', async () => {
    await using server = await startServer({ rooms: 1 })
    const { cookie } = await member(server.url)
    for (let n = 0; n < 3; n++) expect((await putRaw(server, cookie, '{"state":1}', `room-${n}`)).status).toBe(204)
    expect((await get(server, '/rooms/room-0/members')).body.toString()).toBe('[]')
    expect(await metric(server.url, 'fourwires_states')).toBe(0)
    expect((await get(server, '/rooms/r/poll')).status).toBe(200)
  })

  test('renews the lease of an open stream, as a publish does', async () => {
    await using server = await startServer({ sseLeaseMs: 300 })
    const { cookie, member: ann } = await member(server.url, 'Ann')
    const client = await RawClient.connect(server.port)
    await client.send(request(server.port, 'GET /rooms/r/sse', { cookie })).head()
    for (let chunk = 0; chunk < 2; chunk++) await client.chunk()
    await eventually(async () => (await metric(server.url, 'fourwires_members')) === 0, 'its lease has run out')
    await put(server, cookie, 'back')
    expect(await metric(server.url, 'fourwires_members')).toBe(1)
    await carried(server, { [ann.id]: 'back' })
    await eventually(async () => (await metric(server.url, 'fourwires_states')) === 0, 'its state is gone with it')
    client.destroy()
  })

  test('is gone with the session', async () => {
    await using server = await startServer()
    const { cookie } = await present(server)
    await put(server, cookie, 1)
    expect(await metric(server.url, 'fourwires_states')).toBe(1)
    await ask(server.port, request(server.port, 'DELETE /session', { cookie, 'content-length': '0' }))
    expect(await metric(server.url, 'fourwires_states')).toBe(0)
  })

  test('has a rate of its own, a member each', async () => {
    await using server = await startServer({ statesPerSecond: 1, stateBurst: 3 })
    const [ann, bob] = [await present(server), await present(server, 'Bob')]
    for (let n = 0; n < 3; n++) expect((await put(server, ann.cookie, n)).status).toBe(204)
    expectRetry(await put(server, ann.cookie, 3), 'rate-limited')
    await carried(server, { [ann.member.id]: 2 })
    expect((await put(server, bob.cookie, 'other')).status).toBe(204)
    await post(server.url, 'r', ann.cookie, { text: 'a publish is another matter' })
  })

  test.each<[string, string]>([
    ['{}', 'invalid-request'],
    ['{"state":1,"of":"me"}', 'invalid-request'],
    ['[1]', 'invalid-json'],
    ['"state"', 'invalid-request'],
    ['{"state":1,"state":2}', 'invalid-json'],
    ['{"state":{"x":1,"x":2}}', 'invalid-json'],
    ['{"state":{"__proto__":1}}', 'invalid-json'],
    [`{"state":${'['.repeat(129)}${']'.repeat(129)}}`, 'invalid-json'],
    [`{"state":${'['.repeat(15_000)}${']'.repeat(15_000)}}`, 'invalid-json'],
    ['{"state":', 'invalid-json'],
    ['', 'invalid-json'],
  ])('refuses it: case %#', async (body, code) => {
    await using server = await startServer()
    const { cookie } = await present(server)
    const answer = await putRaw(server, cookie, body)
    expect(JSON.parse(answer.body.toString())).toMatchObject({ code })
  })

  test('refuses another method, another room, another media type, another origin, a query', async () => {
    await using server = await startServer()
    const { cookie } = await present(server)
    const got = await get(server, '/rooms/r/state', { cookie })
    expectProblem(got, 'method-not-allowed')
    expect(got.header('allow')).toBe('PUT')
    expectProblem(await putRaw(server, cookie, '{"state":1}', '-r-'), 'invalid-room')
    expectProblem(await putRaw(server, cookie, '{"state":1}', 'r', { 'content-type': 'text/plain' }), 'unsupported-media-type')
    expectProblem(await putRaw(server, cookie, '{"state":1}', 'r', { origin: 'http://evil.example' }), 'origin-denied')
    const asked = request(server.port, 'PUT /rooms/r/state?x=1', { cookie, 'content-type': 'application/json' }, '{"state":1}')
    expectProblem(await ask(server.port, asked), 'invalid-request')
  })

  test('keeps what a number was, not what it could not be', async () => {
    await using server = await startServer()
    const { cookie, member: ann } = await present(server)
    await putRaw(server, cookie, '{"state":[1e999,-0]}')
    await carried(server, { [ann.id]: [null, 0] })
    await putRaw(server, cookie, '{"state":1e999}')
    await eventually(async () => (await change(server, 'AAAAAAAAAAAA.9'))?.version === nobody, 'that is null, and none')
  })
})

describe('a state up the socket', () => {
  const open = async (server: TestServer, cookie: string): Promise<RawWebSocket> => {
    const socket = await RawWebSocket.open(server.port, '/rooms/r/websocket', { cookie })
    await socket.text()
    return socket
  }

  test('is not answered, and goes in order with publishes', async () => {
    await using server = await startServer()
    const { cookie, member: ann } = await member(server.url, 'Ann')
    using socket = await open(server, cookie)
    for (let x = 0; x < 10; x++) socket.sendJson({ type: 'state', state: { x } })
    socket.sendJson({ type: 'publish', id: 'my-first-message', text: 'hi' })
    expect(await socket.json()).toMatchObject({ type: 'ack', seq: 1 })
    await carried(server, { [ann.id]: { x: 9 } })
  })

  test('is refused in band: without a session, too long, over the rate; and for three bad ones the socket is closed', async () => {
    await using server = await startServer({ statesPerSecond: 1, stateBurst: 2 })
    using observer = await open(server, '')
    observer.sendJson({ type: 'state', state: 1 })
    expect(await observer.json()).toMatchObject({ type: 'problem', code: 'session-required' })
    using socket = await open(server, (await member(server.url)).cookie)
    socket.sendJson({ type: 'state', state: stateOf(257) })
    expect(await socket.json()).toMatchObject({ type: 'problem', code: 'invalid-message' })
    for (let n = 0; n < 2; n++) socket.sendJson({ type: 'state', state: n })
    expect(await socket.json()).toMatchObject({ type: 'problem', code: 'rate-limited' })
    using other = await open(server, (await member(server.url)).cookie)
    for (let n = 0; n < 3; n++) other.sendJson({ type: 'states', state: n })
    for (let n = 0; n < 3; n++) expect(await other.json()).toMatchObject({ type: 'problem', code: 'invalid-request' })
    expect(await other.closing()).toMatchObject({ code: 4500 })
  })
})

describe('a reader that asks for states', () => {
  test('is told in a batch of its own on each wire, that ends a held long poll, and nobody else is', async () => {
    await using server = await startServer()
    const { port } = server
    const { cookie, member: ann } = await present(server)
    const cursor = await cursorOf(server)
    const held = get(server, `/rooms/r/long-poll?since=${cursor}&states=${nobody}`)
    const unasked = await RawClient.connect(port)
    unasked.send(request(port, `GET /rooms/r/long-poll?since=${cursor}`))
    const events = await RawClient.connect(port)
    await events.send(request(port, `GET /rooms/r/sse?since=${cursor}&states=${nobody}`)).head()
    for (let chunk = 0; chunk < 2; chunk++) await events.chunk()
    using socket = await RawWebSocket.open(port, `/rooms/r/websocket?since=${cursor}&states=${nobody}`)
    expect(await socket.text()).toBe(`{"messages":[],"cursor":"${cursor}"}`)
    await eventually(async () => (await metric(server.url, 'fourwires_connections{transport="long-poll"}')) === 2, 'both are held')

    await put(server, cookie, { x: 1 })
    const body = await socket.text()
    const { version } = (JSON.parse(body) as Required<Batch>).states
    expect(body).toBe(`{"messages":[],"cursor":"${cursor}","states":{"version":"${version}","list":{"${ann.id}":{"x":1}}}}`)
    expect((await held).body.toString()).toBe(body)
    expect(String(await events.chunk())).toBe(`id: ${cursor}\ndata: ${body}\n\n`)
    expect((await get(server, `/rooms/r/poll?since=${cursor}&states=${nobody}`)).body.toString()).toBe(body)
    expect((await get(server, `/rooms/r/poll?since=${cursor}&states=${version}`)).body.toString()).toBe(
      `{"messages":[],"cursor":"${cursor}"}`,
    )
    expect(unasked.unread.length).toBe(0)
    for (const client of [unasked, events]) client.destroy()
  })

  test('and for members, by a poll that could bring all, is told of each in its turn, and to ask again at once', async () => {
    await using server = await startServer({ membersMs: 50 })
    const { cookie } = await present(server)
    const since = await cursorOf(server)
    await put(server, cookie, 1)
    await eventually(async () => (await change(server)) !== undefined, 'it is told')
    await post(server.url, 'r', cookie, { text: 'hi' })
    const kinds: string[] = []
    let [cursor, members, states] = [since, '0', '0']
    for (let more: true | undefined = true; more;) {
      const answer = await get(server, `/rooms/r/poll?since=${cursor}&members=${members}&states=${states}`)
      const batch = JSON.parse(answer.body.toString()) as Batch
      kinds.push(batch.members !== undefined ? 'members' : batch.states !== undefined ? 'states' : 'messages')
      members = batch.members?.version ?? members
      states = batch.states?.version ?? states
      cursor = batch.cursor
      // A batch of messages is the same for everybody: whether there is more than messages it does not say.
      more = batch.more
    }
    expect(['members,messages', 'members,states,messages']).toContain(kinds.join())
  })

  test('gets messages with the same bytes as everybody', async () => {
    await using server = await startServer()
    const { cookie } = await present(server)
    await put(server, cookie, 1)
    await post(server.url, 'r', cookie, { text: 'hi' })
    const plain = await get(server, '/rooms/r/poll?since=earliest')
    expect((await get(server, '/rooms/r/poll?since=earliest&states=0')).body).toEqual(plain.body)
    using socket = await RawWebSocket.open(server.port, '/rooms/r/websocket?since=earliest&states=0')
    expect(await socket.text()).toBe(plain.body.toString())
  })

  test('and does not read is told the newest when it does: of the ticks meanwhile few are kept for it', async () => {
    await using server = await startServer({ statesPerSecond: 0, keepBytes: 64_000_000 })
    const { cookie, member: ann } = await present(server)
    using socket = await RawWebSocket.open(server.port, '/rooms/r/websocket?states=0')
    await socket.text()
    socket.client.socket.pause()
    const text = 'x'.repeat(4000)
    for (let n = 0; n < 400; n++) {
      for (let each = 0; each < 5; each++) await server.store.append('r', ann, { id: `message-${n}-${each}`, text })
      if (n % 20 === 0) await put(server, cookie, { n })
    }
    await put(server, cookie, 'newest')
    await eventually(async () => JSON.stringify((await change(server))?.list) === `{"${ann.id}":"newest"}`, 'it is told')
    socket.client.socket.resume()
    const told: unknown[] = []
    let messages = 0
    while (told.at(-1) !== 'newest' || messages < 2000) {
      const batch = await socket.json<Batch>()
      messages += batch.messages.length
      if (batch.states !== undefined) told.push(batch.states.list[ann.id])
    }
    expect(told.length).toBeLessThan(15)
  })

  test.each(['x', '', '00', 'AAAAAAAAAAAA.01', `${nobody}&states=0`])('is refused where it says states=%s', async (value) => {
    await using server = await startServer()
    for (const transport of ['poll', 'long-poll', 'sse'])
      expectProblem(await get(server, `/rooms/r/${transport}?states=${value}`), 'invalid-request')
    using socket = await RawWebSocket.open(server.port, `/rooms/r/websocket?states=${value}`)
    expect(await socket.closing()).toMatchObject({ code: 4500 })
  })
})

test('JSON within a state is taken as it is, and within nothing else', () => {
  const flat = fc.oneof(fc.string({ unit: 'binary' }), fc.integer(), fc.boolean(), fc.constant(null))
  const inner = fc.jsonValue({ maxDepth: 4 }).filter((value) => !JSON.stringify(value).includes('__proto__'))
  fc.assert(
    fc.property(flat, inner, (id, state) => {
      const frame = { type: 'state', id, state }
      expect(parseJson(Buffer.from(JSON.stringify(frame)), ['state'])).toEqual(JSON.parse(JSON.stringify(frame)))
      const nested = typeof state === 'object' && state !== null && Object.keys(state).some((key) => !/^\d+$/.test(key))
      if (nested) expect(() => parseJson(Buffer.from(JSON.stringify({ text: state })), ['state'])).toThrow('JSON')
    }),
    { numRuns: 100 },
  )
})
