/** The audience: all subscribers of a round, in a process of their own. */
import { setTimeout as sleep } from 'node:timers/promises'
import { now, until } from './clock.ts'
import { newTally, since, type Tally } from './connection.ts'
import { answer } from './processes.ts'
import { type Busy, idle, watchSelf } from './self.ts'
import { Group, type GroupSetup, Subscriber, type Sums, type Window } from './subscriber.ts'

/** What one group has seen. */
export interface GroupCount {
  readonly lane: string
  readonly clients: number
  /** Of its room. */
  readonly messages: number
  /** Within the window, and since the first connect. */
  readonly window: Tally
  readonly total: Tally
  /** Trips of the messages that were meant for the window, encoded. */
  readonly trips: string
  /** (subscriber, message) pairs that never came, and what the first of them is. */
  readonly lost: number
  readonly example: string | undefined
  readonly sums: readonly Sums[]
  /** From losing a connection to what came first over the next one, encoded. */
  readonly returns: string
  readonly failures: readonly string[]
}

export interface AudienceCount {
  readonly groups: readonly GroupCount[]
  readonly busy: Busy
}

/** So many may be about to join at once: a server that joins thousands at once is another experiment. */
const joining = 100
const joinMs = 30_000

interface Seat {
  readonly group: Group
  readonly subscribers: readonly Subscriber[]
  before: Tally
  after: Tally
}

let seats: Seat[] = []
let busy: Busy = idle

const methods = {
  /** Joins all, beside those who are here, and resolves once each has been let in. */
  async open(setups: readonly GroupSetup[]): Promise<void> {
    for (const setup of setups) {
      const group = new Group(setup)
      const subscribers = Array.from({ length: setup.clients }, () => new Subscriber(group))
      seats.push({ group, subscribers, before: newTally(), after: newTally() })
    }
    const patience = now() + joinMs
    const all = seats.flatMap(({ subscribers }) => subscribers)
    const joined = (): number => seats.reduce((sum, { group }) => sum + group.ready, 0)
    for (let started = joined(); joined() < all.length; await sleep(2)) {
      while (started < all.length && started - joined() < joining) all[started++]?.start()
      const failure = seats.flatMap(({ group }) => group.failures)[0]
      if (failure !== undefined) throw new Error(failure)
      if (now() > patience)
        throw new Error(`${all.length - joined()} of ${all.length} subscribers were not let in within ${joinMs / 1000} s`)
    }
  },

  /** Counts what comes within the window; resolves at its end. */
  async measure(window: Window): Promise<void> {
    for (const { group } of seats) group.window = window
    await until(window.start + window.fromMs)
    const watched = watchSelf()
    for (const seat of seats) seat.before = { ...seat.group.tally }
    await until(window.start + window.toMs)
    for (const seat of seats) seat.after = { ...seat.group.tally }
    busy = watched()
  },

  /** The local ports of each group's connections, as they are now. */
  ports(): number[][] {
    return seats.map(({ subscribers }) => subscribers.flatMap(({ ports }) => ports))
  },

  /** Resolves once everybody has everything, or `patienceMs` have passed. Then nobody asks any more. */
  async settle(patienceMs: number): Promise<void> {
    const end = now() + patienceMs
    while (now() < end && !seats.every(complete)) await sleep(5)
    for (const { subscribers } of seats) for (const subscriber of subscribers) subscriber.rest()
  },

  /** All that was counted. */
  count(): AudienceCount {
    return { groups: seats.map(countOf), busy }
  },

  close(): void {
    for (const { subscribers } of seats) for (const subscriber of subscribers) subscriber.stop()
    seats = []
  },
}
export type Audience = typeof methods

/** Who reads latest values, or not at all, is waited for by nobody. */
const waitedFor = ({ latest = false, reads = true }: GroupSetup): boolean => reads && !latest

function complete({ group, subscribers }: Seat): boolean {
  const { setup, tally } = group
  return !waitedFor(setup) || tally.delivered >= setup.messages * subscribers.length
}

function countOf({ group, subscribers, before, after }: Seat): GroupCount {
  const { setup, tally, trips, returns, failures } = group
  let lost = 0
  let example: string | undefined
  subscribers.forEach(({ seen }, index) => {
    seen.forEach((times, number) => {
      if (times > 0) return
      lost++
      example ??= `message ${number} of room ${setup.room} never came to ${setup.lane} subscriber ${index}`
    })
  })
  return {
    lane: setup.lane,
    clients: setup.clients,
    messages: setup.messages,
    window: since(before, after),
    total: { ...tally },
    trips: trips.encode(),
    lost,
    example,
    sums: subscribers.map((subscriber) => subscriber.sums),
    returns: returns.encode(),
    failures,
  }
}

answer(methods)
