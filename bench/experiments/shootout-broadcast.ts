/** Hashrocket's websocket-shootout: how many clients a broadcast may reach within a limit, by the slope of its delay over the clients. */
import type { Bench } from '../bench.ts'
import type { Experiment } from '../experiment.ts'
import { check } from '../relations.ts'
import { type Line, shuffled, slope } from '../statistics.ts'
import { withheldNotes } from './paper.ts'
import { computed, counted, inTurn, label, record, said, sampled } from './recorded.ts'

/** Clients of a room: the steps. */
const halls = [50, 100, 200, 400] as const
const concurrent = 4
const payload = 200
const limitMs = 250
/** So many turns before any is measured. */
const warmups = 3
/** A broadcast has this long for itself. */
const slotMs = 120
const warmupMs = warmups * halls.length * slotMs
const wires = ['websocket', 'sse', 'long-poll'] as const

const roomOf = (clients: number): string => `hall-${clients}`

export const shootoutBroadcast: Experiment = {
  name: 'shootout-broadcast',
  question: 'How many clients can a broadcast reach in time?',
  source: 'hashrocket/websocket-shootout, round 2',
  published: 'last number of clients with p95 up to 500 ms: Node ws 14,000 (median 491 ms), by four load machines',
  parameters: `1,000 clients more a step, ${concurrent} broadcasts at once, 200 B → rooms of ${halls.join(', ')} clients, each in its turn on one server for each wire; limit ${limitMs} ms`,
  async run(bench) {
    const turns = bench.options.quick ? 4 : 7
    const rounds = await inTurn(shuffled(wires, bench.random), async (wire) => {
      bench.say(wire)
      const recorded = await record(bench, `${concurrent} broadcasts at once, ${payload} B`, {
        groups: halls.map((clients) => ({ lane: `${wire}, ${clients}`, wire, room: roomOf(clients), clients })),
        schedules: slots(bench, turns),
        payload,
        warmupMs,
        measureMs: turns * halls.length * slotMs,
      })
      const steps = halls.map((clients) => ({ clients, trips: recorded.lane(`${wire}, ${clients}`).trips }))
      const medians = slope(steps.map(({ clients, trips }) => [clients, trips.at(0.5)] as const))
      const late = slope(steps.map(({ clients, trips }) => [clients, trips.at(0.95)] as const))
      return { wire, recorded, steps, medians, limit: reach(late) }
    })
    const ordered = wires.flatMap((wire) => rounds.filter((round) => round.wire === wire))
    const held = rounds.find(({ wire }) => wire === 'long-poll')?.limit
    const scenario = `${concurrent} broadcasts of ${payload} B at once, ${turns} times to each of ${halls.join(', ')} clients`
    return {
      scenario,
      findings: ordered.flatMap(({ wire, recorded, medians, limit, steps }) =>
        recorded.timed(
          `Over ${wire} the median delay of a broadcast grew by ${said((medians.slope / concurrent) * 2000, 1)} µs a client and message (R² ${said(medians.r2, 2)}; ${scenario}, n = ${steps.at(-1)?.trips.count} at ${halls.at(-1)} clients)${limit === undefined ? '' : `; by its slope p95 reaches ${limitMs} ms at some ${said(limit)} clients`}.`,
        ),
      ),
      tables: [
        {
          title: 'Delay of a broadcast over its clients',
          columns: [
            label('wire and clients'),
            sampled('median', 'ms', 2),
            sampled('p95', 'ms', 2),
            sampled('longest', 'ms', 2),
            counted('n'),
          ],
          rows: ordered.flatMap(({ wire, recorded: { time }, steps }) =>
            steps.map(({ clients, trips }) => [
              `${wire}, ${clients}`,
              time(trips.at(0.5)),
              time(trips.quantile(0.95)),
              time(trips.max),
              trips.count,
            ]),
          ),
          note: `All subscribers' trips, from when a message was meant to be sent; the original has round trips of one client. ${scenario}.`,
        },
        {
          title: 'The line through the medians',
          columns: [label('wire'), sampled('slope', 'µs/client', 2), sampled('R²', undefined, 3), computed(`clients at p95 ${limitMs} ms`)],
          rows: ordered.map(({ wire, recorded: { time }, medians, limit }) => [
            wire,
            time(medians.slope * 1000),
            time(medians.r2),
            time(limit),
          ]),
          note: 'The last column goes beyond what was measured.',
        },
      ],
      charts: [
        {
          kind: 'lines',
          title: 'Median delay over clients',
          table: 0,
          x: { label: 'clients', scale: 'linear' },
          y: { label: 'median delay', unit: 'ms', scale: 'linear' },
          series: ordered
            .filter(({ recorded }) => !recorded.round.saturated)
            .map(({ wire, steps }) => ({
              name: wire,
              lane: wire,
              points: steps.map(({ clients, trips }) => [clients, trips.at(0.5)] as const),
            })),
        },
      ],
      checks: ordered.flatMap(({ wire, recorded, medians, limit }) =>
        recorded.timed(
          check(`${wire}: median delay grows linearly in the clients, R²`, medians.r2, { low: 0.95, asserted: wire !== 'long-poll' }),
          ...(wire === 'long-poll' || limit === undefined || held === undefined
            ? []
            : [check(`${wire}: clients at the limit, over those of long polling`, limit / held, { low: 1, asserted: false })]),
        ),
      ),
      notes: [
        'Each client of long polling asks anew behind a broadcast, all at once: its growth is not that of sends alone and is reported only.',
        'The subscribers read on one core, one after the other: the slope is that of the slower of server and generator.',
        "Clients at the limit are extrapolated, for two cores do not reach the original's 14,000.",
        ...withheldNotes(rounds.map(({ recorded }) => recorded)),
      ],
    }
  },
}

/** By the line through p95, and only beyond what was measured: with so few clients a stall outweighs them. */
function reach({ slope: rise, intercept }: Line): number | undefined {
  const clients = Math.floor((limitMs - intercept) / rise)
  return clients > (halls.at(-1) ?? 0) ? clients : undefined
}

/** Rooms in turn, in another order each time. */
function slots({ random }: Bench, turns: number): Record<string, Float64Array> {
  const warming = Array.from({ length: warmups }, () => halls).flat()
  const order = [...warming, ...Array.from({ length: turns }, () => shuffled(halls, random)).flat()]
  const times = new Map<number, number[]>(halls.map((clients) => [clients, []]))
  order.forEach((clients, slot) => {
    const at = slot * slotMs
    times.get(clients)?.push(...Array.from({ length: concurrent }, () => at))
  })
  return Object.fromEntries(halls.map((clients) => [roomOf(clients), Float64Array.from(times.get(clients) ?? [])]))
}
