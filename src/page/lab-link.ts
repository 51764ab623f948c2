/** The page's line to the lab: what passes on its own connections, what is done to them, and how the hall is. */
import { backoffMs } from '../client/backoff.ts'
import { Emitter } from '../client/emitter.ts'
import type { BlockBytes, ChaosNow, ClockAnswer, Hall, LabNews, LabOrder, LabProblem, MembersAnswer, Report, Said } from '../lab/events.ts'
import { noChaos } from '../lab/events.ts'

/** `absent`: this server has no lab (`--no-lab`), and is not asked again. `away`: it is tried again by itself. */
export type LinkStatus = 'closed' | 'opening' | 'open' | 'away' | 'absent'

export interface LinkEvents {
  status: [status: LinkStatus]
  report: [report: Report]
  bytes: [bytes: BlockBytes]
  chaos: [now: ChaosNow]
  clock: [clock: Clock]
  said: [said: Said]
  members: [answer: MembersAnswer]
  hall: [hall: Hall]
  problem: [problem: LabProblem]
}

/** How this page's clock (`performance.now()`) stands to the server's, from the quickest of the last answers. */
export interface Clock {
  /** Server's ms minus ours. It may be wrong by half of `roundTripMs` either way. */
  readonly offsetMs: number
  readonly roundTripMs: number
  /** The server's time of day minus ours on `performance.now()`, wrong by as much. */
  readonly dateOffsetMs: number
}

const clockEveryMs = 2_000
/** The quickest of so many answers is believed. */
const clockAnswers = 8
/** A server that gives no news of itself for so long is gone, whatever the socket says. */
const deafMs = 3 * clockEveryMs

export class LabLink {
  readonly #url: string
  readonly #events = new Emitter<LinkEvents>()
  #socket: WebSocket | undefined
  #status: LinkStatus = 'closed'
  #failures = 0
  #retry: ReturnType<typeof setTimeout> | undefined
  #ticking: ReturnType<typeof setInterval> | undefined
  #answers: Clock[] = []
  #heardAt = 0
  #chaos: ChaosNow = { type: 'chaos', chaos: noChaos, blackHoleMs: 0, stallMs: 0 }
  #hall: Hall | undefined

  /** `url` is where the page's server is: `http://localhost:3000/`. */
  constructor(url: string) {
    this.#url = new URL('lab/events', url).href.replace(/^http/, 'ws')
  }

  get status(): LinkStatus {
    return this.#status
  }
  /** What is done to our connections now, as far as was told. */
  get chaos(): ChaosNow {
    return this.#chaos
  }
  get hall(): Hall | undefined {
    return this.#hall
  }
  get clock(): Clock | undefined {
    return this.#answers.reduce<Clock | undefined>((best, each) => (best && best.roundTripMs <= each.roundTripMs ? best : each), undefined)
  }
  /** When the server was heard last, on `performance.now()`. */
  get heardAt(): number {
    return this.#heardAt
  }

  /** Calls `listener` at each event, until the returned function is called. */
  on<Name extends keyof LinkEvents>(name: Name, listener: (...args: LinkEvents[Name]) => void): () => void {
    return this.#events.on(name, listener)
  }

  /** Opens the line, or tries again at once. The session's cookie has to be there: call it when the channel has a member. */
  open(): void {
    if (this.#status === 'open' || this.#status === 'opening' || this.#status === 'absent') return
    this.#connect()
  }

  close(): void {
    this.#events.clear()
    this.#leave()
    this.#tell('closed')
  }

  /** Returns whether it went out: while the line is away, nothing does. */
  send(order: LabOrder): boolean {
    if (this.#socket?.readyState !== WebSocket.OPEN) return false
    this.#socket.send(JSON.stringify(order))
    return true
  }

  #connect(): void {
    this.#leave()
    this.#tell('opening')
    const socket = new WebSocket(this.#url)
    this.#socket = socket
    socket.onopen = () => {
      this.#failures = 0
      this.#answers = []
      this.#heardAt = performance.now()
      this.#tell('open')
      this.#ask()
      this.#ticking = setInterval(() => this.#ask(), clockEveryMs)
    }
    socket.onmessage = ({ data }) => {
      this.#heardAt = performance.now()
      this.#take(JSON.parse(String(data)) as LabNews)
    }
    socket.onclose = () => void this.#lost()
  }

  #ask(): void {
    // A hidden tab's timers are throttled: what was not asked cannot have been answered.
    if (!document.hidden && performance.now() - this.#heardAt > deafMs) return this.#connect()
    this.send({ type: 'clock', sent: performance.now() })
  }

  #take(news: LabNews): void {
    switch (news.type) {
      case 'report':
        return this.#events.emit('report', news)
      case 'bytes':
        return this.#events.emit('bytes', news)
      case 'chaos':
        this.#chaos = news
        return this.#events.emit('chaos', news)
      case 'clock':
        return this.#measure(news)
      case 'said':
        return this.#events.emit('said', news)
      case 'members':
        return this.#events.emit('members', news)
      case 'hall':
        this.#hall = news.hall
        return this.#events.emit('hall', news.hall)
      case 'problem':
        return this.#events.emit('problem', news)
    }
  }

  #measure({ sent, at, date }: ClockAnswer): void {
    const now = performance.now()
    const middle = (sent + now) / 2
    this.#answers = [...this.#answers, { offsetMs: at - middle, dateOffsetMs: date - middle, roundTripMs: now - sent }].slice(-clockAnswers)
    if (this.clock !== undefined) this.#events.emit('clock', this.clock)
  }

  async #lost(): Promise<void> {
    const was = this.#status
    this.#leave()
    this.#tell('away')
    // Of a handshake that was refused a browser tells nothing: whether there is a lab at all has to be asked.
    if (was === 'opening' && (await this.#absent())) return this.#tell('absent')
    if (this.#status === 'away') this.#retry = setTimeout(() => this.#connect(), backoffMs(this.#failures++))
  }

  async #absent(): Promise<boolean> {
    try {
      const { status } = await fetch(this.#url.replace(/^ws/, 'http').replace(/\/events$/, ''), { cache: 'no-store' })
      return status === 404
    } catch {
      return false
    }
  }

  #leave(): void {
    clearTimeout(this.#retry)
    clearInterval(this.#ticking)
    const socket = this.#socket
    this.#socket = undefined
    if (socket === undefined) return
    socket.onopen = socket.onmessage = socket.onclose = null
    socket.close()
  }

  #tell(status: LinkStatus): void {
    if (status === this.#status) return
    this.#status = status
    this.#events.emit('status', status)
  }
}
