/** WebSocket on the wire: the handshake, the frames that are ours, and what the four wires share. */
import { describe, expect, test } from 'vitest'
import type { Batch } from '../../src/protocol/message.ts'
import { eventually, lines } from '../support/answers.ts'
import { ask, RawClient, request } from '../support/raw-client.ts'
import { frame, handshake, opcodes, RawWebSocket, sampleKey, acceptOf } from '../support/raw-websocket.ts'
import { member, post, startServer } from '../support/server.ts'

const path = '/rooms/r/websocket'
const text = (length: number): string => 'x'.repeat(length)

describe('WebSocket on the wire', () => {
  test('the handshake is answered as the RFC answers its own sample key', async () => {
    await using server = await startServer()
    using socket = await RawWebSocket.open(server.port, path)
    expect(acceptOf(sampleKey)).toBe('s3pPLMBiTxaQ9kYGzzhZRbK+xOo=')
    expect(socket.head.text).toBe(
      lines(
        'HTTP/1.1 101 Switching Protocols',
        'Upgrade: websocket',
        'Connection: Upgrade',
        'Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=',
        '',
      ),
    )
  })

  test('neither an extension nor a subprotocol is agreed to', async () => {
    await using server = await startServer()
    using socket = await RawWebSocket.open(server.port, path, {
      'sec-websocket-extensions': 'permessage-deflate; client_max_window_bits',
      origin: `http://127.0.0.1:${server.port}`,
    })
    expect(socket.head.header('sec-websocket-extensions')).toBeUndefined()
    expect(socket.head.header('sec-websocket-protocol')).toBeUndefined()
  })

  test('the first batch comes at once, in one unmasked text frame', async () => {
    await using server = await startServer()
    using socket = await RawWebSocket.open(server.port, path)
    const { payload, ...header } = await socket.frame()
    const { cursor } = JSON.parse(payload.toString()) as Batch
    expect(payload.toString()).toBe(`{"messages":[],"cursor":"${cursor}"}`)
    expect(header).toEqual({ fin: true, rsv: 0, opcode: opcodes.text, masked: false, headerBytes: 2 })
  })

  test.each([
    [125, 2],
    [126, 4],
    [127, 4],
    [65_535, 4],
    [65_536, 10],
  ])('a frame of %i bytes has a head of %i: a length is told in as few bits as it needs', async (length, headerBytes) => {
    await using server = await startServer({ batchBytes: 200_000 })
    using socket = await RawWebSocket.open(server.port, path)
    const { cursor } = JSON.parse((await socket.frame()).payload.toString()) as Batch
    const empty = { seq: 1, id: '', member: '', author: '', text: '', at: Date.now() }
    const rest = length - JSON.stringify({ messages: [empty], cursor }).length
    await server.store.append('r', { id: '', name: '' }, { id: '', text: text(rest) })
    const batch = await socket.frame()
    expect([batch.payload.length, batch.headerBytes]).toEqual([length, headerBytes])
  })

  test('a publish goes up the same socket and is answered by an ack', async () => {
    await using server = await startServer()
    const { cookie } = await member(server.url)
    using socket = await RawWebSocket.open(server.port, path, { cookie })
    await socket.text()
    socket.sendJson({ type: 'publish', id: 'my-first-id', text: 'hi' })
    const frames = [await socket.text(), await socket.text()].toSorted().toReversed()
    const { cursor } = JSON.parse(frames[0] ?? '') as Batch
    expect(frames[1]).toBe(await (await fetch(`${server.url}/rooms/r/poll`)).text())
    expect(frames[0]).toBe(`{"type":"ack","id":"my-first-id","seq":1,"cursor":"${cursor}","duplicate":false}`)
    socket.sendJson({ type: 'publish', id: 'my-first-id', text: 'hi' })
    expect(await socket.text()).toBe(`{"type":"ack","id":"my-first-id","seq":1,"cursor":"${cursor}","duplicate":true}`)
  })

  test('a publish that is refused is answered by a problem with its id', async () => {
    await using server = await startServer()
    using socket = await RawWebSocket.open(server.port, path)
    await socket.text()
    socket.sendJson({ type: 'publish', id: 'my-first-id', text: 'hi' })
    expect(await socket.json()).toEqual({
      type: 'problem',
      id: 'my-first-id',
      code: 'session-required',
      status: 401,
      title: 'Session required',
      detail: expect.any(String) as string,
    })
  })

  test('a frame in the same packet as the handshake is answered', async () => {
    await using server = await startServer()
    const { cookie } = await member(server.url)
    const publish = frame('{"type":"publish","id":"at-once-0","text":"hi"}')
    using socket = await RawWebSocket.open(server.port, path, { cookie }, publish)
    const kinds = new Set<string>()
    while (kinds.size < 2) {
      const received = await socket.json<{ readonly type?: string; readonly messages?: readonly unknown[] }>()
      if (received.type === 'ack') kinds.add('ack')
      if (received.messages?.length === 1) kinds.add('message')
    }
    expect([...kinds].toSorted()).toEqual(['ack', 'message'])
  })

  test('a message in fragments, split within a character and with a ping between, is one message', async () => {
    await using server = await startServer()
    const { cookie } = await member(server.url)
    using socket = await RawWebSocket.open(server.port, path, { cookie })
    await socket.text()
    const whole = Buffer.from('{"type":"publish","id":"in-three-parts","text":"grüße 𝄞"}')
    const cut = whole.indexOf(Buffer.from('𝄞')) + 2
    socket.send(
      frame(whole.subarray(0, cut), { fin: false }),
      frame('are you there?', { opcode: opcodes.ping }),
      frame(whole.subarray(cut), { opcode: opcodes.continuation }),
    )
    const pong = await socket.frame()
    expect([pong.opcode, pong.payload.toString()]).toEqual([opcodes.pong, 'are you there?'])
    const received = [await socket.json<{ readonly id?: string }>(), await socket.json<{ readonly id?: string }>()]
    expect(received.find(({ id }) => id === 'in-three-parts')).toMatchObject({ type: 'ack', duplicate: false })
    expect((await (await fetch(`${server.url}/rooms/r/poll`)).json()) as Batch).toMatchObject({ messages: [{ text: 'grüße 𝄞' }] })
  })

  test('the server pings, and cuts a socket that stays silent', async () => {
    await using server = await startServer({ pingMs: 100, silentMs: 600 })
    using answers = await RawWebSocket.open(server.port, path)
    using silent = await RawWebSocket.open(server.port, path)
    await answers.text()
    let pings = 0
    while (!silent.client.over || pings < 3) {
      const { opcode, masked, payload } = await answers.frame()
      expect([opcode, masked]).toEqual([opcodes.ping, false])
      answers.send(frame(payload, { opcode: opcodes.pong }))
      pings++
    }
    expect(answers.client.over).toBe(false)
  })

  test('a server that was not listening itself cuts nobody for silence', async () => {
    await using server = await startServer({ pingMs: 100, silentMs: 1_000, maxLagMs: 1_000 })
    using socket = await RawWebSocket.open(server.port, path)
    await socket.text()
    // The event loop stands still, for longer than a peer may be silent.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1_500)
    socket.send(frame('and you?', { opcode: opcodes.ping }))
    let answer = await socket.frame()
    while (answer.opcode === opcodes.ping) answer = await socket.frame()
    expect([answer.opcode, answer.payload.toString()]).toEqual([opcodes.pong, 'and you?'])
  })

  test('a pong that nobody asked for does no harm, and a close is echoed', async () => {
    await using server = await startServer()
    using socket = await RawWebSocket.open(server.port, path)
    await socket.text()
    const goingAway = Buffer.from([0x03, 0xe9])
    socket.send(frame('', { opcode: opcodes.pong }), frame(goingAway, { opcode: opcodes.close }))
    const close = await socket.frame()
    expect([close.opcode, close.payload]).toEqual([opcodes.close, goingAway])
    await socket.client.ended
  })

  test('who half-closes or resets is forgotten at once', async () => {
    await using server = await startServer()
    using half = await RawWebSocket.open(server.port, path)
    using cut = await RawWebSocket.open(server.port, path)
    half.client.halfClose()
    cut.client.reset()
    const open = async (): Promise<string> =>
      (await (await fetch(`${server.url}/metrics`)).text()).match(/connections\{transport="websocket"\} (\d+)/)?.[1] ?? ''
    await eventually(async () => (await open()) === '0', 'no socket is left')
  })
})

describe('the four wires', () => {
  test('carry a batch with the same bytes', async () => {
    await using server = await startServer()
    const { cookie } = await member(server.url, 'Zoë 🦊')
    const { port } = server
    using socket = await RawWebSocket.open(port, path)
    const start = await socket.json<Batch>()
    const sse = await RawClient.connect(port)
    sse.send(request(port, `GET /rooms/r/sse?since=${start.cursor}`))
    await sse.head()
    await sse.chunk()
    await sse.chunk()
    for (const one of ['plain', 'äöü ß', '日本語', '🚀 👩‍👩‍👧 𝄞 𐍈', '"\\ \n\t \u2028 \u0301 \u202e', text(4096), '𝄞'.repeat(2048)]) {
      const since = ((await (await fetch(`${server.url}/rooms/r/poll`)).json()) as Batch).cursor
      const longPoll = ask(port, request(port, `GET /rooms/r/long-poll?since=${since}`))
      await post(server.url, 'r', cookie, { text: one })
      const poll = (await ask(port, request(port, `GET /rooms/r/poll?since=${since}`))).body.toString('hex')
      expect((await longPoll).body.toString('hex')).toBe(poll)
      expect((await socket.frame()).payload.toString('hex')).toBe(poll)
      const event = (await sse.chunk()) ?? Buffer.alloc(0)
      expect(event.subarray(event.indexOf('\ndata: ') + 7, -2).toString('hex')).toBe(poll)
      expect((JSON.parse(Buffer.from(poll, 'hex').toString()) as Batch).messages[0]?.text).toBe(one)
    }
    sse.destroy()
  })

  test('tell a gap with the same bytes', async () => {
    await using server = await startServer()
    const { port } = server
    const since = 'abcdefghijkl.7.AAAAAA'
    const poll = (await ask(port, request(port, `GET /rooms/r/poll?since=${since}`))).body.toString()
    expect(poll).toMatch(/^\{"messages":\[\],"cursor":"[^"]+","gap":\{"reason":"epoch"\}\}$/)
    expect((await ask(port, request(port, `GET /rooms/r/long-poll?since=${since}`))).body.toString()).toBe(poll)
    using socket = await RawWebSocket.open(port, `${path}?since=${since}`)
    expect(await socket.text()).toBe(poll)
    const sse = await RawClient.connect(port)
    sse.send(request(port, `GET /rooms/r/sse?since=${since}`))
    await sse.head()
    await sse.chunk()
    expect(String(await sse.chunk())).toContain(`\ndata: ${poll}\n\n`)
    sse.destroy()
  })
})

test('a handshake of which the pieces come one by one is still one', async () => {
  await using server = await startServer()
  const client = await RawClient.connect(server.port)
  for (const line of handshake(server.port, path).split(/(?<=\r\n)/)) {
    client.send(line)
    await new Promise((resolve) => setImmediate(resolve))
  }
  expect((await client.head()).status).toBe(101)
  client.destroy()
})
