import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  bytesDown,
  bytesUp,
  Connection,
  type Head,
  headerOf,
  newTally,
  type Owner,
  plus,
  since,
  type Tally,
} from '../../bench/connection.ts'
import { frameHead, opcodes } from '../support/raw-websocket.ts'

/** What a server writes: each piece belongs to one part of the tally. */
type Part = 'responseHead' | 'framing' | 'payload' | 'emptyPayload'
type Piece = readonly [part: Part, bytes: string | Buffer]

const jsonHead = (length: number): Piece => [
  'responseHead',
  `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nContent-Length: ${length}\r\n\r\n`,
]
const streamHead = (coding: string): Piece => ['responseHead', `HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n${coding}\r\n`]
const chunked = 'Transfer-Encoding: chunked\r\n'
const linesHead: Piece = ['responseHead', 'HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\n\r\n']
const noContent: Piece = ['responseHead', 'HTTP/1.1 204 No Content\r\n\r\n']
const switching: Piece = ['responseHead', 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n']

/** A batch with a message has the word in it; é and 🚀 are no single bytes. */
const batch = (size = 0): string => `{"messages":[{"text":"é🚀${'x'.repeat(size)}"}]}`
const heartbeat = '{"messages":[],"cursor":"c"}'
const partOf = (payload: string): Part => (payload.includes('text') ? 'payload' : 'emptyPayload')

const answer = (body: string): Piece[] => [jsonHead(Buffer.byteLength(body)), [partOf(body), body]]
const event = (data: string): Piece[] => [
  ['framing', 'id: c\ndata: '],
  [partOf(data), data],
  ['framing', '\n\n'],
]
const sizeOf = (pieces: readonly Piece[]): number => pieces.reduce((sum, [, bytes]) => sum + Buffer.byteLength(bytes), 0)
const chunk = (pieces: readonly Piece[]): Piece[] => [['framing', `${sizeOf(pieces).toString(16)}\r\n`], ...pieces, ['framing', '\r\n']]
const line = (data: string): Piece[] => [
  [partOf(data), data],
  ['framing', '\n'],
]
const textFrame = (payload: string): Piece[] => [
  ['framing', frameHead(Buffer.byteLength(payload), { masked: false })],
  [partOf(payload), payload],
]
const control = (opcode: number, payload: string): Piece => [
  'framing',
  Buffer.concat([frameHead(payload.length, { opcode, masked: false }), Buffer.from(payload)]),
]

interface Wire {
  readonly pieces: readonly Piece[]
  /** Payloads that are heard, in their order. */
  readonly heard: readonly string[]
  /** Of them without a message: an empty body counts as one. */
  readonly empty: number
  /** Answers that ended, and those that go on. */
  readonly answered: number
  readonly opened: number
  /** Payloads of pings. */
  readonly pings: readonly string[]
}

/** An event that a proxy has cut into two chunks, in the midst of its data. */
const [idField, whole, blank] = event(batch(3)) as [Piece, Piece, Piece]
const split = [
  ...chunk([idField, ['payload', Buffer.from(whole[1]).subarray(0, 25)]]),
  ...chunk([['payload', Buffer.from(whole[1]).subarray(25)], blank]),
]

const wires: Readonly<Record<string, Wire>> = {
  'answers with a length, and without a body': {
    pieces: [...answer(heartbeat), noContent, jsonHead(0), ...answer(batch(200)), noContent, ...answer(batch())],
    heard: [heartbeat, '', '', batch(200), '', batch()],
    empty: 4,
    answered: 6,
    opened: 0,
    pings: [],
  },
  'a chunked event stream that ends, and an answer behind it': {
    pieces: [
      streamHead(chunked),
      ...chunk([['framing', 'retry: 1000\n\n']]),
      ...chunk(event(heartbeat)),
      ...chunk(event(batch())),
      ...chunk([['framing', ': a comment\n\n'], ...event(batch(1)), ...event(batch(300))]),
      ...split,
      ['framing', '0\r\n\r\n'],
      ...answer(batch(7)),
    ],
    heard: [heartbeat, batch(), batch(1), batch(300), batch(3), batch(7)],
    empty: 1,
    answered: 2,
    opened: 1,
    pings: [],
  },
  'an event stream without chunks': {
    pieces: [streamHead(''), ['framing', 'retry: 1000\n\n'], ...event(heartbeat), ...event(batch()), ...event(batch(90))],
    heard: [heartbeat, batch(), batch(90)],
    empty: 1,
    answered: 0,
    opened: 1,
    pings: [],
  },
  'bare lines': {
    pieces: [linesHead, ...line(heartbeat), ...line(batch()), ...line(batch(50))],
    heard: [heartbeat, batch(), batch(50)],
    empty: 1,
    answered: 0,
    opened: 1,
    pings: [],
  },
  'frames with heads of 2, 4 and 10 bytes, and pings': {
    pieces: [
      switching,
      ...textFrame(heartbeat),
      control(opcodes.ping, ''),
      ...textFrame(batch()),
      ...textFrame(batch(1_000)),
      control(opcodes.ping, 'are you there?'),
      ...textFrame(batch(66_000)),
      control(opcodes.pong, 'unasked'),
      ...textFrame(batch(2)),
    ],
    heard: [heartbeat, batch(), batch(1_000), batch(66_000), batch(2)],
    empty: 1,
    answered: 0,
    opened: 1,
    pings: ['', 'are you there?'],
  },
}

/** Where a wire may be cut: anywhere, and more often at the edges of its pieces, where the heads are. */
function cutsOf({ pieces }: Wire): fc.Arbitrary<number[]> {
  const edges = pieces.map((_, index) => sizeOf(pieces.slice(0, index)))
  const end = sizeOf(pieces)
  const nearEdge = fc.tuple(fc.constantFrom(...edges), fc.integer({ min: -4, max: 12 })).map(([edge, by]) => edge + by)
  return fc
    .uniqueArray(fc.oneof(nearEdge, fc.integer({ min: 1, max: end })), { maxLength: 60 })
    .map((cuts) => cuts.filter((cut) => cut > 0 && cut < end).toSorted((a, b) => a - b))
}

/** Every byte alone, but for what lies in the midst of a long payload. */
const everywhere = ({ pieces }: Wire): number[] =>
  pieces.flatMap(([, bytes], index) => {
    const [start, size] = [sizeOf(pieces.slice(0, index)), Buffer.byteLength(bytes)]
    return Array.from({ length: size }, (_, at) => start + at).filter((_, at) => at < 40 || size - at < 40)
  })

class Listener implements Owner {
  readonly tally = newTally()
  readonly heard: string[] = []
  readonly statuses: number[] = []
  answers = 0
  opens = 0
  readonly gone: Promise<Error | undefined>
  #gone: (error?: Error) => void = () => {}

  constructor() {
    this.gone = new Promise((resolve) => (this.#gone = resolve))
  }

  hear(payload: Buffer, { status }: Head): boolean {
    this.heard.push(payload.toString())
    this.statuses.push(status)
    return payload.includes('text')
  }
  opened(): void {
    this.opens++
  }
  answered(): void {
    this.answers++
  }
  lost(_connection: Connection, error?: Error): void {
    this.#gone(error)
  }
}

const question = 'GET /rooms/bench/poll HTTP/1.1\r\nHost: localhost\r\nX: é\r\n'
const body = '{"text":"é"}'

describe('a connection', () => {
  let server: Server
  let to: URL
  beforeAll(async () => {
    server = createServer({ noDelay: true }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    to = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  })
  afterAll(() => void server.close())

  /** Hears a wire cut at these places: the next bytes are written once the last ones were read. */
  async function hear(
    wire: Wire,
    cuts: readonly number[],
  ): Promise<{ listener: Listener; connection: Connection; far: Socket; up: Buffer }> {
    const bytes = Buffer.concat(wire.pieces.map(([, piece]) => Buffer.from(piece as string)))
    const listener = new Listener()
    const accepted = once(server, 'connection') as Promise<[Socket]>
    const connection = new Connection(to, listener)
    connection.ask(question)
    connection.ask(question.replace('GET', 'POST'), body)
    const [far] = await accepted
    const up: Buffer[] = []
    far.on('data', (piece) => up.push(piece))
    for (const [index, end] of [...cuts, bytes.length].entries()) {
      far.write(bytes.subarray(cuts[index - 1] ?? 0, end))
      while (connection.socket.bytesRead < end) await once(connection.socket, 'data')
    }
    while (far.bytesRead < connection.socket.bytesWritten) await once(far, 'data')
    return { listener, connection, far, up: Buffer.concat(up) }
  }

  function expectSame(wire: Wire, { listener, connection, far, up }: Awaited<ReturnType<typeof hear>>): void {
    const { tally } = listener
    const of = (part: Part): number => sizeOf(wire.pieces.filter(([name]) => name === part))
    const pongs = wire.pings.reduce((sum, ping) => sum + 6 + ping.length, 0)
    const expected: Tally = {
      connects: 1,
      requests: 2,
      requestLine: 'GET /rooms/bench/poll HTTP/1.1\r\n'.length * 2 + 1,
      requestHeaders: Buffer.byteLength('Host: localhost\r\nX: é\r\n\r\n') * 2,
      requestBody: Buffer.byteLength(body),
      responseHead: of('responseHead'),
      responses: wire.pieces.filter(([part]) => part === 'responseHead').length,
      framing: of('framing'),
      framingUp: pongs,
      payload: of('payload'),
      batches: wire.heard.length - wire.empty,
      emptyPayload: of('emptyPayload'),
      empty: wire.empty,
      delivered: 0,
      repeated: 0,
    }
    expect(listener.heard).toEqual(wire.heard)
    expect(tally).toEqual(expected)
    expect([listener.answers, listener.opens]).toEqual([wire.answered, wire.opened])
    expect(bytesDown(tally)).toBe(connection.socket.bytesRead)
    expect(bytesUp(tally)).toBe(connection.socket.bytesWritten)
    expect(bytesUp(tally)).toBe(far.bytesRead)
    expect(pongsIn(up.subarray(up.length - pongs))).toEqual(wire.pings)
    connection.destroy()
  }

  it.each(Object.entries(wires))('hears the same and tallies the same parts wherever the wire is cut: %s', async (_, wire) => {
    expectSame(wire, await hear(wire, []))
    expectSame(wire, await hear(wire, everywhere(wire)))
    const property = fc.asyncProperty(cutsOf(wire), async (cuts) => expectSame(wire, await hear(wire, cuts)))
    await fc.assert(property, { numRuns: 40 })
  })

  it('masks what goes up in frames with heads of 6 and 8 bytes (RFC 6455, 5.2)', async () => {
    const { connection, far, listener } = await hear({ ...(wires['bare lines'] as Wire), pieces: [switching] }, [])
    const sent: Buffer[] = []
    far.on('data', (bytes) => sent.push(bytes))
    for (const size of [0, 125, 126, 4_096]) connection.frame(opcodes.text, Buffer.alloc(size, 'x'))
    expect(listener.tally.framingUp).toBe(6 + 6 + 125 + 8 + 126 + 8 + 4_096)
    while (far.bytesRead < connection.socket.bytesWritten) await once(far, 'data')
    expect(Buffer.concat(sent).subarray(0, 12).toString('hex')).toBe('81800000000081fd00000000')
    expect(Buffer.concat(sent).subarray(137, 145).toString('hex')).toBe('81fe007e00000000')
    expect(bytesUp(listener.tally)).toBe(far.bytesRead)
    connection.destroy()
  })

  it('is lost where the server ends it, and with an error where there is none', async () => {
    const wire = wires['answers with a length, and without a body'] as Wire
    const { listener, far } = await hear(wire, [])
    far.end()
    expect(await listener.gone).toBeUndefined()
    const closed = createServer().listen(0, '127.0.0.1')
    await once(closed, 'listening')
    const { port } = closed.address() as AddressInfo
    closed.close()
    await once(closed, 'close')
    const refused = new Listener()
    new Connection(new URL(`http://127.0.0.1:${port}`), refused)
    expect(await refused.gone).toMatchObject({ code: 'ECONNREFUSED' })
  })
})

/** Payloads of masked pongs, each with a mask of its own; throws at anything else. */
function pongsIn(bytes: Buffer): string[] {
  const pongs: string[] = []
  for (let at = 0; at < bytes.length;) {
    expect(bytes[at]).toBe(0x80 | opcodes.pong)
    expect((bytes[at + 1] as number) & 0x80).toBe(0x80)
    const size = (bytes[at + 1] as number) & 0x7f
    const mask = bytes.subarray(at + 2, at + 6)
    const payload = bytes.subarray(at + 6, at + 6 + size)
    pongs.push(Buffer.from(payload.map((byte, index) => byte ^ (mask[index & 3] as number))).toString())
    at += 6 + size
  }
  return pongs
}

describe('a tally', () => {
  it('is subtracted and added field by field', () => {
    const before: Tally = { ...newTally(), requests: 2, framing: 10 }
    const after: Tally = { ...newTally(), requests: 5, framing: 11, payload: 7 }
    expect(since(before, after)).toEqual({ ...newTally(), requests: 3, framing: 1, payload: 7 })
    expect(plus(before, since(before, after))).toEqual(after)
  })
})

describe('a head', () => {
  it('tells a value as it was written, whatever the case of its name', () => {
    const head: Head = { status: 200, text: 'HTTP/1.1 200 OK\r\nSet-Cookie: a=B; Path=/ \r\nX-Set-Cookie: no\r\nETag:1\r\n\r\n' }
    expect(headerOf(head, 'set-cookie')).toBe('a=B; Path=/')
    expect(headerOf(head, 'etag')).toBe('1')
    expect(headerOf(head, 'cookie')).toBeUndefined()
  })
})
