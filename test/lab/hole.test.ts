/** A black hole: what is sent is gone, and nobody is told. And its opposite, the cut: everybody is told at once. */
import type { Socket } from 'node:net'
import { describe, expect, test } from 'vitest'
import { eventually } from '../support/answers.ts'
import { type RawClient, request } from '../support/raw-client.ts'
import { RawWebSocket } from '../support/raw-websocket.ts'
import { member, post } from '../support/server.ts'
import { Troubled } from '../support/trouble.ts'
import { TestViewer } from '../support/viewer.ts'

/** The server's ends of connections, in the order in which they were opened. */
function ends({ server }: Troubled): Socket[] {
  const sockets: Socket[] = []
  server.app.server.on('connection', (socket) => sockets.push(socket))
  return sockets
}
/** The ports of her connections. */
const hers = ({ viewer }: Troubled): Set<number | undefined> => new Set([...viewer.connections.values()].map(({ port }) => port))
const blackHole = (ann: Troubled, ms: number) => ann.viewer.hear({ type: 'black-hole', ms }, 'chaos')

describe('a black hole', () => {
  test('swallows both ways without a FIN or a reset, and each end finds out by its own limits', async () => {
    await using ann = await Troubled.start({ pingMs: 200, silentMs: 1_200 })
    const sockets = ends(ann)
    const socket = await ann.socket()
    const before = ann.relay.down
    expect(await blackHole(ann, 60_000)).toMatchObject({ blackHoleMs: expect.closeTo(60_000, -3) as number })
    const bob = await member(ann.server.url)
    socket.sendJson({ type: 'publish', id: 'the-one-id', text: 'lost' })
    await post(ann.server.url, 'r', bob.cookie, { text: 'news' })
    await eventually(() => sockets[0]?.destroyed === true, 'the server gives it up')
    // The hole stays one, though the next connection is whole.
    expect(await blackHole(ann, 0)).toMatchObject({ blackHoleMs: 0 })
    socket.sendJson({ type: 'publish', id: 'another-id', text: 'lost too' })
    const whole = await ann.client()
    expect(String((await whole.send(ann.request('GET /rooms/r/poll')).response()).body)).toMatch(/^(?!.*lost).*news/)
    const [hole] = ann.viewer.connections.values()
    expect([socket.client.over, hole?.closedAt, ann.relay.down > before]).toEqual([false, undefined, true])
    expect(socket.client.unread.length).toBe(0)
    await ann.expectExactBooks()
    socket.client.destroy()
    await eventually(() => [...ann.viewer.connections.values()][0]?.closedAt !== undefined, 'it is over')
    await ann.expectExactBooks()
  })

  test('swallows answers on the other wires too: the server ends its side, and nobody hears of it', async () => {
    await using ann = await Troubled.start({ streamMs: 700, keepAliveMs: 400, heartbeatMs: 50 })
    const sockets = ends(ann)
    const cursor = await ann.cursor()
    const opened = async (text: string): Promise<RawClient> => {
      const client = await ann.client()
      const { length } = ann.viewer.blocks
      client.send(ann.request(text))
      await eventually(() => ann.viewer.blocks.length > length, 'it is hers')
      return client
    }
    const polling = await opened('GET /rooms/r/poll')
    const clients = [polling, await opened(`GET /rooms/r/long-poll?since=${cursor}&wait=20`), await opened('GET /rooms/r/sse')]
    const mine = sockets.filter(({ remotePort }) => hers(ann).has(remotePort))
    expect(mine.length).toBe(3)
    await blackHole(ann, 60_000)
    const heard = clients.map((client) => client.unread.length)
    polling.send(ann.request('GET /rooms/r/poll'))
    await post(ann.server.url, 'r', (await member(ann.server.url)).cookie, { text: 'news' })
    await eventually(() => mine.every(({ destroyed }) => destroyed), 'all are ended')
    expect(clients.map((client) => client.over)).toEqual([false, false, false])
    expect(clients.map((client) => client.unread.length)).toEqual(heard)
    await ann.expectExactBooks()
  })

  test('is what is opened during it, and not what lost nothing', async () => {
    await using ann = await Troubled.start()
    const [quiet, first] = [await ann.socket(), await ann.client()]
    await blackHole(ann, 60_000)
    const during = await ann.client()
    for (const client of [first, during]) client.send(ann.request('GET /rooms/r/poll'))
    await eventually(() => ann.viewer.connections.size === 3, 'it was sent')
    await blackHole(ann, 0)
    const after = await ann.client()
    expect((await after.send(ann.request('GET /rooms/r/poll')).response()).status).toBe(200)
    for (const client of [first, during]) client.send(ann.request('GET /rooms/r/poll'))
    quiet.sendJson({ type: 'publish', id: 'the-one-id', text: 'whole' })
    expect([await quiet.json(), await quiet.json()]).toMatchObject([{}, {}])
    expect([first, during].map((client) => [client.over, client.unread.length])).toEqual([
      [false, 0],
      [false, 0],
    ])
    await ann.expectExactBooks()
  })

  test('swallows the client’s end, and ends by itself', async () => {
    await using ann = await Troubled.start()
    const sockets = ends(ann)
    const politely = await ann.socket()
    // Past the counter, which makes a FIN of a reset.
    const rudely = await RawWebSocket.open(ann.server.port, '/rooms/r/websocket', { cookie: ann.cookie })
    await rudely.text()
    await blackHole(ann, 150)
    politely.client.halfClose()
    rudely.client.reset()
    await eventually(() => [...ann.viewer.connections.values()].some(({ closedAt }) => closedAt !== undefined), 'the one that was reset')
    await eventually(() => ann.viewer.news.some((news) => news.type === 'chaos' && news.blackHoleMs === 0), 'its end is told')
    expect(sockets.slice(0, 2).map(({ destroyed, readableEnded }) => destroyed || readableEnded)).toEqual([false, false])
    expect(politely.client.over).toBe(false)
    // Nothing is left of a hole that both ends gave up.
    for (const socket of sockets) socket.destroy()
    await politely.client.ended
  })

  test('does not outlive the server', async () => {
    await using ann = await Troubled.start()
    const sockets = ends(ann)
    const [given, held] = [await ann.socket(), await ann.stream()]
    await blackHole(ann, 60_000)
    given.sendJson({ type: 'publish', id: 'the-one-id', text: 'lost' })
    held.send('x')
    sockets[0]?.destroy()
    await eventually(() => sockets[0]?.closed === true, 'one is given up')
    expect(given.client.over).toBe(false)
    // The hole itself is open for longer than this test may take.
    await ann.server.close()
    await Promise.all([given.client.ended, held.ended])
  })

  test('is cut where another session comes on the same connection', async () => {
    await using ann = await Troubled.start()
    const client = await ann.client()
    await client.send(ann.request('GET /rooms/r/poll')).response()
    await blackHole(ann, 60_000)
    client.send(ann.request('GET /rooms/r/poll'))
    const bob = await member(ann.server.url)
    client.send(request(ann.server.port, 'GET /rooms/r/poll', { cookie: bob.cookie }))
    await client.ended
  })
})

describe('a cut', () => {
  test('is a FIN or a reset, for both ends', async () => {
    await using ann = await Troubled.start()
    // Past the counter, which tells both alike.
    const { port } = ann.server
    const sockets = ends(ann)
    for (const how of ['fin', 'rst'] as const) {
      using viewer = await TestViewer.open(port, ann.cookie)
      const socket = await RawWebSocket.open(port, '/rooms/r/websocket', { cookie: ann.cookie })
      await socket.text()
      const errors: (string | undefined)[] = []
      socket.client.socket.on('error', (error: NodeJS.ErrnoException) => errors.push(error.code))
      viewer.order({ type: 'cut', how })
      await socket.client.ended
      expect(errors).toEqual(how === 'rst' ? ['ECONNRESET'] : [])
      await eventually(() => sockets.at(-1)?.destroyed === true, 'the server knows')
      expect(viewer.farewell).toBe('')
      socket.client.destroy()
    }
  })

  test('is of one transport where one is named, and of nobody else', async () => {
    await using ann = await Troubled.start()
    const bob = await member(ann.server.url)
    const his = await ann.client()
    await his.send(request(ann.server.port, 'GET /rooms/r/poll', { cookie: bob.cookie })).response()
    const cursor = await ann.cursor()
    const [poll, holding, socket, stream] = [await ann.client(), await ann.client(), await ann.socket(), await ann.stream()]
    // A wire that goes on where another one was: the last one asked for is what counts.
    for (const client of [poll, holding]) await client.send(ann.request('GET /rooms/r/poll?limit=1')).response()
    holding.send(ann.request(`GET /rooms/r/long-poll?since=${cursor}&wait=50`))
    await eventually(() => ann.viewer.blocks.some(({ detail }) => detail.includes('long-poll')), 'it is asked')
    const over = () => [poll, holding, socket.client, stream].map((client) => client.over)
    for (const [transport, index] of [
      ['sse', 3],
      ['long-poll', 1],
      ['websocket', 2],
    ] as const) {
      const before = over()
      expect(before[index]).toBe(false)
      ann.viewer.order({ type: 'cut', how: 'fin', transport })
      await [poll, holding, socket.client, stream][index]?.ended
      expect(over()).toEqual(before.map((one, at) => one || at === index))
    }
    ann.viewer.order({ type: 'cut', how: 'fin' })
    await poll.ended
    expect((await his.send(request(ann.server.port, 'GET /rooms/r/poll', { cookie: bob.cookie })).response()).status).toBe(200)
    expect(ann.viewer.farewell).toBe('')
    // Of his nothing was told: it is no part of these books.
    await eventually(() => [...ann.viewer.connections.values()].every(({ closedAt }) => closedAt !== undefined), 'all are closed')
  })
})
