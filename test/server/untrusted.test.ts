/** What a stranger says of itself, and what is made of it: nothing in a log, a path, an address or a file that was not there before. */
import { expect, test } from 'vitest'
import { eventually, expectProblem } from '../support/answers.ts'
import { logged } from '../support/logged.ts'
import { ask, request } from '../support/raw-client.ts'
import { frame, RawWebSocket } from '../support/raw-websocket.ts'
import { member, startServer, type TestServer } from '../support/server.ts'

test('X-Forwarded-For is nobody’s address, unless its proxy is trusted', async () => {
  const enter = async (server: TestServer, address: string): Promise<number> =>
    (await ask(server.port, request(server.port, `GET /rooms/of-${address}/poll`, { 'x-forwarded-for': address }))).status
  await using plain = await startServer({ roomsPerMinute: 2 })
  expect([await enter(plain, '10.0.0.1'), await enter(plain, '10.0.0.2'), await enter(plain, '10.0.0.3')]).toEqual([200, 503, 503])
  await using behind = await startServer({ roomsPerMinute: 2, trustProxy: ['127.0.0.1'] })
  expect([await enter(behind, '10.0.0.1'), await enter(behind, '10.0.0.2'), await enter(behind, '10.0.0.3')]).toEqual([200, 200, 200])
})

test('a path out of the page’s folder, or to a hidden file, leads nowhere', async () => {
  await using server = await startServer()
  const paths = [
    '/../package.json',
    '/../../etc/passwd',
    '/%2e%2e/package.json',
    '/%2e%2e%2fpackage.json',
    '/..%2fpackage.json',
    '/..%5cpackage.json',
    '/\\..\\package.json',
    '/.%2e/package.json',
    '//etc/passwd',
    '/index.html%00',
    '/index.html/..%2f..%2fpackage.json',
    '/.git/config',
    '/.env',
    '/index.html.gz',
    '/index.html.br',
  ]
  for (const path of paths) {
    const answer = await ask(server.port, request(server.port, `GET ${path}`))
    expect([path, [400, 404].includes(answer.status)]).toEqual([path, true])
    expect(answer.body.toString()).not.toMatch(/"dependencies"|root:/)
  }
})

test('a log has a line of JSON for each event, no secret, and none that a stranger wrote', async () => {
  const { log, stream } = logged()
  await using server = await startServer({
    logger: { level: 'trace', stream },
    authorize: (_member, room) => {
      if (room === 'broken') throw new Error('broken')
      return true
    },
  })
  const { cookie } = await member(server.url)
  const headers = { cookie, authorization: 'Bearer hunter2-hunter2', 'x-forwarded-for': '1\t{"level":60}' }
  for (const target of ['/rooms/a%0d%0a{"level":60}/poll', '/rooms/broken/poll', '/rooms/r/poll?since=%0a{"level":60}', '/%zz{"level":60}'])
    await ask(server.port, request(server.port, `GET ${target}`, headers))
  expect(log.length).toBeGreaterThan(0)
  for (const line of log.join('').trimEnd().split('\n')) expect(JSON.parse(line)).toMatchObject({ level: expect.any(Number) as number })
  expect(log.join('')).not.toMatch(/hunter2|"level":60/)
  expect(log.join('')).not.toContain(cookie.split('.').at(-1))
})

test('what fails within the server closes a WebSocket with 1011, and says no more than that', async () => {
  await using server = await startServer({ authorize: () => Promise.reject(new Error('the password is hunter2')) })
  using socket = await RawWebSocket.open(server.port, '/rooms/r/websocket')
  expect(await socket.closing()).toEqual({ code: 1011, reason: '{"code":"internal"}' })
})

test('a WebSocket whose peer never answers its close is cut', async () => {
  await using server = await startServer()
  using socket = await RawWebSocket.open(server.port, '/rooms/r/websocket')
  await socket.text()
  socket.send(frame('{'), frame('{'), frame('{'))
  expect((await socket.closing()).code).toBe(4500)
  await eventually(async () => (await server.connections()) === 0, 'it is cut', 10_000)
})

test('a body of one session’s cookie with another’s signature is nobody', async () => {
  await using server = await startServer()
  const [ann, bob] = [await member(server.url), await member(server.url)]
  const mixed = [...ann.cookie.split('.').slice(0, -1), bob.cookie.split('.').at(-1)].join('.')
  const headers = { 'content-type': 'application/json', cookie: mixed }
  expectProblem(await ask(server.port, request(server.port, 'POST /rooms/r/messages', headers, '{"text":"hi"}')), 'session-required')
})
