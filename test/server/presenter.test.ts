/** The presenter's routes: who may, within which bounds, and what it does to everybody. */
import { Writable } from 'node:stream'
import { describe, expect, test } from 'vitest'
import { type Channel, connect, type Gap, transportNames } from '../../src/client/node.ts'
import { MemoryStore } from '../../src/store/memory.ts'
import type { Problem } from '../../src/protocol/problem.ts'
import { eventually } from '../support/answers.ts'
import { ask, hallOf, key, type Method, setHall } from '../support/presenter.ts'
import { RawWebSocket } from '../support/raw-websocket.ts'
import { member, post, postRaw, startServer, type TestServer } from '../support/server.ts'
import { TestViewer } from '../support/viewer.ts'

const open = (options = {}): Promise<TestServer> => startServer({ lab: true, presenterKey: key, ...options })

const actions: [Method, string, object | undefined][] = [
  ['POST', '/lab/presenter', undefined],
  ['POST', '/lab/freeze', { ms: 1 }],
  ['POST', '/lab/cut', {}],
  ['PATCH', '/lab/hall', { muted: true }],
  ['POST', '/lab/clear', { room: 'r' }],
]

const codeOf = async (answer: Response): Promise<string> => `${answer.status} ${((await answer.json()) as { code: string }).code}`

/** Follows the room on each of the four wires, until the test ends. */
async function followAll(url: string, room: string): Promise<Disposable & { readonly channels: readonly Channel[] }> {
  const channels = transportNames.map((transport) => connect({ url, room, transport, pollMs: 250 }))
  await eventually(() => channels.every(({ state }) => state.status === 'live' && state.transport === state.wanted), 'all are live')
  return { channels, [Symbol.dispose]: () => channels.forEach((channel) => channel.close()) }
}

describe('who is not the presenter', () => {
  test.each(actions)('is refused %s %s, whatever they send and whoever they are', async (method, path, body) => {
    await using server = await open()
    const { cookie } = await member(server.url)
    const { cursor } = await post(server.url, 'r', cookie, { text: 'stays' })
    for (const as of ['', 'x', `${key}x`, key.slice(0, -1), key.toUpperCase(), `${key},${key}`]) {
      expect(await codeOf(await ask(server, method, path, body, { as, cookie }))).toBe('403 presenter-only')
    }
    expect(await hallOf(server)).toMatchObject({ muted: false, bot: { rate: 0 }, swarm: { members: 0 } })
    expect(await hallOf(server)).not.toHaveProperty('frozen')
    expect(await (await fetch(`${server.url}/rooms/r/poll?since=${cursor}`)).json()).toEqual({ messages: [], cursor })
    expect((await postRaw(server.url, 'r', cookie, '{"text":"may speak"}')).status).toBe(201)
  })

  test.each(actions)('learns nothing of %s %s where there is no lab', async (method, path, body) => {
    await using server = await startServer()
    expect(await codeOf(await ask(server, method, path, body))).toBe('404 not-found')
  })

  test('may ask how the hall is, and whether the key they have is right', async () => {
    await using server = await open()
    for (const [as, presenter] of [
      ['', false],
      ['wrong-key', false],
      [key, true],
    ] as const) {
      const answer = await ask(server, 'GET', '/lab', undefined, { as })
      expect(answer.headers.get('cache-control')).toBe('no-store')
      expect(await answer.json()).toEqual({
        presenter,
        hall: {
          open: false,
          muted: false,
          blurred: false,
          bot: { rate: 0, room: 'lobby' },
          swarm: { members: 0, room: 'lobby', live: 0 },
          textUnits: 4_096,
          generatedNames: false,
          joined: 0,
          addresses: [],
        },
      })
    }
    await using without = await startServer()
    expect((await fetch(`${without.url}/lab`)).status).toBe(404)
    expect((await fetch(`${server.url}/lab`, { method: 'DELETE' })).headers.get('allow')).toBe('GET')
  })

  test('cannot guess: after ten wrong keys an address is not looked at, and the right one is of no use either', async () => {
    await using server = await open({ trustProxy: ['127.0.0.1'] })
    const from = (address: string, as: string): Promise<Response> =>
      fetch(`${server.url}/lab`, { headers: { authorization: `Bearer ${as}`, 'x-forwarded-for': address } })
    for (let guess = 0; guess < 10; guess++) expect((await from('192.0.2.7', `guess-${guess}`)).status).toBe(200)
    const refused = await from('192.0.2.7', key)
    expect(refused.headers.get('retry-after')).toBe('10')
    expect(await codeOf(refused)).toBe('429 rate-limited')
    expect(await (await from('192.0.2.8', key)).json()).toMatchObject({ presenter: true })
  })

  test('cannot lock the presenter out either, who has shown the key before', async () => {
    await using server = await open()
    const { cookie } = await member(server.url)
    await ask(server, 'POST', '/lab/presenter', undefined, { cookie })
    for (let guess = 0; guess < 11; guess++) await ask(server, 'GET', '/lab', undefined, { as: `guess-${guess}` })
    expect((await ask(server, 'PATCH', '/lab/hall', { muted: true })).status).toBe(429)
    expect((await ask(server, 'PATCH', '/lab/hall', { muted: true }, { cookie })).status).toBe(200)
    expect((await ask(server, 'PATCH', '/lab/hall', { muted: true }, { as: 'wrong', cookie })).status).toBe(403)
  })

  test('does not find the key in the log, at the finest level', async () => {
    let log = ''
    const stream = new Writable({
      write(chunk: Buffer, _encoding, done) {
        log += String(chunk)
        done()
      },
    })
    const store = new MemoryStore()
    store.clear = () => Promise.reject(new Error('away'))
    await using server = await open({ store, logger: { level: 'trace', stream } })
    for (const [method, path, body] of actions) await ask(server, method, path, body)
    await fetch(`${server.url}/lab/freeze`, { method: 'POST', headers: { authorization: `Bearer ${key}` }, body: '{' })
    expect(log).toContain('the store failed')
    expect(log).not.toContain(key)
  })
})

describe('what the presenter asks', () => {
  test.each<[Method, string, object]>([
    ['POST', '/lab/freeze', {}],
    ['POST', '/lab/freeze', { ms: 0 }],
    ['POST', '/lab/freeze', { ms: 3001 }],
    ['POST', '/lab/freeze', { ms: '500' }],
    ['POST', '/lab/freeze', { ms: 500.5 }],
    ['POST', '/lab/freeze', { ms: 500, more: 1 }],
    ['POST', '/lab/presenter', { key }],
    ['POST', '/lab/cut', { transport: 'carrier-pigeon' }],
    ['POST', '/lab/cut', { how: 'gently' }],
    ['PATCH', '/lab/hall', { muted: 1 }],
    ['PATCH', '/lab/hall', { frozen: true }],
    ['PATCH', '/lab/hall', { bot: { rate: 101, room: 'r' } }],
    ['PATCH', '/lab/hall', { bot: { rate: -1, room: 'r' } }],
    ['PATCH', '/lab/hall', { bot: 5 }],
    ['PATCH', '/lab/hall', { swarm: { members: 501, room: 'r' } }],
    ['PATCH', '/lab/hall', { swarm: { members: 1, room: 'r', on: 'another machine' } }],
  ])('is refused out of its bounds: %s %s %j', async (method, path, body) => {
    await using server = await open()
    expect(await codeOf(await ask(server, method, path, body))).toBe('400 invalid-request')
    expect(await hallOf(server)).toMatchObject({ muted: false, bot: { rate: 0 }, swarm: { members: 0 } })
  })

  test('is refused where it names no room, or says a thing twice', async () => {
    await using server = await open()
    expect(await codeOf(await ask(server, 'POST', '/lab/clear', { room: '../r' }))).toBe('400 invalid-room')
    expect(await codeOf(await ask(server, 'PATCH', '/lab/hall', { bot: { rate: 1 } }))).toBe('400 invalid-room')
    for (const body of [
      '{"muted":true,"muted":false}',
      '{"bot":{"rate":1,"rate":2,"room":"r"}}',
      '{"muted":{"bot":{"rate":1,"room":"r"}}}',
      '{"bot":{"__proto__":{}}}',
    ]) {
      const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' }
      expect(await codeOf(await fetch(`${server.url}/lab/hall`, { method: 'PATCH', headers, body }))).toBe('400 invalid-json')
    }
  })

  test('is told to every page, first of all and when it changes', async () => {
    await using server = await open()
    const { cookie } = await member(server.url)
    using viewer = await TestViewer.open(server.port, cookie)
    expect(viewer.halls).toMatchObject([{ muted: false, blurred: false }])
    expect(await setHall(server, { blurred: true })).toMatchObject({ muted: false, blurred: true })
    await eventually(() => viewer.halls.length > 1, 'the news')
    expect(viewer.halls.at(-1)).toEqual(await hallOf(server))
    expect(viewer.halls.at(-1)).toMatchObject({ blurred: true })
  })
})

test('a freeze is told to every page with its real length, and may be had once in five seconds', async () => {
  await using server = await open()
  const { cookie } = await member(server.url)
  using viewer = await TestViewer.open(server.port, cookie)
  const { ms } = (await (await ask(server, 'POST', '/lab/freeze', { ms: 100 })).json()) as { ms: number }
  expect(ms).toBeGreaterThanOrEqual(100)
  await eventually(() => viewer.halls.at(-1)?.frozen !== undefined, 'pages hear of it')
  expect(viewer.halls.at(-1)?.frozen).toEqual({ ms, at: expect.any(Number) as number })
  const again = await ask(server, 'POST', '/lab/freeze', { ms: 1 })
  expect(Number(again.headers.get('retry-after'))).toBeGreaterThanOrEqual(4)
  expect(await codeOf(again)).toBe('429 rate-limited')
})

describe('muted', () => {
  test('nobody publishes but a presenter’s session, by POST and up the socket, and everybody again afterwards', async () => {
    await using server = await open()
    const [ann, ben] = [await member(server.url), await member(server.url)]
    const socket = await RawWebSocket.open(server.port, '/rooms/r/websocket', { cookie: ann.cookie })
    const answerTo = async (id: string): Promise<Record<string, unknown>> => {
      for (;;) {
        const frame = await socket.json()
        if (frame['id'] === id) return frame
      }
    }
    await setHall(server, { muted: true })
    expect(await codeOf(await postRaw(server.url, 'r', ann.cookie, '{"text":"hi"}'))).toBe('403 muted')
    socket.sendJson({ type: 'publish', id: 'while-muted', text: 'hi' })
    expect(await answerTo('while-muted')).toMatchObject({ type: 'problem', code: 'muted', status: 403 })

    expect((await ask(server, 'POST', '/lab/presenter', undefined, { cookie: ben.cookie })).status).toBe(204)
    expect((await postRaw(server.url, 'r', ben.cookie, '{"text":"listen"}')).status).toBe(201)
    expect(await codeOf(await postRaw(server.url, 'r', ann.cookie, '{"text":"no"}'))).toBe('403 muted')
    expect(await codeOf(await ask(server, 'POST', '/lab/presenter'))).toBe('401 session-required')

    await setHall(server, { muted: false })
    // The socket has stayed open.
    socket.sendJson({ type: 'publish', id: 'after-that', text: 'hi' })
    expect(await answerTo('after-that')).toMatchObject({ type: 'ack', seq: 2 })
    socket.client.destroy()
  })

  test('who sends again what is in the room already is told that it is', async () => {
    await using server = await open()
    const { cookie } = await member(server.url)
    const ack = await post(server.url, 'r', cookie, { id: 'kept-before', text: 'hi' })
    await setHall(server, { muted: true })
    const again = await postRaw(server.url, 'r', cookie, '{"id":"kept-before","text":"hi"}')
    expect([again.status, await again.json()]).toEqual([200, { ...ack, duplicate: true }])
    expect(await codeOf(await postRaw(server.url, 'r', cookie, '{"id":"kept-before","text":"ho"}'))).toBe('422 idempotency-mismatch')
    expect(await codeOf(await postRaw(server.url, 'r', cookie, '{"id":"never-kept","text":"hi"}'))).toBe('403 muted')
  })

  test('a client gives back the text that was refused, and its wire stays', async () => {
    await using server = await open()
    using hall = await followAll(server.url, 'r')
    await setHall(server, { muted: true })
    for (const channel of hall.channels) {
      const problem = (await channel.send('hi').catch((error: unknown) => error)) as Problem
      expect([problem.code, channel.state.status, channel.unsent]).toEqual(['muted', 'live', []])
    }
  })
})

test('a cleared room is empty, and told as a gap on all four wires, which go on', async () => {
  await using server = await open()
  using hall = await followAll(server.url, 'r')
  const gaps = new Map<string, Gap[]>()
  const texts = new Map<string, string[]>()
  for (const channel of hall.channels) {
    const { wanted } = channel.state
    const [ours, read]: [Gap[], string[]] = [[], []]
    gaps.set(wanted, ours)
    texts.set(wanted, read)
    channel.on('gap', (gap) => ours.push(gap))
    channel.on('message', ({ text }) => read.push(text))
  }
  const { cookie } = await member(server.url)
  await post(server.url, 'r', cookie, { text: 'rude' })
  await eventually(() => [...texts.values()].every((read) => read.length === 1), 'all have read it')
  expect((await ask(server, 'POST', '/lab/clear', { room: 'r' })).status).toBe(204)
  await eventually(() => [...gaps.values()].every((told) => told.length > 0), 'all are told')
  await post(server.url, 'r', cookie, { text: 'polite' })
  await eventually(() => [...texts.values()].every((read) => read.length === 2), 'all read on')
  for (const transport of transportNames) {
    expect([transport, gaps.get(transport), texts.get(transport)]).toEqual([transport, [{ reason: 'epoch' }], ['rude', 'polite']])
  }
  expect(await (await fetch(`${server.url}/rooms/r/poll?since=earliest`)).json()).toMatchObject({ messages: [{ seq: 1, text: 'polite' }] })
})

describe('a cut', () => {
  test.each(['fin', 'rst'] as const)('by %s ends the wires of one transport, and no other', async (how) => {
    await using server = await open()
    const sse = await fetch(`${server.url}/rooms/r/sse`)
    const socket = await RawWebSocket.open(server.port, '/rooms/r/websocket')
    await socket.text()
    expect((await ask(server, 'POST', '/lab/cut', { transport: 'websocket', how })).status).toBe(204)
    await socket.client.ended
    expect(await server.connections()).toBe(1)
    expect((await ask(server, 'POST', '/lab/cut')).status).toBe(204)
    await sse.text().catch(() => '')
    await eventually(async () => (await server.connections()) === 0, 'the other went with all')
  })
})

test('nothing begins any more once the server is closing', async () => {
  await using server = await open({ drainMs: 400 })
  const streams = await Promise.all(Array.from({ length: 4 }, () => fetch(`${server.url}/rooms/r/sse`)))
  const closed = server.close()
  for (const order of [{ bot: { rate: 1, room: 'r' } }, { swarm: { members: 1, room: 'r' } }]) {
    expect(await codeOf(await ask(server, 'PATCH', '/lab/hall', order))).toBe('503 draining')
  }
  await Promise.all(streams.map((stream) => stream.text()))
  await closed
})

describe('the bot', () => {
  test('says so many messages a second, evenly, as one member; and none after 0', async () => {
    await using server = await open()
    await setHall(server, { muted: true, bot: { rate: 50, room: 'r' } })
    const begun = performance.now()
    const said = async (): Promise<readonly { readonly at: number; readonly author: string; readonly member: string }[]> =>
      ((await (await fetch(`${server.url}/rooms/r/poll?since=earliest`)).json()) as { messages: never[] }).messages
    await eventually(async () => (await said()).length >= 25, 'half a second of it')
    const messages = await said()
    const seconds = (performance.now() - begun) / 1000
    expect(messages.length).toBeLessThanOrEqual(Math.ceil(50 * seconds) + 1)
    expect(messages.length).toBeGreaterThanOrEqual(Math.floor(50 * seconds) - 10)
    expect(new Set(messages.map(({ author }) => author))).toEqual(new Set(['Metronome']))
    expect(new Set(messages.map(({ member: id }) => id)).size).toBe(1)
    expect(await setHall(server, { bot: { rate: 0, room: 'r' } })).toMatchObject({ bot: { rate: 0, room: 'r' } })
    const { length } = await said()
    await ask(server, 'POST', '/lab/freeze', { ms: 100 })
    expect(await said()).toHaveLength(length)
  })

  test('catches up with what a freeze held up', async () => {
    await using server = await open()
    await setHall(server, { bot: { rate: 100, room: 'r' } })
    await ask(server, 'POST', '/lab/freeze', { ms: 500 })
    // All that was due meanwhile is said at once, not at the rate from now on.
    const { messages } = (await (await fetch(`${server.url}/rooms/r/poll?since=earliest`)).json()) as { messages: unknown[] }
    expect(messages.length).toBeGreaterThanOrEqual(50)
  })
})

describe('joined', () => {
  test('counts the sessions of other devices that opened a wire, each once', async () => {
    const phones = new Set(['192.0.2.7', '192.0.2.8'])
    await using server = await open({ trustProxy: ['127.0.0.1'], hall: { isOwn: (address: string) => !phones.has(address) } })
    const [ann, ben] = [await member(server.url), await member(server.url)]
    const ask4 = async (address: string, cookie: string, path: string): Promise<void> => {
      await (await fetch(`${server.url}/rooms/r/${path}`, { headers: { cookie, 'x-forwarded-for': address } })).text()
    }
    await ask4('192.0.2.9', ann.cookie, 'poll')
    await ask4('192.0.2.7', '', 'poll')
    await ask4('192.0.2.7', ann.cookie, 'members')
    expect((await hallOf(server)).joined).toBe(0)
    for (const path of ['poll', 'long-poll?wait=0', 'poll']) await ask4('192.0.2.7', ann.cookie, path)
    await ask4('192.0.2.8', ben.cookie, 'poll')
    expect((await hallOf(server)).joined).toBe(2)
  })
})

describe('where names are drawn', () => {
  test('nobody has the name they give but who proves the presenter, by key or by session', async () => {
    await using server = await open({ generatedNames: true })
    const enter = async (headers: Record<string, string>, name = 'Rude'): Promise<string> => {
      const init = { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify({ name }) }
      return ((await (await fetch(`${server.url}/session`, init)).json()) as { member: { name: string } }).member.name
    }
    const ann = await member(server.url, 'Rude')
    expect(ann.member.name).toMatch(/^[A-Z][a-z]+ [A-Z][a-z]+$/)
    expect(await enter({ cookie: ann.cookie })).toBe(ann.member.name)
    expect(await enter({ cookie: ann.cookie, authorization: 'Bearer wrong' })).toBe(ann.member.name)
    expect(await enter({ authorization: `Bearer ${key}` }, 'Synthetic 1')).toBe('Synthetic 1')
    await ask(server, 'POST', '/lab/presenter', undefined, { cookie: ann.cookie })
    expect(await enter({ cookie: ann.cookie }, 'The lecturer')).toBe('The lecturer')
  })
})
