/** Slow readers, contract §9: little waits for them, nobody else notices, and who takes nothing any more is cut. */
import type { Socket } from 'node:net'
import { describe, expect, test } from 'vitest'
import { drawId } from '../../src/protocol/draft.ts'
import type { Batch } from '../../src/protocol/message.ts'
import type { AppOptions } from '../../src/server/app.ts'
import { eventually, metric } from '../support/answers.ts'
import { RawClient, request } from '../support/raw-client.ts'
import { frame, RawWebSocket } from '../support/raw-websocket.ts'
import { member, post, startServer, type TestServer } from '../support/server.ts'

const highWaterBytes = 65_536
const batchBytes = 65_536
/** The frame or chunk around a batch, and the field names of an event. */
const envelopeBytes = 256
const mostWaiting = highWaterBytes + batchBytes + envelopeBytes

/** A reader on one of the two streams. */
interface Reader {
  readonly client: RawClient
  next(): Promise<Batch>
}
const bySse = async ({ port }: TestServer): Promise<Reader> => {
  const client = await RawClient.connect(port)
  await client.send(request(port, 'GET /rooms/r/sse')).head()
  await client.chunk()
  return { client, next: async () => JSON.parse(/^data: (.*)$/m.exec(String(await client.chunk()))?.[1] ?? '') as Batch }
}
const byWebSocket = async ({ port }: TestServer): Promise<Reader> => {
  const socket = await RawWebSocket.open(port, '/rooms/r/websocket')
  return { client: socket.client, next: () => socket.json<Batch>() }
}

/** A room with a reader whose end of the connection is known at the server too, and who stops reading. */
async function stalled(open: typeof bySse, options: AppOptions) {
  const server = await startServer({ keepBytes: 64_000_000, heartbeatMs: 60_000, ...options })
  const accepted = new Promise<Socket>((resolve) => server.app.server.once('connection', resolve))
  const reader = await open(server)
  const { cursor } = await reader.next()
  reader.client.socket.pause()
  reader.client.socket.on('error', () => {})
  return { server, reader, cursor, peer: await accepted }
}

/** Appends until so many bytes wait at the server that it has stopped reading the log; `seen` hears after each turn. */
async function flood({ store, url }: TestServer, peer: Socket, seen: () => void = () => {}, turns = 20): Promise<number> {
  const { member: ann } = await member(url)
  const text = 'x'.repeat(4000)
  let seq = 0
  for (let beyond = 0; beyond < turns; beyond += peer.writableLength >= highWaterBytes ? 1 : 0) {
    for (let index = 0; index < 50; index++, seq++) await store.append('r', ann, { id: drawId(), text })
    await new Promise((resolve) => setImmediate(resolve))
    seen()
    if (seq > 40_000) throw new Error(`after ${seq} messages the wire is still not full`)
  }
  return seq
}

describe.each([
  ['sse', bySse],
  ['websocket', byWebSocket],
] as const)('a reader by %s that stops reading', (transport, open) => {
  const cuts = `fourwires_slow_readers_cut_total{transport="${transport}"}`

  test('has at most 64 KiB and one batch waiting for it, whatever is said in the room', async () => {
    const { server, reader, peer } = await stalled(open, {})
    let most = 0
    await flood(server, peer, () => (most = Math.max(most, peer.writableLength)))
    expect(most).toBeGreaterThanOrEqual(highWaterBytes)
    expect(most).toBeLessThanOrEqual(mostWaiting)
    reader.client.destroy()
    await server.close()
  })

  test('changes nothing for the others', async () => {
    const { server, reader, peer } = await stalled(open, {})
    const healthy = await open(server)
    let last: Batch = await healthy.next()
    const seqs: number[] = []
    const reading = (async () => {
      while (last.messages.at(-1)?.id !== 'last-of-all') {
        last = await healthy.next()
        seqs.push(...last.messages.map(({ seq }) => seq))
      }
    })()
    const count = await flood(server, peer)
    const { member: bob } = await member(server.url)
    await server.store.append('r', bob, { id: 'last-of-all', text: 'bye' })
    await reading
    expect(seqs).toEqual(Array.from({ length: count + 1 }, (_, index) => index + 1))
    reader.client.destroy()
    healthy.client.destroy()
    await server.close()
  })

  test('goes on from its cursor when it reads again: nothing lost, nothing twice', async () => {
    const { server, reader, cursor, peer } = await stalled(open, {})
    const count = await flood(server, peer)
    reader.client.socket.resume()
    let next = Number(cursor.split('.')[1])
    while (next < count) {
      const { messages, gap } = await reader.next()
      expect(gap).toBeUndefined()
      for (const { seq } of messages) expect(seq).toBe(++next)
    }
    expect(await metric(server.url, cuts)).toBe(0)
    reader.client.destroy()
    await server.close()
  })

  test('is cut after stallMs without progress, hard, and counted', async () => {
    const { server, reader, peer } = await stalled(open, { stallMs: 600 })
    await flood(server, peer)
    expect(await metric(server.url, cuts)).toBe(0)
    await eventually(() => peer.destroyed, 'the connection is cut', 15_000)
    expect(await metric(server.url, cuts)).toBe(1)
    await eventually(async () => (await metric(server.url, `fourwires_connections{transport="${transport}"}`)) === 0, 'it is forgotten')
    reader.client.destroy()
    await server.close()
  })

  test('is not cut while it takes a little now and then', async () => {
    const { server, reader, peer } = await stalled(open, { stallMs: 1_500 })
    const { socket } = reader.client
    const taken = (): number => peer.bytesWritten - peer.writableLength
    for (let sip = 1; sip <= 4; sip++) {
      const due = performance.now() + 450
      await flood(server, peer, undefined, 1)
      await eventually(() => performance.now() >= due, 'the next sip is due')
      expect([sip, peer.destroyed, peer.writableLength > 0]).toEqual([sip, false, true])
      const before = taken()
      socket.resume()
      await eventually(() => taken() > before, 'the server sees progress')
      socket.pause()
    }
    expect(await metric(server.url, cuts)).toBe(0)
    reader.client.destroy()
    await server.close()
  })
})

test('who publishes up a socket and never reads the answers is not read on', async () => {
  await using server = await startServer({ publishesPerSecond: 0 })
  const accepted = new Promise<Socket>((resolve) => server.app.server.once('connection', resolve))
  const { cookie } = await member(server.url)
  const first = await accepted
  // Long answers fill the network with less work: a long id, taken by another text.
  const id = 'the-same-id'.padEnd(64, '-')
  await post(server.url, 'r', cookie, { id, text: 'the first' })
  const again = new Promise<Socket>((resolve) => server.app.server.once('connection', resolve))
  using socket = await RawWebSocket.open(server.port, '/rooms/r/websocket', { cookie })
  const peer = await again
  expect(peer).not.toBe(first)
  await socket.text()
  socket.client.socket.on('error', () => {})
  socket.client.socket.pause()
  const publish = Buffer.concat(Array.from({ length: 500 }, () => frame(`{"type":"publish","id":"${id}","text":"hi"}`)))
  let most = 0
  let sent = peer.bytesRead
  for (let beyond = 0; beyond < 20; beyond += peer.writableLength >= highWaterBytes ? 1 : 0) {
    socket.send(publish)
    sent += publish.length
    // By the server, not by the kernel, which takes many seconds of a busy machine's work.
    await eventually(() => peer.bytesRead >= sent || peer.writableLength >= highWaterBytes, 'it is read, or no more')
    most = Math.max(most, peer.writableLength)
  }
  expect(most).toBeLessThanOrEqual(mostWaiting)

  // What comes from now on stays in the network: it is neither answered nor kept here.
  const { bytesRead } = peer
  const long = frame(`{"type":"publish","id":"the-same-id","text":"${'x'.repeat(4_000)}"}`)
  for (let round = 0; round < 20; round++) socket.send(...Array.from({ length: 250 }, () => long))
  for (let round = 0; round < 50; round++) await (await fetch(`${server.url}/healthz`)).text()
  expect(peer.bytesRead - bytesRead).toBeLessThan(500_000)
  expect(socket.client.socket.writableLength).toBeGreaterThan(0)
})
