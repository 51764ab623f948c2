/** SIGTERM with thousands of streams, while people speak. */
import { setTimeout as sleep } from 'node:timers/promises'
import { now } from '../../../bench/clock.ts'
import type { Batch } from '../../../src/protocol/message.ts'
import { count, duration, type Figure } from './figure.ts'

const streams = 2_000
const drainMs = 5_000
/** The hub sends away on ticks, and a busy core is late. */
const mostInQuarter = 0.27

export const drain: Figure = {
  name: 'drain',
  asks: 'SIGTERM with two thousand streams: exit 0 within 10 s, everybody sent away evenly, and every acknowledged message is there afterwards.',
  how: 'the process of the command line, the file store, 1,000 by SSE and WebSocket each, four who publish all the while; then it is started again and read',
  limitSeconds: 90,
  async measure(cast, say) {
    const data = await cast.directory()
    const args = ['--store', 'file', '--data', data, '--publishes-per-second', '0', '--max-lag-ms', '60000']
    const { child, port, exited } = await cast.main(args)
    const crowd = cast.crowd()
    let joined = 0
    for (const wire of ['sse', 'websocket'] as const) joined += await crowd.ask('join', { port, wire, readers: streams / 2, rooms: 1 })
    say(`${count(joined)} streams`)
    const publishers = await Promise.all([1, 2, 3, 4].map(() => cast.publisher(port, 'room0')))
    for (const publisher of publishers) void publisher.steady(10, 20).catch(() => {})
    await sleep(2_000)
    const begun = now()
    child.kill('SIGTERM')
    const code = await exited
    const took = now() - begun
    const away = (await crowd.ask('sentAway')).map((at) => at - begun)
    const quarters = [0, 1, 2, 3].map(
      (quarter) => away.filter((ms) => ms >= (quarter * drainMs) / 4 && ms < ((quarter + 1) * drainMs) / 4).length / joined,
    )
    const again = await cast.main(args)
    const kept = await readAll(again.url, 'room0')
    const acks = publishers.flatMap(({ acked }) => acked)
    const lost = acks.filter(({ id, seq }) => kept[seq - 1] !== id).length
    return [
      {
        what: 'SIGTERM to exit',
        asked: '≤ 10 s, exit 0',
        measured: `${duration(took)}, exit ${code}`,
        holds: took <= 10_000 && code === 0,
      },
      {
        what: 'sent away in each quarter of 5 s',
        asked: '≤ 25 %, and 2 % for the tick of 50 ms',
        measured: `${quarters.map((share) => `${(100 * share).toFixed(1)} %`).join(', ')} of ${count(joined)}`,
        holds: Math.max(...quarters) <= mostInQuarter && joined === streams,
      },
      { what: 'acknowledgements lost', asked: '0', measured: `${lost} of ${count(acks.length)}`, holds: lost === 0 && acks.length > 0 },
    ]
  },
}

/** The ids of the whole log, in its order. */
async function readAll(url: string, room: string): Promise<string[]> {
  const ids: string[] = []
  for (let since = 'earliest'; ;) {
    const batch = (await (await fetch(`${url}/rooms/${room}/poll?since=${since}`)).json()) as Batch
    ids.push(...batch.messages.map(({ id }) => id))
    since = batch.cursor
    if (batch.more !== true) return ids
  }
}
