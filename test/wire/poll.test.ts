/** Polling on the wire. */
import { describe, expect, test } from 'vitest'
import type { Batch } from '../../src/protocol/message.ts'
import { cursorSpelling, expectProblem, jsonHead, masked } from '../support/answers.ts'
import { ask, RawClient, request } from '../support/raw-client.ts'
import { member, post, startServer } from '../support/server.ts'

const read = async (port: number, query = '', headers = {}): Promise<Batch> => {
  const answer = await ask(port, request(port, `GET /rooms/r/poll${query}`, headers))
  expect(answer.status).toBe(200)
  return JSON.parse(answer.body.toString()) as Batch
}

describe('poll on the wire', () => {
  test('an empty room answers at once with a cursor', async () => {
    await using server = await startServer()
    const answer = await ask(server.port, request(server.port, 'GET /rooms/r/poll'))
    const text = answer.body.toString()
    const { cursor } = JSON.parse(text) as Batch
    expect(cursor).toMatch(cursorSpelling)
    expect(cursor).toMatch(/\.0\.AAAAAA$/)
    expect(text).toBe(`{"messages":[],"cursor":"${cursor}"}`)
    expect(masked(answer)).toBe(jsonHead(text.length))
  })

  test('a batch is the body of a 200, its content-length in bytes', async () => {
    await using server = await startServer()
    const ann = await member(server.url, 'Änn')
    const ack = await post(server.url, 'r', ann.cookie, { id: 'first-one', text: 'grüße 🚀 𝄞' })
    const answer = await ask(server.port, request(server.port, 'GET /rooms/r/poll'))
    const text = answer.body.toString()
    const at = (JSON.parse(text) as Batch).messages[0]?.at
    expect(text).toBe(
      `{"messages":[{"seq":1,"id":"first-one","member":"${ann.member.id}","author":"Änn","text":"grüße 🚀 𝄞","at":${at}}],"cursor":"${ack.cursor}"}`,
    )
    expect(Math.abs(Date.now() - Number(at))).toBeLessThan(60_000)
    expect(masked(answer)).toBe(jsonHead(Buffer.byteLength(text)))
  })

  test('the acknowledgement of a publish is a 201, that of its repeat a 200', async () => {
    await using server = await startServer()
    const { cookie } = await member(server.url)
    const publish = request(
      server.port,
      'POST /rooms/r/messages',
      { 'content-type': 'application/json', cookie },
      '{"id":"12345678","text":"hi"}',
    )
    const first = await ask(server.port, publish)
    const { cursor } = JSON.parse(first.body.toString()) as Batch
    expect(first.body.toString()).toBe(`{"id":"12345678","seq":1,"cursor":"${cursor}","duplicate":false}`)
    expect(masked(first)).toBe(jsonHead(first.body.length, '201 Created'))
    const again = await ask(server.port, publish)
    expect(again.body.toString()).toBe(`{"id":"12345678","seq":1,"cursor":"${cursor}","duplicate":true}`)
    expect(masked(again)).toBe(jsonHead(again.body.length))
  })

  test('with limit a batch ends early and says more, and the next question goes on', async () => {
    await using server = await startServer()
    const { cookie } = await member(server.url)
    for (const text of ['a', 'b', 'c']) await post(server.url, 'r', cookie, { text })
    const first = await read(server.port, '?since=earliest&limit=2&every=1000')
    expect(first.messages.map(({ seq }) => seq)).toEqual([1, 2])
    expect(first.more).toBe(true)
    const second = await read(server.port, `?since=${first.cursor}&limit=2`)
    expect(second.messages.map(({ seq }) => seq)).toEqual([3])
    expect(Object.keys(second)).toEqual(['messages', 'cursor'])
  })

  test('the header Last-Event-ID wins over since', async () => {
    await using server = await startServer()
    const { cookie } = await member(server.url)
    const ack = await post(server.url, 'r', cookie, { text: 'a' })
    expect((await read(server.port, '?since=earliest', { 'last-event-id': ack.cursor })).messages).toEqual([])
  })

  test('an invalid cursor is a 400', async () => {
    await using server = await startServer()
    for (const since of [
      'x',
      '',
      '%20',
      'abcdefghijkl.01.AAAAAA',
      'abcdefghijkl.1e3.AAAAAA',
      'abcdefghijkl.-0.AAAAAA',
      'EARLIEST',
      'abcdefghijkl.1234567890123456.AAAAAA',
      'abcdefghijkl.%D9%A1.AAAAAA',
    ]) {
      expectProblem(await ask(server.port, request(server.port, `GET /rooms/r/poll?since=${since}`)), 'invalid-cursor')
    }
  })

  test('a client of HTTP/1.0 gets the same body, and the connection ends with it', async () => {
    await using server = await startServer()
    const client = await RawClient.connect(server.port)
    const answer = await client.send('GET /rooms/r/poll HTTP/1.0\r\n\r\n').response()
    expect(masked(answer)).toBe(jsonHead(answer.body.length, '200 OK', ['Connection: close']))
    expect(await client.rest()).toHaveLength(0)
  })

  test('pipelined questions are answered in order', async () => {
    await using server = await startServer()
    const client = await RawClient.connect(server.port)
    const rooms = ['a', 'b', 'c', 'd']
    client.send(rooms.map((room) => request(server.port, `GET /rooms/${room}/poll`)).join(''))
    const epochs = []
    for (const room of rooms) {
      const { cursor } = JSON.parse((await client.response()).body.toString()) as Batch
      epochs.push(cursor)
      expect(await (await fetch(`${server.url}/rooms/${room}/poll`)).json()).toMatchObject({ cursor })
    }
    expect(new Set(epochs).size).toBe(rooms.length)
    client.destroy()
  })

  test('conditional and range headers change nothing', async () => {
    await using server = await startServer()
    for (const headers of [
      { 'if-none-match': '*' },
      { 'if-modified-since': new Date(Date.now() + 1e6).toUTCString() },
      { range: 'bytes=0-1' },
    ]) {
      expect((await read(server.port, '', headers)).messages).toEqual([])
    }
  })
})
