/** People with the client itself, in a process of their own: whatever they are shown is checked against what was acknowledged. */
import { now } from '../../../bench/clock.ts'
import { answer } from '../../../bench/processes.ts'
import { type Channel, connect } from '../../../src/client/node.ts'
import { parseCursor } from '../../../src/protocol/cursor.ts'
import { type TransportName, transportNames } from '../../../src/protocol/message.ts'

export interface PeopleSetup {
  readonly url: string
  readonly room: string
  readonly people: number
  readonly wires?: readonly TransportName[]
  readonly pollMs?: number
}

/** What came of all they were shown. The first four are zero where the promises hold. */
export interface Checked {
  readonly lost: number
  readonly repeated: number
  readonly reordered: number
  /** Places that were passed over, and no gap said so. */
  readonly silent: number
  readonly disagreed: number
  readonly delivered: number
  readonly gaps: number
  readonly acked: number
}

/** So many enter at a time, and how long that may take. */
const entering = 100
const enterMs = 30_000

/** What stands where: what somebody saw first, and what was acknowledged. */
const log = new Map<number, string>()
const acked = new Map<string, number>()
let unacked = 0
let hush = new AbortController()
let disagreed = 0
const people: Person[] = []

class Person {
  readonly channel: Channel
  last: number | undefined
  delivered = 0
  lost = 0
  repeated = 0
  reordered = 0
  silent = 0
  gaps = 0
  /** When it last saw a message whose text is a mark. */
  readonly marks = new Map<string, number>()
  backAt: number | undefined
  lostAt: number | undefined
  #gap = false

  constructor({ url, room, pollMs = 250 }: PeopleSetup, transport: TransportName) {
    this.channel = connect({ url, room, transport, pollMs })
    this.channel.on('gap', () => {
      this.gaps++
      this.#gap = true
    })
    this.channel.on('message', ({ seq, id, text }) => this.#see(seq, id, text))
    this.channel.on('batch', ({ cursor, messages }) => {
      if (messages.length === 0) this.last ??= parseCursor(cursor)?.seq
    })
    this.channel.on('state', ({ status }) => {
      if (status === 'live') this.backAt ??= now()
      else this.lostAt ??= now()
    })
  }

  #see(seq: number, id: string, text: string): void {
    this.delivered++
    if (this.last !== undefined && !this.#gap) {
      if (seq === this.last) this.repeated++
      else if (seq < this.last) this.reordered++
      else this.silent += seq - this.last - 1
    }
    this.#gap = false
    this.last = Math.max(seq, this.last ?? 0)
    const stands = log.get(seq)
    if (stands === undefined) log.set(seq, id)
    else if (stands !== id) disagreed++
    if (text.startsWith('mark ')) this.marks.set(text, now())
  }
}

const methods = {
  /** Enter the room, on each wire as many; resolves once all are live. */
  async enter(setup: PeopleSetup): Promise<void> {
    const { wires = transportNames } = setup
    const live = ({ channel, last }: Person): boolean => channel.state.status === 'live' && last !== undefined
    const mine: Person[] = []
    // A client that has no first batch in 5 s takes its wire for one that does not get through: they do not come all at once.
    for (let n = 0; n < setup.people; n++) {
      mine.push(new Person(setup, wires[n % wires.length] ?? 'poll'))
      if (n % entering === entering - 1) await until(() => mine.every(live), enterMs, `${mine.length} are live`)
    }
    people.push(...mine)
    await until(() => mine.every(live), enterMs, 'all are live')
  },
  /** So many say so much, one message after the other each, until they are hushed. Resolves once all they said is acknowledged. */
  async talk(talkers: number, messages: number): Promise<void> {
    hush = new AbortController()
    await Promise.all(
      people.slice(0, talkers).map(async ({ channel }, talker) => {
        for (let n = 0; n < messages && !hush.signal.aborted; n++) {
          unacked++
          const ack = await channel.send(`${talker} says ${n}: more of what there is to be said`)
          unacked--
          acked.set(ack.id, ack.seq)
        }
      }),
    )
  },
  hush(): void {
    hush.abort()
  },
  /** The first says the mark: it is the client's to bring it there, whatever is away. */
  async mark(mark: string): Promise<number> {
    const { id, seq } = await (people[0] as Person).channel.send(`mark ${mark}`)
    acked.set(id, seq)
    return now()
  },
  /** When each of them saw it, of this machine's clock; waits until all have. */
  async marked(mark: string, patienceMs: number): Promise<number[]> {
    await until(() => people.every(({ marks }) => marks.has(`mark ${mark}`)), patienceMs, `all saw ${mark}`).catch(() => {})
    return people.flatMap(({ marks }) => marks.get(`mark ${mark}`) ?? [])
  },
  /** Resolves once everybody has been shown the last that was acknowledged. */
  async settle(patienceMs: number): Promise<void> {
    const head = Math.max(0, ...acked.values())
    await until(() => people.every(({ last }) => (last ?? 0) >= head), patienceMs, `all at ${head}`)
  },
  delivered: (): number => people.reduce((sum, person) => sum + person.delivered, 0),
  checked(): Checked {
    const sum = (of: (person: Person) => number): number => people.reduce((total, person) => total + of(person), 0)
    // The log is whole where nothing of it is missing: who saw each place saw everything.
    const lost = [...acked].filter(([id, seq]) => log.get(seq) !== id).length + unacked
    const behind = sum(({ last }) => Math.max(0, Math.max(0, ...log.keys()) - (last ?? 0)))
    return {
      lost: lost + behind,
      repeated: sum((each) => each.repeated),
      reordered: sum((each) => each.reordered),
      silent: sum((each) => each.silent),
      disagreed,
      delivered: sum((each) => each.delivered),
      gaps: sum((each) => each.gaps),
      acked: acked.size,
    }
  },
  /** From now on it is written down when who is cut is back. */
  watchReturns(): void {
    for (const person of people) person.backAt = person.lostAt = undefined
  },
  /** For each of those who were cut: when they noticed, and when they were back. */
  returns: (): { lost: number[]; back: number[] } => ({
    lost: people.flatMap(({ lostAt }) => lostAt ?? []),
    back: people.flatMap(({ lostAt, backAt }) => (lostAt === undefined ? [] : (backAt ?? []))),
  }),
}
export type People = typeof methods

async function until(holds: () => boolean, patienceMs: number, what: string): Promise<void> {
  for (const patience = now() + patienceMs; !holds(); await new Promise((resolve) => setTimeout(resolve, 10)))
    if (now() > patience) throw new Error(`it never came to this: ${what}`)
}

answer(methods)
