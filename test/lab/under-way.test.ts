/** What is under way on a connection: told to who comes late, so that what began before is known. */
import { expect, it } from 'vitest'
import { Conversation } from '../../src/lab/conversation.ts'

const ask = (target: string, ...headers: readonly string[]): Buffer =>
  Buffer.from([`GET ${target} HTTP/1.1`, 'Host: x', ...headers, '', ''].join('\r\n'))
const answer = (...lines: readonly string[]): Buffer => Buffer.from(['HTTP/1.1 200 OK', ...lines, '', ''].join('\r\n'))
const empty = answer('content-length: 0')

it('is the question that waits, until it is answered', () => {
  const conversation = new Conversation()
  expect(conversation.underWay).toBeUndefined()
  const before = performance.now()
  conversation.sent(ask('/rooms/a/long-poll?wait=25'))
  expect(conversation.underWay).toMatchObject({ exchange: 1, detail: 'GET /rooms/a/long-poll?wait=25' })
  expect(conversation.underWay?.at).toBeGreaterThanOrEqual(before)
  conversation.answered(empty)
  expect(conversation.underWay).toBeUndefined()
})

it('is of several the one that is answered next', () => {
  const conversation = new Conversation()
  conversation.sent(Buffer.concat([ask('/one'), ask('/two')]))
  expect(conversation.underWay?.exchange).toBe(1)
  conversation.answered(empty)
  expect(conversation.underWay?.exchange).toBe(2)
})

it('is a stream for as long as it lasts', () => {
  const conversation = new Conversation()
  conversation.sent(ask('/rooms/a/sse'))
  conversation.answered(answer('content-type: text/event-stream', 'transfer-encoding: chunked'))
  conversation.answered(Buffer.from('7\r\nid: 1\n\n\r\n'))
  expect(conversation.underWay).toMatchObject({ exchange: 1, detail: 'GET /rooms/a/sse' })
  conversation.answered(Buffer.from('0\r\n\r\n'))
  conversation.sent(ask('/rooms/a/poll'))
  expect(conversation.underWay).toMatchObject({ exchange: 2 })
  conversation.answered(empty)
  expect(conversation.underWay).toBeUndefined()
})

it('is a socket once its handshake is answered', () => {
  const conversation = new Conversation()
  conversation.sent(ask('/rooms/a/websocket', 'Upgrade: websocket', 'Connection: Upgrade'))
  conversation.answered(Buffer.from('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n'))
  conversation.answered(Buffer.from([0x81, 0x01, 0x61]))
  expect(conversation.underWay).toMatchObject({ exchange: 1, detail: 'GET /rooms/a/websocket' })
})
