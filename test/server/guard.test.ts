/** Who may ask at all: Host, Origin and Sec-Fetch-Site, on every path, upgrades included. */
import { hostname } from 'node:os'
import { describe, expect, test } from 'vitest'
import type { ProblemCode } from '../../src/protocol/problem.ts'
import { expectProblem } from '../support/answers.ts'
import { ask, type RawResponse, request } from '../support/raw-client.ts'
import { handshake } from '../support/raw-websocket.ts'
import { startServer, type TestServer } from '../support/server.ts'

type Headers = Readonly<Record<string, string | readonly string[]>>
const socket = '/rooms/r/websocket'

/** The same headers on each kind of path: a poll, a publish, a session, a page, a stream and an upgrade. */
async function everywhere({ port }: TestServer, headers: Headers): Promise<RawResponse[]> {
  const json = { 'content-type': 'application/json', ...headers }
  return Promise.all([
    ask(port, request(port, 'GET /rooms/r/poll', headers)),
    ask(port, request(port, 'GET /rooms/r/long-poll', headers)),
    ask(port, request(port, 'GET /rooms/-/sse', headers)),
    ask(port, request(port, 'POST /rooms/r/messages', json, '{"text":"hi"}')),
    ask(port, request(port, 'POST /session', json, '{}')),
    ask(port, request(port, 'PUT /rooms/r/poll', headers)),
    ask(port, request(port, 'GET /nothing-here', headers)),
    ask(port, handshake(port, socket, headers as Record<string, string>).replace(/^host: .*\r\n(?=[^]*^host: )/im, '')),
  ])
}

async function refused(server: TestServer, code: ProblemCode, headers: Headers): Promise<void> {
  for (const answer of await everywhere(server, headers)) expectProblem(answer, code)
}
async function passed(server: TestServer, headers: Headers): Promise<void> {
  const statuses = (await everywhere(server, headers)).map(({ status }) => status)
  expect([headers, statuses]).toEqual([headers, [200, 200, 400, 401, 201, 405, 404, 101]])
}

describe('Host', () => {
  const ours = [
    'localhost',
    'LOCALHOST',
    '127.0.0.1',
    '10.1.2.3:8080',
    '[::1]',
    '[::1]:443',
    hostname(),
    `${hostname()}.local`,
    'localhost:80',
  ]
  test.each(ours)('may be %s', async (host) => {
    await using server = await startServer()
    await passed(server, { host })
  })

  const foreign = [
    'evil.example',
    'localhost.evil.example',
    '127.0.0.1.evil.example',
    'localhost:80:80',
    '127.1',
    '[::1',
    '[evil]',
    'localhost ,evil',
    'a@localhost',
    '',
    'localhost.',
  ]
  test.each(foreign)('may not be "%s"', async (host) => {
    await using server = await startServer()
    await refused(server, 'bad-host', { host })
  })

  test('may be a further name that is allowed', async () => {
    await using server = await startServer({ allowHost: ['Chat.Example'] })
    await passed(server, { host: 'chat.example:8443' })
    await refused(server, 'bad-host', { host: 'sub.chat.example' })
  })

  test('is asked for by HTTP/1.1 and not by HTTP/1.0', async () => {
    await using server = await startServer()
    expectProblem(await ask(server.port, 'GET /rooms/r/poll HTTP/1.1\r\n\r\n'), 'bad-host')
    expect((await ask(server.port, 'GET /rooms/r/poll HTTP/1.0\r\n\r\n')).status).toBe(200)
    expectProblem(await ask(server.port, 'GET /rooms/r/poll HTTP/1.0\r\norigin: http://evil.example\r\n\r\n'), 'bad-host')
  })

  test('comes once', async () => {
    await using server = await startServer()
    const own = `127.0.0.1:${server.port}`
    for (const host of [
      [own, own],
      [own, 'evil.example'],
      ['evil.example', own],
    ]) {
      expectProblem(await ask(server.port, request(server.port, 'GET /rooms/r/poll', { host })), 'bad-host')
    }
  })

  test('agrees with a target in absolute form', async () => {
    await using server = await startServer()
    const target = (authority: string): string => request(server.port, `GET http://${authority}/rooms/r/poll`)
    expectProblem(await ask(server.port, target('evil.example')), 'bad-host')
    expectProblem(await ask(server.port, target(`127.0.0.1:${server.port + 1}`)), 'bad-host')
    expect((await ask(server.port, target(`127.0.0.1:${server.port}`))).status).toBe(200)
    // The port that the scheme implies may be said in both, and the case of a name says nothing.
    for (const host of ['localhost:80', 'LOCALHOST', 'localhost']) {
      const answer = await ask(server.port, request(server.port, `GET http://${host}/rooms/r/poll`, { host }))
      expect([host, answer.status]).toEqual([host, 200])
    }
  })

  test('is not asked of probes', async () => {
    await using server = await startServer()
    for (const path of ['/healthz', '/readyz', '/metrics']) {
      const headers = { host: 'evil.example', origin: 'http://evil.example', 'sec-fetch-site': 'cross-site' }
      expect((await ask(server.port, request(server.port, `GET ${path}`, headers))).status).toBe(200)
    }
  })
})

describe('Origin', () => {
  test('may be absent: who asks is no browser', async () => {
    await using server = await startServer()
    await passed(server, {})
  })

  test.each([
    ['localhost:3000', 'http://localhost:3000'],
    ['localhost:3000', 'https://localhost:3000'],
    ['localhost:3000', 'HTTP://LOCALHOST:3000'],
    ['localhost', 'http://localhost:80'],
    ['localhost:80', 'http://localhost'],
    ['localhost:443', 'https://localhost'],
    ['[::1]:3000', 'http://[::1]:3000'],
    ['[::1]:3000', 'http://[0:0:0:0:0:0:0:1]:3000'],
  ])('at host %s may be %s', async (host, origin) => {
    await using server = await startServer()
    await passed(server, { host, origin })
  })

  test.each([
    ['localhost:3000', 'http://evil.example'],
    ['localhost:3000', 'null'],
    ['localhost:3000', ''],
    ['localhost:3000', 'localhost:3000'],
    ['localhost:3000', 'http://localhost:3001'],
    ['localhost:3000', 'http://localhost'],
    ['localhost:80', 'https://localhost'],
    ['localhost:3000', 'http://localhost:3000.evil.example'],
    ['localhost', 'http://localhost.evil.example'],
    ['127.0.0.1', 'http://127.0.0.1.evil.example'],
    ['localhost:3000', 'http://evil.example?localhost:3000'],
    ['localhost:3000', 'http://evil.example#localhost:3000'],
    ['localhost:3000', 'http://localhost:3000@evil.example'],
    ['localhost:3000', 'http://notlocalhost:3000'],
    ['localhost:3000', 'http://127.0.0.1:3000'],
    ['localhost:3000', 'ftp://localhost:3000'],
    ['localhost:3000', 'chrome-extension://localhost:3000'],
    ['localhost:3000', 'file://'],
    ['[::1]:3000', 'http://localhost:3000'],
  ])('at host %s may not be "%s"', async (host, origin) => {
    await using server = await startServer()
    await refused(server, 'origin-denied', { host, origin })
  })

  test('may be a further origin that is allowed, and that one alone', async () => {
    await using server = await startServer({ allowOrigin: ['https://chat.example'] })
    await passed(server, { origin: 'https://chat.example' })
    for (const origin of ['http://chat.example', 'https://chat.example:444', 'https://sub.chat.example', 'https://chat.example.evil']) {
      await refused(server, 'origin-denied', { origin })
    }
  })

  test('two origins are none of ours', async () => {
    await using server = await startServer()
    const own = `http://127.0.0.1:${server.port}`
    await refused(server, 'origin-denied', { origin: [own, 'http://evil.example'].join(', ') })
    await refused(server, 'origin-denied', { origin: ['http://evil.example', own].join(', ') })
  })
})

describe('Sec-Fetch-Site', () => {
  test('cross-site is refused where no Origin comes with it, unless a person follows a link', async () => {
    await using server = await startServer()
    await refused(server, 'origin-denied', { 'sec-fetch-site': 'cross-site' })
    await refused(server, 'origin-denied', { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' })
    for (const site of ['same-origin', 'same-site', 'none']) await passed(server, { 'sec-fetch-site': site })
    const link = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' }
    expect((await ask(server.port, request(server.port, 'GET /rooms/r/poll', link))).status).toBe(200)
  })
})

test('what a foreign page posts is not in the room', async () => {
  await using server = await startServer()
  const session = await ask(server.port, request(server.port, 'POST /session'))
  const cookie = session.header('set-cookie')?.split(';')[0] ?? ''
  const headers = { cookie, origin: 'http://evil.example', 'content-type': 'application/json' }
  expectProblem(await ask(server.port, request(server.port, 'POST /rooms/r/messages', headers, '{"text":"hi"}')), 'origin-denied')
  const simple = { ...headers, 'content-type': 'text/plain', 'sec-fetch-site': 'cross-site' }
  expectProblem(await ask(server.port, request(server.port, 'POST /rooms/r/messages', simple, '{"text":"hi"}')), 'origin-denied')
  const poll = await ask(server.port, request(server.port, 'GET /rooms/r/poll'))
  expect(poll.body.toString()).toMatch(/^\{"messages":\[\]/)
  expect(poll.headers.some(([name]) => name.startsWith('access-control-'))).toBe(false)
})
