/** Sick peers, and what the healthy notice of them: nothing. */
import { setTimeout as sleep } from 'node:timers/promises'
import { count, type Figure, mebibytes, rank, spread } from './figure.ts'

const half = 500
/** The kernel takes 4 MB for each who does not read: for all of them it would be most of what it has. */
const deep = 100
const deepTexts = 1_400

export const stalled: Figure = {
  name: 'stalled',
  asks: 'Five hundred readers stop reading: the process takes less than 128 MiB more, and the healthy wait less than twice as long.',
  how: `${half} healthy readers of 20 stamped messages a second for 10 s, first alone, then with ${half} who do not read: ${half - deep} in their room, ${deep} in one that is told 5.6 MB meanwhile`,
  limitSeconds: 120,
  async measure(cast, say) {
    const { process, port } = await cast.serve({ options: { keepBytes: 64_000_000, silentMs: 120_000 } })
    const [healthy, sick] = [cast.crowd(), cast.crowd()]
    const join = async (crowd: typeof sick, readers: number, prefix: string): Promise<void> => {
      for (const wire of ['sse', 'websocket'] as const) await crowd.ask('join', { port, wire, readers: readers / 2, rooms: 1, prefix })
    }
    await join(healthy, half, 'room')
    const [stamped, loud] = [await cast.publisher(port, 'room0'), await cast.publisher(port, 'deep0')]
    const busy = async (): Promise<number[]> => {
      const text = 'x'.repeat(4_000)
      const flood = (async () => {
        for (let n = 0; n < deepTexts; n++) await Promise.all([loud.say(text), sleep(10_000 / deepTexts)])
      })()
      await Promise.all([stamped.steady(20, 10), flood])
      await sleep(500)
      return healthy.ask('late')
    }
    const alone = await busy()
    const before = (await process.ask('held')).rssBytes
    await join(sick, half - deep, 'room')
    await join(sick, deep, 'deep')
    await sick.ask('stall')
    say(`${half} have stopped reading`)
    const beside = await busy()
    const more = (await process.ask('rss')) - before
    const waiting = await process.ask('waiting')
    const [p99, p99Beside] = [rank(alone, 0.99), rank(beside, 0.99)]
    return [
      {
        what: 'memory more with 500 stalled',
        asked: '< 128 MiB',
        measured: `${mebibytes(more)}; for ${waiting} of them the log is not read on`,
        holds: more < 128 * 2 ** 20 && waiting >= deep * 0.9,
        smaller: `${deep} of them leave more unread than the kernel takes, 4 MB each`,
      },
      {
        what: 'healthy readers beside them',
        asked: 'p99 < 2×',
        measured: `${spread(beside)}; alone ${spread(alone)}: ${(p99Beside / p99).toFixed(2)}×`,
        holds: p99Beside < 2 * p99 && beside.length === alone.length && alone.length === half * 200,
      },
    ]
  },
}

const slow = 2_000
const chatting = 500

export const slowHeads: Figure = {
  name: 'slow-heads',
  asks: 'Two thousand connections send a request’s head line by line and never end it: who chats notices nothing and is not refused.',
  how: `${slow} sockets, opened within 8 s, a header line a second each, each that is cut followed by another; ${chatting} readers, 20 messages a second for 15 s`,
  limitSeconds: 90,
  async measure(cast, say) {
    const { port } = await cast.serve({ options: { silentMs: 120_000 } })
    const [chat, loris] = [cast.crowd(), cast.crowd()]
    let joined = 0
    for (const wire of ['long-poll', 'sse', 'websocket', 'sse'] as const)
      joined += await chat.ask('join', { port, wire, readers: chatting / 4, rooms: 1 })
    const publisher = await cast.publisher(port, 'room0')
    await publisher.steady(20, 5)
    await sleep(500)
    const alone = await chat.ask('late')
    await loris.ask('drip', port, slow)
    say(`${(await loris.ask('dripping')).open} drip`)
    const seconds = 15
    await publisher.steady(20, seconds)
    await sleep(500)
    const late = await chat.ask('late')
    const { open, cutAt } = await loris.ask('dripping')
    const due = joined * 20 * seconds
    return [
      {
        what: 'chat beside slow heads',
        asked: 'p99 < 100 ms',
        measured: `${spread(late)}; alone ${spread(alone)}`,
        holds: rank(late, 0.99) < 100,
      },
      {
        what: 'messages that came, publishes refused',
        asked: `${count(due)}, 0`,
        measured: `${count(late.length)}, ${publisher.refused}`,
        holds: late.length === due && publisher.refused === 0,
      },
      {
        what: 'slow connections are cut',
        asked: '≤ 11 s',
        measured: `${spread(cutAt)}; ${count(open)} of their followers are open`,
        holds: cutAt.length >= slow && open >= slow * 0.9 && rank(cutAt, 1) <= 12_000,
      },
    ]
  },
}
