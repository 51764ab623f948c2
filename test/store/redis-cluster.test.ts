/** Rooms spread over a Redis Cluster: three real nodes, each with a third of the slots. */
import { Cluster } from 'ioredis'
import { afterAll, beforeAll, expect, it, onTestFinished, vi } from 'vitest'
import type { Member } from '../../src/protocol/message.ts'
import { RedisStore } from '../../src/store/redis.ts'
import { RedisServer } from '../support/redis.ts'

const ann: Member = { id: 'm_annannann', name: 'Ann' }
const patience = { interval: 20, timeout: 15_000 }
const rooms = Array.from({ length: 30 }, (_, n) => `room-${n}`)
const slots = 16_384

let nodes: RedisServer[] = []
let url = ''
let drawn = 0

beforeAll(async () => {
  const config = { 'cluster-enabled': 'yes', 'cluster-node-timeout': '2000' }
  nodes = await Promise.all([1, 2, 3].map(() => RedisServer.start({ config })))
  const [first] = nodes as [RedisServer]
  await Promise.all(
    nodes.map(async ({ client }, index) => {
      const [from, to] = [index, index + 1].map((third) => Math.floor((slots * third) / 3)) as [number, number]
      await client.cluster('SET-CONFIG-EPOCH', index + 1)
      await client.cluster('ADDSLOTSRANGE', from, to - 1)
    }),
  )
  for (const { client } of nodes.slice(1)) await client.cluster('MEET', '127.0.0.1', first.port)
  await vi.waitFor(async () => {
    for (const { client } of nodes) {
      const info = await client.cluster('INFO')
      expect(info).toMatch(/cluster_state:ok/)
      expect(info).toMatch(/cluster_known_nodes:3/)
    }
  }, patience)
  url = `redis+cluster://${nodes.map(({ port }) => `127.0.0.1:${port}`).join()}`
})
afterAll(() => Promise.all(nodes.map((node) => node.stop())))

async function open(prefix: string): Promise<RedisStore> {
  const store = await RedisStore.open(url, {}, { prefix })
  onTestFinished(() => store.close())
  return store
}
const say = (store: RedisStore, room: string, text: string) => store.append(room, ann, { id: `draft-${++drawn}`.padEnd(12, '0'), text })

it('keeps all of a room on one node, and rooms on all of them, with every promise of one', async () => {
  const store = await open('spread')
  await Promise.all(rooms.flatMap((room) => ['1', '2', '3'].map((text) => say(store, room, text))))
  for (const room of rooms) expect((await store.read(room, 'earliest')).messages.map(({ seq }) => seq)).toEqual([1, 2, 3])
  const held = await Promise.all(
    nodes.map(async ({ client }) => (await client.keys('spread:{*')).map((key) => /\{(.*)\}/.exec(key)?.[1] ?? '')),
  )
  expect(held.flat()).toHaveLength(rooms.length * 4)
  for (const [index, some] of held.entries()) {
    expect(some.length).toBeGreaterThan(0)
    for (const room of some) expect(held.findIndex((each) => each.includes(room))).toBe(index)
  }
})

it('wakes those who watch on any node, by hints and, where no hint comes, by looking', async () => {
  const [writer, reader] = await Promise.all([open('watched'), open('watched')])
  const woken = new Map<string, number>()
  for (const room of rooms) await reader.watch(room, () => woken.set(room, (woken.get(room) ?? 0) + 1))
  await Promise.all(rooms.map((room) => say(writer, room, 'heard')))
  await vi.waitFor(() => expect([...woken.keys()].toSorted()).toEqual(rooms.toSorted()), patience)
  const listening = await Promise.all(nodes.map(({ client }) => client.call('PUBSUB', 'SHARDCHANNELS') as Promise<string[]>))
  expect(listening.flat().filter((channel) => channel.startsWith('watched:'))).toHaveLength(rooms.length)
  await Promise.all(nodes.map(({ client }) => client.acl('SETUSER', 'default', '-ssubscribe')))
  await Promise.all(nodes.map(({ client }) => client.call('CLIENT', 'KILL', 'TYPE', 'pubsub')))
  woken.clear()
  await Promise.all(rooms.map((room) => say(writer, room, 'found')))
  await vi.waitFor(() => expect([...woken.keys()].toSorted()).toEqual(rooms.toSorted()), patience)
  await Promise.all(nodes.map(({ client }) => client.acl('SETUSER', 'default', '+ssubscribe')))
})

it('follows a room that moves to another node', async () => {
  const store = await open('moving')
  await say(store, 'lobby', '1')
  const [some] = nodes as [RedisServer]
  const slot = await some.client.cluster('KEYSLOT', 'moving:{lobby}:log')
  const held = await Promise.all(nodes.map(({ client }) => client.keys('moving:{*')))
  const from = nodes[held.findIndex((keys) => keys.length > 0)] as RedisServer
  const to = nodes[held.findIndex((keys) => keys.length === 0)] as RedisServer
  const [fromId, toId] = (await Promise.all([from, to].map(({ client }) => client.cluster('MYID')))) as [string, string]
  await to.client.cluster('SETSLOT', slot, 'IMPORTING', fromId)
  await from.client.cluster('SETSLOT', slot, 'MIGRATING', toId)
  const keys = await from.client.cluster('GETKEYSINSLOT', slot, 100)
  await from.client.call('MIGRATE', '127.0.0.1', to.port, '', 0, 5000, 'KEYS', ...keys)
  for (const { client } of [to, from]) await client.cluster('SETSLOT', slot, 'NODE', toId)
  expect(await vi.waitFor(() => say(store, 'lobby', '2'), patience)).toMatchObject({ ack: { seq: 2 } })
  expect((await store.read('lobby', 'earliest')).messages.map(({ text }) => text)).toEqual(['1', '2'])
})

it('loses the rooms of one node while that is away, and no others', async () => {
  const store = await open('away')
  await Promise.all(nodes.map(({ client }) => client.config('SET', 'cluster-require-full-coverage', 'no')))
  await Promise.all(rooms.map((room) => say(store, room, '1')))
  const last = nodes[2] as RedisServer
  const [gone, ...stay] = await Promise.all(
    [last, nodes[0] as RedisServer, nodes[1] as RedisServer].map(async ({ client }) =>
      (await client.keys('away:{*')).filter((key) => key.endsWith(':log')).map((key) => /\{(.*)\}/.exec(key)?.[1] ?? ''),
    ),
  )
  await last.kill()
  await Promise.all((gone ?? []).map((room) => expect(say(store, room, '2')).rejects.toThrow()))
  for (const room of stay.flat()) expect(await vi.waitFor(() => say(store, room, '2'), patience)).toMatchObject({ ack: { seq: 2 } })
  await last.begin()
  // It came back with nothing: its rooms are others now, and its functions are loaded again.
  for (const room of gone ?? []) expect(await vi.waitFor(() => say(store, room, '3'), patience)).toMatchObject({ ack: { seq: 1 } })
})

it("of which most slots are nobody's goes on with the others: who watches is told by looking, and nothing ends the process", async () => {
  const config = { 'cluster-enabled': 'yes', 'cluster-announce-ip': '127.0.0.1', 'cluster-require-full-coverage': 'no' }
  const node = await RedisServer.start({ config })
  onTestFinished(() => node.stop())
  for (const key of ['partial:{lobby}:log', 'partial:rooms'])
    await node.client.cluster('ADDSLOTS', await node.client.cluster('KEYSLOT', key))
  await vi.waitFor(async () => expect(await node.client.cluster('INFO')).toMatch(/cluster_state:ok/), patience)
  const [asked, forgotten] = [vi.spyOn(Cluster.prototype, 'ssubscribe'), vi.spyOn(Cluster.prototype, 'sunsubscribe')]
  onTestFinished(() => void vi.restoreAllMocks())
  const partial = node.url.replace('redis:', 'redis+cluster:')
  const [writer, reader] = [
    await RedisStore.open(partial, {}, { prefix: 'partial' }),
    await RedisStore.open(partial, {}, { prefix: 'partial' }),
  ]
  onTestFinished(async () => void (await Promise.all([writer.close(), reader.close()])))
  let seen = ''
  const unwatch = await reader.watch('lobby', (head) => (seen = head))
  const appended = await say(writer, 'lobby', '1')
  const cursor = appended.outcome === 'appended' ? appended.ack.cursor : ''
  await vi.waitFor(() => expect(seen).toBe(cursor), patience)
  // It was tried, and tried again, and each time let go of: the client would keep the name otherwise.
  await vi.waitFor(() => expect(asked.mock.calls.length).toBeGreaterThan(1), patience)
  expect(forgotten.mock.calls.length).toBe(asked.mock.calls.length)
  unwatch()
  expect(await say(writer, 'lobby', '2')).toMatchObject({ ack: { seq: 2 } })
})
