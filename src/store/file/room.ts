/** One room on disk: its log, its file, and the drafts that wait to be in both. */
import type { Ack, Draft, Member } from '../../protocol/message.ts'
import { idKey, type Line, Log } from '../log.ts'
import type { FsyncPolicy, Journal } from './journal.ts'
import { spellLog, spellMessage } from './lines.ts'

/** After a compaction that failed the next is tried so much later, in ms. */
const compactAgainMs = 60_000

interface Waiting {
  readonly member: Member
  readonly draft: Draft
  readonly resolve: (ack: Ack) => void
  readonly reject: (error: unknown) => void
}

export interface KeepingOptions {
  readonly fsync: FsyncPolicy
  /** Between the begins of two batches of a room, in ms: what comes meanwhile is written and synced together. */
  readonly batchMs: number
  /** A file that is not larger is not worth writing anew. */
  readonly compactBytes: number
  /** What an operator should hear. */
  readonly told: (sentence: string) => void
}

/** Everything that touches the file is done one after the other. */
export class FileRoom {
  readonly log: Log
  readonly #journal: Journal
  readonly #options: KeepingOptions
  /** Makes a line that is on disk visible. */
  readonly #show: (line: Line) => Ack
  /** Has it a file, from which a crash would bring it back? */
  begun = false
  #waiting: Waiting[] = []
  readonly #underWay = new Map<string, Promise<unknown>>()
  #last: Promise<unknown> = Promise.resolve()
  #inLine = 0
  #committing = false
  #lastCommit = -Infinity
  #compactFrom = -Infinity

  constructor(log: Log, journal: Journal, options: KeepingOptions, show: (line: Line) => Ack) {
    this.log = log
    this.#journal = journal
    this.#options = options
    this.#show = show
  }

  /** Is something being written, or about to be? */
  get busy(): boolean {
    return this.#inLine > 0 || this.#waiting.length > 0
  }

  /** Resolves once the room has a file: a cursor into it is given to nobody before. */
  begin(): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#journal.size === undefined) await this.#rewrite()
      this.begun = true
    })
  }

  /** Resolves when the same id of the same member, on its way to the disk, is there or not; undefined where it is not on its way. */
  underWay(member: Member, draft: Draft): Promise<unknown> | undefined {
    return this.#underWay.get(idKey(member, draft))
  }

  /** Resolves once the draft is kept as the policy says, and shown. Where it rejects nobody is ever shown it by this process. */
  keep(member: Member, draft: Draft): Promise<Ack> {
    const key = idKey(member, draft)
    const kept = new Promise<Ack>((resolve, reject) => this.#waiting.push({ member, draft, resolve, reject }))
    const over = (): void => void this.#underWay.delete(key)
    this.#underWay.set(key, kept.then(over, over))
    this.#commitSoon()
    return kept
  }

  /** Another log in place of this one. */
  async clear(become: (origin: Log['floor']) => void): Promise<void> {
    await this.#inTurn(async () => {
      const empty = new Log(performance.now())
      await this.#journal.replace(spellLog(empty, Date.now()), Date.now())
      become(empty.floor)
    })
  }

  /** Writes the file anew where more of it is dead than alive. */
  async compact(): Promise<void> {
    if (!this.#worthCompacting) return
    await this.#inTurn(async () => {
      if (!this.#worthCompacting) return
      await this.#rewrite().catch((error: unknown) => {
        this.#compactFrom = performance.now() + compactAgainMs
        this.#options.told(`a room's file could not be compacted: ${String(error)}`)
      })
    })
  }

  remove(): Promise<void> {
    return this.#inTurn(() => this.#journal.remove())
  }

  /** Resolves once nothing waits any more. */
  async settled(): Promise<void> {
    while (this.busy) {
      await Promise.all(this.#underWay.values())
      await this.#last
    }
  }

  get #worthCompacting(): boolean {
    const { size } = this.#journal
    return size !== undefined && size > this.#options.compactBytes + 2 * this.log.textBytes && performance.now() >= this.#compactFrom
  }

  #commitSoon(): void {
    if (this.#committing) return
    this.#committing = true
    // The first after a pause goes at once, with all of its turn of the event loop; who comes soon after waits for company.
    const waitMs = this.#options.fsync === 'batched' ? this.#lastCommit + this.#options.batchMs - performance.now() : 0
    const commit = (): void => void this.#inTurn(() => this.#commit())
    if (waitMs > 0) setTimeout(commit, waitMs)
    else setImmediate(commit)
  }

  async #commit(): Promise<void> {
    this.#committing = false
    this.#lastCommit = performance.now()
    const batch = this.#waiting.splice(0, this.#options.fsync === 'always' ? 1 : Infinity)
    if (this.#waiting.length > 0) this.#commitSoon()
    // Numbered here, where nothing else is under way: a batch that fails leaves no hole for the next.
    const lines = batch.map(({ member, draft }, index) => this.log.compose(member, draft, index + 1))
    try {
      await this.#write(lines.map(spellMessage))
    } catch (error) {
      for (const { reject } of batch) reject(error)
      return
    }
    for (const [index, line] of lines.entries()) batch[index]?.resolve(this.#show(line))
    void this.compact()
  }

  async #write(lines: readonly string[]): Promise<void> {
    if (this.#journal.size !== undefined) return this.#journal.append(lines.join(''))
    await this.#rewrite(lines)
  }

  /** What is known is in memory: the file becomes that, and these lines. */
  #rewrite(more: readonly string[] = []): Promise<void> {
    const lastAt = more.length > 0 ? Date.now() : Date.now() - (performance.now() - this.log.lastAppend)
    return this.#journal.replace(chain(spellLog(this.log, Math.round(lastAt)), more), lastAt)
  }

  #inTurn<T>(act: () => Promise<T>): Promise<T> {
    this.#inLine++
    const done = this.#last.then(act).finally(() => this.#inLine--)
    this.#last = done.catch(() => {})
    return done
  }
}

function* chain<T>(...parts: readonly Iterable<T>[]): Generator<T> {
  for (const part of parts) yield* part
}
