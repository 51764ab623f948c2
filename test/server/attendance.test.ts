/** Members of several nodes on one Redis: renewed, left, killed and drained at any of them, and Redis itself away for a while. */
import { once } from 'node:events'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { node as platform } from '../../src/client/node.ts'
import type { TransportName } from '../../src/protocol/message.ts'
import type { AppOptions } from '../../src/server/app.ts'
import { RedisAttendance } from '../../src/store/redis/attendance.ts'
import { eventually, metric } from '../support/answers.ts'
import { Follower } from '../support/follower.ts'
import { type NodeParts, type Nodes, startNodes } from '../support/nodes.ts'
import { member, startServer, type TestMember, type TestServer } from '../support/server.ts'
import { sharedRedis } from '../support/shared-redis.ts'

const redis = sharedRedis()
let prefixes = 0

interface Pair extends AsyncDisposable {
  readonly nodes: Nodes
  readonly a: TestServer
  readonly b: TestServer
  readonly parts: readonly [NodeParts, NodeParts]
  follow(server: TestServer, options?: ConstructorParameters<typeof Follower>[0] | object): Follower
}

async function pair(options: AppOptions = {}): Promise<Pair> {
  const prefix = `pair-${++prefixes}`
  const part = async (): Promise<NodeParts> => {
    const store = await redis.open({}, prefix)
    return { store, attendance: await RedisAttendance.open(store.connection) }
  }
  const parts = [await part(), await part()] as const
  const nodes = await startNodes(parts, {
    leaseGraceMs: 500,
    membersMs: 50,
    lingerMs: 50,
    publishesPerSecond: 0,
    maxLagMs: 60_000,
    ...options,
  })
  const [a, b] = nodes.servers as [TestServer, TestServer]
  const followers: Follower[] = []
  return {
    nodes,
    a,
    b,
    parts,
    follow: (server, more = {}) => {
      const follower = new Follower({ url: server.url, room: 'lobby', ...more }, platform())
      followers.push(follower)
      return follower
    },
    [Symbol.asyncDispose]: async () => {
      for (const { channel } of followers) channel.close()
      await nodes.close()
    },
  }
}

interface Listed {
  readonly name: string
  readonly wires: readonly { readonly transport: TransportName; readonly seenMs: number }[]
}
const list = async ({ url }: TestServer): Promise<Listed[]> => (await (await fetch(`${url}/rooms/lobby/members`)).json()) as Listed[]
const names = async (server: TestServer): Promise<string[]> => (await list(server)).map(({ name }) => name).toSorted()
const see = (server: TestServer, ...here: readonly string[]): Promise<void> =>
  eventually(async () => (await names(server)).join() === here.join(), `here are ${here.join()}`, 15_000)
/** Every list of names that a watcher was told, from now on. */
const record = ({ channel }: Follower): string[] => {
  const lists: string[] = []
  channel.on('members', (members) => lists.push(members.map(({ name }) => name).join()))
  return lists
}
const told = (watcher: Follower, ...here: readonly string[]): Promise<void> =>
  watcher.until(
    `told of ${here.join()}`,
    () =>
      watcher.channel.members
        .map(({ name }) => name)
        .toSorted()
        .join() === here.join(),
  )
const renew = async ({ url }: TestServer, { cookie }: TestMember): Promise<void> => {
  const { status } = await fetch(`${url}/rooms/lobby/lease`, { method: 'POST', headers: { cookie } })
  expect(status).toBe(204)
}
/** An event stream of this member, held until it is aborted. */
async function stream({ url }: TestServer, { cookie }: TestMember): Promise<AbortController> {
  const held = new AbortController()
  const { body } = await fetch(`${url}/rooms/lobby/sse`, { headers: { cookie }, signal: held.signal })
  void body?.pipeTo(new WritableStream()).catch(() => {})
  return held
}

describe.concurrent('members of two nodes', () => {
  it('are listed by both, with the wires of both, and when each was heard', async () => {
    await using world = await pair()
    const ann = await member(world.a.url, 'Ann')
    const held = await stream(world.a, ann)
    await fetch(`${world.b.url}/rooms/lobby/poll?every=60000`, { headers: { cookie: ann.cookie } })
    for (const server of [world.a, world.b]) {
      await eventually(async () => (await list(server))[0]?.wires.length === 2, 'both wires are listed')
      const [listed, ...more] = await list(server)
      expect(more).toEqual([])
      expect(listed).toMatchObject({ ...ann.member, wires: [{ transport: 'poll' }, { transport: 'sse' }] })
      for (const { seenMs } of listed?.wires ?? []) expect(seenMs).toBeLessThan(10_000)
      expect(await metric(server.url, 'fourwires_members')).toBe(1)
    }
    held.abort()
  })

  it('stay while their stream is held by one node and its lease is renewed at the other', async () => {
    await using world = await pair({ sseLeaseMs: 2_500 })
    const watcher = world.follow(world.b, { observe: true, members: true })
    const ann = await member(world.a.url, 'Ann')
    const held = await stream(world.a, ann)
    await told(watcher, 'Ann')
    const lists = record(watcher)
    const until = performance.now() + 6_000
    while (performance.now() < until) {
      await renew(world.b, ann)
      await new Promise((resolve) => setTimeout(resolve, 200))
    }
    for (const server of [world.a, world.b]) expect(await names(server)).toEqual(['Ann'])
    expect(lists).toEqual([])
    // Not renewed any more, and still held.
    await told(watcher)
    await see(world.a)
    // Heard of again, by the other node than holds it.
    await renew(world.b, ann)
    await told(watcher, 'Ann')
    held.abort()
  })

  it('are renewed by nobody who holds no stream', async () => {
    await using world = await pair()
    const ann = await member(world.a.url, 'Ann')
    await fetch(`${world.b.url}/rooms/lobby/members`)
    await renew(world.a, ann)
    await renew(world.b, ann)
    const held = await stream(world.a, await member(world.a.url, 'Bob'))
    await see(world.b, 'Bob')
    expect(await names(world.a)).toEqual(['Bob'])
    held.abort()
  })

  it('leave every room at every node when their session ends at one', async () => {
    await using world = await pair()
    const ann = await member(world.a.url, 'Ann')
    const watcher = world.follow(world.b, { observe: true, members: true })
    const held = await stream(world.a, ann)
    const { cookie } = ann
    await fetch(`${world.b.url}/rooms/other/poll?every=60000`, { headers: { cookie } })
    await told(watcher, 'Ann')
    await fetch(`${world.b.url}/session`, { method: 'DELETE', headers: { cookie } })
    await told(watcher)
    await see(world.a)
    for (const { url } of [world.a, world.b]) {
      const other = async (): Promise<unknown[]> => (await (await fetch(`${url}/rooms/other/members`)).json()) as unknown[]
      await eventually(async () => (await other()).length === 0, 'nobody is in the other room')
    }
    held.abort()
  })

  it('are not told to have left when their node is drained, and they come back at another', async () => {
    await using world = await pair({ leaseGraceMs: 10_000, pollLeaseMs: 10_000 })
    const watcher = world.follow(world.b, { observe: true, members: true })
    const { ports } = world.nodes.turns
    world.nodes.turns.ports = [world.a.port]
    const members = (['sse', 'websocket', 'long-poll'] as const).map((transport) =>
      world.follow(world.nodes, { transport, name: transport }),
    )
    await told(watcher, 'long-poll', 'sse', 'websocket')
    const lists = record(watcher)
    world.nodes.turns.ports = [ports[1] ?? 0]
    await world.a.close()
    for (const one of members) await one.channel.send('still here')
    for (const one of lists) expect(one.split(',').toSorted().join()).toBe('long-poll,sse,websocket')
    expect(await names(world.b)).toEqual(['long-poll', 'sse', 'websocket'])
  })

  it('of a node that was killed are gone with their leases, and no sooner', async () => {
    await using world = await pair({ websocketLeaseMs: 3_000, pingMs: 500, leaseGraceMs: 100 })
    const watcher = world.follow(world.b, { observe: true, members: true })
    const ann = world.follow(world.a, { name: 'Ann', transport: 'websocket' })
    world.follow(world.b, { name: 'Bob', transport: 'websocket' })
    await Promise.all([ann.live(), told(watcher, 'Ann', 'Bob')])
    // A killed process says nothing of those whom it cuts off.
    await world.parts[0].attendance.close()
    world.a.cut()
    ann.channel.close()
    const killedAt = performance.now()
    await told(watcher, 'Bob')
    // What was told last was told within a third of a lease of its end.
    expect(performance.now() - killedAt).toBeGreaterThan(1_500)
    expect(await names(world.b)).toEqual(['Bob'])
  })

  it('carry states that are seen at the other node, as often as ticks are and no oftener, by who comes later too, and gone with them', async () => {
    await using world = await pair({ leaseGraceMs: 100 })
    const watcher = world.follow(world.b, { observe: true, states: true })
    const ann = world.follow(world.a, { name: 'Ann', transport: 'websocket' })
    await Promise.all([watcher.live(), ann.live()])
    let tellings = 0
    watcher.channel.on('states', () => tellings++)
    const id = ann.channel.state.member?.id ?? ''
    const begun = performance.now()
    for (let x = 1; x <= 60; x++) {
      ann.channel.setState({ x })
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
    await watcher.until('the last is seen', () => JSON.stringify(watcher.channel.states.get(id)) === '{"x":60}')
    expect(tellings).toBeGreaterThan(3)
    expect(tellings).toBeLessThan((performance.now() - begun) / 50 + 2)
    const late = world.follow(world.b, { observe: true, states: true, transport: 'poll' })
    await late.until('it is seen later', () => JSON.stringify(late.channel.states.get(id)) === '{"x":60}')
    ann.channel.close()
    await watcher.until('it is gone', () => watcher.channel.states.size === 0)
  })

  it('carry the state that was set last, at whatever node each was set', async () => {
    await using world = await pair()
    const ann = await member(world.a.url, 'Ann')
    const held = await stream(world.a, ann)
    const watchers = [world.a, world.b].map((server) => world.follow(server, { observe: true, states: true }))
    // At once, before the other node can have heard of a wire.
    for (let x = 0; x < 30; x++) {
      const { url } = x % 2 === 0 ? world.b : world.a
      const headers = { cookie: ann.cookie, 'content-type': 'application/json' }
      const { status } = await fetch(`${url}/rooms/lobby/state`, { method: 'PUT', headers, body: JSON.stringify({ state: x }) })
      expect(status).toBe(204)
    }
    for (const watcher of watchers) await watcher.until('the last is seen', () => watcher.channel.states.get(ann.member.id) === 29)
    held.abort()
  })

  it('that share a session are told once, and what is asked again and again at both is answered only when it changes', async () => {
    await using world = await pair({ longPollLeaseMs: 10_000 })
    const browser = await member(world.a.url, 'Ann')
    const tabs = [await stream(world.a, browser), await stream(world.b, browser)]
    const watcher = world.follow(world.nodes, { observe: true, members: true, states: true, transport: 'long-poll' })
    await told(watcher, 'Ann')
    const bob = world.follow(world.a, { name: 'Bob', transport: 'websocket' })
    await bob.live()
    bob.channel.setState('here')
    await watcher.until('the state is seen', () => watcher.channel.states.size === 1)
    await told(watcher, 'Ann', 'Bob')
    const asked = (): number => [...world.nodes.turns.counts.values()].reduce((sum, count) => sum + count, 0)
    // Both nodes have told all there is by now, or will in a moment: then nothing is left to be asked for.
    await eventually(
      async () => {
        const before = asked()
        await new Promise((resolve) => setTimeout(resolve, 300))
        return asked() - before <= 1
      },
      'it waits for an answer',
      10_000,
    )
    await bob.channel.send('text')
    await watcher.count(1)
    tabs[0]?.abort()
    expect(watcher.channel.members.map(({ name }) => name).toSorted()).toEqual(['Ann', 'Bob'])
    for (const tab of tabs) tab.abort()
  })
})

describe('members of two nodes, whose Redis', () => {
  it('is away for less than their leases, all stay; what came and went meanwhile is told when it is back', async () => {
    await using world = await pair({ membersMs: 50, leaseGraceMs: 200 })
    const watcher = world.follow(world.b, { observe: true, members: true, transport: 'websocket' })
    const poller = world.follow(world.a, { name: 'Poll', transport: 'poll' })
    const ann = world.follow(world.a, { name: 'Ann', transport: 'websocket' })
    await Promise.all([ann.live(), poller.live(), told(watcher, 'Ann', 'Poll')])
    const lists = record(watcher)
    redis.server.freeze()
    try {
      const frozenAt = performance.now()
      await eventually(() => world.parts[1].attendance.awayMs > 0, 'it is known to be away', 10_000)
      // What happens at one node is told to those who are there.
      const here = world.follow(world.a, { observe: true, members: true, transport: 'websocket' })
      expect(await names(world.a)).toEqual(['Ann', 'Poll'])
      here.channel.close()
      await eventually(() => performance.now() - frozenAt > 6_000, 'a while has passed', 10_000)
    } finally {
      redis.server.thaw()
    }
    ann.channel.close()
    await told(watcher, 'Poll')
    expect(new Set(lists)).toEqual(new Set(['Poll']))
  })

  it('takes no more messages as its memory is short, still tells of who comes and goes', async () => {
    await using world = await pair({ leaseGraceMs: 200 })
    const watcher = world.follow(world.b, { observe: true, members: true, transport: 'websocket' })
    await watcher.live()
    await redis.server.client.config('SET', 'maxmemory', '1mb')
    onTestFinished(async () => void (await redis.server.client.config('SET', 'maxmemory', '0')))
    const ann = world.follow(world.a, { name: 'Ann', transport: 'websocket' })
    await told(watcher, 'Ann')
    const { status } = await fetch(`${world.a.url}/session`, {
      method: 'DELETE',
      headers: { cookie: (await member(world.a.url, 'Bob')).cookie },
    })
    expect(status).toBe(204)
    ann.channel.close()
    await told(watcher)
  })

  it('keeps nothing of a room where somebody says to be and is not', async () => {
    await using world = await pair()
    const ann = await member(world.a.url, 'Ann')
    for (let n = 0; n < 3; n++) {
      const { status } = await fetch(`${world.a.url}/rooms/nowhere-${n}/lease`, { method: 'POST', headers: { cookie: ann.cookie } })
      expect(status).toBe(204)
    }
    await world.a.app.close()
    expect(await redis.server.client.keys('*nowhere*')).toEqual([])
  })

  it('has noted thousands who left, is asked only for those who left since', async () => {
    await using world = await pair()
    const { client } = redis.server
    const left = Array.from({ length: 5_000 }, (_, n) => [Date.now() - n, `m_${n}`]).flat()
    await client.zadd(`pair-${prefixes}:{left}:members-left`, ...left)
    const monitor = await redis.server.connect().monitor()
    const looks = async (count: number): Promise<number> => {
      for (let seen = 0; seen < count;) {
        const [, [name, called = '']] = (await once(monitor, 'monitor')) as [string, string[]]
        if (/^fcall_ro$/i.test(name ?? '') && called.endsWith('_left')) seen++
      }
      return Number(/total_net_output_bytes:(\d+)/.exec(await client.info('stats'))?.[1])
    }
    // Both nodes have looked at all of it once.
    const before = await looks(2 * world.parts.length)
    expect((await looks(4)) - before).toBeLessThan(100_000)
    monitor.disconnect()
  })

  it('tells what is no hint, is looked at, and nobody ends of it', async () => {
    await using world = await pair()
    const watcher = world.follow(world.b, { observe: true, members: true, transport: 'websocket' })
    const ann = world.follow(world.a, { name: 'Ann', transport: 'websocket' })
    await told(watcher, 'Ann')
    const from = await redis.server.client.hget(`pair-${prefixes}:{lobby}:attendance`, 'v')
    for (const channel of [`pair-${prefixes}:{lobby}:here`, `pair-${prefixes}:{left}:members-leave`]) {
      for (const hint of ['', 'null', '{"from":0}', '{"from":0,"to":9e15}', `{"from":${from},"to":9e14}`, '[]', '"text"'])
        expect(await redis.server.client.spublish(channel, hint)).toBe(2)
    }
    ann.channel.close()
    await told(watcher)
  })

  it('was restarted with nothing in it, are all told again, and their states', async () => {
    await using world = await pair()
    const ann = world.follow(world.a, { name: 'Ann', transport: 'websocket' })
    const watcher = world.follow(world.b, { observe: true, members: true, states: true, transport: 'websocket' })
    await told(watcher, 'Ann')
    ann.channel.setState('here')
    await watcher.until('the state is seen', () => watcher.channel.states.size === 1)
    const lists = record(watcher)
    await redis.server.restart()
    const { attendance, ...options } = await (async () => {
      const store = await redis.open({}, `pair-${prefixes}`)
      return { store, attendance: await RedisAttendance.open(store.connection) }
    })()
    await using third = await startServer({ ...options, attendance, lingerMs: 50, maxLagMs: 60_000 })
    await see(third, 'Ann')
    const late = world.follow(third, { observe: true, states: true, transport: 'poll' })
    await late.until('the state is seen', () => late.channel.states.size === 1)
    expect(lists).toEqual([])
    late.channel.close()
  })

  it('is the only one whose clock counts', async () => {
    onTestFinished(() => void vi.useRealTimers())
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 24 * 3_600_000 })
    await using world = await pair({ websocketLeaseMs: 2_000, pingMs: 300, leaseGraceMs: 200 })
    const watcher = world.follow(world.b, { observe: true, members: true })
    const ann = world.follow(world.a, { name: 'Ann', transport: 'websocket' })
    await told(watcher, 'Ann')
    vi.setSystemTime(Date.now() - 48 * 3_600_000)
    const bob = world.follow(world.b, { name: 'Bob', transport: 'websocket' })
    await told(watcher, 'Ann', 'Bob')
    ann.channel.close()
    await told(watcher, 'Bob')
    bob.channel.close()
    await told(watcher)
  })
})
