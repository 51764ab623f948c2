/** WebSocket on the wire: how and why a socket is closed. */
import { describe, expect, test } from 'vitest'
import { logged } from '../support/logged.ts'
import { closeFrame, frame, frameHead, opcodes, RawWebSocket } from '../support/raw-websocket.ts'
import { member, startServer, type TestServer } from '../support/server.ts'

const path = '/rooms/r/websocket'
const cookieOf = async (server: TestServer): Promise<string> => (await member(server.url)).cookie
const reasonOf = ({ reason }: { readonly reason: string }): unknown => {
  expect(Buffer.byteLength(reason)).toBeLessThanOrEqual(123)
  return JSON.parse(reason)
}

describe('a WebSocket is closed', () => {
  test('with 4500 after three bad requests, each answered by a problem', async () => {
    await using server = await startServer()
    using socket = await RawWebSocket.open(server.port, path, { cookie: await cookieOf(server) })
    await socket.text()
    for (const bad of ['{', '[]', '{"type":"shout"}']) socket.send(frame(bad))
    const codes = [await socket.json(), await socket.json(), await socket.json()].map(({ code }) => code)
    expect(codes).toEqual(['invalid-json', 'invalid-request', 'invalid-request'])
    const closing = await socket.closing()
    expect([closing.code, reasonOf(closing)]).toEqual([4500, { code: 'invalid-request' }])
  })

  test('with 4500 whatever the three bad requests were', async () => {
    await using server = await startServer()
    using socket = await RawWebSocket.open(server.port, path, { cookie: await cookieOf(server) })
    await socket.text()
    for (const bad of ['{"type":"shout"}', 'null', '{"type":"publish","type":"publish"}']) socket.send(frame(bad))
    expect((await socket.closing()).code).toBe(4500)
  })

  test('with 4500 where the cursor is invalid, after the upgrade: before it a browser sees nothing', async () => {
    await using server = await startServer()
    for (const query of ['since=1', 'since=', 'sinec=x', 'since=earliest&since=earliest', 'limit=5']) {
      using socket = await RawWebSocket.open(server.port, `${path}?${query}`)
      const closing = await socket.closing()
      const code = query === 'since=1' || query === 'since=' ? 'invalid-cursor' : 'invalid-request'
      expect([query, closing.code, reasonOf(closing)]).toEqual([query, 4500, { code }])
    }
  })

  test('with 4504 where there can be no such room', async () => {
    await using server = await startServer()
    for (const room of ['-', '%00', '..%2f', 'a%0d%0ab', 'x'.repeat(65), '__proto__']) {
      using socket = await RawWebSocket.open(server.port, `/rooms/${room}/websocket`)
      const closing = await socket.closing()
      expect([room, closing.code, reasonOf(closing)]).toEqual([room, 4504, { code: 'invalid-room' }])
    }
  })

  test('with 4501 where the host forbids the room', async () => {
    await using server = await startServer({ authorize: () => false })
    using socket = await RawWebSocket.open(server.port, path)
    const closing = await socket.closing()
    expect([closing.code, reasonOf(closing)]).toEqual([4501, { code: 'forbidden' }])
  })

  test('with 1013 where the server is overloaded or has too many rooms', async () => {
    await using server = await startServer({ maxConnections: 1, rooms: 1 })
    using first = await RawWebSocket.open(server.port, path)
    await first.text()
    using second = await RawWebSocket.open(server.port, path)
    const closing = await second.closing()
    expect([closing.code, reasonOf(closing)]).toEqual([1013, { code: 'overloaded', retryMs: expect.any(Number) as number }])
    first.client.destroy()
  })

  test('with 1013 where one room more is one too many', async () => {
    await using server = await startServer({ rooms: 1 })
    using first = await RawWebSocket.open(server.port, path)
    await first.text()
    using second = await RawWebSocket.open(server.port, '/rooms/other/websocket')
    const closing = await second.closing()
    expect([closing.code, reasonOf(closing)]).toMatchObject([1013, { code: 'room-limit' }])
  })

  test('with 1012 on drain, after a last batch with the time to come back after', async () => {
    await using server = await startServer()
    using socket = await RawWebSocket.open(server.port, path)
    const { cursor } = await socket.json()
    const closed = server.close()
    const { retryMs, ...last } = await socket.json()
    expect(last).toEqual({ messages: [], cursor })
    const closing = await socket.closing()
    expect([closing.code, reasonOf(closing)]).toEqual([1012, { code: 'draining', retryMs }])
    socket.send(closeFrame(1012))
    await socket.client.ended
    await closed
  })

  test('with 4503 where the store stays away', async () => {
    await using server = await startServer({ storeAwayMs: 300, storeTimeoutMs: 100 })
    using socket = await RawWebSocket.open(server.port, path)
    await socket.text()
    server.store.read = () => Promise.reject(new Error('gone'))
    const { member: ann } = await member(server.url)
    await server.store.append('r', ann, { id: 'wake-them-up', text: 'a' })
    const closing = await socket.closing()
    expect([closing.code, reasonOf(closing)]).toEqual([4503, { code: 'store-unavailable', retryMs: expect.any(Number) as number }])
  })

  test('with 4429 where the rate limit is ignored', async () => {
    await using server = await startServer({ publishesPerSecond: 1, publishBurst: 1 })
    using socket = await RawWebSocket.open(server.port, path, { cookie: await cookieOf(server) })
    await socket.text()
    for (let index = 0; index < 45; index++) socket.sendJson({ type: 'publish', id: `too-many-${index}`, text: 'a' })
    const closing = await socket.closing()
    expect([closing.code, reasonOf(closing)]).toEqual([4429, { code: 'rate-limited', retryMs: expect.any(Number) as number }])
  })
})

const masked = (bits: { opcode?: number; fin?: boolean; rsv?: number }, payload: string | Uint8Array = ''): Buffer => frame(payload, bits)
const control = opcodes.ping

describe('RFC 6455 closes a WebSocket', () => {
  const cases: readonly (readonly [code: number, what: string, ...frames: Buffer[]])[] = [
    [1002, 'an unmasked frame', frame('hi', { masked: false })],
    [1002, 'RSV1 without an extension', masked({ rsv: 4 }, 'hi')],
    [1002, 'RSV2', masked({ rsv: 2 }, 'hi')],
    [1002, 'RSV3', masked({ rsv: 1 }, 'hi')],
    ...[3, 4, 5, 6, 7, 11, 12, 13, 14, 15].map((opcode) => [1002, `opcode ${opcode}`, masked({ opcode }, 'hi')] as const),
    [1002, 'a continuation of nothing', masked({ opcode: opcodes.continuation }, 'hi')],
    [1002, 'a new message within another', masked({ fin: false }, 'a'), masked({}, 'b')],
    [1002, 'a control frame of 126 bytes', masked({ opcode: control }, 'x'.repeat(126))],
    [1002, 'a fragmented control frame', masked({ opcode: control, fin: false }, 'x')],
    [1002, 'a close of one byte', masked({ opcode: opcodes.close }, 'x')],
    ...[0, 999, 1004, 1005, 1006, 1015, 2999, 5000].map((code) => [1002, `close code ${code}`, closeFrame(code)] as const),
    [1007, 'a close reason that is no UTF-8', masked({ opcode: opcodes.close }, Buffer.from([0x03, 0xe8, 0xff]))],
    [1007, 'text that is no UTF-8', masked({}, Buffer.from([0xc0, 0x80]))],
    [1007, 'a surrogate in UTF-8', masked({}, Buffer.from([0xed, 0xa0, 0x80]))],
    [1007, 'text cut within a character', masked({}, Buffer.from([0xf0, 0x9d, 0x84]))],
    [1003, 'a binary frame', masked({ opcode: opcodes.binary }, 'hi')],
    [1009, 'a message over 32 KiB', masked({}, 'x'.repeat(32_769))],
    [1009, 'a promise of 2^31 bytes', frameHead(2 ** 31)],
    [1009, 'a promise of 2^53 bytes', frameHead(2n ** 53n)],
    [1009, 'a promise of 2^63 bytes', frameHead(2n ** 63n)],
    [1009, 'fragments over 32 KiB together', masked({ fin: false }, 'x'.repeat(20_000)), masked({ opcode: 0 }, 'x'.repeat(20_000))],
    [1008, 'over 64 fragments', masked({ fin: false }, '{'), ...Array.from({ length: 80 }, () => masked({ opcode: 0, fin: false }, ' '))],
    [1008, 'endless empty fragments', masked({ fin: false }), ...Array.from({ length: 2000 }, () => masked({ opcode: 0, fin: false }))],
    [1008, 'a flood of pings', ...Array.from({ length: 2000 }, () => masked({ opcode: opcodes.ping }))],
    [1008, 'a flood of pongs', ...Array.from({ length: 2000 }, () => masked({ opcode: opcodes.pong }))],
  ]
  test.each(cases)('with %i for %s', async (code, _what, ...frames) => {
    await using server = await startServer()
    using socket = await RawWebSocket.open(server.port, path)
    await socket.text()
    socket.client.socket.on('error', () => {})
    socket.send(...(frames as Buffer[]))
    expect((await socket.closing()).code).toBe(code)
  })

  test('and says so to its peer, not to its own log', async () => {
    const { log, stream } = logged()
    await using server = await startServer({ logger: { level: 'info', stream } })
    const wrong = cases.filter(([code]) => code !== 1008)
    await Promise.all(
      wrong.map(async ([code, , ...frames]) => {
        using socket = await RawWebSocket.open(server.port, path)
        // Answered by a close and not by the end: what was in the same packet behind the fault is in nobody's way.
        socket.send(...frames, frame('{'.repeat(20_000)), frame('{'.repeat(20_000)))
        expect((await socket.closing()).code).toBe(code)
        socket.client.halfClose()
        await socket.client.ended
      }),
    )
    await server.quiet()
    expect(log.filter((line) => !line.includes('Server listening'))).toEqual([])
  })

  test('and takes a message of exactly 32 KiB, and one of 64 fragments', async () => {
    await using server = await startServer()
    using socket = await RawWebSocket.open(server.port, path, { cookie: await cookieOf(server) })
    await socket.text()
    const publish = '{"type":"publish","id":"in-64-parts","text":"hi"}'
    socket.send(frame(publish.padEnd(32_768)))
    expect([await socket.json(), await socket.json()].find(({ type }) => type === 'ack')).toMatchObject({ duplicate: false })
    const parts = publish.padEnd(64).split('')
    socket.send(...parts.map((part, index) => frame(part, { opcode: index === 0 ? opcodes.text : 0, fin: index === parts.length - 1 })))
    expect(await socket.json()).toMatchObject({ type: 'ack', duplicate: true })
  })
})
