/** Publishing, contract §6: the same table over HTTP and up the socket. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Ack, Batch } from '../../src/protocol/message.ts'
import { MemoryStore } from '../../src/store/memory.ts'
import { RawWebSocket } from '../support/raw-websocket.ts'
import { member, postRaw, startServer, type TestMember, type TestServer } from '../support/server.ts'

interface Outcome extends Partial<Ack> {
  readonly status: number
  readonly code?: string
  readonly outcome?: string
}
interface Way {
  send(draft: object): Promise<Outcome>
  close(): void
}

const overHttp = async (server: TestServer, { cookie }: TestMember): Promise<Way> => ({
  send: async (draft) => {
    const response = await postRaw(server.url, 'r', cookie, JSON.stringify(draft))
    return { status: response.status, ...((await response.json()) as object) }
  },
  close: () => {},
})
const upTheSocket = async (server: TestServer, { cookie }: TestMember): Promise<Way> => {
  const socket = await RawWebSocket.open(server.port, '/rooms/r/websocket', { cookie })
  return {
    send: async (draft) => {
      socket.sendJson({ type: 'publish', ...draft })
      for (;;) {
        const received = await socket.json<Outcome & { readonly type?: string }>()
        if (received.type === 'ack') return { ...received, status: received.duplicate === true ? 200 : 201 }
        if (received.type === 'problem') return received
      }
    },
    close: () => socket.client.destroy(),
  }
}

const kept = async (server: TestServer): Promise<Batch> =>
  (await (await fetch(`${server.url}/rooms/r/poll?since=earliest`)).json()) as Batch

describe.each([
  ['over HTTP', overHttp],
  ['up the socket', upTheSocket],
])('a publish %s', (_way, open) => {
  let server: TestServer
  let ann: TestMember
  let way: Way
  beforeEach(async () => {
    server = await startServer({ storeTimeoutMs: 100 })
    ann = await member(server.url, 'Ann')
    way = await open(server, ann)
  })
  afterEach(async () => {
    way.close()
    await server.close()
  })

  test('is acknowledged once it is kept, with its place', async () => {
    const ack = await way.send({ id: 'my-own-id', text: 'hi' })
    expect(ack).toMatchObject({ status: 201, id: 'my-own-id', seq: 1, duplicate: false })
    expect(await kept(server)).toMatchObject({
      messages: [{ seq: 1, id: 'my-own-id', text: 'hi', member: ann.member.id }],
      cursor: ack.cursor,
    })
  })

  test('that is repeated with the same text has the same place, and is kept once', async () => {
    const first = await way.send({ id: 'my-own-id', text: 'hi' })
    await way.send({ id: 'another-id', text: 'between' })
    expect(await way.send({ id: 'my-own-id', text: 'hi' })).toMatchObject({ status: 200, seq: 1, cursor: first.cursor, duplicate: true })
    expect((await kept(server)).messages).toHaveLength(2)
  })

  test('that is repeated with another text is a mismatch, and the first stays', async () => {
    await way.send({ id: 'my-own-id', text: 'hi' })
    expect(await way.send({ id: 'my-own-id', text: 'ho' })).toMatchObject({ status: 422, code: 'idempotency-mismatch' })
    expect((await kept(server)).messages.map(({ text }) => text)).toEqual(['hi'])
  })

  test('with the id of another member is no repeat', async () => {
    await way.send({ id: 'my-own-id', text: 'hi' })
    const bob = await open(server, await member(server.url, 'Bob'))
    expect(await bob.send({ id: 'my-own-id', text: 'ho' })).toMatchObject({ status: 201, seq: 2 })
    bob.close()
  })

  test('without an id gets one drawn', async () => {
    const acks = [await way.send({ text: 'hi' }), await way.send({ text: 'hi' })]
    expect(acks.map(({ status }) => status)).toEqual([201, 201])
    expect(acks[0]?.id).toMatch(/^[A-Za-z0-9_-]{8,64}$/)
    expect(acks[0]?.id).not.toBe(acks[1]?.id)
  })

  test('that the store answers too late has an unknown outcome, and the same id may be sent again', async () => {
    const { store } = server
    const append = store.append.bind(store)
    let appended = Promise.resolve<unknown>(undefined)
    store.append = (...args) => {
      appended = append(...args)
      return new Promise<never>(() => {})
    }
    expect(await way.send({ id: 'my-own-id', text: 'hi' })).toMatchObject({ status: 503, code: 'store-unavailable', outcome: 'unknown' })
    await appended
    store.append = append
    expect(await way.send({ id: 'my-own-id', text: 'hi' })).toMatchObject({ status: 200, seq: 1, duplicate: true })
  })

  test('that the store fails is refused likewise', async () => {
    const { store } = server
    const append = store.append.bind(store)
    store.append = () => Promise.reject(new Error('READONLY You cannot write against a read only replica.'))
    const refused = await way.send({ id: 'my-own-id', text: 'hi' })
    expect(refused).toMatchObject({ status: 503, code: 'store-unavailable', outcome: 'unknown' })
    expect(JSON.stringify(refused)).not.toContain('READONLY')
    store.append = append
    expect(await way.send({ id: 'my-own-id', text: 'hi' })).toMatchObject({ status: 201, seq: 1 })
  })

  test('of a text at its limit is kept as it was sent', async () => {
    for (const text of ['x'.repeat(4096), '𝄞'.repeat(2048), ' ', '\n\t', 'e\u0301 👩‍👩‍👧 \u202e \ufeff \u2028']) {
      expect((await way.send({ text })).status).toBe(201)
      expect((await kept(server)).messages.at(-1)?.text).toBe(text)
    }
  })
})

test('fifty publishes of the same id at once are one message, one 201 and forty-nine 200', async () => {
  await using server = await startServer({ publishesPerSecond: 0 })
  const { cookie } = await member(server.url)
  const body = JSON.stringify({ id: 'the-same-id', text: 'hi' })
  const answers = await Promise.all(Array.from({ length: 50 }, () => postRaw(server.url, 'r', cookie, body)))
  const statuses = answers.map(({ status }) => status).toSorted((a, b) => a - b)
  expect(statuses).toEqual([...Array.from({ length: 49 }, () => 200), 201])
  const acks = (await Promise.all(answers.map((answer) => answer.json()))) as Ack[]
  expect(new Set(acks.map(({ cursor }) => cursor)).size).toBe(1)
  expect((await kept(server)).messages).toHaveLength(1)
})

test('a repeat across both ways is found', async () => {
  await using server = await startServer()
  const ann = await member(server.url)
  const [http, socket] = [await overHttp(server, ann), await upTheSocket(server, ann)]
  expect((await socket.send({ id: 'my-own-id', text: 'hi' })).status).toBe(201)
  expect(await http.send({ id: 'my-own-id', text: 'hi' })).toMatchObject({ status: 200, duplicate: true })
  expect(await http.send({ id: 'my-own-id', text: 'ho' })).toMatchObject({ status: 422 })
  socket.close()
})

test('frames of one socket are taken in the order they were sent', async () => {
  await using server = await startServer({ publishesPerSecond: 0 })
  const { cookie } = await member(server.url)
  using socket = await RawWebSocket.open(server.port, '/rooms/r/websocket', { cookie })
  const texts = Array.from({ length: 100 }, (_, index) => `message ${index}`)
  for (const [index, text] of texts.entries()) socket.sendJson({ type: 'publish', id: `in-order-${index}`, text })
  const seqs: unknown[] = []
  while (seqs.length < texts.length) {
    const { type, seq } = await socket.json()
    if (type === 'ack') seqs.push(seq)
  }
  expect(seqs).toEqual(texts.map((_, index) => index + 1))
  const { messages } = (await (await fetch(`${server.url}/rooms/r/poll?since=earliest`)).json()) as Batch
  expect(messages.map(({ text }) => text)).toEqual(texts)
})

test('nothing is delivered before it is in the store', async () => {
  const store = new MemoryStore()
  let appended = false
  const append = store.append.bind(store)
  store.append = async (...args) => {
    await new Promise((resolve) => setImmediate(resolve))
    appended = true
    return append(...args)
  }
  await using server = await startServer({ store })
  const { cookie } = await member(server.url)
  using socket = await RawWebSocket.open(server.port, '/rooms/r/websocket')
  await socket.text()
  const publish = postRaw(server.url, 'r', cookie, '{"text":"hi"}')
  const batch = await socket.json()
  expect([appended, (batch['messages'] as unknown[]).length]).toEqual([true, 1])
  expect((await publish).status).toBe(201)
})
