/** What a page asks and says over the lab's socket: the clock, who is here, and its race. */
import { describe, expect, test } from 'vitest'
import type { LabProblem } from '../../src/lab/events.ts'
import { eventually } from '../support/answers.ts'
import { frame, opcodes, RawWebSocket } from '../support/raw-websocket.ts'
import { member, postRaw, startServer } from '../support/server.ts'
import { Troubled } from '../support/trouble.ts'
import { TestViewer } from '../support/viewer.ts'

describe('the clock', () => {
  test('is told at once: the one of blocks, and the time of day', async () => {
    await using ann = await Troubled.start()
    const [before, day] = [performance.now(), Date.now()]
    const { sent, at, date } = await ann.viewer.hear({ type: 'clock', sent: 12.5 }, 'clock')
    expect(sent).toBe(12.5)
    expect(at).toBeGreaterThanOrEqual(before)
    expect(at).toBeLessThanOrEqual(performance.now())
    expect(date).toBeGreaterThanOrEqual(day)
  })
})

describe('who is here', () => {
  test('is told with how long we know it; the route’s own list stays as it is', async () => {
    await using ann = await Troubled.start({ websocketLeaseMs: 7_000, pollLeaseMs: 3_000 })
    await ann.socket()
    await (await ann.client()).send(ann.request('GET /rooms/r/poll')).response()
    const { list } = await ann.viewer.hear({ type: 'members', room: 'r' }, 'members')
    const seenMs = expect.any(Number) as number
    const { id, name } = ann.member
    const wires = [
      { transport: 'poll', seenMs, leaseMs: 3_000 },
      { transport: 'websocket', seenMs, leaseMs: 7_000 },
    ]
    expect(list).toEqual([{ id, name, wires: expect.arrayContaining(wires) as unknown }])
    const route = (await (await fetch(`${ann.server.url}/rooms/r/members`)).json()) as typeof list
    expect(route.map((one) => one.wires.map((wire) => Object.keys(wire)))).toEqual([wires.map(() => ['transport', 'seenMs'])])
  })

  test('is told to whom the room may be read by', async () => {
    await using ann = await Troubled.start({ authorize: (_member, room) => room !== 'secret' })
    expect(await ann.viewer.hear({ type: 'members', room: 'secret' }, 'problem')).toMatchObject({ code: 'forbidden' })
    expect(await ann.viewer.hear({ type: 'members', room: 'r' }, 'members')).toMatchObject({ list: [] })
    for (let index = 0; index < 30; index++) ann.viewer.order({ type: 'members', room: 'r' })
    expect(await ann.viewer.hear({ type: 'members', room: 'r' }, 'problem')).toMatchObject({ code: 'rate-limited' })
  })
})

describe('what is said', () => {
  test('is in the log of the session’s own race, and in no other room', async () => {
    await using ann = await Troubled.start()
    const own = `race~${ann.member.id}`
    const socket = await ann.socket(own)
    expect(await ann.viewer.hear({ type: 'say', id: 'the-first', room: own, text: 'go' }, 'said')).toMatchObject({
      id: 'the-first',
      seq: 1,
    })
    expect(await socket.json()).toMatchObject({ messages: [{ id: 'the-first', text: 'go', member: ann.member.id }] })
    expect(await ann.viewer.hear({ type: 'say', id: 'the-second', room: `${own}~long`, text: 'go' }, 'said')).toMatchObject({ seq: 1 })
    const others = ['r', 'race~', `${own}x`, 'race~m_000000000000', 'race~m_000000000000~a']
    for (const [index, room] of others.entries()) {
      const id = `refused-${index}`
      expect(await ann.viewer.hear({ type: 'say', id, room, text: 'go' }, 'problem')).toMatchObject({ id, code: 'forbidden' })
    }
    const wrong = await ann.viewer.hear({ type: 'say', id: 'empty-one', room: own, text: '' }, 'problem')
    expect(wrong).toMatchObject({ id: 'empty-one', code: 'invalid-message', type: 'problem' })
  })

  test('may be a hundred a second, whatever the members’ rate; over it the id is told to wait', async () => {
    await using ann = await Troubled.start({ publishesPerSecond: 1, publishBurst: 1 })
    const room = `race~${ann.member.id}`
    const told = (type: string) => ann.viewer.news.filter((news) => news.type === type)
    for (let index = 0; index < 400; index++) ann.viewer.order({ type: 'say', id: `message-${index}`, room, text: 'go' })
    await eventually(() => told('said').length + told('problem').length === 400, 'all are answered')
    const problems = told('problem') as LabProblem[]
    expect(told('said').length).toBeGreaterThanOrEqual(200)
    expect(problems.length).toBeGreaterThan(0)
    for (const problem of problems) {
      expect(problem).toMatchObject({ code: 'rate-limited', id: expect.stringMatching(/^message-/) as string })
      expect(problem.retryAfterMs).toBeGreaterThan(0)
    }
  })
})

test('who floods with orders of any kind is sent away for a while', async () => {
  await using ann = await Troubled.start()
  using socket = await RawWebSocket.open(ann.server.port, '/lab/events', { cookie: ann.cookie })
  for (let index = 0; index < 1_500; index++) socket.sendJson({ type: 'bytes', connection: 0, block: index })
  const { code, reason } = await socket.closing()
  expect([code, JSON.parse(reason)]).toEqual([4429, { code: 'rate-limited', retryMs: expect.any(Number) as number }])
})

test('nobody speaks in a race by a wire, not even whose race it is', async () => {
  await using server = await startServer({ lab: true })
  const { cookie, member: who } = await member(server.url)
  const answer = await postRaw(server.url, `race~${who.id}`, cookie, JSON.stringify({ text: 'in between' }))
  expect([answer.status, await answer.json()]).toMatchObject([403, { code: 'forbidden' }])
})

test('all races together have 500 messages a second, however many there are', async () => {
  await using ann = await Troubled.start()
  const others = await Promise.all(Array.from({ length: 9 }, () => member(ann.server.url)))
  const races = [ann, ...others].map(({ cookie, member: { id } }) => ({ cookie, room: `race~${id}` }))
  const viewers = await Promise.all(races.map(({ cookie }) => TestViewer.open(ann.server.port, cookie)))
  const begun = performance.now()
  for (const [race, viewer] of viewers.entries())
    for (let index = 0; index < 150; index++)
      viewer.order({ type: 'say', id: `message-${index}`, room: races[race]?.room ?? '', text: 'go' })
  const told = (type: string): number => viewers.flatMap(({ news }) => news.filter((each) => each.type === type)).length
  await eventually(() => told('said') + told('problem') === 1_500, 'all are answered')
  expect(told('said')).toBeGreaterThanOrEqual(500)
  expect(told('said')).toBeLessThanOrEqual(501 + (performance.now() - begun) / 2)
  for (const viewer of viewers) viewer[Symbol.dispose]()
})

describe('a bad order', () => {
  test('is told what is wrong with it, and the third one ends it', async () => {
    await using ann = await Troubled.start()
    using socket = await RawWebSocket.open(ann.server.port, '/lab/events', { cookie: ann.cookie })
    await socket.text()
    await socket.text()
    socket.sendJson({ type: 'stall', ms: 3_001 })
    expect(await socket.json()).toMatchObject({
      type: 'problem',
      status: 400,
      code: 'invalid-request',
      detail: expect.stringContaining('3000') as string,
    })
    // Good ones in between change nothing.
    socket.sendJson({ type: 'clock', sent: 1 })
    await socket.text()
    const twice = '{"type":"chaos","chaos":{"delayMs":1,"delayMs":2,"jitterMs":0,"readBytesPerSecond":0,"proxy":"none"}}'
    socket.send(frame(twice))
    expect(await socket.json()).toMatchObject({ type: 'problem', code: 'invalid-json' })
    socket.sendJson({ type: 'say', id: 'the-one-id', room: 'r' })
    expect(await socket.json()).toMatchObject({ type: 'problem', id: 'the-one-id', code: 'invalid-request' })
    const { code, reason } = await socket.closing()
    expect([code, JSON.parse(reason)]).toEqual([4500, { code: 'invalid-request' }])
    using binary = await RawWebSocket.open(ann.server.port, '/lab/events', { cookie: ann.cookie })
    binary.send(frame('{"type":"clock","sent":1}', { opcode: opcodes.binary }))
    expect((await binary.closing()).code).toBe(1003)
  })
})
