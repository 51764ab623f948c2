/** Whose bytes: every byte of this browser's connections goes to one lane or to the rest, once. By the server's own count. */
import { type Block, type ConnectionState, type Counts, payloadKinds, type Report } from '../../lab/events.ts'
import { type TransportName, transportNames } from '../../protocol/message.ts'

/** What passed for a lane so far, both ways. */
export interface Tally {
  readonly bytes: number
  /** Of them batches, as JSON. */
  readonly payload: number
  readonly requests: number
  /** When the last block passed, on the server's clock. */
  readonly movedAt: number
}

/** What single questions and answers of a lane weigh, summed up over those that were told one by one. */
export interface Weights {
  readonly requests: number
  readonly requestBytes: number
  /** Answers, events and frames that carried a batch, what of them was no batch, and what was. */
  readonly answers: number
  readonly answerFraming: number
  readonly answerPayload: number
}

type Owner = TransportName | 'rest'

/** The books of one connection. `told` is what has gone to lanes and rest; bytes of a block under way wait for its end. */
interface Books {
  bytes: number
  payload: number
  told: number
  toldPayload: number
  /** Whose exchanges the last ones are. */
  readonly exchanges: Map<number, Owner>
  /** An exchange that never ends: what passes here is its own, block or not. */
  held: { readonly exchange: number; readonly lane: TransportName } | undefined
}

/** Without pipelining one exchange is under way; its block may come with the next one's. */
const rememberedExchanges = 4

export class RaceLedger {
  readonly #room: string
  readonly #books = new Map<string, Books>()
  readonly #lanes = record(() => ({ bytes: 0, payload: 0, requests: 0, movedAt: -Infinity }))
  readonly #weights = record(() => ({ requests: 0, requestBytes: 0, answers: 0, answerFraming: 0, answerPayload: 0 }))
  #total = 0
  #doubtfulAt: number | undefined

  /** `room` is the race's own: its name is in the target of every lane's requests. */
  constructor(room: string) {
    this.#room = `/rooms/${encodeURIComponent(room)}/`
  }

  lane(name: TransportName): Tally {
    return { ...this.#lanes[name] }
  }
  weights(name: TransportName): Weights {
    return this.#weights[name]
  }
  /** All bytes of all connections that were told of, by their sockets' own counts. */
  get total(): number {
    return this.#total
  }
  /** What is no lane's: the page itself, the vote, other tabs, what passed before, and what is not a whole block yet. */
  get rest(): number {
    return transportNames.reduce((left, name) => left - this.#lanes[name].bytes, this.#total)
  }
  /** When last, on the server's clock, blocks were counted and not told, so that a lane may have more than it is given here. */
  get doubtfulAt(): number | undefined {
    return this.#doubtfulAt
  }

  take({ at, connections, blocks, skipped }: Report): void {
    for (const state of connections) {
      const own = blocks.filter(({ connection }) => connection === state.connection)
      const books = this.#open(state, own)
      this.#total += state.up.bytes + state.down.bytes - books.bytes
      books.bytes = state.up.bytes + state.down.bytes
      books.payload = payloadOf(state.up.counts) + payloadOf(state.down.counts)
      for (const block of own) this.#read(books, block)
      if (books.held !== undefined) this.#give(books, books.held.lane, books.bytes - books.told, books.payload - books.toldPayload)
      // What is left may be under way; or it is what was not told.
      else if (skipped > 0 && books.bytes > books.told) this.#doubtfulAt = at
      if (state.closedAt !== undefined || state.hidden) this.#books.delete(keyOf(state))
    }
  }

  /** What a connection carried before anybody looked is nobody's: it counts as told. */
  #open(state: ConnectionState, blocks: readonly Block[]): Books {
    const known = this.#books.get(keyOf(state))
    if (known !== undefined) return known
    const books: Books = { bytes: 0, payload: 0, told: 0, toldPayload: 0, exchanges: new Map(), held: undefined }
    this.#books.set(keyOf(state), books)
    const { up, down } = state
    // Seen from its first request on, all of it was seen, told or not.
    if (blocks[0]?.exchange === 1 && blocks[0].direction === 'up') return books
    const [bytes, payload] = blocks.reduce(([sum, inner], { pieces }) => [sum + weigh(pieces), inner + carried(pieces)], [0, 0])
    books.told = up.bytes + down.bytes - bytes
    books.toldPayload = payloadOf(up.counts) + payloadOf(down.counts) - payload
    return books
  }

  #read(books: Books, block: Block): void {
    const { what, direction, exchange, detail, pieces } = block
    if (direction === 'up' && (what === 'request' || what === 'handshake')) this.#ask(books, exchange, detail)
    const owner = books.exchanges.get(exchange) ?? 'rest'
    if (owner !== 'rest') {
      this.#weigh(this.#weights[owner], block)
      this.#lanes[owner].movedAt = Math.max(this.#lanes[owner].movedAt, block.until)
    }
    this.#give(books, owner, weigh(pieces), carried(pieces))
  }

  #ask(books: Books, exchange: number, detail: string): void {
    const owner = this.#ownerOf(detail)
    books.exchanges.set(exchange, owner)
    books.exchanges.delete(exchange - rememberedExchanges)
    books.held = owner === 'sse' || owner === 'websocket' ? { exchange, lane: owner } : undefined
    if (owner !== 'rest') this.#lanes[owner].requests++
  }

  /** `GET /rooms/race~m_…/sse?since=…` */
  #ownerOf(detail: string): Owner {
    const target = detail.slice(detail.indexOf(' ') + 1)
    const at = target.indexOf(this.#room)
    if (at === -1) return 'rest'
    const route = target.slice(at + this.#room.length).split('?')[0]
    return transportNames.find((name) => name === route) ?? 'rest'
  }

  #give(books: Books, owner: Owner, bytes: number, payload: number): void {
    // Of a block that had begun before anybody looked, a part is told already.
    const fresh = Math.max(0, Math.min(bytes, books.bytes - books.told))
    const freshPayload = Math.max(0, Math.min(payload, books.payload - books.toldPayload))
    books.told += fresh
    books.toldPayload += freshPayload
    if (owner === 'rest') return
    this.#lanes[owner].bytes += fresh
    this.#lanes[owner].payload += freshPayload
  }

  #weigh(weights: { -readonly [Key in keyof Weights]: number }, { what, direction, pieces }: Block): void {
    const payload = carried(pieces)
    if (what === 'request') {
      weights.requests++
      weights.requestBytes += weigh(pieces)
    } else if (direction === 'down' && payload > 0) {
      weights.answers++
      weights.answerFraming += weigh(pieces) - payload
      weights.answerPayload += payload
    }
  }
}

const record = <Value>(make: () => Value): Record<TransportName, Value> => ({
  poll: make(),
  'long-poll': make(),
  sse: make(),
  websocket: make(),
})
/** Another server, or the same one started again, counts from 1 too. */
const keyOf = ({ connection, openedAt }: ConnectionState): string => `${connection}.${openedAt}`
const weigh = (pieces: Block['pieces']): number => pieces.reduce((sum, [, bytes]) => sum + bytes, 0)
const carried = (pieces: Block['pieces']): number =>
  pieces.reduce((sum, [kind, bytes]) => (payloadKinds.includes(kind) ? sum + bytes : sum), 0)
const payloadOf = (counts: Counts): number => payloadKinds.reduce((sum, kind) => sum + (counts[kind] ?? 0), 0)
