import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Bench } from '../../bench/bench.ts'
import { dialects } from '../../bench/dialects/index.ts'
import { parseOptions } from '../../bench/options.ts'
import { nchanMissing } from '../../bench/peers/nchan.ts'
import { periodicSchedule } from '../../bench/statistics.ts'

const clients = 5
/** The first at once: who has joined must not miss it. */
const schedule = periodicSchedule(10, 1)

let bench: Bench
beforeAll(() => {
  bench = new Bench(parseOptions([]), new AbortController().signal, () => {})
})
afterAll(() => bench.close())

/** One second, all wires of a server at once. The round itself throws where the bytes of both ends differ, by one even. */
const follow = (peer: keyof typeof dialects, headers: 'minimal' | 'chromium' = 'minimal') =>
  bench.round({
    subject: { peer },
    groups: dialects[peer].wires.map((wire) => ({ lane: wire, wire, room: 'peers', clients, pollMs: 200, headers })),
    schedules: { peers: schedule },
    payload: 40,
    warmupMs: 0,
    measureMs: 1_000,
  })

async function expectAll(peer: keyof typeof dialects, headers?: 'minimal' | 'chromium'): ReturnType<typeof follow> {
  const round = await follow(peer, headers)
  expect(round.published.accepted).toBe(schedule.length)
  expect(round.groups.map(({ lane, lost, total: { delivered, repeated } }) => ({ lane, delivered, lost, repeated }))).toEqual(
    dialects[peer].wires.map((lane) => ({ lane, delivered: clients * schedule.length, lost: 0, repeated: 0 })),
  )
  return round
}

describe('a subscriber of Socket.IO', () => {
  const read = (payload: string) => dialects['socket.io'].read(Buffer.from(payload), { status: 200, text: '' })

  it('answers a ping, and is let in by nothing but the answer to its packet 40', () => {
    expect(read('2')).toMatchObject({ reply: '3', joined: false, texts: [] })
    expect(read('0{"sid":"abc"}')).toMatchObject({ reply: '40', joined: false, cursor: 'abc' })
    expect(read('40{"sid":"def"}')).toMatchObject({ joined: true, texts: [] })
    expect(read('ok')).toMatchObject({ joined: false, texts: [] })
  })

  it('reads every packet of an answer, and a ping between them', () => {
    expect(read('42["message","one"]\x1e2\x1e42["message","two"]')).toMatchObject({ texts: ['one', 'two'], reply: '3', joined: true })
  })
})

describe('a server under test brings every message once over each of its wires', () => {
  it('ours, to what a Chromium sends', async () => {
    await expectAll('fourwires', 'chromium')
  })

  it('the naive one', async () => {
    await expectAll('naive')
  })

  it('Socket.IO', async () => {
    await expectAll('socket.io')
  })

  it.skipIf(nchanMissing !== undefined)(
    `Nchan${nchanMissing === undefined ? '' : ` (${nchanMissing})`}, and its worker says what it used`,
    async () => {
      const { server } = await expectAll('nchan')
      expect(server?.cpuMs).toBeGreaterThan(0)
      expect(server?.rssBytes).toBeGreaterThan(1e6)
    },
  )
})
