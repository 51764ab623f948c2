/** Proxies that stand in the way: they gather answers, know no upgrade, or cut who is silent. */
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { describe, expect, test } from 'vitest'
import { noChaos } from '../../src/lab/events.ts'
import { withoutUpgrade } from '../../src/lab/proxy.ts'
import { Tap } from '../../src/lab/tap.ts'
import { buildApp } from '../../src/server/app.ts'
import { eventually, expectProblem } from '../support/answers.ts'
import { Follower } from '../support/follower.ts'
import { RawClient, request } from '../support/raw-client.ts'
import { handshake, RawWebSocket } from '../support/raw-websocket.ts'
import { member, post } from '../support/server.ts'
import { Troubled } from '../support/trouble.ts'
import { node } from '../../src/client/node.ts'

const news = 'x'.repeat(700)

describe('a proxy that gathers answers', () => {
  test.each(['before', 'within'])('lets events come in lumps of 4 KiB, put up %s the stream', async (when) => {
    await using ann = await Troubled.start({ publishesPerSecond: 0 })
    const bob = await member(ann.server.url)
    const stream = when === 'within' ? await ann.stream() : await ann.client()
    await ann.viewer.chaos({ proxy: 'buffers' })
    if (when === 'before') stream.send(ann.request('GET /rooms/r/sse'))
    await eventually(() => ann.viewer.blocks.some(({ detail }) => detail.endsWith('/sse')), 'it is asked')
    const lumps: number[] = []
    stream.socket.on('data', ({ length }: Buffer) => lumps.push(length))
    const asking = await ann.client()
    for (let index = 0; index < 4; index++) {
      await post(ann.server.url, 'r', bob.cookie, { text: `${index} ${news}` })
      // An answer that ends is not held back.
      expect(String((await asking.send(ann.request('GET /rooms/r/poll')).response()).body)).toContain(`"${index} x`)
    }
    expect(lumps).toEqual([])
    for (let index = 4; index < 8; index++) await post(ann.server.url, 'r', bob.cookie, { text: `${index} ${news}` })
    await eventually(() => lumps.length > 0, 'a lump')
    expect(lumps.reduce((sum, bytes) => sum + bytes, 0)).toBeGreaterThanOrEqual(4_096)
    await ann.expectExactBooks()
    // What is held now comes when nobody holds it any more.
    await ann.viewer.chaos({})
    if (when === 'before') expect((await stream.head()).status).toBe(200)
    let heard = ''
    while (!heard.includes('"7 x')) heard += String(await stream.chunk())
    expect([...heard.matchAll(/"text":"(\d) /g)].map(([, index]) => index).join('')).toBe('01234567')
    await ann.expectExactBooks()
  })

  test('passes on what is there when the stream ends, and leaves the other wires alone', async () => {
    await using ann = await Troubled.start({ streamMs: 300 })
    const bob = await member(ann.server.url)
    await ann.viewer.chaos({ proxy: 'buffers' })
    const [stream, holding, socket] = [await ann.client(), await ann.client(), await ann.socket()]
    holding.send(ann.request(`GET /rooms/r/long-poll?since=${await ann.cursor()}&wait=5`))
    await eventually(() => ann.viewer.blocks.some(({ detail }) => detail.includes('/long-poll')), 'it is asked')
    await post(ann.server.url, 'r', bob.cookie, { text: 'news' })
    expect(await socket.text()).toContain('news')
    expect(String((await holding.response()).body)).toContain('news')
    stream.send(ann.request('GET /rooms/r/sse'))
    expect(String((await stream.response()).body)).toContain('news')
    // The connection goes on, and a HEAD has no body to wait for.
    const next = stream.send(ann.request('HEAD /healthz') + ann.request('GET /rooms/r/poll'))
    expect((await next.head()).status).toBeGreaterThanOrEqual(200)
    expect(String((await next.response()).body)).toContain('news')
    await ann.expectExactBooks()
  })
})

describe('a proxy that knows no upgrade', () => {
  test('makes a handshake a request as any other, wherever it is cut; the books have what was sent', async () => {
    await using ann = await Troubled.start()
    await ann.viewer.chaos({ proxy: 'no-upgrade' })
    const text = handshake(ann.server.port, '/rooms/r/websocket', { cookie: ann.cookie })
    for (const pieces of [[text], text.match(/[^]{1,40}/g) as string[]]) {
      const client = await ann.client()
      for (const piece of pieces) {
        client.send(piece)
        await new Promise((resolve) => setTimeout(resolve, 1))
      }
      expectProblem(await client.response(), 'upgrade-required')
      // The connection is one of HTTP still.
      const two = ann.request('GET /rooms/r/poll?limit=3') + text
      expect((await client.send(two).response()).status).toBe(200)
      expectProblem(await client.response(), 'upgrade-required')
    }
    await ann.expectExactBooks()
    const { up } = [...ann.viewer.connections.values()][0] ?? {}
    expect(up?.bytes).toBe(2 * text.length + ann.request('GET /rooms/r/poll?limit=3').length)
    expect(up?.counts.unattributed).toBeUndefined()
    // Watching is beside all that.
    using viewer = await RawWebSocket.open(ann.relay.port, '/lab/events', { cookie: ann.cookie })
    expect(await viewer.json()).toMatchObject({ chaos: { proxy: 'no-upgrade' } })
  })

  test('makes a client fall back to events', async () => {
    await using ann = await Troubled.start()
    await ann.viewer.chaos({ proxy: 'no-upgrade' })
    using follower = new Follower({ url: ann.server.url, room: 'r' }, node({ cookie: ann.cookie }))
    await follower.live('sse')
    expect(follower.channel.state.wanted).toBe('websocket')
  })

  test('takes no other header', () => {
    const head = 'GET / HTTP/1.1\r\nUpgrade: websocket\r\nA: Upgrade: b\r\nConnection: keep-alive, Upgrade\r\nUPGRADE:h2c\r\n\r\n'
    expect(String(withoutUpgrade(Buffer.from(head)))).toBe('GET / HTTP/1.1\r\nA: Upgrade: b\r\nConnection: keep-alive\r\n\r\n')
    expect(String(withoutUpgrade(Buffer.from('GET / HTTP/1.1\r\nconnection: upgrade\r\nb: c\r\n\r\n')))).toBe(
      'GET / HTTP/1.1\r\nb: c\r\n\r\n',
    )
  })
})

describe('a proxy that cuts the silent', () => {
  test('cuts a connection on which nothing has passed for its time, and no other', async () => {
    const app = await buildApp({ drainMs: 0 })
    const tap = new Tap({ ownerOf: (cookie) => cookie, observes: (target) => target === '/readyz', idleCutMs: 150 })
    tap.install(app.server)
    await app.listen({ port: 0, host: '127.0.0.1' })
    const { port } = app.server.address() as AddressInfo
    const watching = tap.watch('ann', { waiting: 0, report: () => {}, tell: () => {} })
    const clients: RawClient[] = []
    for (const cookie of ['ann', 'ann', 'bob']) {
      const client = await RawClient.connect(port)
      clients.push(client)
      await client.send(request(port, 'GET /rooms/r/poll', { cookie })).response()
    }
    const [silent, busy, bobs] = clients as [RawClient, RawClient, RawClient]
    watching?.obey({ type: 'chaos', chaos: { ...noChaos, proxy: 'idle-cut' } })
    let asked = 0
    while (!silent.over) {
      await busy.send(request(port, 'GET /rooms/r/poll', { cookie: 'ann' })).response()
      asked++
    }
    expect([busy.over, bobs.over, asked > 1]).toEqual([false, false, true])
    watching?.obey({ type: 'chaos', chaos: noChaos })
    await new Promise((resolve) => setTimeout(resolve, 200))
    expect(busy.over).toBe(false)
    // The presenter's cut: everybody's, or those of one wire; never of who looks.
    const looking = await RawClient.connect(port)
    await looking.send(request(port, 'GET /readyz', { cookie: 'ann' })).response()
    expect(tap.cut({ type: 'cut', how: 'fin', transport: 'websocket' })).toBe(0)
    expect(tap.cut({ type: 'cut', how: 'fin', transport: 'poll' })).toBe(2)
    await Promise.all([busy.ended, bobs.ended])
    expect(tap.cut({ type: 'cut', how: 'rst' })).toBe(0)
    expect((await looking.send(request(port, 'GET /readyz', { cookie: 'ann' })).response()).status).toBe(200)
    looking.destroy()
    watching?.leave()
    const closed = once(app.server, 'close')
    await Promise.all([app.close(), closed])
  })
})
