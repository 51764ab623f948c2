/** What a client costs to which nothing is sent: memory, CPU, bytes. */
import { type TransportName, transportNames } from '../../src/protocol/message.ts'
import type { Bench } from '../bench.ts'
import { now, until } from '../clock.ts'
import { bytesBothWays, plus } from '../connection.ts'
import type { Experiment } from '../experiment.ts'
import { check } from '../relations.ts'
import { laneTitle } from '../report/lanes.ts'
import { type Line, slope } from '../statistics.ts'
import type { Live, RoundGroup } from '../round.ts'

/** Nothing happens for seconds on an idle wire: what happens then is made to happen so many times as often, and counted. */
const faster = 20
const heartbeatMs = 20_000 / faster
const pingMs = 10_000 / faster
/** A hold of whole seconds: 1 in place of 25. */
const holdSeconds = 1
/** Hours of the default's pace that an hour of this run is worth, inverted. */
const slower: Readonly<Record<TransportName, number>> = { poll: 1, 'long-poll': 1 / 25, sse: 1 / faster, websocket: 1 / faster }

const steps = 3
const observeMs = 1_000
/** Before memory is looked at: what was collected has to be given back. */
const restMs = 150
const kernelBytes = 4_096

interface Idle {
  readonly wire: TransportName
  readonly points: readonly (readonly [clients: number, rssBytes: number])[]
  readonly memory: Line
  /** Per client and hour. */
  readonly cpuMs: number
  readonly bytes: number
}

export const idleCost: Experiment = {
  name: 'idle-cost',
  question: 'What does a client cost to which nothing is sent?',
  parameters: `memory as the slope over three counts of clients, after a forced collection; CPU and bytes of heartbeats, pings, holds and polls, which come ${faster} times as often as by default (polls not) and are told per hour of the default`,
  obeys: ['clients', 'poll-interval'],
  async run(bench) {
    const { clients = 900, pollMs } = bench.options
    const found: Idle[] = []
    for (const wire of transportNames) {
      bench.say(wire)
      found.push(await measureWire(bench, wire, clients))
    }
    const scenario = `up to ${steps * Math.max(1, Math.round(clients / steps))} idle clients, poll ${pollMs} ms, no cookie, no header but Host, loopback`
    const kib = (bytes: number): string => (bytes / 1024).toFixed(1)
    return {
      scenario,
      findings: [
        `An idle client held ${found.map(({ wire, memory }) => `${kib(memory.slope)} KiB (${laneTitle(wire)})`).join(', ')} of the server's memory (RSS slope over ${steps} counts; ${scenario}).`,
        `An idle client moved ${found.map(({ wire, bytes }) => `${kib(bytes)} KiB (${laneTitle(wire)})`).join(', ')} an hour (computed from what was counted in a second, cycles made faster; ${scenario}).`,
      ],
      tables: [
        {
          title: 'Per idle client',
          columns: [
            { name: 'wire' },
            { name: 'memory', unit: 'KiB', how: 'sampled', digits: 1 },
            { name: 'R²', how: 'sampled', digits: 3 },
            { name: 'CPU an hour', unit: 'ms', how: 'sampled', digits: 1 },
            { name: 'bytes an hour', unit: 'B', how: 'computed' },
          ],
          rows: found.map(({ wire, memory, cpuMs, bytes }) => [wire, memory.slope / 1024, memory.r2, cpuMs, bytes]),
          note: `Memory: RSS of the server's process, without about ${kernelBytes / 1024} KiB a socket in the kernel. CPU of the server while nothing was published, the clients' questions and heartbeats included. One run: no interval.`,
        },
        {
          title: 'Memory of the server',
          columns: [{ name: 'wire' }, { name: 'clients', how: 'counted' }, { name: 'RSS', unit: 'MiB', how: 'sampled', digits: 1 }],
          rows: found.flatMap(({ wire, points }) => points.map(([count, rss]) => [wire, count, rss / 2 ** 20])),
        },
      ],
      charts: [
        {
          kind: 'lines',
          title: 'Memory against idle clients',
          table: 1,
          x: { label: 'idle clients', scale: 'linear' },
          y: { label: 'RSS', unit: 'MiB', scale: 'linear' },
          series: found.map(({ wire, points }) => ({
            name: wire,
            lane: wire,
            points: points.map(([count, rss]) => [count, rss / 2 ** 20] as const),
          })),
        },
      ],
      checks: found.map(({ wire, memory }) =>
        check(`${laneTitle(wire)}: memory grows in a line with its clients (R²)`, memory.r2, { low: 0.9, high: 1, asserted: false }),
      ),
      notes: [
        `A poller's connection is idle between two questions; with a longer interval it costs less CPU and fewer bytes, and the same memory.`,
      ],
    }
  },
}

async function measureWire(bench: Bench, wire: TransportName, clients: number): Promise<Idle> {
  const { pollMs } = bench.options
  const points: [number, number][] = []
  let cpuMs = 0
  let bytes = 0
  const step = Math.max(1, Math.round(clients / steps))
  const group = (index: number): RoundGroup => ({ lane: `${wire} ${index}`, wire, room: 'idle', clients: step, pollMs, holdSeconds })
  const hours = observeMs / 3_600_000
  await bench.round({
    subject: { options: { heartbeatMs, pingMs } },
    groups: [],
    schedules: { idle: new Float64Array() },
    payload: bench.options.payload,
    warmupMs: 0,
    measureMs: 0,
    during: async (live) => {
      for (let index = 0; index < steps; index++) {
        await live.join([group(index)])
        points.push([(index + 1) * step, await restingMemory(live)])
      }
      const [before, counted] = await Promise.all([live.subject.ask('usage'), live.count()])
      await until(now() + observeMs, bench.signal)
      const [after, recounted] = await Promise.all([live.subject.ask('usage'), live.count()])
      const total = (groups: typeof counted): number => bytesBothWays(groups.map(({ total: each }) => each).reduce(plus))
      const perHour = slower[wire] / (steps * step) / hours
      cpuMs = (after.cpuMs - before.cpuMs) * perHour
      bytes = (total(recounted) - total(counted)) * perHour
    },
  })
  return { wire, points, memory: slope(points), cpuMs, bytes }
}

/** RSS once what nobody holds was collected. */
async function restingMemory({ subject }: Live): Promise<number> {
  await subject.ask('collect')
  await until(now() + restMs)
  await subject.ask('collect')
  return (await subject.ask('usage')).rssBytes
}
