/** The race as a whole: four lanes, one sender beside them, one clock, and the books of what passed. */
import { type TransportName, transportNames } from '../../client/index.ts'
import { raceRoomOf, type Report } from '../../lab/events.ts'
import { drawId } from '../../protocol/draft.ts'
import { randomText } from '../../protocol/random.ts'
import type { LabLink } from '../lab-link.ts'
import type { Dials } from './dials.ts'
import { Lane } from './lane.ts'
import { RaceLedger } from './ledger.ts'
import { Pacer } from './pacer.ts'
import { type Prediction, predict } from './prediction.ts'
import { Slots } from './slots.ts'
import { type Figures, judge, type Verdict } from './verdict.ts'

/** Bytes of the message that is said: ASCII, so as many characters. */
export const textBytes = 40
/** Lanes that are not open by then are not waited for. */
const patienceMs = 5_000
/** When an answer was sent is not told: this is long enough for a message to be forgotten. */
const rememberMs = 60_000
/** A moment behind every change, beside one interval: what was on its way under the old conditions is not counted. */
const graceMs = 300
/** So many messages make a window, within these bounds. */
const windowMessages = 120
const windowBounds = { leastMs: 10_000, mostMs: 30_000 } as const
const windowPolls = 4

/** `resting`: nobody said go. `opening`: lanes are being opened. `hidden`: the browser slows the timers of a tab that nobody sees. */
export type ContestStatus = 'resting' | 'no-lab' | 'away' | 'opening' | 'paused' | 'hidden' | 'running'

export interface Standing {
  readonly figures: Figures
  /** Lanes that are on their own wire. */
  readonly running: readonly TransportName[]
  readonly verdict: Verdict
  readonly prediction: Prediction | undefined
  /** Some bytes of the window may be missing from a lane. */
  readonly exact: boolean
  readonly windowMs: number
}

export class Contest {
  readonly lanes: Readonly<Record<TransportName, Lane>>
  readonly slots = new Slots()
  readonly #url: string
  readonly #lab: LabLink
  readonly #changed: () => void
  readonly #pacer = new Pacer(() => this.#say())
  readonly #sent = new Map<string, number>()
  #dials: Dials
  #ledger: RaceLedger | undefined
  #member: string | undefined
  #room = ''
  #undo: readonly (() => void)[] = []
  #started = false
  #opened = false
  #ready = false
  #paused = false
  #told: ContestStatus = 'resting'
  #hidden = false
  #impatience: ReturnType<typeof setTimeout> | undefined
  /** From then on it counts, on `performance.now()`. */
  #from = Infinity
  /** Server's clock to `performance.now()`: the quickest report says it best. */
  #offsetMs = Infinity
  #said = 0
  #refused = 0

  constructor(url: string, lab: LabLink, dials: Dials, changed: () => void) {
    this.#url = url
    this.#lab = lab
    this.#dials = dials
    this.#changed = changed
    const sentAt = (id: string): number | undefined => this.#sent.get(id)
    const lane = (name: TransportName): Lane => new Lane(name, sentAt, () => this.#laneChanged())
    this.lanes = { poll: lane('poll'), 'long-poll': lane('long-poll'), sse: lane('sse'), websocket: lane('websocket') }
  }

  get dials(): Dials {
    return this.#dials
  }
  /** Messages that went out, and those of them that the server did not take. */
  get said(): number {
    return this.#said - this.#refused
  }
  get refused(): number {
    return this.#refused
  }
  get ledger(): RaceLedger | undefined {
    return this.#ledger
  }
  get status(): ContestStatus {
    if (this.#lab.status === 'absent') return 'no-lab'
    if (!this.#started) return 'resting'
    if (this.#lab.status === 'away') return 'away'
    if (!this.#ready || this.#lab.status !== 'open') return 'opening'
    if (this.#hidden) return 'hidden'
    return this.#paused ? 'paused' : 'running'
  }

  /** We are this member, and the line to the lab may be opened: from now on every byte is booked. Another member begins anew. */
  enter(member: string): void {
    if (member === this.#member) return
    this.leave()
    this.#member = member
    // A room of this page's own: another tab of this browser races beside it, not in it.
    this.#room = `${raceRoomOf(member)}~${randomText(6)}`
    this.#ledger = new RaceLedger(this.#room)
    this.#undo = [
      this.#lab.on('report', (report) => this.#take(report)),
      this.#lab.on('problem', ({ id }) => {
        if (id !== undefined && this.#sent.delete(id)) this.#refused++
      }),
      this.#lab.on('status', () => this.#lineChanged()),
      this.#lab.on('chaos', () => this.#restart()),
    ]
    this.#lab.open()
  }

  /** Go. */
  start(): void {
    this.#started = true
    this.#run()
  }

  leave(): void {
    this.#pacer.pace(0)
    clearTimeout(this.#impatience)
    for (const undo of this.#undo) undo()
    for (const name of transportNames) this.lanes[name].leave()
    this.#opened = this.#ready = false
    this.#offsetMs = Infinity
  }

  turn(dials: Dials): void {
    const { pollMs } = this.#dials
    this.#dials = dials
    // A channel keeps its interval: another one goes on where it was left.
    if (dials.pollMs !== pollMs && this.#opened) this.lanes.poll.open(this.#laneOptions)
    this.#restart()
    this.#run()
  }

  pause(paused: boolean): void {
    this.#paused = paused
    this.#run()
  }

  hide(hidden: boolean): void {
    this.#hidden = hidden
    this.#run()
  }

  /** How it stands at `now`, on `performance.now()`. */
  standing(now: number): Standing {
    const { rate, pollMs } = this.#dials
    const wanted = Math.max((windowMessages * 1000) / rate, windowPolls * pollMs, windowBounds.leastMs)
    const windowMs = Math.min(wanted, windowBounds.mostMs)
    const from = Math.max(this.#from, now - windowMs)
    const running = transportNames.filter((name) => this.lanes[name].status !== 'not-this-wire')
    const figures: Figures = Object.fromEntries(
      running.flatMap((name) => {
        const figure = this.lanes[name].record.since(from)
        return figure === undefined ? [] : [[name, figure]]
      }),
    )
    const doubtfulAt = this.#ledger?.doubtfulAt
    const exact = doubtfulAt === undefined || doubtfulAt + this.#offsetMs < from
    return {
      figures,
      running,
      verdict: judge(figures, running, this.#dials, exact),
      prediction: this.#predict(figures),
      exact,
      windowMs: now - from,
    }
  }

  #predict({ websocket, sse }: Figures): Prediction | undefined {
    const pushed = websocket ?? sse
    const { cursor } = this.lanes.poll
    if (this.#ledger === undefined || pushed === undefined || cursor === undefined) return undefined
    return predict(this.#dials, {
      poll: this.#ledger.weights('poll'),
      sse: this.#ledger.weights('sse'),
      pushed: { ...pushed, messages: pushed.n },
      cursor,
      roundTripMs: this.#lab.clock?.roundTripMs ?? 0,
    })
  }

  get #laneOptions() {
    return { url: this.#url, room: this.#room, pollMs: this.#dials.pollMs }
  }

  #take(report: Report): void {
    const ledger = this.#ledger
    if (ledger === undefined) return
    this.#offsetMs = Math.min(this.#offsetMs, performance.now() - report.at)
    ledger.take(report)
    this.slots.take(report)
    for (const name of transportNames) {
      const tally = ledger.lane(name)
      this.lanes[name].record.mark(report.at + this.#offsetMs, tally, tally.movedAt + this.#offsetMs)
    }
    // What was open before us is known now: from their first byte on the lanes are in the books.
    this.#run()
  }

  #lineChanged(): void {
    // Another server may be behind the line now, with another clock.
    this.#offsetMs = Infinity
    this.slots.forget()
    this.#restart()
    this.#run()
  }

  #laneChanged(): void {
    if (!this.#ready && transportNames.every((name) => this.lanes[name].status !== 'opening')) this.#getReady()
    this.#changed()
  }

  #getReady(): void {
    if (this.#ready) return
    clearTimeout(this.#impatience)
    this.#ready = true
    this.#run()
  }

  #run(): void {
    const reported = this.#offsetMs < Infinity
    if (this.#started && reported && !this.#opened) {
      this.#opened = true
      // Who is opened first is told first: drawn anew each time.
      for (const name of shuffled(transportNames)) this.lanes[name].open(this.#laneOptions)
      this.#impatience = setTimeout(() => this.#getReady(), patienceMs)
    }
    const pace = this.status === 'running' && reported ? this.#dials.rate : 0
    if (pace !== this.#pacer.perSecond) {
      this.#pacer.pace(pace)
      this.#restart()
    }
    if (this.status !== this.#told) this.#changed()
    this.#told = this.status
  }

  /** What was counted before is left out from now on. */
  #restart(): void {
    this.#from = performance.now() + this.#dials.pollMs + graceMs
  }

  #say(): void {
    const id = drawId()
    const now = performance.now()
    const text = `Message ${this.#said + 1}, the same on all four`.padEnd(textBytes, '.')
    if (!this.#lab.send({ type: 'say', id, room: this.#room, text })) return
    this.#said++
    this.#sent.set(id, now)
    for (const [oldest, at] of this.#sent) {
      if (at > now - rememberMs) break
      this.#sent.delete(oldest)
    }
  }
}

function shuffled<Item>(items: readonly Item[]): Item[] {
  return items
    .map((item) => ({ item, at: Math.random() }))
    .toSorted((one, other) => one.at - other.at)
    .map(({ item }) => item)
}
