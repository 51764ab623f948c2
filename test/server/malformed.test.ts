/** What is no request, or never becomes one: answered by a problem where an answer still has a place, and the connection ends. */
import type { Socket } from 'node:net'
import { describe, expect, test } from 'vitest'
import { eventually, expectProblem, metric } from '../support/answers.ts'
import { logged } from '../support/logged.ts'
import { ask, RawClient, request } from '../support/raw-client.ts'
import { handshake, RawWebSocket } from '../support/raw-websocket.ts'
import { member, post, startServer } from '../support/server.ts'

const host = 'host: 127.0.0.1\r\n'
const second = `GET /healthz HTTP/1.1\r\n${host}\r\n`
const post13 = `POST /session HTTP/1.1\r\n${host}content-type: application/json\r\n`

describe('a malformed request is a 400, the connection ends, and nothing behind it is taken for a request', () => {
  const malformed: Readonly<Record<string, string>> = {
    'no request line': `hello\r\n\r\n`,
    'an unknown method': `BREW /rooms/r/poll HTTP/1.1\r\n${host}\r\n`,
    'a method of RTSP, with its version': `DESCRIBE /healthz RTSP/1.0\r\n${host}connection: keep-alive\r\n\r\n`,
    'a method of HTTP/2, and no version': `PRI /healthz\r\n${host}connection: keep-alive\r\n\r\n`,
    'an unknown version': `GET /healthz HTTP/3.0\r\n${host}\r\n`,
    'a target with a space': `GET /healthz x HTTP/1.1\r\n${host}\r\n`,
    TLS: '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03',
    'Content-Length and Transfer-Encoding': `${post13}content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`,
    'Transfer-Encoding and Content-Length': `${post13}transfer-encoding: chunked\r\ncontent-length: 5\r\n\r\n0\r\n\r\n`,
    'two lengths': `${post13}content-length: 2\r\ncontent-length: 3\r\n\r\n{}`,
    'two lengths in one': `${post13}content-length: 2, 2\r\n\r\n{}`,
    'a negative length': `${post13}content-length: -1\r\n\r\n`,
    'a length that is no number': `${post13}content-length: 0x2\r\n\r\n{}`,
    'another transfer coding': `${post13}transfer-encoding: identity\r\n\r\n{}`,
    'chunked, but not at last': `${post13}transfer-encoding: chunked, gzip\r\n\r\n0\r\n\r\n`,
    'a chunk whose size is none': `${post13}transfer-encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n`,
    'bare LF after the head': `GET /healthz HTTP/1.1\n${host}\n`,
    'bare LF between headers': `GET /healthz HTTP/1.1\r\nhost: 127.0.0.1\nx: y\r\n\r\n`,
    'a bare CR in a value': `GET /healthz HTTP/1.1\r\n${host}x: a\rb\r\n\r\n`,
    'NUL in a value': `GET /healthz HTTP/1.1\r\n${host}x: a\0b\r\n\r\n`,
    'a space before the colon': `GET /healthz HTTP/1.1\r\n${host}x : y\r\n\r\n`,
    'a header without a name': `GET /healthz HTTP/1.1\r\n${host}: y\r\n\r\n`,
    'a folded header before any': `GET /healthz HTTP/1.1\r\n x: y\r\n${host}\r\n`,
  }
  test.each(Object.entries(malformed))('%s', async (_what, text) => {
    await using server = await startServer()
    const client = await RawClient.connect(server.port)
    client.send(Buffer.from(text + second, 'latin1'))
    expectProblem(await client.response(), 'invalid-request')
    expect((await client.rest()).toString()).toBe('')
    expect((await fetch(`${server.url}/healthz`)).status).toBe(200)
    client.destroy()
  })

  test('a target whose escapes are broken', async () => {
    await using server = await startServer()
    for (const target of ['/%zz', '/%', '/rooms/%ff%fe/poll', '/rooms/%/poll', '/rooms/%c0%80/poll']) {
      const client = await RawClient.connect(server.port)
      client.send(request(server.port, `GET ${target}`))
      const answer = await client.response()
      expect([target, answer.status]).toEqual([target, 400])
      expect(answer.header('content-type')).toBe('application/problem+json; charset=utf-8')
      client.destroy()
    }
  })

  test('the same with Upgrade: the socket is closed and not forgotten', async () => {
    await using server = await startServer()
    const targets = ['/%zz', '/rooms/%/websocket', '/%ff'].map((target) => handshake(server.port, target))
    const methods = ['SETUP /rooms/r/websocket RTSP/1.0', 'PRI /'].map((line) =>
      handshake(server.port, '/').replace('GET / HTTP/1.1', line),
    )
    for (const text of [...targets, ...methods]) {
      const client = await RawClient.connect(server.port)
      client.send(text)
      expectProblem(await client.response(), 'invalid-request')
      await client.ended
      client.destroy()
    }
    await eventually(async () => (await metric(server.url, 'fourwires_tcp_connections')) <= 1, 'their connections are gone')
  })
})

describe('408 request-timeout', () => {
  const times = { headersTimeoutMs: 200, requestTimeoutMs: 400, timeoutCheckMs: 50 }
  const slow: Readonly<Record<string, string>> = {
    'a silent socket': '',
    'a head that does not end': `GET /healthz HTTP/1.1\r\n${host}x: `,
    'a body that does not come': `${post13}content-length: 14\r\n\r\n{"name"`,
    'chunks that do not end': `${post13}transfer-encoding: chunked\r\n\r\n7\r\n{"name"\r\n`,
  }
  test.each(Object.entries(slow))('for %s', async (_what, text) => {
    await using server = await startServer(times)
    const client = await RawClient.connect(server.port)
    if (text !== '') client.send(text)
    expectProblem(await client.response(), 'request-timeout')
    expect(await client.rest()).toHaveLength(0)
    client.destroy()
  })

  const halves: Readonly<Record<string, string>> = {
    'in its head': `GET /rooms/r/poll HTTP/1.1\r\nhost: 127.0`,
    'in its body': `${post13}content-length: 14\r\n\r\n{"name"`,
    'in a chunk': `${post13}transfer-encoding: chunked\r\n\r\n7\r\n{"na`,
  }
  // What died on the way has said nothing wrong: whoever asked is to ask again, and not to be refused for good.
  test.each(Object.entries(halves))('for a request that ends %s', async (_where, text) => {
    await using server = await startServer()
    const client = await RawClient.connect(server.port)
    client.send(text).halfClose()
    expectProblem(await client.response(), 'request-timeout')
    client.destroy()
  })

  test('for a head that comes a byte at a time', async () => {
    await using server = await startServer(times)
    const client = await RawClient.connect(server.port)
    client.send(`GET /healthz HTTP/1.1\r\n${host}x: `)
    const drip = setInterval(() => client.socket.writable && client.send('x'), 20)
    expectProblem(await client.response(), 'request-timeout')
    clearInterval(drip)
    client.destroy()
  })

  test('not for a long poll or a stream, which take longer to answer', async () => {
    await using server = await startServer(times)
    const { cursor } = (await (await fetch(`${server.url}/rooms/r/poll`)).json()) as { cursor: string }
    const stream = await RawClient.connect(server.port)
    await stream.send(request(server.port, 'GET /rooms/r/sse')).head()
    using socket = await RawWebSocket.open(server.port, '/rooms/r/websocket')
    await socket.text()
    const answer = await ask(server.port, request(server.port, `GET /rooms/r/long-poll?since=${cursor}&wait=1`))
    expect(answer.status).toBe(200)
    expect([stream.over, socket.client.over]).toEqual([false, false])
    stream.destroy()
  })
})

describe('too much', () => {
  test('431 headers-too-large over 16 KiB, in one header or in many', async () => {
    await using server = await startServer()
    const many = Object.fromEntries(Array.from({ length: 1500 }, (_, index) => [`x-${index}`, 'padding-padding']))
    for (const headers of [{ x: 'x'.repeat(17_000) }, many]) {
      const client = await RawClient.connect(server.port)
      expectProblem(await client.send(request(server.port, 'GET /rooms/r/poll', headers)).response(), 'headers-too-large')
      expect((await client.rest()).toString()).toBe('')
      client.destroy()
    }
    expect((await ask(server.port, request(server.port, 'GET /rooms/r/poll', { x: 'x'.repeat(15_000) }))).status).toBe(200)
  })

  test('413 body-too-large for a length that is only declared, before it comes', async () => {
    await using server = await startServer()
    const { cookie } = await member(server.url)
    const headers = { cookie, 'content-type': 'application/json', 'content-length': '2147483648' }
    const client = await RawClient.connect(server.port)
    expectProblem(await client.send(request(server.port, 'POST /rooms/r/messages', headers)).response(), 'body-too-large')
    await client.ended
    client.destroy()
  })

  test('413 body-too-large for chunks without end, of which little is read', async () => {
    await using server = await startServer()
    const { cookie } = await member(server.url)
    const headers = { cookie, 'content-type': 'application/json', 'transfer-encoding': 'chunked' }
    const client = await RawClient.connect(server.port)
    client.socket.on('error', () => {})
    client.send(request(server.port, 'POST /rooms/r/messages', headers))
    const chunk = `1000\r\n${' '.repeat(4096)}\r\n`
    const flood = setInterval(() => client.socket.writable && client.send(chunk.repeat(4)), 2)
    expectProblem(await client.response(), 'body-too-large')
    await client.ended
    clearInterval(flood)
    client.destroy()
  })
})

describe('garbage behind a request that is being answered', () => {
  test('never writes a 400 into an open stream', async () => {
    await using server = await startServer()
    const { cookie } = await member(server.url)
    const client = await RawClient.connect(server.port)
    client.send(request(server.port, 'GET /rooms/r/sse'))
    await client.head()
    await client.chunk()
    await client.chunk()
    client.send('garbage\r\n\r\n')
    await post(server.url, 'r', cookie, { text: 'a' })
    expect((await client.rest()).toString()).not.toContain('HTTP/1.1')
    client.destroy()
  })

  test('never writes a 400 in place of the answer to a held long poll', async () => {
    await using server = await startServer()
    const { cursor } = (await (await fetch(`${server.url}/rooms/r/poll`)).json()) as { cursor: string }
    const client = await RawClient.connect(server.port)
    client.send(request(server.port, `GET /rooms/r/long-poll?since=${cursor}`))
    await eventually(async () => (await metric(server.url, 'fourwires_connections{transport="long-poll"}')) === 1, 'it is held')
    client.send('garbage\r\n\r\n')
    expect((await client.rest()).toString()).toBe('')
    await eventually(async () => (await metric(server.url, 'fourwires_connections{transport="long-poll"}')) === 0, 'it is let go')
    client.destroy()
  })

  test('is an upgrade, too: the connection ends, and is not forgotten', async () => {
    const { log, stream } = logged()
    await using server = await startServer({ logger: { level: 'warn', stream } })
    const { cursor } = (await (await fetch(`${server.url}/rooms/r/poll`)).json()) as { cursor: string }
    for (const target of ['/rooms/r/websocket', '/rooms/r/poll']) {
      const accepted = new Promise<Socket>((resolve) => server.app.server.once('connection', resolve))
      const client = await RawClient.connect(server.port)
      const peer = await accepted
      client.send(request(server.port, `GET /rooms/r/long-poll?since=${cursor}`) + handshake(server.port, target))
      expect((await client.rest()).toString()).toBe('')
      await eventually(() => peer.destroyed, 'its connection is gone')
      client.destroy()
    }
    await server.quiet()
    expect(log).toEqual([])
  })

  test('after an answer is a request of its own, and a bad one', async () => {
    await using server = await startServer()
    const client = await RawClient.connect(server.port)
    expect((await client.send(request(server.port, 'GET /rooms/r/poll')).response()).status).toBe(200)
    expectProblem(await client.send('garbage\r\n\r\n').response(), 'invalid-request')
    expect(await client.rest()).toHaveLength(0)
    client.destroy()
  })
})

test('a connection that is reset in the middle of a body leaves nothing in the room', async () => {
  await using server = await startServer()
  const { cookie } = await member(server.url)
  const headers = { cookie, 'content-type': 'application/json', 'content-length': '100' }
  for (let index = 0; index < 20; index++) {
    const client = await RawClient.connect(server.port)
    client.send(request(server.port, 'POST /rooms/r/messages', headers) + '{"text":"hi"')
    client.reset()
  }
  await eventually(async () => (await metric(server.url, 'fourwires_tcp_connections')) <= 2, 'all are gone')
  expect(await (await fetch(`${server.url}/rooms/r/poll`)).text()).toMatch(/^\{"messages":\[\]/)
})
