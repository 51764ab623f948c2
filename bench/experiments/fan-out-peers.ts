/** Other servers in the same run: the same subscribers, publisher and texts, rounds of all lanes interleaved. */
import { type TransportName, transportNames } from '../../src/protocol/message.ts'
import type { Bench } from '../bench.ts'
import type { PeerName } from '../dialects/index.ts'
import type { Findings } from '../experiment.ts'
import { nchanMissing } from '../peers/nchan.ts'
import { laneTitle } from '../report/lanes.ts'
import type { Chart, Interval, Table } from '../report/report.ts'
import { bootstrapDifference, bootstrapRatio, isShown } from '../statistics.ts'
import * as summary from '../summary.ts'
import { again, type Sample } from '../summary.ts'
import { type Lane, oneRound, ourLanes, peerLanes, roundsText, scenarioOf } from './fan-out-lanes.ts'

/** A lane of some server beside ours of the same wire. */
interface Compared {
  readonly lane: Lane
  readonly samples: readonly Sample[]
  /** Its server CPU per delivery over ours. */
  readonly ratio: Interval
  readonly shown: boolean
}

const titles: Readonly<Record<PeerName, string>> = {
  fourwires: 'Fourwires',
  lines: 'lines',
  naive: 'naive',
  'socket.io': 'Socket.IO',
  nchan: 'Nchan',
}

export async function againstPeers(bench: Bench, clients: number): Promise<Findings> {
  const { rounds } = bench.options
  const peers = bench.options.peers.filter((peer) => peer !== 'nchan' || nchanMissing === undefined)
  const lanes = [...ourLanes(clients, true), ...peers.flatMap((peer) => peerLanes(peer, clients))]
  const samples = await bench.interleave(lanes, rounds, (lane, round) => oneRound(bench, lane, round))
  const scenario = `${scenarioOf(bench, clients)}; ${roundsText(rounds)} a lane, all servers interleaved`
  const compared = compare(bench, samples)
  const busy = compared.filter(({ samples: own }) => summary.withheld(own)).map(({ lane }) => laneTitle(nameOf(lane)))
  return {
    scenario,
    findings: transportNames.flatMap((wire) => finding(wire, compared, scenario)),
    tables: [tableOf(bench, compared)],
    charts: [drawing(compared)],
    checks: [],
    notes: [
      'The same texts go to all; what is put around a text is the own choice of each: ours and naive send JSON, Socket.IO an event, Nchan the bare text.',
      ...(peers.includes('nchan')
        ? [
            'Nchan brings one message an answer: who polls it asks again at once until there is none. It is a process of C, without our byte counters: its bytes are those its clients counted.',
          ]
        : []),
      ...(bench.options.peers.includes('nchan') && nchanMissing !== undefined ? [nchanMissing] : []),
      ...(busy.length > 0 ? [`Delays are withheld where a generator was saturated: ${busy.join(', ')}.`] : []),
    ],
  }
}

/** As a report reads lanes: the wire by its own name. */
const nameOf = ({ peer, lane, wire }: Lane): string => `${titles[peer]} ${peer === 'fourwires' ? lane : wire}`

const cost = (samples: readonly Sample[]): number => summary.cpuPerThousand(samples) ?? Number.NaN

/** By wire, and ours first. */
function compare({ random }: Bench, samples: ReadonlyMap<Lane, readonly Sample[]>): Compared[] {
  const all = [...samples]
  const ours = (name: string): readonly Sample[] => all.find(([{ lane }]) => lane === name)?.[1] ?? []
  // What the same wire twice differs by, as a share: it is the floor of every wire's.
  const floor = Math.abs(cost(ours(again)) / cost(ours('websocket')) - 1)
  return transportNames.flatMap((wire) =>
    all
      .filter(([lane]) => lane.wire === wire)
      .map(([lane, own]) => {
        const base = ours(wire)
        const difference = bootstrapDifference(own, base, cost, random)
        const shown = isShown({ difference, floor: floor * cost(base), base: cost(base), rounds: own.length })
        return { lane, samples: own, ratio: bootstrapRatio(own, base, cost, random), shown }
      }),
  )
}

function finding(wire: TransportName, compared: readonly Compared[], scenario: string): string[] {
  const others = compared.filter(({ lane }) => lane.wire === wire && lane.peer !== 'fourwires')
  if (others.length === 0) return []
  const parts = others.map(({ lane, ratio: { value, low, high }, shown }) =>
    shown
      ? `${titles[lane.peer]} took ${value.toFixed(2)} times ours [${low.toFixed(2)}, ${high.toFixed(2)}]`
      : `${titles[lane.peer]}: no difference shown (ratio ${value.toFixed(2)} [${low.toFixed(2)}, ${high.toFixed(2)}])`,
  )
  return [`${laneTitle(wire)}, server CPU per delivery: ${parts.join('; ')} (95 % CI; ${scenario}).`]
}

function tableOf(bench: Bench, compared: readonly Compared[]): Table {
  return {
    title: 'Server CPU per delivery, as a ratio to Fourwires on the same wire',
    columns: [
      { name: 'server and wire' },
      { name: 'ratio', unit: '×', how: 'sampled', digits: 2 },
      { name: 'CPU per 1,000', unit: 'ms', how: 'sampled', digits: 1 },
      { name: 'delay p50', unit: 'ms', how: 'sampled', digits: 1 },
      { name: 'p99', unit: 'ms', how: 'sampled', digits: 1 },
      { name: 'bytes/msg', unit: 'B', how: 'counted' },
      { name: 'memory at the end', unit: 'MB', how: 'sampled' },
      { name: 'deliveries', how: 'counted' },
    ],
    rows: compared.map(({ lane, samples, ratio }) => [
      nameOf(lane),
      lane.lane === lane.wire ? 1 : ratio,
      summary.cpu(samples, bench.random),
      summary.delay(samples, 0.5, bench.random),
      summary.delay(samples, 0.99, bench.random),
      summary.bytesPerMessage(samples),
      summary.memory(samples),
      summary.tallyOf(samples).delivered,
    ]),
    note: 'CPU: user and system time of the server process (of Nchan: of its worker) within the window, publishing included and joining not. The second WebSocket lane of Fourwires is the A/A control. Memory: the largest RSS, garbage included. Intervals: 95 %, bootstrap over rounds.',
  }
}

const drawing = (compared: readonly Compared[]): Chart => ({
  kind: 'dots',
  title: 'Server CPU per delivery, as a ratio to Fourwires on the same wire',
  table: 0,
  unit: '×',
  dots: compared
    .filter(({ lane }) => lane.lane !== lane.wire)
    .map(({ lane, ratio }) => ({ label: nameOf(lane), lane: lane.lane, value: ratio })),
})
