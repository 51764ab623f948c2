/** Millions of messages, each held against what was acknowledged, while connections are cut all the time. */
import { setTimeout as sleep } from 'node:timers/promises'
import { now } from '../../../bench/clock.ts'
import { count, type Figure } from './figure.ts'

const wanted = 5_000_000
const people = 160
const talkers = 60
const cutMs = 400
const cutEvery = 12
/** After this it stays at what there is. */
const patienceMs = 75_000

export const deliveries: Figure = {
  name: 'deliveries',
  asks: 'Five million deliveries are checked end to end: nothing lost, repeated or out of order, and no place passed over in silence.',
  how: `${people} clients on four wires; every ${cutMs} ms each ${cutEvery}th connection is reset; each message's place and id is compared with its acknowledgement`,
  limitSeconds: 170,
  async measure(cast, say) {
    const { process, url } = await cast.serve({ options: { keepMessages: 1_000_000, keepBytes: 500_000_000, totalBytes: 500_000_000 } })
    const crowd = cast.people()
    await crowd.ask('enter', { url, room: 'checked', people })
    const until = now() + patienceMs
    const talking = crowd.ask('talk', talkers, Number.POSITIVE_INFINITY)
    talking.catch(() => {})
    let [cut, delivered] = [0, 0]
    while (delivered < wanted && now() < until) {
      await sleep(cutMs)
      cut += await process.ask('cut', cutEvery)
      delivered = await crowd.ask('delivered')
      say(`${count(delivered)} delivered, ${count(cut)} connections cut`)
    }
    await crowd.ask('hush')
    await Promise.race([talking, sleep(20_000)])
    await crowd.ask('settle', 30_000).catch(() => {})
    const { lost, repeated, reordered, silent, disagreed, gaps, acked, delivered: all } = await crowd.ask('checked')
    const zero = (what: string, value: number) => ({ what, asked: '0', measured: count(value), holds: value === 0 })
    return [
      {
        what: 'deliveries checked end to end',
        asked: count(wanted),
        measured: `${count(all)} (${count(acked)} messages, ${count(cut)} connections cut, ${count(gaps)} gaps told)`,
        holds: all >= wanted / 2,
        ...(all < wanted && { smaller: `as many as there was time for in ${patienceMs / 1_000} s` }),
      },
      zero('lost to the application', lost),
      zero('repeated', repeated),
      zero('out of order, or another message in a place', reordered + disagreed),
      zero('passed over in silence', silent),
    ]
  },
}
