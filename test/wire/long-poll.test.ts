/** Long polling on the wire. */
import { describe, expect, test } from 'vitest'
import type { Batch } from '../../src/protocol/message.ts'
import { eventually, expectProblem, jsonHead, masked, metric } from '../support/answers.ts'
import { ask, RawClient, request } from '../support/raw-client.ts'
import { member, post, startServer, type TestServer } from '../support/server.ts'

const held = 'fourwires_connections{transport="long-poll"}'
const headOf = async (server: TestServer): Promise<string> => {
  const response = await fetch(`${server.url}/rooms/r/poll`)
  return ((await response.json()) as Batch).cursor
}
/** A request that is held, and known to be. */
async function hold(server: TestServer, query: string, version = '', headers = {}): Promise<RawClient> {
  const before = await metric(server.url, held)
  const client = await RawClient.connect(server.port)
  client.send(request(server.port, `GET /rooms/r/long-poll?${query}${version}`, headers))
  await eventually(async () => (await metric(server.url, held)) > before, 'the request is held')
  return client
}

describe('long poll on the wire', () => {
  test('without since the first batch comes at once, in an empty room too', async () => {
    await using server = await startServer()
    const answer = await ask(server.port, request(server.port, 'GET /rooms/r/long-poll'))
    expect(answer.body.toString()).toBe(`{"messages":[],"cursor":"${await headOf(server)}"}`)
    expect(masked(answer)).toBe(jsonHead(answer.body.length))
  })

  test('with since it is held until there is news, and the answer has the bytes of a poll', async () => {
    await using server = await startServer()
    const { cookie } = await member(server.url, '日本')
    const since = await headOf(server)
    const client = await hold(server, `since=${since}`)
    expect(client.unread).toHaveLength(0)
    await post(server.url, 'r', cookie, { text: '𝄞 and 👩‍👩‍👧' })
    const answer = await client.response()
    const poll = await ask(server.port, request(server.port, `GET /rooms/r/poll?since=${since}`))
    expect(answer.body.toString()).toBe(poll.body.toString())
    expect(masked(answer)).toBe(jsonHead(answer.body.length))
    client.destroy()
  })

  test('with a cursor that lags it answers at once', async () => {
    await using server = await startServer()
    const { cookie } = await member(server.url)
    const since = await headOf(server)
    const { cursor } = await post(server.url, 'r', cookie, { text: 'a' })
    const answer = await ask(server.port, request(server.port, `GET /rooms/r/long-poll?since=${since}&wait=55`))
    expect(JSON.parse(answer.body.toString())).toMatchObject({ messages: [{ seq: 1 }], cursor })
  })

  test('what was written is not received: who asks again from where it stood is answered the same again', async () => {
    await using server = await startServer()
    const { cookie } = await member(server.url)
    const since = await headOf(server)
    const client = await hold(server, `since=${since}`, '', { cookie })
    client.socket.pause()
    await post(server.url, 'r', cookie, { text: 'unheard' })
    await eventually(async () => (await metric(server.url, held)) === 0, 'the answer is written')
    client.reset()
    const again = await ask(server.port, request(server.port, `GET /rooms/r/long-poll?since=${since}&wait=1`, { cookie }))
    expect((JSON.parse(again.body.toString()) as Batch).messages.map(({ text }) => text)).toEqual(['unheard'])
  })

  test('after wait seconds an empty batch tells that nothing happened', async () => {
    await using server = await startServer()
    const since = await headOf(server)
    const begun = performance.now()
    const answer = await ask(server.port, request(server.port, `GET /rooms/r/long-poll?since=${since}&wait=1`))
    expect(performance.now() - begun).toBeGreaterThanOrEqual(999)
    expect(answer.body.toString()).toBe(`{"messages":[],"cursor":"${since}"}`)
    expect(masked(answer)).toBe(jsonHead(answer.body.length))
  })

  test('with wait=0 nothing is waited for', async () => {
    // What is waited for after all is waited for longer than this test may take.
    await using server = await startServer({ waitSeconds: 55 })
    const since = await headOf(server)
    const answer = await ask(server.port, request(server.port, `GET /rooms/r/long-poll?since=${since}&wait=0`))
    expect(answer.body.toString()).toBe(`{"messages":[],"cursor":"${since}"}`)
  })

  test('an invalid cursor is a 400', async () => {
    await using server = await startServer()
    expectProblem(await ask(server.port, request(server.port, 'GET /rooms/r/long-poll?since=1')), 'invalid-cursor')
    expectProblem(await ask(server.port, request(server.port, 'GET /rooms/r/long-poll', { 'last-event-id': '1' })), 'invalid-cursor')
  })

  test('a client of HTTP/1.0 gets the same answer without chunks', async () => {
    await using server = await startServer()
    const { cookie } = await member(server.url)
    const client = await hold(server, `since=${await headOf(server)}`, ' HTTP/1.0')
    await post(server.url, 'r', cookie, { text: 'a' })
    const answer = await client.response()
    expect(masked(answer)).toBe(jsonHead(answer.body.length, '200 OK', ['Connection: close']))
    expect(await client.rest()).toHaveLength(0)
  })

  test('who half-closes or resets while waiting is forgotten at once, and the others are served', async () => {
    await using server = await startServer()
    const { cookie } = await member(server.url)
    const since = await headOf(server)
    const stays = await hold(server, `since=${since}`)
    const [leaves, resets] = [await hold(server, `since=${since}`), await hold(server, `since=${since}`)]
    leaves.halfClose()
    resets.reset()
    await eventually(async () => (await metric(server.url, held)) === 1, 'one request is left')
    await post(server.url, 'r', cookie, { text: 'a' })
    expect(JSON.parse((await stays.response()).body.toString())).toMatchObject({ messages: [{ text: 'a' }] })
    await eventually(async () => (await metric(server.url, held)) === 0, 'none is left')
    stays.destroy()
  })

  test('two questions of one session at once are both held, and both answered with the same bytes: one member', async () => {
    await using server = await startServer()
    const { cookie, member: ann } = await member(server.url, 'Ann')
    const since = await headOf(server)
    const both = [await hold(server, `since=${since}`, '', { cookie }), await hold(server, `since=${since}`, '', { cookie })]
    expect(await metric(server.url, held)).toBe(2)
    const here = (await (await fetch(`${server.url}/rooms/r/members`)).json()) as { id: string }[]
    expect(here.map(({ id }) => id)).toEqual([ann.id])
    await post(server.url, 'r', cookie, { text: 'a' })
    const [one, other] = await Promise.all(both.map((client) => client.response()))
    expect(one?.status).toBe(200)
    expect(one?.body.toString()).toBe(other?.body.toString())
    expect((JSON.parse(String(one?.body)) as Batch).messages.map(({ text }) => text)).toEqual(['a'])
    for (const client of both) client.destroy()
  })

  test('the questions of one connection are held one after the other', async () => {
    await using server = await startServer()
    const { cookie } = await member(server.url)
    const since = await headOf(server)
    const client = await hold(server, `since=${since}`)
    client.send(request(server.port, 'GET /rooms/other/poll'))
    await post(server.url, 'r', cookie, { text: 'a' })
    expect(JSON.parse((await client.response()).body.toString())).toMatchObject({ messages: [{ text: 'a' }] })
    expect(JSON.parse((await client.response()).body.toString())).toMatchObject({ messages: [] })
    client.destroy()
  })
})
