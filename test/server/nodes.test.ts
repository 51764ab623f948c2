/** Several processes that share their rooms: as many applications on one Redis, whichever of them is asked. */
import { expect, it, onTestFinished } from 'vitest'
import type { ChannelOptions } from '../../src/client/state.ts'
import { transportNames } from '../../src/protocol/message.ts'
import type { AppOptions } from '../../src/server/app.ts'
import { startDoor } from '../support/door.ts'
import { Follower } from '../support/follower.ts'
import { RedisServer } from '../support/redis.ts'
import { member, postRaw, startServer, type TestServer } from '../support/server.ts'
import { sharedRedis } from '../support/shared-redis.ts'

const redis = sharedRedis()
const shared: AppOptions = { sessionSecret: 'shared by all of the nodes', publishesPerSecond: 0, lingerMs: 100, maxLagMs: 60_000 }
let drawn = 0

async function node(prefix: string, options: AppOptions = {}, port = 0): Promise<TestServer> {
  const server = await startServer({ ...shared, ...options, store: await redis.open({}, prefix) }, port)
  onTestFinished(() => server.close())
  return server
}
function follow(url: string, options: Partial<ChannelOptions> = {}): Follower {
  const follower = new Follower({ url, room: 'lobby', observe: true, since: 'earliest', ...options })
  onTestFinished(() => follower.channel.close())
  return follower
}
const upTo = (last: number): number[] => Array.from({ length: last }, (_, index) => index + 1)

it('shows every reader of every node and wire the same messages in the same order, whoever publishes where', async () => {
  const prefix = `nodes-${++drawn}`
  const nodes = await Promise.all([node(prefix), node(prefix)])
  const readers = nodes.flatMap(({ url }) => transportNames.map((transport) => follow(url, { transport })))
  await Promise.all(readers.map((reader) => reader.live()))
  const writers = nodes.flatMap(({ url }) => transportNames.map((transport) => follow(url, { transport, observe: false })))
  await Promise.all(
    writers.map(async ({ channel }, index) => {
      for (const n of upTo(8)) await channel.send(`${index}/${n}`)
    }),
  )
  const all = [...readers, ...writers]
  await Promise.all(all.map((one) => one.count(64)))
  const [first] = all.map(({ seen }) => seen.map(({ message }) => message))
  for (const { seen, seqs, gaps } of all) {
    expect(seen.map(({ message }) => message)).toEqual(first)
    expect(seqs).toEqual(upTo(64))
    expect(gaps).toEqual([])
  }
  for (const index of writers.keys()) {
    const own = (first ?? []).filter(({ text }) => text.startsWith(`${index}/`))
    expect(own.map(({ text }) => text)).toEqual(upTo(8).map((n) => `${index}/${n}`))
  }
})

it('knows a session on every node, and keeps one message of an id that both are sent fifty times at once', async () => {
  const prefix = `nodes-${++drawn}`
  const nodes = await Promise.all([node(prefix), node(prefix)])
  const { cookie } = await member(nodes[0].url, 'Ann')
  const body = JSON.stringify({ id: 'same-id-1', text: 'once' })
  const answers = await Promise.all(upTo(50).map((n) => postRaw(nodes[n % 2 === 0 ? 0 : 1].url, 'lobby', cookie, body)))
  expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([...upTo(49).map(() => 200), 201])
  const acks = (await Promise.all(answers.map((answer) => answer.json()))) as { seq: number; cursor: string }[]
  expect(new Set(acks.map(({ seq, cursor }) => `${seq} ${cursor}`)).size).toBe(1)
  const other = await postRaw(nodes[1].url, 'lobby', cookie, JSON.stringify({ id: 'same-id-1', text: 'twice' }))
  expect([other.status, ((await other.json()) as { code: string }).code]).toEqual([422, 'idempotency-mismatch'])
  const reader = follow(nodes[1].url)
  await reader.count(1)
  expect(reader.texts).toEqual(['once'])
})

it.each(transportNames)(
  'lets each connection of a client on %s land on another node, and nothing is lost or repeated',
  async (transport) => {
    const prefix = `nodes-${transport}`
    const nodes = await Promise.all([node(prefix), node(prefix)])
    await using door = await startDoor(nodes[0].port)
    const url = `http://127.0.0.1:${door.port}`
    using reader = new Follower({ url, room: 'lobby', transport, observe: true, since: 'earliest' })
    using writer = new Follower({ url, room: 'lobby', transport, name: 'Ann' })
    await Promise.all([reader.live(), writer.live()])
    for (const n of upTo(12)) {
      await writer.channel.send(`${n}`)
      // Each new connection leads elsewhere, and once there are only new ones.
      door.to = nodes[n % 2 === 0 ? 0 : 1].port
      if (n !== 6) continue
      door.cut()
      // Who polls may have been between two questions, and notice nothing.
      const noticed = [reader, writer].map((one) =>
        one.until('noticed', () => one.channel.state.status === 'waiting' || transport.endsWith('poll')),
      )
      await Promise.all(noticed)
      for (const { channel } of [reader, writer]) channel.nudge(true)
    }
    await Promise.all([reader.count(12), writer.count(12)])
    for (const { texts, seqs, gaps } of [reader, writer]) {
      expect(texts).toEqual(upTo(12).map(String))
      expect(seqs).toEqual(upTo(12))
      expect(gaps).toEqual([])
    }
  },
)

it('goes on without a node that was cut off, and brings who comes back to it what the others said, without a gap', async () => {
  const prefix = `nodes-${++drawn}`
  const [first, second] = await Promise.all([node(prefix), node(prefix)])
  const readers = transportNames.map((transport) => follow(first.url, { transport }))
  await Promise.all(readers.map((reader) => reader.live()))
  const writer = follow(second.url, { observe: false })
  for (const n of upTo(5)) await writer.channel.send(`${n}`)
  first.cut()
  await first.close()
  for (const n of upTo(5)) await writer.channel.send(`${5 + n}`)
  await node(prefix, {}, first.port)
  for (const n of upTo(5)) await writer.channel.send(`${10 + n}`)
  for (const { channel } of readers) channel.nudge(true)
  await Promise.all(readers.map((reader) => reader.count(15)))
  for (const { seqs, gaps, channel } of readers) {
    expect(seqs).toEqual(upTo(15))
    expect(gaps).toEqual([])
    expect(channel.counts.repeats).toBe(0)
  }
})

it('answers 503 with outcome unknown while Redis is frozen, keeps every stream, and catches up when it goes on', async () => {
  const server = await RedisServer.start()
  onTestFinished(() => server.stop())
  const { RedisStore } = await import('../../src/store/redis.ts')
  const store = await RedisStore.open(server.url, {}, { timeoutMs: 600 })
  const app = await startServer({ ...shared, store, storeTimeoutMs: 600 })
  onTestFinished(() => app.close())
  const { cookie } = await member(app.url, 'Ann')
  const streams = (['sse', 'websocket'] as const).map((transport) => follow(app.url, { transport }))
  await Promise.all(streams.map((stream) => stream.live()))
  const states: string[] = []
  for (const { channel } of streams) channel.on('state', ({ status }) => states.push(status))
  const publish = (n: number): Promise<Response> => postRaw(app.url, 'lobby', cookie, JSON.stringify({ id: `message-${n}`, text: `${n}` }))
  expect((await publish(1)).status).toBe(201)
  server.freeze()
  for (const n of [2, 3, 2]) {
    const answer = await publish(n)
    expect(answer.status).toBe(503)
    expect(await answer.json()).toMatchObject({ code: 'store-unavailable', outcome: 'unknown' })
  }
  server.thaw()
  // What was under way when it froze has happened; what was refused at once has not. A repeat makes both certain.
  for (const n of [2, 3]) await expect.poll(async () => (await publish(n)).ok, { timeout: 10_000 }).toBe(true)
  await Promise.all(streams.map((stream) => stream.count(3)))
  for (const { texts, gaps } of streams) expect([texts.toSorted(), gaps]).toEqual([['1', '2', '3'], []])
  expect(states.filter((status) => status !== 'live')).toEqual([])
})
