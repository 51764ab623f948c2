/** What a session does to its own connections: late, held up, slow; in order, without loss, and to nobody else. */
import { describe, expect, test } from 'vitest'
import type { Chaos } from '../../src/lab/events.ts'
import { withDefaults } from '../../src/server/options.ts'
import { MemoryStore } from '../../src/store/memory.ts'
import { eventually, metric } from '../support/answers.ts'
import { ObservedStore } from '../support/observed-store.ts'
import { RawClient, request } from '../support/raw-client.ts'
import { frame, opcodes, RawWebSocket } from '../support/raw-websocket.ts'
import { member, post } from '../support/server.ts'
import { Troubled } from '../support/trouble.ts'
import { TestViewer } from '../support/viewer.ts'

const since = (begun: number): number => performance.now() - begun

async function pong(socket: RawWebSocket, payload = ''): Promise<number> {
  const begun = performance.now()
  socket.send(frame(payload, { opcode: opcodes.ping }))
  while ((await socket.frame()).opcode !== opcodes.pong);
  return since(begun)
}

describe('a delay', () => {
  test('is a round trip for who asks, and half of one for who is told', async () => {
    await using ann = await Troubled.start()
    const socket = await ann.socket()
    const asking = await ann.client()
    const cursor = await ann.cursor()
    await ann.viewer.chaos({ delayMs: 80 })
    // By a connection of nobody's: what is said is in the log at once.
    const begun = performance.now()
    const bob = await member(ann.server.url)
    await post(ann.server.url, 'r', bob.cookie, { text: 'news' })
    expect(await socket.text()).toContain('news')
    expect(since(begun)).toBeGreaterThanOrEqual(79)
    for (const wire of ['long-poll', 'poll', 'long-poll']) {
      const asked = performance.now()
      asking.send(ann.request(`GET /rooms/r/${wire}?since=${cursor}`))
      expect(String((await asking.response()).body)).toContain('news')
      expect(since(asked)).toBeGreaterThanOrEqual(159)
    }
    expect(await pong(socket)).toBeGreaterThanOrEqual(159)
    await ann.expectExactBooks()
  })

  test('holds for a connection that is opened later: with its first request, wherever that is cut', async () => {
    await using ann = await Troubled.start()
    await ann.viewer.chaos({ delayMs: 80 })
    const text = ann.request('GET /rooms/r/poll')
    for (const cut of [text.length, 30]) {
      const client = await ann.client()
      const asked = performance.now()
      client.send(text.slice(0, cut))
      if (cut < text.length) await new Promise((resolve) => setImmediate(resolve))
      client.send(text.slice(cut))
      await client.response()
      expect(since(asked)).toBeGreaterThanOrEqual(159)
    }
    await ann.expectExactBooks()
  })

  test('delays three events once, not each behind the one before it', async () => {
    await using ann = await Troubled.start()
    const stream = await ann.stream()
    const bob = await member(ann.server.url)
    await ann.viewer.chaos({ delayMs: 400 })
    const said: number[] = []
    for (const text of ['one', 'two', 'three']) {
      said.push(performance.now())
      await post(ann.server.url, 'r', bob.cookie, { text })
      await new Promise((resolve) => setTimeout(resolve, 40))
    }
    const heard: number[] = []
    for (const [index, text] of ['one', 'two', 'three'].entries()) {
      expect(String(await stream.chunk())).toContain(`"${text}"`)
      heard.push(performance.now())
      expect(since(said[index] as number)).toBeGreaterThanOrEqual(399)
    }
    // One behind the other they would be 800 ms apart.
    expect((heard[2] as number) - (heard[0] as number)).toBeLessThan(400)
    await ann.expectExactBooks()
  })

  test('with jitter, and lifted in between, keeps the order and loses nothing', async () => {
    await using ann = await Troubled.start()
    const socket = await ann.socket()
    const pings = (from: number): void => {
      for (let index = from; index < from + 20; index++) socket.send(frame(`${index}`, { opcode: opcodes.ping }))
    }
    await ann.viewer.chaos({ delayMs: 60, jitterMs: 60 })
    pings(0)
    await ann.viewer.chaos({})
    pings(20)
    await ann.viewer.chaos({ jitterMs: 20, proxy: 'buffers', readBytesPerSecond: 20_000 })
    pings(40)
    await ann.viewer.chaos({})
    pings(60)
    for (let index = 0; index < 80; index++) expect(String((await socket.frame()).payload)).toBe(`${index}`)
    await ann.expectExactBooks()
  })
})

describe('a stall', () => {
  test('holds everything up once, and loses nothing', async () => {
    await using ann = await Troubled.start()
    const socket = await ann.socket()
    const { stallMs } = await ann.viewer.hear({ type: 'stall', ms: 250 }, 'chaos')
    expect(stallMs).toBeGreaterThan(200)
    const begun = performance.now()
    const client = await ann.client()
    client.send(ann.request('GET /rooms/r/poll'))
    for (const payload of ['a', 'b', 'c']) socket.send(frame(payload, { opcode: opcodes.ping }))
    for (const payload of ['a', 'b', 'c']) expect(String((await socket.frame()).payload)).toBe(payload)
    expect((await client.response()).status).toBe(200)
    // It began before we heard of it.
    expect(since(begun)).toBeGreaterThanOrEqual(stallMs - 50)
    await eventually(() => ann.viewer.news.some((news) => news.type === 'chaos' && news.stallMs === 0), 'its end is told')
    await ann.expectExactBooks()
  })

  test('of 0 ms ends one', async () => {
    await using ann = await Troubled.start()
    const socket = await ann.socket()
    await ann.viewer.hear({ type: 'stall', ms: 3_000 }, 'chaos')
    const ping = pong(socket)
    await ann.viewer.hear({ type: 'stall', ms: 0 }, 'chaos')
    expect(await ping).toBeLessThan(2_500)
  })
})

const stored = (options: object) => {
  const limits = { batchBytes: 4_096, highWaterBytes: 8_192, history: 0, publishesPerSecond: 0, ...options }
  return { ...limits, store: new ObservedStore(new MemoryStore(withDefaults(limits))) }
}
const text = 'x'.repeat(1_000)

describe.each(['sse', 'websocket'])('a slow reader on %s', (wire) => {
  test('makes the server stop reading the log at its mark, and goes on where it was', async () => {
    const options = stored({})
    await using ann = await Troubled.start(options)
    const waiting: (() => number)[] = []
    ann.server.app.server.on('connection', (socket) => waiting.push(() => socket.writableLength))
    const stream = wire === 'sse' ? await ann.stream() : undefined
    const socket = wire === 'websocket' ? await ann.socket() : undefined
    await ann.viewer.chaos({ readBytesPerSecond: 1_000 })
    const bob = await member(ann.server.url)
    for (let index = 0; index < 60; index++) await post(ann.server.url, 'r', bob.cookie, { text: `${index} ${text}` })
    await eventually(
      () => waiting[0]?.() === Math.max(...waiting.map((bytes) => bytes())) && (waiting[0]?.() ?? 0) >= 8_192,
      'it waits',
      20_000,
    )
    const { reads } = options.store
    for (let index = 60; index < 80; index++) await post(ann.server.url, 'r', bob.cookie, { text: `${index} ${text}` })
    expect(options.store.reads).toBe(reads)
    // The mark, and the one batch or message that went over it.
    expect(waiting[0]?.()).toBeLessThan(8_192 + 4_096 + 2_000)
    await ann.viewer.chaos({})
    const heard: number[] = []
    while (heard.length < 80) {
      const json = stream === undefined ? await (socket as RawWebSocket).text() : /^data: (.*)$/m.exec(String(await stream.chunk()))?.[1]
      const { messages } = JSON.parse(json ?? '') as { messages: { text: string }[] }
      heard.push(...messages.map((message) => Number(message.text.split(' ')[0])))
    }
    expect(heard).toEqual(Array.from({ length: 80 }, (_, index) => index))
    await ann.expectExactBooks()
  })

  test('that takes nothing for the time of a stall is cut', async () => {
    const options = stored({ stallMs: 300 })
    await using ann = await Troubled.start(options)
    const client = wire === 'sse' ? await ann.stream() : (await ann.socket()).client
    await ann.viewer.chaos({ readBytesPerSecond: 100 })
    const bob = await member(ann.server.url)
    for (let index = 0; index < 10; index++) await post(ann.server.url, 'r', bob.cookie, { text })
    await client.ended
    expect(await metric(ann.server.url, `fourwires_slow_readers_cut_total{transport="${wire}"}`)).toBe(1)
    await ann.expectExactBooks()
  })
})

describe('trouble', () => {
  test('is told first, and to every page of the session when it changes', async () => {
    await using ann = await Troubled.start()
    const calm = { delayMs: 0, jitterMs: 0, readBytesPerSecond: 0, proxy: 'none' }
    expect(ann.viewer.texts[0]).toBe(JSON.stringify({ type: 'chaos', chaos: calm, blackHoleMs: 0, stallMs: 0 }))
    await ann.viewer.chaos({ delayMs: 7 })
    using other = await TestViewer.open(ann.server.port, ann.cookie)
    expect(other.news).toMatchObject([{ type: 'chaos', chaos: { ...calm, delayMs: 7 } }])
    await ann.viewer.chaos({ jitterMs: 5 })
    await eventually(() => other.news.length === 2, 'the change')
    expect(other.news[1]).toMatchObject({ type: 'chaos', chaos: { ...calm, jitterMs: 5 } })
  })

  test('keeps no farewell from coming: what is under way arrives when the server closes', async () => {
    await using ann = await Troubled.start()
    const stream = await ann.stream()
    await ann.viewer.chaos({ delayMs: 2_000, jitterMs: 2_000 })
    const closed = ann.server.close()
    expect(String(await stream.chunk())).toMatch(/^retry: \d+$/m)
    await stream.ended
    await closed
  })

  test('ends with the last page of the session', async () => {
    await using ann = await Troubled.start()
    const socket = await ann.socket()
    using other = await TestViewer.open(ann.server.port, ann.cookie)
    await ann.viewer.chaos({ delayMs: 2_000 })
    await ann.viewer.hear({ type: 'stall', ms: 3_000 }, 'chaos')
    ann.viewer[Symbol.dispose]()
    const last = other.hear({ type: 'clock', sent: 1 }, 'clock')
    await last
    other[Symbol.dispose]()
    await eventually(async () => (await pong(socket)) < 500, 'all is as it was', 15_000)
    using again = await TestViewer.open(ann.server.port, ann.cookie)
    expect(again.news).toMatchObject([{ chaos: { delayMs: 0 }, stallMs: 0 }])
  })

  const kinds: readonly (readonly [string, Partial<Chaos>])[] = [
    ['a delay', { delayMs: 2_000, jitterMs: 2_000 }],
    ['a slow reader', { readBytesPerSecond: 1 }],
    ['a proxy that gathers', { proxy: 'buffers' }],
    ['a proxy without upgrades', { proxy: 'no-upgrade' }],
    ['a proxy that cuts', { proxy: 'idle-cut' }],
  ]

  test('of every kind leaves the wires of everybody else alone', async () => {
    await using ann = await Troubled.start()
    const bob = await member(ann.server.url, 'Bob')
    const talk = async (room: string): Promise<string[]> => {
      const said: string[] = []
      using socket = await RawWebSocket.open(ann.server.port, `/rooms/${room}/websocket`, { cookie: bob.cookie })
      using stream = await RawClient.connect(ann.server.port)
      stream.send(request(ann.server.port, `GET /rooms/${room}/sse`, { cookie: bob.cookie }))
      said.push((await stream.head()).statusLine, `${(await stream.chunk())?.length}`, `${(await stream.chunk())?.length}`)
      said.push(`${(await socket.text()).length}`)
      // In two pieces: no part of a stranger's head is kept for good.
      const handshake = request(ann.server.port, `GET /rooms/${room}/poll`, { cookie: bob.cookie })
      using asking = await RawClient.connect(ann.server.port)
      asking.send(handshake.slice(0, 40))
      await new Promise((resolve) => setTimeout(resolve, 5))
      said.push((await asking.send(handshake.slice(40)).response()).statusLine)
      for (let index = 0; index < 3; index++) {
        socket.sendJson({ type: 'publish', id: `the-id-of-${index}`, text: `${index}` })
        const frames = [JSON.parse(await socket.text()), JSON.parse(await socket.text())] as { type?: string; messages?: unknown[] }[]
        said.push(frames.map(({ type, messages }) => type ?? messages?.length).join())
        said.push(`${(await stream.chunk())?.length}`)
      }
      await pong(socket)
      return said
    }
    const begun = performance.now()
    const calm = await talk('calm')
    const calmMs = since(begun)
    const orders = [
      ...kinds.map(
        ([, chaos]) =>
          () =>
            ann.viewer.chaos(chaos),
      ),
      () => ann.viewer.hear({ type: 'stall', ms: 3_000 }, 'chaos'),
      () => ann.viewer.hear({ type: 'black-hole', ms: 60_000 }, 'chaos'),
    ]
    for (const [index, order] of orders.entries()) {
      await order()
      const before = performance.now()
      expect(await talk(`room${index}`)).toEqual(calm.map((line) => line))
      expect(since(before)).toBeLessThan(calmMs + 1_500)
    }
  })

  test('ends where another session comes on the same connection: it is nobody’s then', async () => {
    await using ann = await Troubled.start()
    const bob = await member(ann.server.url, 'Bob')
    const client = await ann.client()
    await client.send(ann.request('GET /rooms/r/poll')).response()
    await ann.viewer.chaos({ delayMs: 2_000 })
    // Hers is on its way when his comes: both pass at once.
    client.send(ann.request('GET /rooms/r/poll'))
    await new Promise((resolve) => setTimeout(resolve, 20))
    const begun = performance.now()
    client.send(request(ann.server.port, 'GET /rooms/r/poll', { cookie: bob.cookie }))
    await client.response()
    await client.response()
    expect(since(begun)).toBeLessThan(1_500)
    await client.send(ann.request('GET /rooms/r/poll')).response()
    expect(since(begun)).toBeLessThan(1_500)
  })
})
