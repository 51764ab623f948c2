/** Many at once: in one room, in rooms of their own, on all wires; and what one message costs then. */
import { setTimeout as sleep } from 'node:timers/promises'
import { now } from '../../../bench/clock.ts'
import type { Process } from '../../../bench/processes.ts'
import { transportNames } from '../../../src/protocol/message.ts'
import type { Crowd } from './crowd.ts'
import { count, duration, type Figure, mebibytes, rank, spread } from './figure.ts'
import type { Host } from './host.ts'

const many = { maxConnections: 15_000, rooms: 12_000, silentMs: 120_000, roomsPerMinute: 0 } as const

/** Stamped messages as they come to everybody, until as many came as are due or 10 s have passed. */
async function arrivals(crowd: Process<Crowd>, due: number): Promise<number[]> {
  const late: number[] = []
  for (const until = now() + 10_000; late.length < due && now() < until; await sleep(50)) late.push(...(await crowd.ask('late')))
  return late
}

const messagesTold = 10

export const fanOut: Figure = {
  name: 'fan-out',
  asks: 'Ten thousand wait in one room, on a long poll, a stream or a socket each: the last has a message within a second.',
  how: `${messagesTold} messages, one after the other, to connections from eight addresses of 127.0.0.x; from saying it to the last byte at the last of them`,
  limitSeconds: 120,
  async measure(cast, say) {
    const { process, port } = await cast.serve({ options: many })
    const crowd = cast.crowd()
    const publisher = await cast.publisher(port, 'room0')
    let joined = 0
    for (const [wire, readers] of [
      ['long-poll', 3_334],
      ['sse', 3_333],
      ['websocket', 3_333],
    ] as const) {
      joined += await crowd.ask('join', { port, wire, readers, rooms: 1 })
      say(`${count(joined)} wait`)
    }
    const lasts: number[] = []
    let missed = 0
    for (let message = 0; message < messagesTold; message++) {
      await publisher.say()
      const late = await arrivals(crowd, joined)
      missed += joined - late.length
      lasts.push(Math.max(0, ...late))
      await sleep(1_000)
    }
    const rss = await process.ask('rss')
    return [
      { what: 'waiters in one room', asked: '5,000', measured: `${count(joined)} (${mebibytes(rss)})`, holds: joined >= 5_000 },
      {
        what: 'last byte at the last of 10,000',
        asked: '< 1 s at the median',
        measured: `${spread(lasts)}, ${missed} missed`,
        holds: joined >= 10_000 && missed === 0 && rank(lasts, 0.5) < 1_000,
      },
    ]
  },
}

export const rooms: Figure = {
  name: 'rooms',
  asks: 'Ten thousand rooms with somebody in each: little memory, and all of them go once everybody has left.',
  how: 'one reader by SSE in each; 20 messages a second in one room for 10 s; the others go 5 s after their last reader (5 min by default)',
  limitSeconds: 120,
  async measure(cast, say) {
    const { process, port } = await cast.serve({ options: { ...many, emptySeconds: 5, idleSeconds: 5, lingerMs: 200 } })
    const { rssBytes: empty } = await process.ask('held')
    const crowd = cast.crowd()
    const joined = await crowd.ask('join', { port, wire: 'sse', readers: 10_000, rooms: 10_000 })
    const watched = await process.ask('rooms')
    say(`${count(watched)} rooms`)
    const { rssBytes: rss } = await process.ask('held')
    const publisher = await cast.publisher(port, 'room0')
    await publisher.steady(20, 10)
    publisher.leave()
    await crowd.ask('leave')
    const gone = await goneWithin(process, 30_000)
    const p99 = rank(publisher.answers, 0.99)
    return [
      {
        what: 'rooms at once',
        asked: '10,000 in ≤ 300 MiB',
        measured: `${count(watched)} (${count(joined)} readers, ${mebibytes(rss)}, of them ${mebibytes(empty)} with nobody)`,
        holds: watched >= 10_000 && rss < 300 * 2 ** 20,
      },
      { what: 'publish beside them', asked: 'p99 < 20 ms', measured: spread(publisher.answers), holds: p99 < 20 },
      {
        what: 'rooms kept after all have left, but the one that was spoken in',
        asked: '0',
        measured: gone === undefined ? 'some' : `0 after ${duration(gone)}`,
        holds: gone !== undefined,
      },
    ]
  },
}

async function goneWithin(process: Process<Host>, ms: number): Promise<number | undefined> {
  const begun = now()
  for (; now() < begun + ms; await sleep(100)) if ((await process.ask('kept')) <= 1) return now() - begun
  return undefined
}

export const mixed: Figure = {
  name: 'mixed',
  asks: 'Three thousand on all four wires, in ten rooms, while people speak in each: nobody is refused, and nobody misses a word.',
  how: '1,000 by long poll, SSE and WebSocket each; two messages a second in each of ten rooms for 10 s',
  limitSeconds: 90,
  async measure(cast, say) {
    const { process, port } = await cast.serve({ options: many })
    const crowd = cast.crowd()
    let joined = 0
    for (const wire of transportNames.filter((name) => name !== 'poll'))
      joined += await crowd.ask('join', { port, wire, readers: 1_000, rooms: 10 })
    say(`${count(joined)} are here`)
    const publishers = await Promise.all(Array.from({ length: 10 }, (_, n) => cast.publisher(port, `room${n}`)))
    await Promise.all(publishers.map((publisher) => publisher.steady(2, 10)))
    const due = joined * 20
    const late = await arrivals(crowd, due)
    const rss = await process.ask('rss')
    return [
      { what: 'clients on all wires', asked: '3,000', measured: `${count(joined)} (${mebibytes(rss)})`, holds: joined >= 3_000 },
      { what: 'messages that came', asked: count(due), measured: `${count(late.length)}: ${spread(late)}`, holds: late.length === due },
    ]
  },
}
