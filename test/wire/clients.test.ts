/** Clients that are not ours, on every wire: npm `eventsource`, npm `ws`, curl, a bare socket. */
import { EventSource, type FetchLike } from 'eventsource'
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import type { Batch } from '../../src/protocol/message.ts'
import { eventually } from '../support/answers.ts'
import { RawClient, request } from '../support/raw-client.ts'
import { member, post, startServer, type TestServer } from '../support/server.ts'

const run = promisify(execFile)
const textsOf = (json: string): string[] => (JSON.parse(json) as Batch).messages.map(({ text }) => text)
const pollOf = async (server: TestServer, since = 'earliest'): Promise<Batch> =>
  (await (await fetch(`${server.url}/rooms/r/poll?since=${since}`)).json()) as Batch

/** A fetch that writes down which Last-Event-ID each request came with. */
function watch(): { readonly askedWith: readonly (string | null)[]; readonly watched: FetchLike } {
  const askedWith: (string | null)[] = []
  const watched: FetchLike = (url, init) => {
    askedWith.push(new Headers(init.headers).get('last-event-id'))
    return fetch(url, init)
  }
  return { askedWith, watched }
}

describe('npm eventsource, as a browser has it', () => {
  test('resumes by Last-Event-ID after the stream has ended: nothing twice, nothing lost', async () => {
    await using server = await startServer({ streamMs: 200, retryMs: 30 })
    const { cookie } = await member(server.url)
    const { askedWith, watched } = watch()
    const source = new EventSource(`${server.url}/rooms/r/sse?since=earliest`, { fetch: watched })
    const texts: string[] = []
    let lastId = ''
    source.addEventListener('message', ({ data, lastEventId }) => {
      texts.push(...textsOf(data as string))
      lastId = lastEventId
      expect((JSON.parse(data as string) as Batch).cursor).toBe(lastEventId)
    })
    const sent: string[] = []
    for (let stream = 1; stream <= 3; stream++) {
      await eventually(() => askedWith.length >= stream, `stream ${stream} is asked for`)
      for (const text of [`at once on ${stream}`, `and 🚀 on ${stream}`]) {
        await post(server.url, 'r', cookie, { text })
        sent.push(text)
      }
      await eventually(() => texts.length >= sent.length, 'its messages arrive')
    }
    expect(texts).toEqual(sent)
    expect(askedWith[0]).toBeNull()
    expect(askedWith[1]).toMatch(/^[A-Za-z0-9_-]{12}\.\d+\./)
    expect(lastId).toBe((await pollOf(server)).cursor)
    source.close()
  })

  test('comes back to where it stood, also where nothing but heartbeats came since', async () => {
    await using server = await startServer({ heartbeatMs: 40, retryMs: 30 })
    const { cookie } = await member(server.url)
    const { cursor } = await post(server.url, 'r', cookie, { text: 'a' })
    const { askedWith, watched } = watch()
    const source = new EventSource(`${server.url}/rooms/r/sse`, { fetch: watched })
    const heard: string[][] = []
    source.addEventListener('message', ({ data }) => heard.push(textsOf(data as string)))
    await eventually(() => heard.length > 1, 'a heartbeat comes')
    expect(heard.slice(0, 2)).toEqual([['a'], []])
    server.cut()
    await eventually(() => askedWith.length > 1, 'the stream is asked for again')
    source.close()
    expect(askedWith[1]).toBe(cursor)
  })

  test('comes back by itself from a temporary refusal, which it sees as an event "problem"', async () => {
    await using server = await startServer({ maxConnections: 1 })
    const first = await RawClient.connect(server.port)
    const source = new EventSource(`${server.url}/rooms/r/sse`)
    const [problem] = (await once(source, 'problem')) as [MessageEvent<string>]
    const { code, retryAfterMs } = JSON.parse(problem.data) as { code: string; retryAfterMs: number }
    expect([code, retryAfterMs >= 1000]).toEqual(['overloaded', true])
    expect(source.readyState).not.toBe(source.CLOSED)
    first.destroy()
    const [event] = (await once(source, 'message')) as [MessageEvent<string>]
    expect(textsOf(event.data)).toEqual([])
    source.close()
  })
})

test('npm ws reads and publishes on one socket', async () => {
  await using server = await startServer()
  const { cookie } = await member(server.url, 'Ann')
  const socket = new WebSocket(`${server.url.replace('http', 'ws')}/rooms/r/websocket`, { headers: { cookie } })
  const texts: string[] = []
  const acks: unknown[] = []
  socket.on('message', (data: Buffer, isBinary) => {
    expect(isBinary).toBe(false)
    const received = JSON.parse(data.toString()) as { type?: string }
    if (received.type === 'ack') acks.push(received)
    else texts.push(...textsOf(data.toString()))
  })
  await once(socket, 'open')
  for (const text of ['a', '𝄞 🚀', 'c'])
    socket.send(JSON.stringify({ type: 'publish', id: `from-ws-${Buffer.from(text).toString('hex')}`, text }))
  await eventually(() => texts.length === 3 && acks.length === 3, 'three messages and three acks')
  expect(texts).toEqual(['a', '𝄞 🚀', 'c'])
  expect(acks).toMatchObject([{ seq: 1 }, { seq: 2 }, { seq: 3 }])
  socket.close(1000)
  const [code] = (await once(socket, 'close')) as [number]
  expect(code).toBe(1000)
})

describe('curl', () => {
  test('gets a session, publishes and polls', async () => {
    await using server = await startServer()
    const session = await run('curl', ['-sS', '-i', '-X', 'POST', `${server.url}/session`])
    const cookie = /^set-cookie: ([^;]+);/im.exec(session.stdout)?.[1] ?? ''
    const json = ['-H', 'content-type: application/json', '-d', '{"text":"from curl"}']
    const publish = await run('curl', ['-sS', '-w', ' %{http_code}', '-b', cookie, ...json, `${server.url}/rooms/r/messages`])
    expect(publish.stdout).toMatch(/"duplicate":false\} 201$/)
    const poll = await run('curl', ['-sS', '--compressed', `${server.url}/rooms/r/poll`])
    expect(textsOf(poll.stdout)).toEqual(['from curl'])
  })

  test('holds a long poll', async () => {
    await using server = await startServer()
    const { cookie } = await member(server.url)
    const { cursor } = await pollOf(server)
    const held = run('curl', ['-sS', `${server.url}/rooms/r/long-poll?since=${cursor}`])
    await eventually(
      async () => (await (await fetch(`${server.url}/metrics`)).text()).includes('connections{transport="long-poll"} 1'),
      'it is held',
    )
    await post(server.url, 'r', cookie, { text: 'news' })
    expect(textsOf((await held).stdout)).toEqual(['news'])
  })

  test.each(['--http1.1', '--http1.0'])('reads the event stream as it comes, with %s', async (version) => {
    await using server = await startServer()
    const { cookie } = await member(server.url)
    const curl = spawn('curl', ['-sS', version, '--no-buffer', `${server.url}/rooms/r/sse`], { stdio: ['ignore', 'pipe', 'inherit'] })
    let stream = ''
    curl.stdout.on('data', (data: Buffer) => (stream += data.toString()))
    await eventually(() => stream.includes('"messages":[]'), 'the first batch')
    await post(server.url, 'r', cookie, { text: 'first' })
    await eventually(() => stream.includes('"first"'), 'the message while the stream is open')
    expect(stream).toMatch(/^retry: \d+\n\nid: (\S+)\ndata: .*\n\nid: (\S+)\ndata: .*\n\n$/)
    curl.kill()
    await once(curl, 'close')
  })
})

test('a bare socket gets all that is kept in one event', async () => {
  await using server = await startServer()
  const { cookie } = await member(server.url)
  for (const text of ['a', 'b 𝄞']) await post(server.url, 'r', cookie, { text })
  const client = await RawClient.connect(server.port)
  client.send(request(server.port, 'GET /rooms/r/sse?since=earliest'))
  await client.head()
  let stream = ''
  while (!stream.includes('b 𝄞')) stream += String(await client.chunk())
  expect(textsOf(/^data: (.*)$/m.exec(stream)?.[1] ?? '')).toEqual(['a', 'b 𝄞'])
  client.destroy()
})
