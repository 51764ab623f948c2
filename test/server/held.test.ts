/** What a server holds for those who do not behave: little for one connection, nothing for who reads nothing, nobody after the drain. */
import type { Socket } from 'node:net'
import { expect, test } from 'vitest'
import { drawId } from '../../src/protocol/draft.ts'
import { eventually, metric } from '../support/answers.ts'
import { RawClient, request } from '../support/raw-client.ts'
import { member, post, startServer } from '../support/server.ts'

const author = { id: 'm_held00000001', name: 'Held' }

test('holds few questions of one connection at once, and refuses the others in their turn', async () => {
  await using server = await startServer()
  const { cookie } = await member(server.url)
  const { cursor } = await post(server.url, 'r', cookie, { text: 'one' })
  const client = await RawClient.connect(server.port)
  client.send(request(server.port, `GET /rooms/r/long-poll?since=${cursor}`).repeat(7))
  const held = 'fourwires_connections{transport="long-poll"}'
  await eventually(async () => (await metric(server.url, held)) === 4, 'four are held')
  await post(server.url, 'r', cookie, { text: 'two' })
  const statuses: number[] = []
  for (let answer = 0; answer < 7; answer++) statuses.push((await client.response()).status)
  expect(statuses).toEqual([200, 200, 200, 200, 503, 503, 503])
  expect(await metric(server.url, held)).toBe(0)
  client.socket.destroy()
})

test('cuts a connection that takes nothing of the answers to its polls', async () => {
  await using server = await startServer({ stallMs: 500, keepBytes: 64_000_000 })
  for (let index = 0; index < 20; index++) await server.store.append('r', author, { id: drawId(), text: 'x'.repeat(4000) })
  const accepted = new Promise<Socket>((resolve) => server.app.server.once('connection', resolve))
  const client = await RawClient.connect(server.port)
  const peer = await accepted
  client.socket.on('error', () => {}).pause()
  // More than the kernel takes for a reader that reads nothing.
  client.send(request(server.port, 'GET /rooms/r/poll?since=earliest').repeat(200))
  await eventually(() => peer.destroyed, 'it is cut', 10_000)
  expect(await metric(server.url, 'fourwires_slow_readers_cut_total{transport="poll"}')).toBeGreaterThan(0)
  client.socket.destroy()
})

test('begins no stream for who was being admitted when the drain began', async () => {
  let admit = (): void => {}
  const asked = new Promise<void>((resolve) => {
    admit = resolve
  })
  let answer = (): void => {}
  const server = await startServer({
    authorize: async () => {
      admit()
      await new Promise<void>((resolve) => (answer = resolve))
      return true
    },
  })
  const client = await RawClient.connect(server.port)
  client.send(request(server.port, 'GET /rooms/r/sse'))
  await asked
  const closed = server.close()
  await eventually(async () => (await fetch(`${server.url}/readyz`).catch(() => undefined))?.status !== 200, 'it drains')
  answer()
  expect((await client.head()).status).toBe(200)
  expect(String(await client.chunk())).toContain('draining')
  await closed
})

test('forgets what is held behind another answer of a connection, when that connection is gone', async () => {
  await using server = await startServer()
  const { cursor } = (await (await fetch(`${server.url}/rooms/r/poll`)).json()) as { readonly cursor: string }
  const client = await RawClient.connect(server.port)
  // The second and third wait behind the first, and none has news.
  client.send(
    request(server.port, `GET /rooms/r/long-poll?since=${cursor}`).repeat(2) + request(server.port, `GET /rooms/r/sse?since=${cursor}`),
  )
  await eventually(async () => (await server.connections()) === 3, 'three are held')
  client.reset()
  await server.quiet()
  expect(await server.connections()).toBe(0)
})

test('keeps no time for answers that nobody will take, when their connection is gone', async () => {
  await using server = await startServer()
  const { cursor } = (await (await fetch(`${server.url}/rooms/r/poll`)).json()) as { readonly cursor: string }
  const client = await RawClient.connect(server.port)
  client.send(request(server.port, `GET /rooms/r/long-poll?since=${cursor}`) + request(server.port, 'GET /rooms/r/poll').repeat(30))
  await eventually(async () => (await metric(server.url, 'fourwires_timers')) > 30, 'thirty answers wait')
  client.reset()
  await server.quiet()
  expect(await metric(server.url, 'fourwires_timers')).toBe(0)
})

test('counts each of them once, when they go with their connection', async () => {
  await using server = await startServer()
  const client = await RawClient.connect(server.port)
  // The second of a connection hears of its end after who has been listening since the first.
  expect((await client.send(request(server.port, 'GET /rooms/r/long-poll')).response()).status).toBe(200)
  client.send(request(server.port, 'GET /rooms/r/sse'))
  await client.head()
  expect(await server.connections()).toBe(1)
  client.reset()
  await server.quiet()
  expect(await server.connections()).toBe(0)
})
