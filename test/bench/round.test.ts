/** One-second rounds of the real thing: bytes and counts are asserted, times never. */
import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Bench } from '../../bench/bench.ts'
import { bytesDown, bytesUp, plus } from '../../bench/connection.ts'
import { NoNumber } from '../../bench/experiment.ts'
import { parseOptions } from '../../bench/options.ts'
import { periodicSchedule, poissonSchedule, seededRandom } from '../../bench/statistics.ts'
import type { SubjectSetup } from '../../bench/subject.ts'
import { Trips } from '../../bench/trips.ts'
import { transportNames } from '../../src/protocol/message.ts'
import { MemoryStore } from '../../src/store/memory.ts'
import { RawClient, request } from '../support/raw-client.ts'
import { startServer, type TestServer } from '../support/server.ts'
import type { Group, Live, Round, RoundGroup } from '../../bench/round.ts'

const payload = 40
const whole = { payload, warmupMs: 100, measureMs: 1_000 } as const
const brief = { ...whole, warmupMs: 0, measureMs: 200 } as const
const never = new AbortController().signal
const silent = (): void => {}
const options = (...args: readonly string[]) => parseOptions(['--seed', '7', ...args])
const poisson = (rate: number, seed: number): Float64Array => poissonSchedule(rate, 1.1, seededRandom(seed))

/** A room of its own for each wire. */
const oneEach = (rest: Partial<RoundGroup> = {}): RoundGroup[] =>
  transportNames.map((wire) => ({ lane: wire, wire, room: wire, clients: 3, pollMs: 70, ...rest }))
const schedulesOf = (groups: readonly RoundGroup[]): Record<string, Float64Array> =>
  Object.fromEntries(groups.map(({ room }, index) => [room, poisson(20, index)]))

/** A reader of an empty room, who may wait for a minute: nobody else is waited for as long as that. */
const patient: RoundGroup = { lane: 'patient', wire: 'poll', room: 'empty', clients: 1, pollMs: 60_000 }

function groupOf({ groups }: Round, lane: string): Group {
  const found = groups.find((group) => group.lane === lane)
  if (found === undefined) throw new Error(`no group ${lane}`)
  return found
}

const failureOf = (work: Promise<unknown>): Promise<Error> =>
  work.then(
    () => {
      throw new Error('there was a number')
    },
    (error: Error) => error,
  )

/** A stranger may visit its servers, once the counting has begun. */
class VisitedBench extends Bench {
  visited = false
  readonly stranger = { up: 0, down: 0 }

  override async subject(setup?: SubjectSetup): ReturnType<Bench['subject']> {
    const made = await super.subject(setup)
    const ask: typeof made.process.ask = (method, ...args) => {
      const answer = made.process.ask(method, ...args)
      return answer.then(() => (method === 'usage' ? this.#visit(Number(new URL(made.url).port)) : undefined)).then(() => answer)
    }
    return { ...made, process: { ...made.process, ask } }
  }

  async #visit(port: number): Promise<void> {
    if (!this.visited || this.stranger.up > 0) return
    using client = await RawClient.connect(port)
    await client.send(request(port, 'GET /rooms/lobby/poll')).response()
    this.stranger.up = client.socket.bytesWritten
    this.stranger.down = client.socket.bytesRead
  }
}

let bench: VisitedBench
beforeAll(() => void (bench = new VisitedBench(options(), never, silent)))
afterAll(() => bench.close())

describe('a round', () => {
  let round: Round
  const groups = oneEach()
  const schedules = schedulesOf(groups)
  beforeAll(async () => {
    round = await bench.round({ ...whole, groups, schedules })
  })

  it.each(transportNames)('delivers every published message once to every subscriber, over %s', (wire) => {
    const { total, window, clients, lost, sums, trips, failures } = groupOf(round, wire)
    const times = schedules[wire] as Float64Array
    expect(times.length).toBeGreaterThan(10)
    expect([total.delivered, total.repeated, lost, failures]).toEqual([times.length * clients, 0, 0, []])
    // Trips are those of the messages that were meant for the window, wherever they arrived.
    const meant = times.filter((time) => time >= 100 && time < 1_100).length
    expect(trips.count).toBe(meant * clients)
    expect(sums.map(({ count }) => count)).toEqual([meant, meant, meant])
    expect(window.delivered).toBeLessThanOrEqual(total.delivered)
  })

  it('has accepted what it was to publish, and no more', () => {
    const all = Object.values(schedules).reduce((sum, { length }) => sum + length, 0)
    const { accepted, failures, answers, window } = round.published
    expect([accepted, failures, answers.count, window.requests]).toEqual([all, [], all, all])
  })

  it('has streams open once, and ask nothing in the window', () => {
    for (const wire of ['sse', 'websocket']) {
      const { window, total } = groupOf(round, wire)
      expect([total.requests, total.connects, window.requests, bytesUp(window)]).toEqual([3, 3, 0, 0])
      expect(window.batches).toBeLessThanOrEqual(window.delivered)
      expect(bytesDown(window)).toBe(window.framing + window.payload)
    }
  })

  it('keeps one connection for all questions of a subscriber', () => {
    for (const wire of ['poll', 'long-poll']) expect(groupOf(round, wire).total.connects).toBe(3)
  })

  it('has times only where no generator was saturated, and counts in any case', () => {
    const group = groupOf(round, 'sse')
    const record = bench.record('made up', 3, { ...round, saturated: false }, group)
    const { trips, ...withheld } = bench.record('made up', 4, { ...round, saturated: true }, group)
    expect(Trips.decode(record.trips ?? '').count).toBe(group.trips.count)
    expect(trips).toBeUndefined()
    expect(Object.keys(record.metrics).filter((name) => !(name in withheld.metrics))).toEqual(['p50', 'mean', 'max'])
    expect(withheld).toMatchObject({
      scenario: 'made up',
      lane: 'sse',
      round: 4,
      metrics: {
        clients: 3,
        delivered: group.total.delivered,
        expected: group.messages * 3,
        lost: 0,
        repeated: 0,
        requests: 0,
        bytesUp: 0,
        bytesDown: bytesDown(group.window),
        bytesPerMessage: bytesDown(group.window) / group.window.delivered,
      },
    })
    expect(bench.records.slice(-2).map(({ order }) => order)).toEqual([0, 1])
  })

  it('is none where the counters of both ends disagree by a byte', async () => {
    bench.visited = true
    const failure = await failureOf(
      bench.round({ ...brief, groups: [{ lane: 'sse', wire: 'sse', room: 'r', clients: 1 }], schedules: { r: poisson(20, 1) } }),
    ).finally(() => (bench.visited = false))
    expect(failure).toBeInstanceOf(NoNumber)
    const told = /^the server counted (\d+) bytes up and (\d+) down, its clients (\d+) and (\d+): no number is right$/.exec(failure.message)
    const [read = 0, written = 0, up = 0, down = 0] = told?.slice(1).map(Number) ?? []
    expect(bench.stranger.up).toBeGreaterThan(0)
    expect([read - up, written - down]).toEqual([bench.stranger.up, bench.stranger.down])
  })
})

describe('a round in which messages may be lost', () => {
  const comeBack: RoundGroup[] = [
    ...oneEach({ comeBackMs: 50 }),
    { lane: 'long-poll with a pause', wire: 'long-poll', room: 'long-poll', clients: 3, pauseMs: 100, comeBackMs: 50 },
  ]
  const latest = { wire: 'poll', latest: true, clients: 2 } as const
  const schedules: Record<string, Float64Array> = { ...schedulesOf(comeBack), few: periodicSchedule(5, 1), many: periodicSchedule(50, 1) }
  let round: Round
  beforeAll(async () => {
    round = await bench.round({
      ...whole,
      groups: [
        ...comeBack,
        { lane: 'stuck', wire: 'sse', room: 'sse', clients: 2, reads: false },
        { ...latest, lane: 'often', room: 'few', pollMs: 25 },
        { ...latest, lane: 'seldom', room: 'many', pollMs: 400 },
        patient,
      ],
      schedules,
      by: 'websocket',
      during: cutFirst(comeBack.length),
      mayLose: true,
    })
  })

  it('misses nothing over connections that were cut, where its subscribers came back', () => {
    for (const { lane } of comeBack) {
      const { total, lost, returns, clients, failures } = groupOf(round, lane)
      expect([lane, lost, total.repeated, failures]).toEqual([lane, 0, 0, []])
      expect(returns.count).toBe(clients)
      expect(total.connects).toBe(2 * clients)
    }
  })

  // The grace is a minute here, by the patient one: had they been waited for, there would be no round yet.
  it('does not wait for who has stopped reading, and tells what they missed', () => {
    const messages = schedules['sse']?.length
    expect(groupOf(round, 'stuck')).toMatchObject({ lost: 2 * (messages as number), total: { delivered: 0 }, failures: [] })
    expect(groupOf(round, 'stuck').example).toBe('message 0 of room sse never came to stuck subscriber 0')
  })

  it('has readers of latest values miss some and get others again, and waits for none of them', () => {
    const often = groupOf(round, 'often')
    expect(often.total.repeated).toBeGreaterThan(often.total.delivered)
    expect(groupOf(round, 'seldom').lost).toBeGreaterThan(0)
    for (const { total, lost, clients, lane } of [often, groupOf(round, 'seldom')]) {
      // An answer brings one message at the most, and each is told as delivered, or as repeated.
      expect(total.delivered + total.repeated).toBe(total.batches)
      expect(total.delivered + lost).toBe((lane === 'often' ? 5 : 50) * clients)
      expect(total.responses).toBe(total.batches + total.empty)
    }
  })

  it('has every message acknowledged that went up a WebSocket', () => {
    const all = Object.values(schedules).reduce((sum, { length }) => sum + length, 0)
    const { accepted, answers, failures, window } = round.published
    expect([accepted, answers.count, failures]).toEqual([all, all, []])
    expect([window.requestBody, window.empty]).toEqual([0, all])
  })
})

/** Cuts the connections of the first groups, once each of their subscribers has something; the publisher keeps its own. */
const cutFirst =
  (groups: number) =>
  async (live: Live): Promise<void> => {
    while (!(await live.count()).slice(0, groups).every(({ total, clients }) => total.delivered >= 3 * clients));
    await live.subject.ask('cut', (await live.ports()).slice(0, groups).flat())
  }

/** A server of the test's own, which sees for itself what it is asked. */
describe('a round of somebody else’s server', () => {
  /** Faults in rooms that are not there to verify it. */
  class FaultyStore extends MemoryStore {
    stutters = false
    appended = (): void => {}
    override async read(...args: Parameters<MemoryStore['read']>): ReturnType<MemoryStore['read']> {
      const batch = await super.read(...args)
      return this.stutters && !args[0].startsWith('verify') ? { ...batch, messages: batch.messages.flatMap((each) => [each, each]) } : batch
    }
    override append(...args: Parameters<MemoryStore['append']>): ReturnType<MemoryStore['append']> {
      this.appended()
      return super.append(...args)
    }
  }
  const store = new FaultyStore()
  let server: TestServer
  let via: Bench
  const asked: { readonly url: URL; readonly socket: Socket }[] = []
  const sockets = new Set<Socket>()
  beforeAll(async () => {
    server = await startServer({ store, publishesPerSecond: 0, roomsPerMinute: 0 })
    server.app.server.on('connection', (socket) => sockets.add(socket))
    // Upgrades among them, which are no requests of Node's.
    for (const event of ['request', 'upgrade'])
      server.app.server.on(event, ({ url, socket }: IncomingMessage) => asked.push({ url: new URL(url ?? '', server.url), socket }))
    via = new Bench(options('--via', server.url), never, silent)
    // It is verified first: what is asked for that is not of a round.
    await via.round({ ...brief, groups: [patient], schedules: {} })
    asked.length = 0
    sockets.clear()
  })
  afterAll(async () => {
    await via.close()
    await server.close()
  })
  /** A server that lives on has fresh rooms for each round: there is something behind their names. */
  const to = (room: string, wire: string): typeof asked =>
    asked.filter(({ url: { pathname } }) => pathname.startsWith(`/rooms/${room}-`) && pathname.endsWith(`/${wire}`))

  it('tells the questions and bytes that the server has seen, of each wire as it asks', async () => {
    const groups = oneEach()
    const { groups: counted, published } = await via.round({ ...whole, groups, schedules: schedulesOf(groups) })
    for (const { lane, total, clients } of counted) {
      const questions = to(lane, lane)
      expect(total.requests).toBe(questions.length)
      expect(questions.filter(({ url }) => !url.searchParams.has('since'))).toHaveLength(clients)
      if (lane === 'sse' || lane === 'websocket') continue
      // Each asks once to join; then a poller asks on its own, a long poller behind each answer, and the last is held still.
      expect(total.requests).toBe(total.responses + (lane === 'long-poll' ? clients : 0))
      expect(total.responses).toBe(total.batches + total.empty)
      if (lane === 'poll') expect(total.requests).toBeGreaterThan(total.batches + clients)
      else expect(total.empty).toBe(clients)
    }
    const all = counted.map(({ total }) => total).reduce(plus, published.total)
    const [read, written] = [...sockets].reduce(([up, down], { bytesRead, bytesWritten }) => [up + bytesRead, down + bytesWritten], [
      0, 0,
    ] as [number, number])
    expect([bytesUp(all), bytesDown(all)]).toEqual([read, written])
  })

  it('has no number where a connection is lost', async () => {
    store.appended = () => to('cut', 'sse').forEach(({ socket }) => socket.destroy())
    const failure = await failureOf(
      via.round({
        ...brief,
        groups: [{ lane: 'lane 5', wire: 'sse', room: 'cut', clients: 1 }],
        schedules: { other: Float64Array.of(20) },
      }),
    )
    expect(failure).toBeInstanceOf(NoNumber)
    expect(failure.message).toBe('lane 5 lost its connection')
  })

  it('has no number where a message comes more than once', async () => {
    store.stutters = true
    const failure = await failureOf(
      via.round({
        ...brief,
        groups: [{ lane: 'lane 7', wire: 'websocket', room: 'twice', clients: 1 }],
        schedules: { twice: poisson(10, 1) },
      }),
    )
    expect(failure).toBeInstanceOf(NoNumber)
    expect(failure.message).toMatch(/^\d+ messages came to lane 7 more than once$/)
  })
})

it('a round does not begin once the bench was stopped', async () => {
  const stop = new AbortController()
  const said: string[] = []
  const stopped = new Bench(options(), stop.signal, (text) => said.push(text))
  stop.abort()
  await expect(stopped.round({ ...whole, groups: [], schedules: {} })).rejects.toMatchObject({ name: 'AbortError' })
  expect(said).toEqual([])
  await stopped.close()
})
