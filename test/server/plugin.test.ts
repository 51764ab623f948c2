/** The room server within another application: all of it under its prefix, and nothing of it elsewhere. */
import fastifyWebsocket from '@fastify/websocket'
import Fastify, { type FastifyInstance } from 'fastify'
import { describe, expect, test } from 'vitest'
import type { Batch } from '../../src/protocol/message.ts'
import { fourwires, type RoomServerOptions, serverOptions } from '../../src/server/app.ts'
import { expectProblem } from '../support/answers.ts'
import { ask, RawClient, type RawResponse, request } from '../support/raw-client.ts'
import { handshake, RawWebSocket } from '../support/raw-websocket.ts'
import { listen, member, post } from '../support/server.ts'

interface Host extends AsyncDisposable {
  readonly app: FastifyInstance
  readonly port: number
  readonly url: string
}

/** An application with routes, a not-found handler and, where asked for, WebSockets of its own. */
async function startHost(prefixes: readonly string[], options: RoomServerOptions = {}, withSockets = false): Promise<Host> {
  const app = Fastify(serverOptions())
  if (withSockets) {
    await app.register(fastifyWebsocket)
    app.get('/echo', { websocket: true }, (socket) => {
      socket.on('message', (data: Buffer) => socket.send(`echo ${data.toString()}`))
    })
  }
  app.setNotFoundHandler((_request, reply) => reply.code(404).type('text/html').send('<h1>Our own page</h1>'))
  app.setErrorHandler((error, _request, reply) => reply.code(500).send({ ours: (error as Error).message }))
  app.get('/hello', async (asked) => ({ hello: asked.headers.host, query: asked.query }))
  app.post('/form', async (asked) => ({ got: asked.body }))
  app.get('/broken', async () => {
    throw new Error('broken')
  })
  for (const prefix of prefixes) await app.register(fourwires, { drainMs: 0, ...options, prefix })
  const { port, close } = await listen(app)
  return { app, port, url: `http://127.0.0.1:${port}`, [Symbol.asyncDispose]: close }
}
const get = ({ port }: Host, path: string, headers = {}): Promise<RawResponse> => ask(port, request(port, `GET ${path}`, headers))

async function expectFourWires(host: Host, prefix: string): Promise<void> {
  const { port } = host
  const base = `${host.url}${prefix}`
  const { cookie } = await member(base, 'Ann')
  const { cursor } = await post(base, 'r', cookie, { text: 'hi' })
  const poll = (await get(host, `${prefix}/rooms/r/poll`)).body.toString()
  expect((JSON.parse(poll) as Batch).cursor).toBe(cursor)
  expect((await get(host, `${prefix}/rooms/r/long-poll`)).body.toString()).toBe(poll)
  const stream = await RawClient.connect(port)
  await stream.send(request(port, `GET ${prefix}/rooms/r/sse`)).head()
  await stream.chunk()
  expect(String(await stream.chunk())).toBe(`id: ${cursor}\ndata: ${poll}\n\n`)
  using socket = await RawWebSocket.open(port, `${prefix}/rooms/r/websocket`, { cookie })
  expect(await socket.text()).toBe(poll)
  socket.sendJson({ type: 'publish', id: 'up-the-socket', text: 'ho' })
  expect([await socket.json(), await socket.json()].find(({ type }) => type === 'ack')).toMatchObject({ seq: 2 })
  expect(String(await stream.chunk())).toContain('"text":"ho"')
  stream.destroy()
}

describe('under a prefix', () => {
  test('all four wires are there', async () => {
    await using host = await startHost(['/chat'])
    await expectFourWires(host, '/chat')
  })

  test('the cookie is for the prefix alone', async () => {
    await using host = await startHost(['/chat'])
    expect((await ask(host.port, request(host.port, 'POST /chat/session'))).header('set-cookie')).toContain('; Path=/chat;')
  })

  test('problems are those of the contract, with not found and wrong methods among them', async () => {
    await using host = await startHost(['/chat'])
    expectProblem(await get(host, '/chat/nothing'), 'not-found')
    expectProblem(await get(host, '/chat/rooms/-/poll'), 'invalid-room')
    expectProblem(await get(host, '/chat/rooms/r/poll', { host: 'evil.example' }), 'bad-host')
    expectProblem(await get(host, '/chat/rooms/r/websocket'), 'upgrade-required')
    const wrong = await ask(host.port, request(host.port, 'PUT /chat/rooms/r/poll'))
    expectProblem(wrong, 'method-not-allowed')
    expect(wrong.header('allow')).toBe('GET')
    const text = await ask(host.port, request(host.port, 'POST /chat/rooms/r/messages', { 'content-type': 'text/plain' }, 'hi'))
    expectProblem(text, 'unsupported-media-type')
  })

  test('an upgrade of any other path there gets no 101', async () => {
    await using host = await startHost(['/chat'])
    for (const path of ['/chat/rooms/r/poll', '/chat/nothing', '/chat/session', '/chat/']) {
      expect([path, (await ask(host.port, handshake(host.port, path))).status]).not.toEqual([path, 101])
    }
  })

  test('the probes and the page stay away', async () => {
    await using host = await startHost(['/chat'])
    for (const path of ['/chat/healthz', '/chat/metrics', '/healthz', '/metrics', '/']) expect((await get(host, path)).status).toBe(404)
  })

  test('on shutting down with the host streams are told when to come back', async () => {
    await using host = await startHost(['/chat'])
    using socket = await RawWebSocket.open(host.port, '/chat/rooms/r/websocket')
    await socket.text()
    const closed = host[Symbol.asyncDispose]()
    expect((await socket.json<Batch>()).retryMs).toBeGreaterThan(0)
    expect((await socket.closing()).code).toBe(1012)
    await closed
  })
})

describe('the host', () => {
  test('keeps its routes, its pages, its errors and its parsers', async () => {
    await using host = await startHost(['/chat'])
    const hello = await get(host, '/hello?a=1&a=2', { host: 'evil.example', origin: 'http://evil.example' })
    expect(JSON.parse(hello.body.toString())).toEqual({ hello: 'evil.example', query: { a: ['1', '2'] } })
    expect((await get(host, '/nothing')).body.toString()).toBe('<h1>Our own page</h1>')
    const broken = await get(host, '/broken')
    expect([broken.status, broken.body.toString()]).toEqual([500, '{"ours":"broken"}'])
    const form = await ask(host.port, request(host.port, 'POST /form', { 'content-type': 'text/plain' }, 'plain text'))
    expect(form.body.toString()).toBe('{"got":"plain text"}')
    const nested = await ask(host.port, request(host.port, 'POST /form', { 'content-type': 'application/json' }, '{"a":{"b":[1]}}'))
    expect(nested.body.toString()).toBe('{"got":{"a":{"b":[1]}}}')
  })

  test('keeps its own WebSockets beside ours', async () => {
    await using host = await startHost(['/chat'], {}, true)
    using socket = await RawWebSocket.open(host.port, '/echo')
    socket.sendJson('hello')
    expect(await socket.text()).toBe('echo "hello"')
    await expectFourWires(host, '/chat')
  })

  test('says who somebody is, and who may read and publish where', async () => {
    const asked: unknown[] = []
    await using host = await startHost(['/chat'], {
      authenticate: ({ headers }) =>
        typeof headers['x-user'] === 'string' ? { id: `u_${headers['x-user']}`, name: headers['x-user'] } : undefined,
      authorize: (who, room, action) => {
        asked.push([who?.name, room, action])
        return action === 'read' ? room !== 'secret' : who?.name === 'ann'
      },
    })
    const send = (user: string): Promise<RawResponse> =>
      ask(
        host.port,
        request(
          host.port,
          'POST /chat/rooms/r/messages',
          { 'content-type': 'application/json', ...(user && { 'x-user': user }) },
          '{"text":"hi"}',
        ),
      )
    expect((await send('ann')).status).toBe(201)
    expectProblem(await send('bob'), 'forbidden')
    expectProblem(await send(''), 'session-required')
    expectProblem(await get(host, '/chat/rooms/secret/poll'), 'forbidden')
    expect(JSON.parse((await get(host, '/chat/rooms/r/poll')).body.toString())).toMatchObject({
      messages: [{ member: 'u_ann', author: 'ann' }],
    })
    expect(asked).toEqual([
      ['ann', 'r', 'publish'],
      ['bob', 'r', 'publish'],
      [undefined, 'secret', 'read'],
      [undefined, 'r', 'read'],
    ])
    using socket = await RawWebSocket.open(host.port, '/chat/rooms/r/websocket', { 'x-user': 'bob' })
    await socket.text()
    socket.sendJson({ type: 'publish', id: 'from-bob-1', text: 'hi' })
    expect(await socket.json()).toMatchObject({ type: 'problem', code: 'forbidden', id: 'from-bob-1' })
  })
})

describe('two room servers under two prefixes', () => {
  test('have rooms of their own', async () => {
    await using host = await startHost(['/one', '/two'])
    const { cookie } = await member(`${host.url}/one`)
    await post(`${host.url}/one`, 'r', cookie, { text: 'hi' })
    expect(JSON.parse((await get(host, '/two/rooms/r/poll')).body.toString())).toMatchObject({ messages: [] })
    expectProblem(
      await ask(
        host.port,
        request(host.port, 'POST /two/rooms/r/messages', { cookie, 'content-type': 'application/json' }, '{"text":"hi"}'),
      ),
      'session-required',
    )
  })

  test('have all four wires each', async () => {
    await using host = await startHost(['/one', '/two'])
    await expectFourWires(host, '/one')
    await expectFourWires(host, '/two')
  })

  test('have them also where the host has WebSockets', async () => {
    await using host = await startHost(['/one', '/two'], {}, true)
    await expectFourWires(host, '/one')
    await expectFourWires(host, '/two')
  })
})
