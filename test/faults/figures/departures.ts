/** Those who go: without a word, by the thousand, again and again. Nothing of them stays. */
import { setTimeout as sleep } from 'node:timers/promises'
import { now } from '../../../bench/clock.ts'
import { slope } from '../../../bench/statistics.ts'
import { transportNames } from '../../../src/protocol/message.ts'
import { kill } from './cast.ts'
import { count, type Figure, type Line, mebibytes } from './figure.ts'
import type { Held } from '../../soak/held.ts'

/** A tenth of the contract's, and the slack of 5 s with them. */
const leases = {
  websocketLeaseMs: 3_000,
  silentMs: 3_000,
  pingMs: 1_000,
  sseLeaseMs: 6_000,
  longPollLeaseMs: 9_000,
  pollLeaseMs: 1_000,
  leaseGraceMs: 1_000,
  membersMs: 100,
  streamMs: 20_000,
  lingerMs: 200,
} as const
const longestMs = leases.longPollLeaseMs
const slackMs = 5_000
const dead = 2_000

export const ghosts: Figure = {
  name: 'ghosts',
  asks: 'Two thousand members die without a word: when the longest lease and 5 s have passed, none of them is listed.',
  how: 'half are killed (the kernel ends their connections), half are stopped (nothing ends them); leases are a tenth of the contract’s',
  limitSeconds: 90,
  async measure(cast, say) {
    const { process, port } = await cast.serve({ options: leases })
    const [killed, stopped] = [cast.crowd(), cast.crowd()]
    const perWire = dead / 2 / 4
    const joined: number[] = []
    for (const crowd of [killed, stopped])
      // Who polls once is the first to be gone.
      for (const wire of transportNames.toReversed())
        joined.push(await crowd.ask('join', { port, wire, readers: perWire, rooms: 10, members: true }))
    say(`${joined.reduce((sum, n) => sum + n, 0)} have come`)
    const most = await process.ask('members')
    kill(killed.pid, 'SIGKILL')
    kill(stopped.pid, 'SIGSTOP')
    const died = now()
    let gone: number | undefined
    while (gone === undefined && now() < died + longestMs + slackMs) {
      await sleep(100)
      if ((await process.ask('members')) === 0) gone = now() - died
    }
    const left = await process.ask('members')
    return [
      {
        what: `members listed ${(longestMs + slackMs) / 1_000} s after their death`,
        asked: `0 of ${count(dead)}`,
        measured: `${left} of ${count(joined.reduce((sum, n) => sum + n, 0))} (${count(most)} at their death; the last went after ${gone === undefined ? '–' : `${(gone / 1_000).toFixed(1)} s`})`,
        holds: left === 0 && most > dead / 2,
        smaller: 'leases are a tenth of the contract’s',
      },
    ]
  },
}

/** What is compiled and cached comes with the first; of the others the heap is looked at after each. */
const warmUp = 5_000
const rounds = 5
const perRound = 5_000

export const churn: Figure = {
  name: 'churn',
  asks: 'Of a hundred thousand who come and go at once nothing is left: no descriptor, no timer, no member, and less than 1 MB of heap.',
  how: `${rounds} rounds of ${count(perRound)} connections on four wires, each left after its first batch, half by RST; the garbage collected after each: the slope of the heap over the rounds`,
  limitSeconds: 150,
  async measure(cast, say) {
    const { process, port } = await cast.serve({ options: { lingerMs: 200 } })
    const crowd = cast.crowd()
    let failed = 0
    const round = async (readers: number): Promise<Held> => {
      for (const wire of transportNames)
        failed += await crowd.ask('churn', { port, wire, readers: readers / transportNames.length, rooms: 10 }, 32)
      return settled(() => process.ask('held'))
    }
    const before = await round(warmUp)
    const points: [number, number][] = [[0, before.heapBytes]]
    let after = before
    for (let n = 1; n <= rounds; n++) {
      after = await round(perRound)
      points.push([n * perRound, after.heapBytes])
      say(`${count(n * perRound)} have come and gone`)
    }
    const heap = slope(points).slope * 100_000
    const same = (name: keyof Held): Line => ({
      what: `${name} after all have left`,
      asked: `${before[name]}, as before`,
      measured: String(after[name]),
      holds: after[name] === before[name],
    })
    return [
      { what: 'connections that were not let in', asked: '0', measured: String(failed), holds: failed === 0 },
      {
        what: 'heap per 100,000 connections',
        asked: '< 1 MB',
        measured: `${mebibytes(heap)} (after each round: ${points.map(([, bytes]) => (bytes / 2 ** 20).toFixed(2)).join(', ')} MiB)`,
        holds: heap < 1_000_000,
        smaller: `${count(rounds * perRound)} connections, and their slope`,
      },
      ...(['connections', 'descriptors', 'timers', 'members', 'rooms'] as const).map(same),
    ]
  },
}

/** Once nobody is connected any more, and the heap stands still: what was compiled and freed late is not what is held. */
async function settled(held: () => Promise<Held>): Promise<Held> {
  let last = await held()
  for (let looks = 0; looks < 30; looks++) {
    await sleep(500)
    const next = await held()
    if (next.connections === 0 && next.timers === 0 && Math.abs(next.heapBytes - last.heapBytes) < 20_000) return next
    last = next
  }
  return last
}
