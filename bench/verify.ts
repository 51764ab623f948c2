/** No pass, no number: the transport contract in miniature, over every wire of the server that is to be measured. */
import { connect } from '../src/client/node.ts'
import type { Channel } from '../src/client/channel.ts'
import { type Batch, type Cursor, type TransportName, transportNames } from '../src/protocol/message.ts'
import { NoNumber } from './experiment.ts'

/** How long a wire may take for one step, in ms. */
const patienceMs = 10_000
const said = ['one', 'two', 'three', 'four', 'five']
/** Read again from behind this one: its place among them. */
const resumedAfter = 1

/**
 * Five messages, read over each wire by our own client: each once and in order, and again from a cursor in their midst
 * with the same JSON on all four.
 * @throws NoNumber with the message and the wire
 */
export async function verify(url: string): Promise<void> {
  const room = `verify-${Date.now().toString(36)}`
  const readers = transportNames.map((transport) => new Reader({ url, room, transport, pollMs: 250 }))
  const resumed: Reader[] = []
  try {
    await Promise.all(
      readers.map((reader) =>
        reader.until(
          () => 'a first batch',
          () => reader.joined,
        ),
      ),
    )
    const cursors: Cursor[] = []
    for (const [index, text] of said.entries()) {
      const author = readers[index % readers.length] as Reader
      cursors.push((await author.within(author.channel.send(text), () => `publishing message "${text}"`)).cursor)
    }
    await Promise.all(readers.map((reader) => reader.expect(said)))
    const since = cursors[resumedAfter] as Cursor
    resumed.push(...transportNames.map((transport) => new Reader({ url, room, transport, since, pollMs: 250 })))
    await Promise.all(resumed.map((reader) => reader.expect(said.slice(resumedAfter + 1))))
    const [first, ...others] = resumed.map((reader) => reader.payload)
    others.forEach((payload, index) => {
      if (payload !== first)
        throw new NoNumber(`${transportNames[index + 1]} brought another batch than ${transportNames[0]}: ${payload}, ${first}`)
    })
  } finally {
    for (const { channel } of [...readers, ...resumed]) channel.close()
  }
}

class Reader {
  readonly channel: Channel
  readonly transport: TransportName
  readonly #texts: string[] = []
  #check: () => void = () => {}
  joined = false
  /** The first batch with messages, as it was on the wire. */
  payload = ''

  constructor(options: Parameters<typeof connect>[0] & { readonly transport: TransportName }) {
    this.transport = options.transport
    this.channel = connect(options)
    this.channel.on('message', ({ text }) => this.#texts.push(text))
    this.channel.on('batch', (batch: Batch) => {
      if (batch.messages.length > 0) this.payload ||= JSON.stringify(batch)
    })
    for (const event of ['state', 'message', 'batch'] as const)
      this.channel.on(event, () => {
        const { status, transport } = this.channel.state
        this.joined = status === 'live' && transport === this.transport
        setImmediate(() => this.#check())
      })
  }

  /** Exactly these, in this order. */
  async expect(texts: readonly string[]): Promise<void> {
    const wrong = (): number => this.#texts.findIndex((text, index) => text !== texts[index])
    await this.until(
      () => `message "${texts[this.#texts.length]}"`,
      () => this.#texts.length >= texts.length || wrong() !== -1,
    )
    const at = wrong()
    if (at === -1) return
    const came = `${this.transport} brought message "${this.#texts[at]}"`
    throw new NoNumber(at < texts.length ? `${came} in the place of "${texts[at]}"` : `${came} more than once`)
  }

  until(what: () => string, holds: () => boolean): Promise<void> {
    const held = new Promise<void>((resolve) => {
      this.#check = () => holds() && resolve()
      this.#check()
    })
    return this.within(held, what)
  }

  /** Rejects where this takes longer than a server may. */
  async within<T>(work: Promise<T>, what: () => string): Promise<T> {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => {
        const { status, transport, problem } = this.channel.state
        const seen = `${this.#texts.length} messages came; it is ${status} on ${transport}${problem ? `: ${problem.message}` : ''}`
        reject(new NoNumber(`${what()} did not come through on ${this.transport} within ${patienceMs / 1000} s (${seen})`))
      }, patienceMs)
    })
    return Promise.race([work, late]).finally(() => clearTimeout(timer))
  }
}
