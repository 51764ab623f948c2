/** Every problem of the table that a well-formed request can meet: its status, its code, its headers, and nothing of the inside. */
import { describe, expect, test } from 'vitest'
import { Problem } from '../../src/protocol/problem.ts'
import { MemoryStore } from '../../src/store/memory.ts'
import { eventually, expectProblem, expectRetry } from '../support/answers.ts'
import { ask, RawClient, type RawResponse, request } from '../support/raw-client.ts'
import { handshake } from '../support/raw-websocket.ts'
import { member, startServer, type TestServer } from '../support/server.ts'

const json = { 'content-type': 'application/json' }
const get = ({ port }: TestServer, target: string, headers = {}): Promise<RawResponse> => ask(port, request(port, `GET ${target}`, headers))

/** A publish of this body, as a member of this server. */
async function publish(server: TestServer, body: string | Buffer, headers: Record<string, string> = json): Promise<RawResponse> {
  const { cookie } = await member(server.url)
  const head = request(server.port, 'POST /rooms/r/messages', { cookie, ...headers, 'content-length': String(Buffer.byteLength(body)) })
  return ask(server.port, Buffer.concat([Buffer.from(head), Buffer.from(body as Buffer)]))
}

describe('400 invalid-request', () => {
  const keys = [
    'x=1',
    'Since=earliest',
    'since[]=earliest',
    'since=earliest&since=earliest',
    'a[b]=c',
    '__proto__=x',
    'constructor=x',
    'toString=x',
    'hasOwnProperty=1',
    '__proto__[x]=1',
    '=',
    '%00=1',
    'since=earliest;x=1&y=2',
  ]
  test.each(keys)('for the query %s on each wire that reads', async (query) => {
    await using server = await startServer()
    for (const transport of ['poll', 'long-poll', 'sse']) {
      const answer = await get(server, `/rooms/r/${transport}?${query}`)
      expectProblem(answer, 'invalid-request')
    }
    expect(({} as { readonly x?: unknown }).x).toBeUndefined()
  })

  const numbers = [
    '-1',
    '1e9',
    '1000000000',
    'NaN',
    '0x10',
    '',
    '25.5',
    '+1',
    '01',
    '%201',
    '1%20',
    'Infinity',
    '1e2',
    '٣',
    '99999999999999999999',
    'true',
  ]
  test.each(numbers)('for wait, limit or every of "%s"', async (value) => {
    await using server = await startServer()
    for (const target of ['long-poll?wait', 'poll?limit', 'poll?every']) {
      expectProblem(await get(server, `/rooms/r/${target}=${encodeURIComponent(decodeURIComponent(value))}`), 'invalid-request')
    }
  })

  test('for a number out of its own range, and not for one within', async () => {
    await using server = await startServer()
    const status = async (target: string): Promise<number> => (await get(server, `/rooms/r/${target}`)).status
    for (const target of ['long-poll?wait=56', 'poll?limit=0', 'poll?limit=501', 'poll?every=249', 'poll?every=60001']) {
      expect([target, await status(target)]).toEqual([target, 400])
    }
    for (const target of [
      'long-poll?wait=0',
      'long-poll?wait=55',
      'poll?limit=1',
      'poll?limit=500',
      'poll?every=250&limit=7',
      'poll?every=60000',
    ]) {
      expect([target, await status(target)]).toEqual([target, 200])
    }
  })

  test('but not for a key that the host says is its own', async () => {
    await using server = await startServer({ allowQueryKeys: ['token'] })
    expect((await get(server, '/rooms/r/poll?token=1&token=2')).status).toBe(200)
    expectProblem(await get(server, '/rooms/r/poll?token=1&tokens=2'), 'invalid-request')
  })

  test('for a body of another shape', async () => {
    await using server = await startServer()
    for (const body of [
      '[]',
      'null',
      '"text"',
      '1',
      '{"text":"hi","more":1}',
      '{"text":"hi","__proto":1}',
      '{"text":"hi","constructor":"x"}',
    ]) {
      expectProblem(await publish(server, body), 'invalid-request')
    }
  })

  test('for an upgrade of what is no WebSocket', async () => {
    await using server = await startServer()
    const targets = [
      '/rooms/r/poll',
      '/rooms/r/long-poll',
      '/rooms/r/sse',
      '/rooms/r/messages',
      '/session',
      '/healthz',
      '/readyz',
      '/metrics',
      '/',
      '/nothing-here',
    ]
    for (const target of targets) {
      const answer = await ask(server.port, handshake(server.port, target))
      expect([target, answer.status]).not.toEqual([target, 101])
      expect([target, answer.status >= 400 && answer.status < 500]).toEqual([target, true])
    }
  })

  test('for a handshake without its key or another upgrade', async () => {
    await using server = await startServer()
    const shake = (headers: Record<string, string>): Promise<RawResponse> =>
      ask(server.port, handshake(server.port, '/rooms/r/websocket', headers))
    expectProblem(await shake({ 'sec-websocket-key': 'short' }), 'invalid-request')
    expectProblem(await shake({ 'sec-websocket-key': '' }), 'invalid-request')
    expectProblem(await shake({ upgrade: 'websocket, h2c' }), 'invalid-request')
  })
})

describe('400 invalid-json', () => {
  const bodies = [
    '{',
    '{"text":"hi"',
    '{"text":"hi"}x',
    "{'text':'hi'}",
    '{"text":"hi","text":"hi"}',
    '{"text":"hi","te\\u0078t":"hi"}',
    '{"text":{"text":"hi"}}',
    '{"__proto__":{"x":1},"text":"hi"}',
    '{"text":"hi","__proto__":1}',
    '{"text":"\n"}',
    '{"text":"hi",}',
    '\ufeff\ufeff{"text":"hi"}',
    'undefined',
  ]
  test.each(bodies)('for the body %.40s', async (body) => {
    await using server = await startServer()
    expectProblem(await publish(server, body), 'invalid-json')
    expect(({} as { readonly x?: unknown }).x).toBeUndefined()
  })

  test('for no body at all', async () => {
    await using server = await startServer()
    expectProblem(await publish(server, ''), 'invalid-json')
  })

  test('for a body nested as deep as it may be long, without a word of stacks', async () => {
    await using server = await startServer({ bodyBytes: 200_000 })
    const answer = await publish(server, `${'['.repeat(50_000)}${']'.repeat(50_000)}`)
    expect([400, 413]).toContain(answer.status)
    expectProblem(answer, 'invalid-json')
    expectProblem(await publish(server, `{"text":${'['.repeat(50_000)}${']'.repeat(50_000)}}`), 'invalid-message')
    expectProblem(await publish(server, `{"text":${'{"a":'.repeat(20_000)}1${'}'.repeat(20_000)}}`), 'invalid-json')
  })
})

test.each(['c080', 'fffe', 'e282', 'eda080', 'f4908080', '80'])('400 invalid-utf8 for the bytes %s', async (bytes) => {
  await using server = await startServer()
  const body = Buffer.concat([Buffer.from('{"text":"'), Buffer.from(bytes, 'hex'), Buffer.from('"}')])
  expectProblem(await publish(server, body), 'invalid-utf8')
})

describe('400 invalid-room', () => {
  const rooms = [
    '-',
    '.',
    '.hidden',
    '~',
    '_',
    '%00',
    'a%00',
    'a%0d%0aSet-Cookie:x',
    '%2e%2e%2f',
    '..%2f..%2fetc',
    'a%2fb',
    'x'.repeat(65),
    '%C3%A9',
    'a%20b',
    'a+b',
    '__proto__',
    '%F0%9F%9A%80',
    '',
  ]
  test.each(rooms)('for "%s"', async (room) => {
    await using server = await startServer()
    const { cookie } = await member(server.url)
    for (const transport of ['poll', 'long-poll', 'sse']) expectProblem(await get(server, `/rooms/${room}/${transport}`), 'invalid-room')
    const answer = await ask(server.port, request(server.port, `POST /rooms/${room}/messages`, { ...json, cookie }, '{"text":"hi"}'))
    expectProblem(answer, 'invalid-room')
    expect(answer.header('set-cookie')).toBeUndefined()
  })

  test('and not for what a room may be called, with names of Object among them', async () => {
    await using server = await startServer()
    for (const room of ['a', 'A.b_c~d-e', 'x'.repeat(64), 'constructor', 'toString', 'hasOwnProperty', '%61%2Db', '0']) {
      expect([room, (await get(server, `/rooms/${room}/poll`)).status]).toEqual([room, 200])
    }
  })

  test('a path that climbs is no room', async () => {
    await using server = await startServer()
    for (const path of [
      '/rooms/../session',
      '/rooms/r/../../etc/passwd',
      '/%2e%2e/%2e%2e/etc/passwd',
      '/rooms/r/poll/',
      '//rooms/r/poll',
      '/Rooms/r/poll',
    ]) {
      expect([path, [400, 404].includes((await get(server, path)).status)]).toEqual([path, true])
    }
  })
})

describe('401, 403, 404', () => {
  test('401 session-required where nobody publishes', async () => {
    await using server = await startServer()
    const forged = ['', 'fourwires=', 'fourwires=m_AAAAAAAAAAAA.QW5u', 'fourwires=m_AAAAAAAAAAAA.QW5u.AAAA', 'fourwires=%', 'other=1']
    for (const cookie of forged) {
      expectProblem(
        await ask(server.port, request(server.port, 'POST /rooms/r/messages', { ...json, cookie }, '{"text":"hi"}')),
        'session-required',
      )
    }
  })

  test('403 forbidden where the host says no, to readers and publishers each', async () => {
    await using server = await startServer({
      authorize: async (_member, room, action) => room !== 'closed' && !(room === 'r' && action === 'publish'),
    })
    for (const transport of ['poll', 'long-poll', 'sse']) expectProblem(await get(server, `/rooms/closed/${transport}`), 'forbidden')
    expect((await get(server, '/rooms/r/poll')).status).toBe(200)
    expectProblem(await publish(server, '{"text":"hi"}'), 'forbidden')
  })

  test('404 not-found for any other path and method', async () => {
    await using server = await startServer()
    for (const path of [
      '/nothing',
      '/rooms',
      '/rooms/r',
      '/rooms/r/',
      '/rooms/r/carrier-pigeon',
      '/.env',
      '/src/server/main.ts',
      '/package.json',
    ]) {
      for (const method of ['GET', 'POST', 'DELETE']) {
        expectProblem(await ask(server.port, request(server.port, `${method} ${path}`)), 'not-found')
      }
    }
  })
})

describe('403 of a hall', () => {
  test('presenter-only without the key, and muted while nobody but the presenter may publish', async () => {
    await using server = await startServer({ lab: true, presenterKey: 'the-key-itself' })
    const mute = (headers: Record<string, string>): Promise<RawResponse> =>
      ask(server.port, request(server.port, 'PATCH /lab/hall', { ...json, ...headers }, '{"muted":true}'))
    expectProblem(await mute({}), 'presenter-only')
    expectProblem(await mute({ authorization: 'Bearer another-key' }), 'presenter-only')
    expect((await publish(server, '{"text":"hi"}')).status).toBe(201)
    expect((await mute({ authorization: 'Bearer the-key-itself' })).status).toBe(200)
    expectProblem(await publish(server, '{"text":"hi"}'), 'muted')
  })
})

describe('405 method-not-allowed', () => {
  const routes = {
    '/session': 'POST, DELETE',
    '/rooms/r/messages': 'POST',
    '/rooms/r/poll': 'GET',
    '/rooms/r/long-poll': 'GET',
    '/rooms/r/sse': 'GET',
    '/rooms/r/websocket': 'GET',
    '/healthz': 'GET',
    '/readyz': 'GET',
    '/metrics': 'GET',
  }
  test.each(Object.entries(routes))('on %s for all but %s, with Allow', async (path, allow) => {
    await using server = await startServer()
    for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE']) {
      if (allow.includes(method)) continue
      const answer = await ask(server.port, request(server.port, `${method} ${path}`))
      expect([method, answer.status]).toEqual([method, 405])
      expectProblem(answer, 'method-not-allowed')
      expect([method, answer.header('allow')]).toEqual([method, allow])
    }
  })

  test.each(Object.keys(routes).slice(0, 6))('HEAD %s is answered at once, without a body', async (path) => {
    await using server = await startServer()
    const client = await RawClient.connect(server.port)
    client.send(request(server.port, `HEAD ${path}`) + request(server.port, 'GET /healthz'))
    const head = await client.head()
    expect([head.status, head.header('allow')]).toEqual([405, routes[path as keyof typeof routes]])
    expect((await client.response()).body.toString()).toBe('{"status":"alive"}')
    client.destroy()
  })
})

describe('406 not-acceptable', () => {
  test.each(['application/json', 'text/html', 'text/event-stream;q=0', '*/*;q=0', 'text/event-stream;q=0, */*', 'text/*;q=0'])(
    'for a stream with Accept: %s',
    async (accept) => {
      await using server = await startServer()
      expectProblem(await get(server, '/rooms/r/sse', { accept }), 'not-acceptable')
    },
  )

  test.each(['text/event-stream', '*/*', 'text/*;q=0.1', 'application/json, text/event-stream;q=0.5', 'TEXT/EVENT-STREAM'])(
    'and not with Accept: %s',
    async (accept) => {
      await using server = await startServer()
      const client = await RawClient.connect(server.port)
      expect((await client.send(request(server.port, 'GET /rooms/r/sse', { accept })).head()).status).toBe(200)
      client.destroy()
    },
  )
})

describe('413, 414, 415, 417, 422', () => {
  test('413 body-too-large over 32 KiB, and not at 32 KiB', async () => {
    await using server = await startServer()
    const padded = (length: number): string => '{"text":"hi"}'.padEnd(length)
    expectProblem(await publish(server, padded(32_769)), 'body-too-large')
    expect((await publish(server, padded(32_768))).status).toBe(201)
  })

  test('414 uri-too-long over 2 KiB, and not at 2 KiB', async () => {
    await using server = await startServer()
    const path = (length: number): string => '/rooms/r/poll?since='.padEnd(length, 'x')
    expectProblem(await get(server, path(2049)), 'uri-too-long')
    expectProblem(await get(server, path(2048)), 'invalid-cursor')
    expectProblem(await get(server, `/rooms/${'x'.repeat(1500)}/poll`), 'invalid-room')
  })

  const media = [
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/json; charset=latin1',
    'application/json; charset="iso-8859-1"',
    'application/json;charset=utf-16',
    'application/jsonx',
    'text/json',
    'application/problem+json',
    '',
    'x',
  ]
  test.each(media)('415 unsupported-media-type for content-type "%s"', async (type) => {
    await using server = await startServer()
    expectProblem(await publish(server, '{"text":"hi"}', { 'content-type': type }), 'unsupported-media-type')
  })

  test('415 without a content-type, and not for UTF-8 by any spelling', async () => {
    await using server = await startServer()
    expectProblem(await publish(server, '{"text":"hi"}', {}), 'unsupported-media-type')
    for (const type of [
      'application/json',
      'application/json; charset=utf-8',
      'application/json;charset=UTF-8',
      'application/json; charset="utf-8"',
      'APPLICATION/JSON',
    ]) {
      expect([type, (await publish(server, '{"text":"hi"}', { 'content-type': type })).status]).toEqual([type, 201])
    }
  })

  test('417 expectation-failed for any Expect but 100-continue', async () => {
    await using server = await startServer()
    expectProblem(await publish(server, '{"text":"hi"}', { ...json, expect: '200-ok' }), 'expectation-failed')
    expect((await publish(server, '{"text":"hi"}', { ...json, expect: '100-continue' })).status).toBe(100)
  })

  test('422 invalid-message for a text or an id that cannot be', async () => {
    await using server = await startServer()
    const texts = ['', 'x'.repeat(4097), '\0', '\u0085', '\r', '\u001b[31m', '\u007f']
    for (const text of texts) expectProblem(await publish(server, JSON.stringify({ text })), 'invalid-message')
    for (const body of [
      '{"text":"\\ud800"}',
      '{"text":"a\\udc00"}',
      '{"text":1}',
      '{"text":null}',
      '{}',
      '{"id":"short","text":"a"}',
      '{"id":1,"text":"a"}',
      '{"id":null,"text":"a"}',
      '{"id":"12345678\\n","text":"a"}',
      `{"id":"${'x'.repeat(65)}","text":"a"}`,
    ]) {
      expectProblem(await publish(server, body), 'invalid-message')
    }
  })

  test('422 invalid-message for a text over the characters that the server allows, and not at them', async () => {
    await using server = await startServer({ textUnits: 10 })
    expect((await publish(server, JSON.stringify({ text: '🦊'.repeat(5) }))).status).toBe(201)
    expect(expectProblem(await publish(server, JSON.stringify({ text: 'x'.repeat(11) })), 'invalid-message')['detail']).toContain('1 to 10')
  })

  test('422 invalid-message for a name that cannot be shown', async () => {
    await using server = await startServer()
    for (const name of ['', ' ', 'x'.repeat(33), 'a\nb', 'a\0', 'a\u202eb', 'a\u2066b', 1, null]) {
      const answer = await ask(server.port, request(server.port, 'POST /session', json, JSON.stringify({ name })))
      expectProblem(answer, 'invalid-message')
      expect(answer.header('set-cookie')).toBeUndefined()
    }
  })

  test('422 idempotency-mismatch where an id comes again with another text', async () => {
    await using server = await startServer()
    const { cookie } = await member(server.url)
    const send = (text: string): Promise<RawResponse> =>
      ask(server.port, request(server.port, 'POST /rooms/r/messages', { ...json, cookie }, JSON.stringify({ id: 'the-same-id', text })))
    expect((await send('a')).status).toBe(201)
    expectProblem(await send('b'), 'idempotency-mismatch')
    expect((await send('a')).status).toBe(200)
  })
})

test('426 upgrade-required for no upgrade, another version and HTTP/1.0, and says what to upgrade to', async () => {
  await using server = await startServer()
  const shake = (headers: Record<string, string> = {}): string => handshake(server.port, '/rooms/r/websocket', headers)
  const requests = [
    request(server.port, 'GET /rooms/r/websocket'),
    request(server.port, 'GET /rooms/r/websocket', { connection: 'Upgrade', upgrade: 'h2c' }),
    ...['8', '7', '99', '013', '', '13, 8'].map((version) => shake({ 'sec-websocket-version': version })),
    shake().replace('HTTP/1.1', 'HTTP/1.0'),
  ]
  for (const text of requests) {
    const answer = await ask(server.port, text)
    expectProblem(answer, 'upgrade-required')
    expect(answer.header('upgrade')).toBe('websocket')
    expect(answer.header('sec-websocket-version')).toBe('13')
  }
})

describe('429 rate-limited', () => {
  test('after a burst of 40 publishes, with Retry-After, and only for the member who sent them', async () => {
    await using server = await startServer()
    const ann = await member(server.url)
    const send = (cookie: string): Promise<RawResponse> =>
      ask(server.port, request(server.port, 'POST /rooms/r/messages', { ...json, cookie }, '{"text":"hi"}'))
    const burst = await Promise.all(Array.from({ length: 60 }, () => send(ann.cookie)))
    expect(burst.filter(({ status }) => status === 201).length).toBeGreaterThanOrEqual(40)
    const refused = burst.filter(({ status }) => status !== 201)
    expect(refused.length).toBeGreaterThan(0)
    for (const answer of refused) expectRetry(answer, 'rate-limited')
    expect((await send((await member(server.url)).cookie)).status).toBe(201)
  })

  test('never where the limit is off', async () => {
    await using server = await startServer({ publishesPerSecond: 0 })
    const { cookie } = await member(server.url)
    const one = request(server.port, 'POST /rooms/r/messages', { ...json, cookie }, '{"text":"hi"}')
    const client = await RawClient.connect(server.port)
    client.send(one.repeat(100))
    for (let index = 0; index < 100; index++) expect((await client.response()).status).toBe(201)
    client.destroy()
  })
})

describe('500 internal', () => {
  test('is a constant body, whatever broke', async () => {
    const secret = 'the password is hunter2'
    for (const broken of [
      () => {
        throw new TypeError(secret)
      },
      () => Promise.reject(new Error(secret)),
      () => {
        throw Object.assign(new Error(secret), { statusCode: 500, code: 'EACCES' })
      },
    ]) {
      await using server = await startServer({ authorize: broken })
      const answers = [await get(server, '/rooms/r/poll'), await get(server, '/rooms/r/sse'), await publish(server, '{"text":"hi"}')]
      const bodies = answers.map((answer) => JSON.stringify(expectProblem(answer, 'internal')))
      expect(new Set(bodies).size).toBe(1)
      expect(bodies[0]).not.toContain('hunter2')
    }
  })

  test('also for what is thrown and is no error', async () => {
    for (const thrown of [undefined, null, 'hunter2', 404]) {
      await using server = await startServer({ authorize: () => Promise.reject(thrown) })
      expectProblem(await get(server, '/rooms/r/poll'), 'internal')
    }
  })
})

describe('503', () => {
  test('overloaded over --max-connections, with Retry-After', async () => {
    await using server = await startServer({ maxConnections: 1 })
    const first = await RawClient.connect(server.port)
    for (const target of ['poll', 'long-poll']) expectRetry(await get(server, `/rooms/r/${target}`), 'overloaded')
    expectRetry(await ask(server.port, request(server.port, 'POST /session')), 'overloaded')
    expect((await get(server, '/healthz')).status).toBe(200)
    first.destroy()
  })

  test('draining while it shuts down, with Retry-After, on all but the probes of life', async () => {
    await using server = await startServer({ drainMs: 400 })
    const { cookie } = await member(server.url)
    const streams = await Promise.all([1, 2, 3, 4].map(() => RawClient.connect(server.port)))
    for (const stream of streams) expect((await stream.send(request(server.port, 'GET /rooms/r/sse')).head()).status).toBe(200)
    const clients = await Promise.all([1, 2, 3, 4, 5].map(() => RawClient.connect(server.port)))
    const closed = server.close()
    const requests = ['GET /rooms/r/poll', 'GET /rooms/r/long-poll', 'GET /readyz', 'POST /rooms/r/messages', 'GET /healthz']
    const answers = await Promise.all(
      clients.map((client, index) =>
        client.send(request(server.port, requests[index] ?? '', { ...json, cookie }, index === 3 ? '{"text":"hi"}' : undefined)).response(),
      ),
    )
    for (const answer of answers.slice(0, 4)) expectRetry(answer, 'draining')
    expect(answers[4]?.status).toBe(200)
    await closed
  })

  test('store-unavailable where the store never answers: what became of it is unknown', async () => {
    const store = new MemoryStore()
    for (const method of ['has', 'read', 'append', 'watch'] as const) store[method] = () => new Promise<never>(() => {})
    await using server = await startServer({ store, storeTimeoutMs: 50 })
    const body = expectRetry(await publish(server, '{"id":"12345678","text":"hi"}'), 'store-unavailable')
    expect(body['outcome']).toBe('unknown')
    expectRetry(await get(server, '/rooms/r/poll'), 'store-unavailable')
    expectRetry(await get(server, '/rooms/r/long-poll'), 'store-unavailable')
    expectRetry(await get(server, '/readyz'), 'store-unavailable')
    expect((await get(server, '/healthz')).status).toBe(200)
    const stream = await RawClient.connect(server.port)
    expect((await stream.send(request(server.port, 'GET /rooms/r/sse')).head()).status).toBe(200)
    expect(String(await stream.chunk())).toMatch(/^retry: \d+\nevent: problem\ndata: .*"code":"store-unavailable".*\n\n$/)
    stream.destroy()
  })

  const failures = {
    rejects: () => Promise.reject(new Error('connect ECONNREFUSED 10.0.0.7:6379')),
    throws: () => {
      throw new Error('connect ECONNREFUSED 10.0.0.7:6379')
    },
  }
  test.each(Object.entries(failures))('store-unavailable where the store %s', async (_how, fail) => {
    const store = new MemoryStore()
    for (const method of ['has', 'read', 'append', 'watch'] as const) store[method] = fail
    await using server = await startServer({ store })
    for (const answer of [
      await publish(server, '{"text":"hi"}'),
      await get(server, '/rooms/r/poll'),
      await get(server, '/rooms/r/long-poll'),
    ]) {
      expectRetry(answer, 'store-unavailable')
      expect(answer.body.toString()).not.toContain('10.0.0.7')
    }
  })

  test('room-limit over the rooms that there may be', async () => {
    await using server = await startServer({ rooms: 1 })
    expect((await get(server, '/rooms/r/poll')).status).toBe(200)
    const problem = expectProblem(await get(server, '/rooms/other/poll'), 'room-limit')
    expect(problem['retryAfterMs']).toBeGreaterThan(0)
    expectProblem(await get(server, '/rooms/other/long-poll'), 'room-limit')
    expect((await publish(server, '{"text":"hi"}')).status).toBe(201)
  })

  test('room-limit over the rooms that one address may create in a minute', async () => {
    await using server = await startServer({ roomsPerMinute: 6 })
    for (const room of ['a', 'b', 'c', 'a', 'b']) expect((await get(server, `/rooms/${room}/poll`)).status).toBe(200)
    const body = expectRetry(await get(server, '/rooms/d/poll'), 'room-limit')
    expect(body['retryAfterMs']).toBeLessThanOrEqual(20_000)
    expect((await get(server, '/rooms/c/poll')).status).toBe(200)
  })

  test('no room-limit for many who come to one new room at once, while it is asked whether it is there', async () => {
    const store = new MemoryStore()
    const has = store.has.bind(store)
    let asking = 0
    let release = (): void => {}
    const released = new Promise<void>((resolve) => (release = resolve))
    store.has = async (room) => {
      asking++
      await released
      return has(room)
    }
    await using server = await startServer({ store, roomsPerMinute: 6 })
    const all = Promise.all(Array.from({ length: 20 }, () => get(server, '/rooms/new/poll')))
    await eventually(() => asking > 0, 'the first is asked for')
    await get(server, '/healthz')
    release()
    expect((await all).map(({ status }) => status)).toEqual(Array.from({ length: 20 }, () => 200))
  })

  test('what a store refuses with a problem of its own is told as it is', async () => {
    const store = new MemoryStore()
    store.read = () => Promise.reject(new Problem('room-limit', undefined, { retryAfterMs: 1500 }))
    await using server = await startServer({ store })
    expect(expectRetry(await get(server, '/rooms/r/poll'), 'room-limit')['retryAfterMs']).toBe(1500)
  })
})
