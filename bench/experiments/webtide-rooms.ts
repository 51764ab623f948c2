/** Webtide's CometD benchmark 2011: latency over long polling depends on messages a second, hardly on the number of clients. */
import type { Bench } from '../bench.ts'
import type { Experiment } from '../experiment.ts'
import { check } from '../relations.ts'
import { poissonSchedule } from '../statistics.ts'
import { withheldNotes } from './paper.ts'
import { counted, inTurn, label, lasting, published, record, said, sampled } from './recorded.ts'

const rooms = 40
const roomsEach = 10
const halls = [20, 80, 200] as const
const deliveriesPerSecond = 1_500
const burst = 10
const payload = 50
const warmupMs = 1_000

const nameOf = (room: number): string => `room-${room}`
const membersOf = (clients: number): number => (clients * roomsEach) / rooms

export const webtideRooms: Experiment = {
  name: 'webtide-rooms',
  question: 'Does latency grow with the number of clients, the messages delivered a second being the same?',
  source: 'Webtide, CometD 2.4 benchmark (2011)',
  published: 'long poll, median 2 to 4 ms up to 10,000 msg/s, nearly independent of the number of clients up to 50,000',
  parameters: `100 rooms, 10 for each client, 50 characters, batches of 10 → ${rooms} rooms, ${roomsEach} for each of ${halls.join(', ')} clients, ${payload} B, bursts of ${burst}, ${deliveriesPerSecond} deliveries/s`,
  async run(bench) {
    const seconds = lasting(bench, 4)
    const rounds = await inTurn(halls, async (clients) => {
      bench.say(`${clients} clients`)
      const recorded = await record(bench, `${clients} clients, ${deliveriesPerSecond} deliveries/s`, {
        groups: Array.from(
          { length: rooms },
          (_, room) => ({ lane: 'long-poll', wire: 'long-poll', room: nameOf(room), clients: membersOf(clients) }) as const,
        ),
        schedules: bursts(bench, deliveriesPerSecond / membersOf(clients), warmupMs / 1000 + seconds),
        payload,
        warmupMs,
        measureMs: seconds * 1000,
      })
      return { clients, recorded, group: recorded.lane('long-poll'), share: (recorded.round.server?.cpuMs ?? Number.NaN) / 1000 / seconds }
    })
    const [least, , most] = rounds
    const scenario = `${rooms} rooms, ${roomsEach} a client, bursts of ${burst}, ${deliveriesPerSecond} deliveries/s, ${seconds} s`
    return {
      scenario,
      findings:
        most?.recorded.timed(
          `The median delay was ${rounds.map(({ clients, group }) => `${said(group.trips.at(0.5), 1)} ms with ${clients} clients`).join(', ')} (long poll; ${scenario}, n = ${most.group.trips.count} for the last).`,
        ) ?? [],
      tables: [
        {
          title: 'Delay over long polling, at the same deliveries a second',
          columns: [
            label('clients'),
            published('median at 10,000 msg/s', 'ms'),
            sampled('median', 'ms', 2),
            sampled('p99', 'ms', 2),
            counted('deliveries', '1/s'),
            counted('messages an answer', undefined, 2),
            sampled('server CPU, share of a core', undefined, 2),
            counted('n'),
          ],
          rows: rounds.map(({ clients, recorded: { time }, group: { trips, window }, share }) => [
            `${clients} clients, ${clients * roomsEach} subscriptions`,
            '2–4',
            time(trips.at(0.5)),
            time(trips.quantile(0.99)),
            window.delivered / seconds,
            window.delivered / window.batches,
            share,
            trips.count,
          ]),
          note: `A subscription is a connection of its own here; a CometD client has one for all its rooms. ${scenario}.`,
        },
      ],
      charts: [],
      checks: [
        ...(least && most
          ? most.recorded.timed(
              check(
                `median with ${most.clients} clients, less that with ${least.clients}`,
                most.group.trips.at(0.5) - least.group.trips.at(0.5),
                { high: Math.max(8, least.group.trips.at(0.5)), unit: 'ms' },
              ),
              check(
                `median with ${most.clients} clients over that with ${least.clients}`,
                most.group.trips.at(0.5) / least.group.trips.at(0.5),
                { high: 2, asserted: false },
              ),
            )
          : []),
        ...rounds.map(({ clients, share }) =>
          check(`${clients} clients: server CPU is less than half a core`, share, { high: 0.5, asserted: false }),
        ),
      ],
      notes: [
        'A burst to more members is answered one after the other, so the medians are compared within 8 ms, and their ratio is reported only.',
        ...withheldNotes(rounds.map(({ recorded }) => recorded)),
      ],
    }
  },
}

/** Bursts at Poisson times, each to a room drawn. */
function bursts({ random }: Bench, perSecond: number, seconds: number): Record<string, Float64Array> {
  const times = Array.from({ length: rooms }, (): number[] => [])
  for (const time of poissonSchedule(perSecond / burst, seconds, random)) {
    const room = times[Math.floor(random() * rooms)]
    room?.push(...Array.from({ length: burst }, () => time))
  }
  return Object.fromEntries(times.map((list, room) => [nameOf(room), Float64Array.from(list)]))
}
