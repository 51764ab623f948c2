/** Who you are: a member in a signed cookie. */
import { describe, expect, test } from 'vitest'
import type { Member } from '../../src/protocol/message.ts'
import { lines, masked } from '../support/answers.ts'
import { ask, type RawResponse, request } from '../support/raw-client.ts'
import { RawWebSocket } from '../support/raw-websocket.ts'
import { member, post, startServer } from '../support/server.ts'

const json = { 'content-type': 'application/json' }
const session = (port: number, body?: object, cookie?: string): Promise<RawResponse> =>
  ask(port, request(port, 'POST /session', { ...json, ...(cookie !== undefined && { cookie }) }, JSON.stringify(body ?? {})))
const memberOf = (answer: RawResponse): Member => (JSON.parse(answer.body.toString()) as { member: Member }).member
const cookieOf = (answer: RawResponse): string => answer.header('set-cookie')?.split(';')[0] ?? ''

describe('POST /session', () => {
  test('answers 201 with the member and a cookie that scripts and other sites do not see, for 30 days', async () => {
    await using server = await startServer()
    const answer = await session(server.port, { name: 'Ann' })
    const { id } = memberOf(answer)
    expect(id).toMatch(/^m_[A-Za-z0-9_-]{12}$/)
    expect(answer.body.toString()).toBe(`{"member":{"id":"${id}","name":"Ann"}}`)
    expect(masked(answer).replace(/fourwires=[^;]+/, '<cookie>')).toBe(
      lines(
        'HTTP/1.1 201 Created',
        'set-cookie: <cookie>; Max-Age=2592000; Path=/; HttpOnly; SameSite=Strict',
        'cache-control: no-store',
        'content-type: application/json; charset=utf-8',
        `content-length: ${answer.body.length}`,
        'Date: <date>',
        'Connection: keep-alive',
        'Keep-Alive: timeout=72',
        '',
      ),
    )
  })

  test('draws a friendly name where none is given, with or without a body', async () => {
    await using server = await startServer()
    for (const answer of [await session(server.port), await ask(server.port, request(server.port, 'POST /session'))]) {
      expect(answer.status).toBe(201)
      expect(memberOf(answer).name).toMatch(/^[A-Z][a-z]+ [A-Z][a-z]+$/)
    }
  })

  test('without a cookie is somebody else each time', async () => {
    await using server = await startServer()
    const ids = await Promise.all(Array.from({ length: 20 }, async () => memberOf(await session(server.port)).id))
    expect(new Set(ids).size).toBe(20)
  })

  test('with a valid cookie keeps the member, and renames it where a name is given', async () => {
    await using server = await startServer()
    const ann = await session(server.port, { name: 'Ann' })
    const same = await session(server.port, {}, cookieOf(ann))
    expect(memberOf(same)).toEqual(memberOf(ann))
    const renamed = await session(server.port, { name: '  Ännchen 🦊 ' }, cookieOf(same))
    expect(memberOf(renamed)).toEqual({ id: memberOf(ann).id, name: 'Ännchen 🦊' })
    await post(server.url, 'r', cookieOf(renamed), { text: 'hi' })
    const poll = await ask(server.port, request(server.port, 'GET /rooms/r/poll'))
    expect(JSON.parse(poll.body.toString())).toMatchObject({ messages: [{ member: memberOf(ann).id, author: 'Ännchen 🦊' }] })
  })

  test('replaces an invalid cookie, and never calls it an error', async () => {
    await using server = await startServer()
    const cookie = cookieOf(await session(server.port, { name: 'Ann' }))
    const [name, value = ''] = cookie.split('=')
    const last = value.slice(-5)
    const forged = [
      `${name}=`,
      `${name}=x`,
      `${name}=%`,
      `${name}=${value.slice(0, -5)}${last === 'AAAAA' ? 'BBBBB' : 'AAAAA'}`,
      `${name}=m_AAAAAAAAAAAA${value.slice(14)}`,
      `${name}="${'x'.repeat(5000)}"`,
      ';;;',
      '\u00e9',
    ]
    for (const invalid of forged) {
      const answer = await session(server.port, {}, invalid)
      expect([invalid, answer.status]).toEqual([invalid, 201])
      expect(memberOf(answer).id).not.toBe('m_AAAAAAAAAAAA')
    }
  })

  test('a cookie that another secret signed is invalid', async () => {
    await using server = await startServer()
    await using other = await startServer()
    const ann = await session(server.port, { name: 'Ann' })
    expect(memberOf(await session(other.port, {}, cookieOf(ann))).id).not.toBe(memberOf(ann).id)
  })

  test('a cookie that the same secret signed is valid after a restart', async () => {
    const options = { sessionSecret: 'a secret of 32 characters at least', sessionCookie: 'room' }
    await using server = await startServer(options)
    await using other = await startServer(options)
    const ann = await session(server.port, { name: 'Ann' })
    expect(cookieOf(ann)).toMatch(/^room=/)
    expect(memberOf(await session(other.port, {}, cookieOf(ann)))).toEqual(memberOf(ann))
  })
})

test('DELETE /session takes the cookie back', async () => {
  await using server = await startServer()
  const { cookie } = await member(server.url)
  const answer = await ask(server.port, request(server.port, 'DELETE /session', { cookie }))
  expect(masked(answer)).toBe(
    lines(
      'HTTP/1.1 204 No Content',
      'set-cookie: fourwires=; Max-Age=0; Path=/; HttpOnly; SameSite=Strict',
      'cache-control: no-store',
      'Date: <date>',
      'Connection: keep-alive',
      'Keep-Alive: timeout=72',
      '',
    ),
  )
})

test('one cookie is the same member on HTTP and WebSocket', async () => {
  await using server = await startServer()
  const { cookie, member: ann } = await member(server.url, 'Ann')
  await post(server.url, 'r', cookie, { text: 'by http' })
  using socket = await RawWebSocket.open(server.port, '/rooms/r/websocket?since=earliest', { cookie })
  expect(await socket.json()).toMatchObject({ messages: [{ member: ann.id, text: 'by http' }] })
  socket.sendJson({ type: 'publish', id: 'by-websocket', text: 'by websocket' })
  const frames = [await socket.json(), await socket.json()]
  expect(frames.find(({ messages }) => messages !== undefined)).toMatchObject({ messages: [{ member: ann.id, author: 'Ann' }] })
})
