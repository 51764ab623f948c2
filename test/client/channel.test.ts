/** What only a client does: fall back, come back, keep what is unsent. Through a proxy of real sockets. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { node } from '../../src/client/node.ts'
import { transportNames } from '../../src/protocol/message.ts'
import { Follower } from '../support/follower.ts'
import { type Obstacles, type Proxy, startProxy } from '../support/proxy.ts'
import { startServer, type TestServer } from '../support/server.ts'

let server: TestServer
let proxy: Proxy
let followers: Follower[] = []

const begin = async (obstacles: Obstacles = {}): Promise<void> => {
  server = await startServer({ publishesPerSecond: 0 })
  proxy = await startProxy(server.port, obstacles)
}
const follow = (options: Partial<ConstructorParameters<typeof Follower>[0]> = {}, platform = node()): Follower => {
  const follower = new Follower({ url: proxy.url, room: 'lobby', ...options }, platform)
  followers.push(follower)
  return follower
}

beforeEach(() => void (followers = []))
afterEach(async () => {
  for (const { channel } of followers) channel.close()
  await proxy.close()
  await server.close()
})

describe('a transport that does not get through', () => {
  it('gives way to the next one down, where upgrades are refused', async () => {
    await begin({ upgrade: 'refuse' })
    const follower = follow({ transport: 'websocket' })
    await follower.live('sse')
    expect(follower.channel.state).toMatchObject({ wanted: 'websocket', transport: 'sse' })
    expect(String(follower.channel.state.problem)).toContain('websocket does not get through')
    expect(await follower.channel.send('hello')).toMatchObject({ seq: 1 })
  })

  it('gives way where a socket opens and nothing comes through', async () => {
    await begin({ upgrade: 'swallow' })
    const follower = follow({ transport: 'websocket' })
    await follower.live('sse')
    expect(follower.channel.state.wanted).toBe('websocket')
  })

  it('gives way where a proxy holds the stream back', async () => {
    await begin({ buffer: true })
    const follower = follow({ transport: 'sse' })
    await follower.live('long-poll')
    expect(follower.channel.state.wanted).toBe('sse')
  })

  it('is tried again when the browser comes online', async () => {
    await begin({ upgrade: 'refuse' })
    const follower = follow({ transport: 'websocket' })
    await follower.live('sse')
    proxy.obstacles = {}
    follower.channel.nudge(true)
    await follower.live('websocket')
    expect(follower.channel.state.problem).toBeUndefined()
  })

  it('leaves the wire alone that still runs', async () => {
    await begin({ upgrade: 'refuse' })
    const follower = follow({ transport: 'sse' })
    await follower.live('sse')
    follower.channel.switchTo('websocket')
    await follower.until('it is said', () => follower.channel.state.problem?.message.includes('does not get through') === true)
    expect(follower.channel.state).toMatchObject({ status: 'live', transport: 'sse', wanted: 'websocket' })
    await follower.channel.send('still here')
    await follower.count(1)
  })
})

describe('a change of mind', () => {
  it('gives up the wire that is not there yet, and keeps the one that is', async () => {
    await begin({ upgrade: 'swallow' })
    const follower = follow({ transport: 'sse' })
    await follower.live('sse')
    let states = 0
    follower.channel.on('state', ({ status }) => (states += status === 'live' ? 0 : 1))
    follower.channel.switchTo('websocket')
    expect(follower.channel.state).toMatchObject({ status: 'live', transport: 'sse', opening: 'websocket' })
    follower.channel.switchTo('sse')
    expect(follower.channel.state).toMatchObject({ status: 'live', transport: 'sse', wanted: 'sse', opening: undefined })
    await follower.channel.send('still here')
    await follower.count(1)
    expect(states).toBe(0)
    await vi.waitFor(async () => expect(await server.connections()).toBe(1))
  })

  it('loses nothing where the old wire is cut while the new one does not get through', async () => {
    await begin({ upgrade: 'refuse' })
    const follower = follow({ transport: 'sse' })
    await follower.live('sse')
    follower.channel.switchTo('websocket')
    proxy.cut()
    await follower.channel.send('meanwhile')
    await follower.count(1)
    expect(follower.texts).toEqual(['meanwhile'])
    expect(follower.channel.state).toMatchObject({ status: 'live', transport: 'sse', wanted: 'websocket' })
    expect(follower.gaps).toEqual([])
  })
})

describe.each(transportNames)('a server that is away, on %s', (transport) => {
  it('is not taken for a transport that does not get through, and is resumed without a gap', async () => {
    await begin()
    const follower = follow({ transport })
    await follower.live()
    await follower.channel.send('before')
    proxy.obstacles = { dead: true }
    proxy.cut()
    await follower.until('waiting', () => follower.channel.state.status === 'waiting')
    const acknowledged = follower.channel.send('meanwhile')
    expect(follower.channel.unsent).toMatchObject([{ text: 'meanwhile', state: 'queued' }])
    proxy.obstacles = {}
    await acknowledged
    await follower.count(2)
    expect(follower.channel.state).toMatchObject({ status: 'live', transport, wanted: transport })
    expect(follower.texts).toEqual(['before', 'meanwhile'])
    expect(follower.gaps).toEqual([])
  })

  it('is waited for behind a proxy that answers with a page of its own', async () => {
    await begin()
    const follower = follow({ transport })
    await follower.live()
    proxy.obstacles = { page: true, upgrade: 'refuse' }
    proxy.cut()
    await follower.until('waiting', () => follower.channel.state.status === 'waiting')
    proxy.obstacles = {}
    await follower.live(transport)
  })
})

describe('what is unsent', () => {
  it('is sent again under the same id where the answer was lost, and kept once', async () => {
    await begin({ loseAcks: true })
    const follower = follow({ transport: 'sse' })
    await follower.live()
    const acknowledged = follower.channel.send('once')
    await follower.count(1)
    proxy.obstacles = {}
    expect(await acknowledged).toMatchObject({ seq: 1, duplicate: true })
    expect(proxy.publishes).toBeGreaterThan(1)
    expect(follower.texts).toEqual(['once'])
  })

  it('is refused with the problem, and the next goes on', async () => {
    await begin()
    const follower = follow({ transport: 'websocket' })
    await follower.live()
    const refused = follower.channel.send('x'.repeat(4097))
    await expect(refused).rejects.toMatchObject({ code: 'invalid-message' })
    expect(await follower.channel.send('short')).toMatchObject({ seq: 1 })
    expect(follower.channel.unsent).toEqual([])
  })

  it('is not sent again by somebody else without asking', async () => {
    await begin({ loseAcks: true })
    const follower = follow({ transport: 'sse' })
    await follower.live()
    const answer = follower.channel.send('whose?').catch(String)
    await follower.count(1)
    // Another process, with another secret: our cookie is nobody's there, and the room is new.
    await server.close()
    await proxy.close()
    const port = Number(new URL(proxy.url).port)
    server = await startServer({ publishesPerSecond: 0 })
    proxy = await startProxy(server.port, {}, port)
    await follower.until('asked', () => follower.channel.unsent[0]?.state === 'asking')
    await follower.until('gap', () => follower.gaps.length > 0)
    expect(follower.gaps).toEqual([{ reason: 'epoch' }])
    const [asking] = follower.channel.unsent
    follower.channel.resend(asking?.id ?? '', true)
    expect(await answer).toMatchObject({ seq: 1, duplicate: false })
  })

  it('is not sent again under another name by who is a stranger by then', async () => {
    await begin({ loseAcks: true })
    const jar = node()
    const follower = follow({ transport: 'sse' }, jar)
    await follower.live()
    void follower.channel.send('only once').catch(() => {})
    await follower.count(1)
    // The cookie is gone, as after a visit to the browser's settings.
    jar.forget()
    proxy.obstacles = {}
    await follower.channel.rename('Bob')
    await follower.until('asked', () => follower.channel.unsent[0]?.state === 'asking')
    expect(follower.texts).toEqual(['only once'])
    follower.channel.resend(follower.channel.unsent[0]?.id ?? '', false)
    expect(follower.channel.unsent).toEqual([])
  })

  it('goes back to who wrote it where the room will not have us', async () => {
    await begin()
    const follower = follow({ room: '-no-room-' })
    await expect(follower.channel.send('for nobody')).rejects.toMatchObject({ code: 'invalid-room' })
    expect(follower.channel.state.status).toBe('refused')
    await expect(follower.channel.send('again')).rejects.toMatchObject({ code: 'invalid-room' })
  })

  it('waits as long as the server says', async () => {
    await begin()
    await server.close()
    server = await startServer({ publishesPerSecond: 2, publishBurst: 1 })
    await proxy.close()
    proxy = await startProxy(server.port)
    const follower = follow({ transport: 'websocket' })
    await follower.live()
    const seqs = (await Promise.all(['a', 'b', 'c'].map((text) => follower.channel.send(text)))).map(({ seq }) => seq)
    expect(seqs).toEqual([1, 2, 3])
  })
})

it('goes on with a switch that a new name came in between of', async () => {
  await begin()
  const follower = follow({ transport: 'poll' })
  await follower.live('poll')
  follower.channel.switchTo('sse')
  await follower.channel.rename('Bea')
  await follower.live('sse')
})

it.each([
  [{ url: 'nonsense' }, 'url'],
  [{ room: undefined as never }, 'room'],
  [{ transport: 'ws' as never }, 'transport'],
])('refuses at once what no server could make sense of: %o', async (options, named) => {
  await begin()
  expect(() => follow(options)).toThrow(new RegExp(`^${named} is`))
})

it('carries the headers that sign in to the application around the rooms, on every wire', async () => {
  await begin()
  await server.close()
  server = await startServer({
    authenticate: ({ headers }) => (headers['authorization'] === 'Bearer ann' ? { id: 'm_ann', name: 'Ann' } : undefined),
    authorize: (member) => member !== undefined,
  })
  await proxy.close()
  proxy = await startProxy(server.port)
  for (const transport of transportNames) {
    const follower = follow({ transport, room: transport }, node({ authorization: 'Bearer ann' }))
    await follower.channel.send('signed in')
    await follower.count(1)
    expect(follower.seen[0]?.message.author).toBe('Ann')
  }
})

it('follows a new name from the next message on', async () => {
  await begin()
  const follower = follow({ transport: 'websocket', name: 'Ann' })
  await follower.channel.send('one')
  await follower.channel.rename('Bea')
  await follower.channel.send('two')
  await follower.count(2)
  expect(follower.seen.map(({ message }) => message.author)).toEqual(['Ann', 'Bea'])
  expect(new Set(follower.seen.map(({ message }) => message.member)).size).toBe(1)
})

it('calls nobody after it was closed', async () => {
  await begin()
  const follower = follow({ transport: 'sse', observe: true })
  await follower.live()
  let calls = 0
  follower.channel.on('message', () => calls++)
  follower.channel.close()
  const other = follow({ transport: 'sse' })
  await other.channel.send('after')
  await other.count(1)
  expect(calls).toBe(0)
  await expect(follower.channel.send('x')).rejects.toThrow()
})
