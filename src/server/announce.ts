/** What a hall's terminal shows: the way in for phones, what has been tried, and who has come. */
import type { Hall } from '../lab/events.ts'
import { joinAddress, qrMatrix } from '../lab/qr.ts'
import { halfBlocks } from './half-blocks.ts'
import { type Check, selfTest } from './self-test.ts'

/** Joins are told at most so often, and after so long without one what to try, in ms. */
const joinsMs = 1_000
const patienceMs = 60_000

export interface AnnounceOptions {
  /** The terminal, line by line. */
  readonly print: (line: string) => void
  readonly colours: boolean
  /** Where the server listens, as host and port. */
  readonly bound: string
  readonly port: number
  /** Where the presenter begins, with the key. */
  readonly presenter: string
  /** Where phones find the page, best first. */
  readonly addresses: readonly string[]
  readonly joinsMs?: number
  readonly patienceMs?: number
}

export class Announcer {
  readonly #options: AnnounceOptions
  #joined = 0
  #printed = -1
  #printedAt = -Infinity
  #closed = false
  #later: NodeJS.Timeout | undefined
  #patience: NodeJS.Timeout | undefined

  constructor(options: AnnounceOptions) {
    this.#options = options
  }

  /** Prints the way in and the presenter's, tries everything, and waits for phones. */
  async open(): Promise<void> {
    const { print, addresses, presenter, colours, bound } = this.#options
    const [best] = addresses
    if (best === undefined) for (const line of noNetwork(bound)) print(line)
    else for (const line of wayIn(addresses, colours)) print(line)
    print(`presenter: ${presenter}`)
    print('           (the key is in it: keep this line off the projector)')
    print('')
    if (best !== undefined) for await (const done of selfTest(best, bound)) print(lineOf(done))
    if (this.#closed) return
    this.#printJoined()
    this.#patience = setTimeout(() => this.#advise(), this.#options.patienceMs ?? patienceMs).unref()
  }

  /** The hall has changed. */
  readonly heard = ({ joined }: Hall): void => {
    this.#joined = joined
    // Not before it has begun to count.
    if (this.#printed === -1 || joined === this.#printed || this.#later !== undefined) return
    const waitMs = this.#printedAt + (this.#options.joinsMs ?? joinsMs) - performance.now()
    if (waitMs <= 0) return this.#printJoined()
    this.#later = setTimeout(() => {
      this.#later = undefined
      if (this.#joined !== this.#printed) this.#printJoined()
    }, waitMs).unref()
  }

  close(): void {
    this.#closed = true
    clearTimeout(this.#later)
    clearTimeout(this.#patience)
  }

  #printJoined(): void {
    this.#printed = this.#joined
    this.#printedAt = performance.now()
    this.#options.print(`phones joined: ${this.#joined}`)
  }

  #advise(): void {
    // Where nobody can come it was said already.
    if (this.#joined > 0 || this.#options.addresses.length === 0) return
    for (const line of nobodyCame(this.#options)) this.#options.print(line)
  }
}

function wayIn(addresses: readonly string[], colours: boolean): string[] {
  const [best = '', ...others] = addresses
  return [
    '',
    ...halfBlocks(qrMatrix(joinAddress(best, 'lobby')), colours),
    '',
    `phones:    ${best}`,
    ...others.map((address) => `       or  ${address}`),
  ]
}

const lineOf = ({ what, problem }: Check): string => (problem === undefined ? `ok      ${what}` : `FAILED  ${what}: ${problem}`)

const noNetwork = (bound: string): string[] => [
  '',
  `No phone can come: the server listens on ${bound}, and this machine has no address there that others know.`,
  'Join the Wi-Fi of the hall, or open a hotspot on this machine or a phone, leave --host away, and start again.',
]

const nobodyCame = ({ port, addresses: [best] }: AnnounceOptions): string[] => [
  `Nobody has joined yet. What to try with one phone:`,
  `  the same Wi-Fi as this machine, mobile data off${best === undefined ? '' : `, and ${best} typed by hand`};`,
  `  the firewall of this machine: let TCP port ${port} in;`,
  '  a guest Wi-Fi often keeps its clients apart (client isolation): open a hotspot on this machine or a phone, and start again.',
]
