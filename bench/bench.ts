/** The bench: it runs rounds, each a fresh server, an audience and a publisher, and keeps what they counted. */
import type { Audience } from './audience.ts'
import type { LoadMethods } from './load.ts'
import type { Options } from './options.ts'
import { type Methods, type Place, type Process, start } from './processes.ts'
import type { PublisherMethods } from './publisher.ts'
import { metricsOf } from './record.ts'
import type { RelayMethods } from './relay.ts'
import type { RoundRecord } from './report/report.ts'
import { type Group, type Round, type RoundSetup, runRound } from './round.ts'
import { seededRandom, shuffled } from './statistics.ts'
import type { SubjectMethods, SubjectSetup } from './subject.ts'
import { verify } from './verify.ts'

export class Bench {
  readonly options: Options
  readonly random: () => number
  readonly signal: AbortSignal
  /** Of the experiment that runs, in the order they were run. */
  records: RoundRecord[] = []
  readonly #say: (text: string) => void
  readonly #audience: Process<Audience>
  readonly #publisher: Process<PublisherMethods>
  readonly #running = new Set<{ end(): Promise<void> }>()
  #verified = false

  /** `say` hears what is being done, a few words each time. */
  constructor(options: Options, signal: AbortSignal, say: (text: string) => void) {
    this.options = options
    this.signal = signal
    this.#say = say
    this.random = seededRandom(options.seed)
    this.#audience = start<Audience>(new URL('audience.ts', import.meta.url), 'generator')
    this.#publisher = start<PublisherMethods>(new URL('publisher.ts', import.meta.url), 'generator')
  }

  say(text: string): void {
    this.#say(text)
  }

  /** Rounds of all lanes: each round has every lane once, in random order. */
  async interleave<L extends { readonly lane: string }, T>(
    lanes: readonly L[],
    rounds: number,
    run: (lane: L, round: number) => Promise<T>,
  ): Promise<Map<L, T[]>> {
    const results = new Map<L, T[]>(lanes.map((lane) => [lane, []]))
    for (let round = 0; round < rounds; round++)
      for (const lane of shuffled(lanes, this.random)) {
        this.say(`round ${round + 1} of ${rounds}, ${lane.lane}`)
        results.get(lane)?.push(await run(lane, round))
      }
    return results
  }

  /** A fresh server; ended with `end`, or with the bench. */
  async subject(setup: SubjectSetup = {}): Promise<{ readonly process: Process<SubjectMethods>; readonly url: string }> {
    const process = this.#start<SubjectMethods>('subject.ts', 'server')
    return { process, url: await process.ask('open', setup) }
  }

  /** autocannon, in a process of its own; ended with `end`, or with the bench. */
  load(): Process<LoadMethods> {
    return this.#start<LoadMethods>('load.ts', 'generator')
  }

  /** Starts a process that ends with the bench, at the latest. */
  #start<M extends Methods>(file: string, place: Place): Process<M> {
    const process = start<M>(new URL(file, import.meta.url), place)
    this.#running.add(process)
    const end = async (): Promise<void> => {
      this.#running.delete(process)
      await process.end()
    }
    return { ...process, end }
  }

  /**
   * One round. Before the first of its kind the server is verified.
   * @throws NoNumber where a message was lost or came twice, or the counters of both ends disagree
   */
  async round(setup: RoundSetup): Promise<Round> {
    this.signal.throwIfAborted()
    await this.#verify()
    this.signal.throwIfAborted()
    const { via } = this.options
    const subject = via === undefined ? await this.subject(setup.subject) : undefined
    const relay = setup.relay && this.#start<RelayMethods>('relay.ts', 'generator')
    try {
      const cast = {
        audience: this.#audience,
        publisher: this.#publisher,
        subject: subject?.process,
        relay,
        url: subject?.url ?? via ?? '',
      }
      return await runRound({ ...cast, suffix: via === undefined ? '' : `-${Date.now().toString(36)}` }, setup, this.signal)
    } finally {
      await Promise.allSettled([this.#audience.ask('close'), this.#publisher.ask('close'), subject?.process.end(), relay?.end()])
    }
  }

  /** Once, on a server that nobody measures afterwards. */
  async #verify(): Promise<void> {
    if (this.#verified) return
    this.#verified = true
    this.say('verifying the server')
    const { via } = this.options
    if (via !== undefined) return verify(via)
    const { process, url } = await this.subject()
    try {
      await verify(url)
    } finally {
      await process.end()
    }
  }

  /** Keeps what a group of a round counted. Returns it. */
  record(scenario: string, round: number, counted: Round, group: Group): RoundRecord {
    const record: RoundRecord = {
      scenario,
      lane: group.lane,
      round,
      order: this.records.length,
      metrics: metricsOf(counted, group),
      ...(!counted.saturated && { trips: group.trips.encode() }),
    }
    this.records.push(record)
    return record
  }

  /** Ends every process. */
  async close(): Promise<void> {
    await Promise.all([this.#audience, this.#publisher, ...this.#running].map((process) => process.end()))
  }
}
