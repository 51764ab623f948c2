/** The tap on real sockets: exact to the byte on each wire, and each session sees its own connections only. */
import { describe, expect, test } from 'vitest'
import { payloadKinds, type Block, type Counts, type Side } from '../../src/lab/events.ts'
import { eventually, expectProblem } from '../support/answers.ts'
import { ask, RawClient, request } from '../support/raw-client.ts'
import { frame, opcodes, RawWebSocket } from '../support/raw-websocket.ts'
import { startRelay } from '../support/relay.ts'
import { member, post, startServer, type TestServer } from '../support/server.ts'
import { TestViewer } from '../support/viewer.ts'

const sum = (counts: Counts): number => Object.values(counts).reduce((total, bytes) => total + bytes, 0)
const payloadOf = ({ counts }: Side): number => payloadKinds.reduce((total, kind) => total + (counts[kind] ?? 0), 0)
const shape = ({ what, direction, detail, pieces }: Block): string =>
  `${direction} ${what} ${detail.replace(/since=\S+/, 'since=…')}: ${pieces.map(([kind]) => kind).join(' ')}`

const draft = '{"id":"the-one-id","text":"héllo"}'
/** The same things said on each wire: join, publish, hear of it. Tells what was said both ways, without what was around it. */
type Talk = (port: number, cookie: string) => Promise<{ readonly client: RawClient; readonly payloads: { up: number; down: number } }>

const asking = async (port: number, cookie: string, wire: string): ReturnType<Talk> => {
  const client = await RawClient.connect(port)
  const payloads = { up: Buffer.byteLength(draft), down: 0 }
  const hear = async (): Promise<Buffer> => {
    const { body } = await client.response()
    payloads.down += body.length
    return body
  }
  client.send(request(port, `GET /rooms/r/${wire}`, { cookie }))
  const { cursor } = JSON.parse(String(await hear())) as { cursor: string }
  client.send(request(port, 'POST /rooms/r/messages', { cookie, 'content-type': 'application/json' }, draft))
  await hear()
  // Two at once, the first in two pieces: a pipeline.
  const again = request(port, `GET /rooms/r/${wire}?since=${cursor}`, { cookie })
  client.send(again.slice(0, 30))
  await new Promise((resolve) => setTimeout(resolve, 20))
  client.send(again.slice(30) + again)
  expect(String(await hear())).toContain('héllo')
  await hear()
  return { client, payloads }
}

const talks: Readonly<Record<string, Talk>> = {
  poll: (port, cookie) => asking(port, cookie, 'poll'),
  'long-poll': (port, cookie) => asking(port, cookie, 'long-poll'),
  sse: async (port, cookie) => {
    const client = await RawClient.connect(port)
    client.send(request(port, 'GET /rooms/r/sse', { cookie }))
    await client.head()
    const chunks = [await client.chunk(), await client.chunk()]
    const { body } = await ask(port, request(port, 'POST /rooms/r/messages', { cookie, 'content-type': 'application/json' }, draft))
    chunks.push(await client.chunk())
    const data = chunks.map((chunk) => /^data: (.*)$/m.exec(String(chunk))?.[1] ?? '').map((text) => Buffer.byteLength(text))
    return { client, payloads: { up: Buffer.byteLength(draft), down: body.length + data.reduce((total, bytes) => total + bytes, 0) } }
  },
  websocket: async (port, cookie) => {
    const publish = `{"type":"publish",${draft.slice(1)}`
    // The first frame goes out with the handshake.
    const socket = await RawWebSocket.open(port, '/rooms/r/websocket', { cookie }, frame(publish))
    const heard: number[] = []
    for (let acked = false, told = false; !acked || !told;) {
      const text = await socket.text()
      heard.push(Buffer.byteLength(text))
      acked ||= text.includes('"type":"ack"')
      told ||= text.includes('"messages":[{')
    }
    socket.send(frame('are you there', { opcode: opcodes.ping }))
    expect((await socket.frame()).opcode).toBe(opcodes.pong)
    return { client: socket.client, payloads: { up: Buffer.byteLength(publish), down: heard.reduce((total, bytes) => total + bytes, 0) } }
  },
}

describe.each(Object.entries(talks))('a conversation over %s', (_wire, talk) => {
  test('is counted to the byte: what the sockets say, what a counter in between says, and every byte has its kind', async () => {
    await using server = await startServer({ lab: true })
    await using relay = await startRelay(server.port)
    const { cookie } = await member(server.url)
    using viewer = await TestViewer.open(server.port, cookie)
    const { client, payloads } = await talk(relay.port, cookie)
    const totals = (direction: 'up' | 'down') => {
      const sides = [...viewer.connections.values()].map((state) => state[direction])
      return { sides, bytes: sides.reduce((total, { bytes }) => total + bytes, 0) }
    }
    await eventually(() => totals('down').bytes >= relay.down, 'all is reported')
    for (const direction of ['up', 'down'] as const) {
      const { sides, bytes } = totals(direction)
      expect([direction, bytes]).toEqual([direction, relay[direction]])
      for (const { bytes: counted, counts } of sides) expect(sum(counts)).toBe(counted)
      expect(sides.some(({ counts }) => 'unattributed' in counts)).toBe(false)
      expect(sides.reduce((total, side) => total + payloadOf(side), 0)).toBe(payloads[direction])
      const inBlocks = viewer.blocks.filter((block) => block.direction === direction)
      expect(inBlocks.flatMap(({ pieces }) => pieces).reduce((total, [, length]) => total + length, 0)).toBe(bytes)
    }
    client.destroy()
    await eventually(() => [...viewer.connections.values()].every(({ closedAt }) => closedAt !== undefined), 'all are closed')
  })
})

/** A viewer and a connection of the same session. */
async function watched(options = {}): Promise<{ server: TestServer; cookie: string; viewer: TestViewer }> {
  const server = await startServer({ lab: true, ...options })
  const { cookie } = await member(server.url, 'Ann')
  return { server, cookie, viewer: await TestViewer.open(server.port, cookie) }
}

describe('a viewer', () => {
  test('is told of blocks: what they are, in which order, and which request they belong to', async () => {
    const { server, cookie, viewer } = await watched()
    using socket = await RawWebSocket.open(server.port, '/rooms/r/websocket', { cookie })
    await socket.text()
    socket.sendJson({ type: 'publish', id: 'the-one-id', text: 'hi' })
    await eventually(() => viewer.blocks.length === 6, 'six blocks')
    expect(viewer.blocks.slice(0, 4).map(shape)).toEqual([
      'up handshake GET /rooms/r/websocket: request-line headers',
      'down handshake 101 Switching Protocols: status-line headers',
      'down frame text: frame-header payload',
      'up frame text: frame-header mask payload',
    ])
    expect(viewer.blocks.map(({ block }) => block)).toEqual([1, 2, 3, 4, 5, 6])
    expect(viewer.blocks.map(({ exchange }) => exchange)).toEqual([1, 1, 1, 1, 1, 1])
    for (const { at, until } of viewer.blocks) expect(until).toBeGreaterThanOrEqual(at)
    viewer[Symbol.dispose]()
    await server.close()
  })

  test('sees a request that is held before its answer', async () => {
    const { server, cookie, viewer } = await watched()
    const { cursor } = JSON.parse(String((await ask(server.port, request(server.port, 'GET /rooms/r/poll'))).body)) as { cursor: string }
    using client = await RawClient.connect(server.port)
    client.send(request(server.port, `GET /rooms/r/long-poll?since=${cursor}&wait=50`, { cookie }))
    await eventually(() => viewer.blocks.length > 0, 'the question')
    expect(viewer.blocks.map(shape)).toEqual(['up request GET /rooms/r/long-poll?since=…: request-line headers'])
    await post(server.url, 'r', cookie, { text: 'news' })
    await eventually(
      () => viewer.blocks.some(({ direction, connection }) => direction === 'down' && connection === viewer.blocks[0]?.connection),
      'the answer',
    )
    viewer[Symbol.dispose]()
    await server.close()
  })

  test('is shown the bytes of a block when it asks, with the values of cookies starred out', async () => {
    const { server, cookie, viewer } = await watched()
    const text = request(
      server.port,
      'POST /session',
      { cookie, 'content-type': 'application/json', authorization: 'Basic secret' },
      '{"name":"Bob"}',
    )
    const answer = await ask(server.port, text)
    await eventually(() => viewer.blocks.length === 2, 'question and answer')
    const [up, down] = viewer.blocks as [Block, Block]
    const star = (value: string): string => value.replace(/[^ ]/g, '*')
    expect(String(await viewer.ask(up))).toBe(text.replace(cookie, star(cookie)).replace('Basic secret', star('Basic secret')))
    const set = answer.header('set-cookie') as string
    expect(String(await viewer.ask(down))).toBe(answer.text.replace(set, star(set)) + String(answer.body))
    expect(await viewer.ask({ ...up, block: 99 })).toBeUndefined()
    for (const told of viewer.texts) expect(told).not.toContain(cookie.split('=')[1])
    viewer[Symbol.dispose]()
    await server.close()
  })

  test('is shown 2 KiB of a longer block', async () => {
    const { server, cookie, viewer } = await watched()
    using socket = await RawWebSocket.open(server.port, '/rooms/r/websocket', { cookie })
    await socket.text()
    const sent = frame(JSON.stringify({ type: 'publish', id: 'the-one-id', text: 'x'.repeat(4_000) }))
    socket.send(sent)
    const isSent = ({ direction, what }: Block): boolean => direction === 'up' && what === 'frame'
    await eventually(() => viewer.blocks.some(isSent), 'the frame')
    expect(await viewer.ask(viewer.blocks.find(isSent) as Block)).toEqual(sent.subarray(0, 2_048))
    viewer[Symbol.dispose]()
    await server.close()
  })

  test('is told only of the connections of its own session', async () => {
    const { server, cookie, viewer } = await watched()
    const bob = await member(server.url, 'Bob')
    using his = await RawWebSocket.open(server.port, '/rooms/r/websocket', { cookie: bob.cookie })
    his.sendJson({ type: 'publish', id: 'his-own-id', text: 'a secret' })
    using nobody = await RawClient.connect(server.port)
    await nobody.send(request(server.port, 'GET /rooms/r/poll?limit=7')).response()
    // With the id of the member and no valid signature.
    const forged = `${cookie.slice(0, -4)}AAAA`
    await ask(server.port, request(server.port, 'GET /rooms/r/poll?limit=8', { cookie: forged }))
    await ask(server.port, request(server.port, 'GET /rooms/r/poll?limit=9', { cookie }))
    await eventually(() => viewer.blocks.length === 2, 'her own')
    expect(viewer.blocks.map(({ detail }) => detail)).toEqual(['GET /rooms/r/poll?limit=9', '200 OK'])
    expect(viewer.connections.size).toBe(1)
    const [mine] = viewer.connections.keys()
    for (let connection = 1; connection < 20; connection++) {
      if (connection === mine) continue
      for (let block = 1; block < 6; block++) {
        expect(await viewer.ask({ ...(viewer.blocks[0] as Block), connection, block })).toBeUndefined()
      }
    }
    viewer[Symbol.dispose]()
    await server.close()
  })

  test('is told no more of a connection on which another session comes, as behind a proxy that gathers them', async () => {
    const { server, cookie, viewer } = await watched()
    const bob = await member(server.url, 'Bob')
    using client = await RawClient.connect(server.port)
    await client.send(request(server.port, 'GET /rooms/r/poll?limit=7', { cookie })).response()
    await eventually(() => viewer.blocks.length === 2, 'her own')
    const [first] = viewer.blocks as [Block]
    await client.send(request(server.port, 'GET /rooms/r/poll?limit=8', { cookie: bob.cookie })).response()
    await eventually(() => viewer.connections.get(first.connection)?.hidden === true, 'it is hidden')
    await client.send(request(server.port, 'GET /rooms/r/poll?limit=9', { cookie })).response()
    await ask(server.port, request(server.port, 'GET /rooms/r/poll?limit=10', { cookie }))
    await eventually(() => viewer.blocks.length === 4, 'the next of her own')
    expect(viewer.blocks.map(({ detail }) => detail).filter((detail) => detail.startsWith('GET'))).toEqual([
      'GET /rooms/r/poll?limit=7',
      'GET /rooms/r/poll?limit=10',
    ])
    expect(await viewer.ask(first)).toBeUndefined()
    viewer[Symbol.dispose]()
    await server.close()
  })

  test('has what watching costs on a line of its own, to the byte, and in nothing else', async () => {
    await using server = await startServer({ lab: true })
    await using relay = await startRelay(server.port)
    const { cookie } = await member(server.url)
    using viewer = await TestViewer.open(relay.port, cookie)
    // What a page cost that is gone by now is not forgotten while another watches.
    const gone = await TestViewer.open(relay.port, cookie)
    gone[Symbol.dispose]()
    await new Promise((resolve) => setTimeout(resolve, 50))
    // A report is counted once it has been sent: the next one tells of it.
    const before = relay.down
    await ask(server.port, request(server.port, 'GET /rooms/r/poll', { cookie }))
    await eventually(() => viewer.reports > 1, 'a report')
    expect(viewer.observer).toEqual({ up: relay.up, down: before })
    expect(viewer.connections.size).toBe(1)
    expect(viewer.blocks.some(({ detail }) => detail.includes('/lab/'))).toBe(false)
  })

  test('hears nothing while nothing happens', async () => {
    const { server, viewer } = await watched()
    await new Promise((resolve) => setTimeout(resolve, 350))
    expect(viewer.reports).toBe(1)
    viewer[Symbol.dispose]()
    await server.close()
  })

  test('is first told of every connection that is open, with all that was counted before it came', async () => {
    await using server = await startServer({ lab: true })
    await using relay = await startRelay(server.port)
    const { cookie } = await member(server.url)
    using client = await RawClient.connect(relay.port)
    await client.send(request(server.port, 'GET /rooms/r/poll', { cookie })).response()
    using viewer = await TestViewer.open(server.port, cookie)
    const [state] = [...viewer.connections.values()]
    expect([state?.requests, state?.up.bytes, state?.down.bytes]).toEqual([1, relay.up, relay.down])
    expect(viewer.blocks).toEqual([])
  })

  test('is told how many blocks were too many to tell, and the counts stay exact', async () => {
    const { server, cookie, viewer } = await watched()
    await using relay = await startRelay(server.port)
    using socket = await RawWebSocket.open(relay.port, '/rooms/r/websocket', { cookie })
    await socket.text()
    socket.send(...Array.from({ length: 400 }, () => frame('', { opcode: opcodes.ping })))
    for (let index = 0; index < 400; index++) await socket.frame()
    const blocks = 3 + 800
    await eventually(() => viewer.blocks.length + viewer.skipped === blocks, 'all are told of')
    expect(viewer.skipped).toBeGreaterThan(0)
    const [state] = [...viewer.connections.values()]
    expect([state?.up.bytes, state?.down.bytes]).toEqual([relay.up, relay.down])
    viewer[Symbol.dispose]()
    await server.close()
  })
})

describe('watching', () => {
  test('needs a session, a WebSocket and a question that is one', async () => {
    await using server = await startServer({ lab: true })
    const { cookie } = await member(server.url)
    expectProblem(await ask(server.port, request(server.port, 'GET /lab/events', { cookie })), 'upgrade-required')
    using stranger = await RawWebSocket.open(server.port, '/lab/events')
    expect(JSON.parse((await stranger.closing()).reason)).toMatchObject({ code: 'session-required' })
    using viewer = await RawWebSocket.open(server.port, '/lab/events', { cookie })
    for (let bad = 0; bad < 3; bad++) viewer.sendJson({ type: 'bytes' })
    const { code, reason } = await viewer.closing()
    expect([code, JSON.parse(reason)]).toMatchObject([4500, { code: 'invalid-request' }])
  })

  test('ends with the server, and leaves nothing behind', async () => {
    const { server, viewer } = await watched()
    const closed = server.close()
    await viewer.done
    expect(viewer.farewell).toMatch(/^closed: .*1012.*draining/)
    await closed
  })

  test('is for eight pages of a session at a time', async () => {
    await using server = await startServer({ lab: true })
    const { cookie } = await member(server.url)
    const viewers: TestViewer[] = []
    for (let index = 0; index < 8; index++) viewers.push(await TestViewer.open(server.port, cookie))
    using more = await RawWebSocket.open(server.port, '/lab/events', { cookie })
    expect(await more.closing()).toMatchObject({ code: 1013 })
    for (const viewer of viewers) viewer[Symbol.dispose]()
  })
})

test('without the lab there is no route, and nothing between a socket and its server', async () => {
  await using server = await startServer()
  const { cookie } = await member(server.url)
  const names: string[] = []
  server.app.server.on('connection', (socket) => names.push(socket.constructor.name))
  const answer = await ask(server.port, request(server.port, 'GET /lab/events', { cookie }))
  expectProblem(answer, 'not-found')
  expect(names).toEqual(['Socket'])
})
