/** What is known of the session's connections: their whole counts, and the blocks and exchanges of the last while. No DOM. */
import type { Block, ConnectionState, Report } from '../../lab/events.ts'
import { type Carried, carriedBy } from './carried.ts'
import { bytesOf, payloadOf, settledSumsOf, since, type Sums, sumOf, sumsOf } from './sums.ts'

/** A block as the picture has it. */
export interface WireBlock extends Block {
  readonly carries: Carried
  readonly bytes: number
  readonly payload: number
  /** One of those that are shown where there are too many to show. */
  readonly shown: boolean
}

/** A question and what came of it. Times are the server's, in ms. */
export interface Exchange {
  readonly exchange: number
  readonly carries: Carried
  /** When the question had been asked. */
  readonly from: number
  /** The first byte of the answer. */
  answeredAt: number | undefined
  /** When it was over: answered, or, where the answer is a stream or a socket, ended. Undefined while it is under way. */
  until: number | undefined
}

export interface WireConnection {
  readonly id: number
  state: ConnectionState
  /** Oldest first, by the time of their first byte. */
  blocks: WireBlock[]
  /** By number: the oldest first. */
  readonly exchanges: Map<number, Exchange>
  /** It was open when the line to the lab was lost, and is gone since: when, nobody told. */
  lost: boolean
}

/** Blocks are kept so long and so many: the picture shows ten seconds of them. */
const keptMs = 30_000
const keptBlocks = 4_000
/** And so many exchanges of a connection. */
const keptExchanges = 1_000
/** More closed connections are one sum. */
const keptClosed = 50
/** Of more events a second only some are drawn. */
export const eventsDrawnPerSecond = 200
const secondMs = 1_000
const observedMs = 2_000

export class WireModel {
  readonly #connections = new Map<number, WireConnection>()
  /** What each had carried when counting began anew. */
  readonly #bases = new Map<number, Sums>()
  /** Those that are not kept any more. */
  #gone: Sums = sumOf([])
  #whole = true
  #recent: { readonly at: number; readonly events: number }[] = []
  #told = 0
  /** Events that were counted and not told, so far. */
  skipped = 0
  /** The server's clock at the last report. */
  at = 0
  /** When the last byte of the newest block passed. */
  newest: number | undefined
  #observed: { readonly at: number; readonly bytes: number }[] = []
  #before: Sums = sumOf([])
  /** The first report, on the server's clock. */
  #watchedFrom: number | undefined

  /** By age, the oldest first. */
  get connections(): WireConnection[] {
    return [...this.#connections.values()]
  }

  /** The line was opened again: the next report tells of every open connection, and of no other. */
  reopened(): void {
    this.#whole = true
  }

  take(report: Report): void {
    if (this.#whole) this.#compare(report)
    this.at = report.at
    this.#observed.push({ at: report.at, bytes: report.observer.up + report.observer.down })
    while ((this.#observed[1]?.at ?? Infinity) <= report.at - observedMs) this.#observed.shift()
    this.skipped += report.skipped
    this.#recent = this.#recent.filter(({ at }) => at > report.at - secondMs)
    this.#recent.push({ at: report.at, events: report.blocks.length + report.skipped })
    this.#watchedFrom ??= report.at
    for (const state of report.connections) this.#know(state)
    const { oneOf } = this
    for (const block of report.blocks) this.#add(block, oneOf)
    for (const { connection } of report.connections) this.#settle(connection, report.at)
    this.#prune()
  }

  /** Requests, connections and bytes since counting began. */
  get totals(): Sums {
    return sumOf([this.#gone, ...this.connections.map((each) => since(sumsOf(each.state), this.#bases.get(each.id)))])
  }

  /** What of them had passed before the first report came: the page's own files, the session, the first answer of the room. */
  get before(): Sums {
    return this.#before
  }

  get open(): number {
    return this.connections.filter(({ state }) => state.closedAt === undefined).length
  }

  /** Counts from now on. */
  reset(): void {
    this.#gone = this.#before = sumOf([])
    this.skipped = 0
    for (const { id, state } of this.connections) {
      if (state.closedAt === undefined) this.#bases.set(id, settledSumsOf(state))
      else this.#forget(id)
    }
  }

  /** Events in the last second, those included that were not told. */
  get eventsPerSecond(): number {
    return this.#recent.reduce((sum, { events }) => sum + events, 0)
  }
  /** What watching costs, over the last two seconds. */
  get observerBytesPerSecond(): number {
    const [first] = this.#observed
    const last = this.#observed.at(-1)
    if (first === undefined || last === undefined || last.at <= first.at) return 0
    return (Math.max(0, last.bytes - first.bytes) * secondMs) / (last.at - first.at)
  }

  /** One of so many is shown. */
  get oneOf(): number {
    return Math.max(1, Math.ceil(this.eventsPerSecond / eventsDrawnPerSecond))
  }

  /** Another life of the server begins at nothing; of ours, those are gone that it does not name. */
  #compare({ at, connections }: Report): void {
    this.#whole = false
    const named = new Map(connections.map((state) => [state.connection, state]))
    const another = this.connections.some(({ id, state }) => (named.get(id)?.openedAt ?? state.openedAt) !== state.openedAt)
    if (at < this.at || another) return this.#clear()
    for (const each of this.connections) {
      if (each.state.closedAt !== undefined || named.has(each.id)) continue
      each.lost = true
      each.state = { ...each.state, closedAt: this.at }
      this.#end(each, this.at)
    }
  }

  #clear(): void {
    this.#connections.clear()
    this.#bases.clear()
    this.#gone = this.#before = sumOf([])
    this.#watchedFrom = undefined
    this.#recent = []
    this.#observed = []
    this.newest = undefined
  }

  #know(state: ConnectionState): void {
    if (state.hidden) return this.#forget(state.connection)
    const known = this.#connections.get(state.connection)
    const each = known ?? { id: state.connection, state, blocks: [], exchanges: new Map(), lost: false }
    if (known === undefined) {
      this.#connections.set(state.connection, each)
      // Open before anybody looked, and told of only now that it is known whose it is: what it carried is no part of the talk.
      if (state.openedAt <= (this.#watchedFrom ?? 0)) this.#before = sumOf([this.#before, settledSumsOf(state)])
    }
    each.state = state
    const { underWay } = state
    if (underWay !== undefined && !each.exchanges.has(underWay.exchange)) this.#ask(each, underWay)
    if (state.closedAt !== undefined) this.#end(each, state.closedAt)
  }

  #add(block: Block, oneOf: number): void {
    const each = this.#connections.get(block.connection)
    if (each === undefined) return
    if (block.direction === 'up' && block.what !== 'frame') this.#ask(each, { ...block, at: block.until })
    if (block.direction === 'down') this.#answer(each, block)
    const carries = each.exchanges.get(block.exchange)?.carries ?? carriedBy(block)
    const place = this.#told++
    // Each time another one of the group: questions and answers alternate, and both are to be seen.
    const shown = place % oneOf === Math.floor(place / oneOf) % oneOf
    each.blocks.push({ ...block, carries, bytes: bytesOf(block.pieces), payload: payloadOf(block.pieces), shown })
    this.newest = Math.max(this.newest ?? 0, block.until)
  }

  #ask(each: WireConnection, { exchange, detail, at }: { readonly exchange: number; readonly detail: string; readonly at: number }): void {
    // Where it was told of as under way first, its block tells the time more closely.
    const known = each.exchanges.get(exchange)
    each.exchanges.set(exchange, {
      exchange,
      carries: known?.carries ?? carriedBy({ detail }),
      from: at,
      answeredAt: known?.answeredAt,
      until: known?.until,
    })
  }

  #answer(each: WireConnection, block: Block): void {
    const asked = each.exchanges.get(block.exchange)
    if (asked === undefined) return
    asked.answeredAt ??= block.at
    if (block.what === 'response' && !goesOn(asked.carries, block)) asked.until = block.at
    // The last chunk has no size, and no data.
    if (block.what === 'event' && block.pieces.every(([kind]) => kind === 'chunk')) asked.until = block.until
  }

  /** What is not under way is over, also where the block that ended it was one too many to be told. */
  #settle(id: number, at: number): void {
    const each = this.#connections.get(id)
    for (const exchange of each?.exchanges.values() ?? []) {
      if (exchange.exchange !== each?.state.underWay?.exchange) exchange.until ??= exchange.answeredAt ?? at
    }
  }

  #end(each: WireConnection, at: number): void {
    for (const exchange of each.exchanges.values()) exchange.until ??= at
  }

  /** What it has carried still counts. */
  #forget(id: number): void {
    this.#connections.delete(id)
    this.#bases.delete(id)
  }

  #prune(): void {
    const oldest = this.at - keptMs
    let blocks = 0
    for (const each of this.connections.toReversed()) {
      blocks += each.blocks.length
      const from = each.blocks.findIndex(({ until }) => until > oldest)
      if (from !== 0) each.blocks = from === -1 ? [] : each.blocks.slice(from)
      if (blocks > keptBlocks) each.blocks = each.blocks.slice(blocks - keptBlocks)
      for (const { exchange, until } of each.exchanges.values()) {
        const over = until !== undefined && (until <= oldest || each.exchanges.size > keptExchanges)
        if (over) each.exchanges.delete(exchange)
        else break
      }
    }
    const closed = this.connections.filter(({ state }) => state.closedAt !== undefined)
    for (const { id, state } of closed.slice(0, Math.max(0, closed.length - keptClosed))) {
      this.#gone = sumOf([this.#gone, since(sumsOf(state), this.#bases.get(id))])
      this.#forget(id)
    }
  }
}

/** Its answer is a stream: it lasts until the stream or the connection ends. */
const goesOn = (carries: Carried, { detail }: Block): boolean => carries === 'sse' && detail.startsWith('200')
