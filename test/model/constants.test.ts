import { connect } from 'node:net'
import { describe, expect, it } from 'vitest'
import { answerBytes, batchBytes, eventBytes, frameBytes, frameHead, measured } from '../../src/model/constants.ts'
import { publish, publishIpBytes } from '../../src/model/publish.ts'
import { encodePublish } from '../../src/protocol/frame.ts'
import { encodeEvent } from '../../src/protocol/event-stream.ts'
import { startServer } from '../support/server.ts'

const cursor = 'ZkT0aQ1mB7xY.1234.q3Xv_a'
const message = { seq: 1234, id: 'bmP6nvBIK83D', member: 'm_0nycNjwRfJ5T', author: 'Brave Robin', text: 'hi', at: 1_795_257_053_662 }
const payload = JSON.stringify(message).length
const batchOf = (count: number): string => JSON.stringify({ messages: Array.from({ length: count }, () => message), cursor })

/** What a server writes to one request, as text, until it ends the connection. */
async function answerTo(port: number, request: string): Promise<string> {
  let text = ''
  for await (const bytes of connect(port, '127.0.0.1').end(request)) text += (bytes as Buffer).toString('latin1')
  return text
}

describe('the measured constants', () => {
  it.each([0, 1, 2, 17])('weigh a batch of %d messages as it is written', (count) => {
    expect(batchBytes(count, payload, measured)).toBe(batchOf(count).length)
  })

  it.each([0, 1, 2, 17])('weigh the event and the frame of a batch of %d messages as they are written', (count) => {
    const json = batchOf(count)
    const event = encodeEvent({ id: cursor, data: json })
    expect(eventBytes(json.length, measured)).toBe(`${event.length.toString(16)}\r\n${event}\r\n`.length)
    expect(frameBytes(json.length)).toBe((json.length < 126 ? 2 : 4) + json.length)
  })

  it('weigh an answer as this server writes it', async () => {
    await using server = await startServer()
    const text = await answerTo(server.port, 'GET /rooms/bench/poll HTTP/1.1\r\nhost: localhost\r\n\r\n')
    const body = text.slice(text.indexOf('\r\n\r\n') + 4)
    // A fresh room's cursor has a seq of one digit. What asks to close is told so: `Keep-Alive` stands for it else.
    expect(body).toHaveLength(measured.emptyBatch - 3)
    expect(text).toContain('Keep-Alive: timeout=72\r\n')
    expect(text).toHaveLength(answerBytes(measured.emptyBatch, measured) - 3)
    expect([99, 100, 1000].map((batch) => answerBytes(batch, measured) - batch)).toEqual([196, 197, 198])
  })

  it('weigh an ack as it is written', () => {
    const ack = JSON.stringify({ id: message.id, seq: message.seq, cursor, duplicate: false })
    expect(measured.ack).toBe(ack.length)
  })

  it('has the three lengths of a frame’s head (RFC 6455, 5.2)', () => {
    expect([0, 125, 126, 65_535, 65_536].map(frameHead)).toEqual([2, 2, 4, 4, 10])
  })
})

describe('publishing', () => {
  const draft = { id: message.id, text: 'forty bytes of payload in every message!' }
  const bytes = JSON.stringify(draft).length

  it('is a POST on the three wires that only receive', () => {
    for (const wire of ['poll', 'long-poll', 'sse'] as const) {
      expect(publish(wire, bytes)).toEqual({ bytesUp: 337 + bytes, bytesDown: 201 + measured.ack, segments: 3 })
    }
  })

  it('is a masked frame up and a frame down on the WebSocket', () => {
    const frame = encodePublish(draft).length
    const ack = JSON.stringify({ type: 'ack', id: message.id, seq: message.seq, cursor, duplicate: false }).length
    expect(publish('websocket', bytes)).toEqual({ bytesUp: 2 + 4 + frame, bytesDown: 2 + ack, segments: 3 })
    expect(publish('websocket', 200).bytesUp).toBe(4 + 4 + 217)
    expect(publishIpBytes(publish('websocket', bytes))).toBe(2 + 4 + frame + 2 + ack + 3 * 52)
  })
})
