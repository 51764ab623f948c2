/** The grammars of the tap: every byte gets a kind, the same wherever the stream is cut. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Conversation } from '../../src/lab/conversation.ts'
import type { Counts, Direction } from '../../src/lab/events.ts'
import type { BlockHead, Recorder } from '../../src/lab/ledger.ts'
import { frame, opcodes } from '../support/raw-websocket.ts'

/** What one side says, and when: a direction and bytes. */
type Said = readonly [Direction, string | Buffer]

class Record implements Recorder {
  readonly blocks: string[] = []
  #now = ''
  begin({ what, exchange, detail }: BlockHead): void {
    this.#now = `${exchange} ${what} ${detail}:`
  }
  piece(kind: string, bytes: Buffer): void {
    const last = / (\S+) (\d+)$/.exec(this.#now)
    if (last?.[1] === kind) this.#now = `${this.#now.slice(0, last.index)} ${kind} ${Number(last[2]) + bytes.length}`
    else this.#now += ` ${kind} ${bytes.length}`
  }
  end(): void {
    this.blocks.push(this.#now)
  }
}

interface Books {
  readonly up: Counts
  readonly down: Counts
  readonly held: { readonly up: number; readonly down: number }
  readonly blocks: { readonly up: readonly string[]; readonly down: readonly string[] }
}

/** Runs a conversation in pieces of these lengths, over and over; one piece each where there are none. */
function run(said: readonly Said[], cuts: readonly number[] = []): Books {
  const conversation = new Conversation()
  const up = new Record()
  const down = new Record()
  conversation.up.recorder = up
  conversation.down.recorder = down
  let next = 0
  for (const [direction, text] of said) {
    for (let rest = Buffer.from(text as string); rest.length > 0;) {
      const length = cuts.length === 0 ? rest.length : (cuts[next++ % cuts.length] as number)
      const piece = Buffer.from(rest.subarray(0, length))
      if (direction === 'up') conversation.sent(piece)
      else conversation.answered(piece)
      // As `ws` unmasks in place: nothing may be kept of what was passed on.
      piece.fill(0)
      rest = rest.subarray(length)
    }
  }
  const { held } = conversation
  conversation.close()
  return { up: conversation.up.counts, down: conversation.down.counts, held, blocks: { up: up.blocks, down: down.blocks } }
}

const sum = (counts: Counts): number => Object.values(counts).reduce((total, bytes) => total + bytes, 0)
const bytesOf = (said: readonly Said[], direction: Direction): number =>
  said.reduce((total, [whose, text]) => total + (whose === direction ? Buffer.byteLength(text) : 0), 0)

const get = (target: string, more = ''): string => `GET ${target} HTTP/1.1\r\nhost: h\r\n${more}\r\n`
const ok = (more: string, body = ''): string => `HTTP/1.1 200 OK\r\n${more}\r\n${body}`
const upgrade = get('/w', 'connection: Upgrade\r\nupgrade: websocket\r\n')
const switched = 'HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\n\r\n'
const event = 'id: 1\ndata: {"a":1}\n\n'
const chunk = (text: string): string => `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`
const unmasked = (text: string, opcode = 1): Buffer => frame(text, { masked: false, opcode })

const conversations: Readonly<{ [name: string]: readonly Said[] }> = {
  'a poll': [
    ['up', get('/rooms/r/poll')],
    ['down', ok('content-length: 5\r\n', '{"a"}')],
  ],
  'a publish, and its continuation': [
    ['up', 'POST /m HTTP/1.1\r\nexpect: 100-continue\r\ncontent-length: 4\r\n\r\n'],
    ['down', 'HTTP/1.1 100 Continue\r\n\r\n'],
    ['up', '1234'],
    ['down', 'HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\n{}'],
  ],
  'a body in chunks, with an extension and a trailer, and a request behind it': [
    ['up', 'POST /m HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n4;x=y\r\nabcd\r\n0\r\nt: 1\r\n\r\n'],
    ['up', get('/next')],
    ['down', `${ok('content-length: 0\r\n')}${ok('content-length: 1\r\n', 'x')}`],
  ],
  'pipelined requests, one of them HEAD': [
    ['up', `${get('/1')}\r\nHEAD /2 HTTP/1.1\r\n\r\n${get('/3')}`],
    ['down', `${ok('content-length: 1\r\n', 'a')}${ok('content-length: 99\r\n')}HTTP/1.1 204 No Content\r\n\r\n`],
  ],
  'an event stream in chunks': [
    ['up', get('/rooms/r/sse')],
    ['down', ok('content-type: text/event-stream\r\ntransfer-encoding: chunked\r\n')],
    ['down', chunk('retry: 5\n\n') + chunk(`: hi\n${event}data\ndatax: 1\ndata:2\n\n`) + chunk(event)],
    ['down', '0\r\n\r\n'],
  ],
  'an event stream up to the end, with every kind of line end': [
    ['up', 'GET /s HTTP/1.0\r\n\r\n'],
    ['down', `${ok('content-type: text/event-stream; charset=utf-8\r\n')}${event}data: x\r\n\r\ndata: y\r\rdata: z`],
  ],
  'a WebSocket': [
    ['up', upgrade],
    ['down', switched],
    ['down', unmasked('{"messages":[]}')],
    ['up', frame('hello')],
    ['up', frame('x'.repeat(300))],
    ['down', Buffer.concat([unmasked('y'.repeat(70_000)), unmasked('p', opcodes.ping), unmasked('')])],
    ['up', Buffer.concat([frame('p', { opcode: opcodes.pong }), frame('')])],
  ],
  'a WebSocket with a frame in the packet of its handshake': [
    ['up', Buffer.concat([Buffer.from(upgrade), frame('early')])],
    ['down', Buffer.concat([Buffer.from(switched), unmasked('hi')])],
    ['up', frame('late')],
  ],
  'a handshake that is refused, and a request after it': [
    ['up', `${upgrade}${get('/after')}`],
    ['down', `HTTP/1.1 426 Upgrade Required\r\ncontent-length: 2\r\n\r\nno${ok('content-length: 0\r\n')}`],
  ],
  'a request that is none': [
    ['up', 'NONSENSE\r\nx: y\r\n\r\nmore\r\n\r\n'],
    ['down', 'HTTP/1.1 400 Bad Request\r\ncontent-length: 1\r\n\r\nx'],
  ],
  'chunks that are none': [['up', 'POST /m HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n2\r\nab\r\nzz\r\n']],
  'a head that does not end': [['up', `GET / HTTP/1.1\r\nx: ${'y'.repeat(70_000)}`]],
}

describe.each(Object.entries(conversations))('%s', (_name, said) => {
  test('has a kind for every byte, and leaves none out', () => {
    const { up, down, held } = run(said)
    expect(sum(up) + held.up).toBe(bytesOf(said, 'up'))
    expect(sum(down) + held.down).toBe(bytesOf(said, 'down'))
  })

  test('is read the same wherever it is cut', () => {
    const whole = run(said)
    expect(run(said, [1])).toEqual(whole)
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 20 }), (cuts) => {
        expect(run(said, cuts)).toEqual(whole)
      }),
      { numRuns: 50 },
    )
  })
})

describe('every byte has its kind', () => {
  const blocks = (name: string) => run(conversations[name] as readonly Said[]).blocks

  test('of requests and answers', () => {
    expect(blocks('a publish, and its continuation')).toEqual({
      up: ['1 request POST /m: request-line 18 headers 43 body 4'],
      down: ['1 response 100 Continue: status-line 23 headers 2', '1 response 201 Created: status-line 22 headers 21 body 2'],
    })
    expect(blocks('pipelined requests, one of them HEAD').down).toEqual([
      '1 response 200 OK: status-line 17 headers 21 body 1',
      '2 response 200 OK: status-line 17 headers 22',
      '3 response 204 No Content: status-line 25 headers 2',
    ])
  })

  test('of chunks, extensions and trailers', () => {
    expect(blocks('a body in chunks, with an extension and a trailer, and a request behind it').up).toEqual([
      '1 request POST /m: request-line 18 headers 30 chunk 7 body 4 chunk 13',
      '2 request GET /next: request-line 20 headers 11',
    ])
  })

  test('of an event stream: only the values of data are payload', () => {
    expect(blocks('an event stream in chunks').down).toEqual([
      '1 response 200 OK: status-line 17 headers 63',
      '1 event : chunk 3 field 10 chunk 2',
      // ": hi\n" "id: 1\n" "data: " {"a":1} "\n\n" "data\n" "datax: 1\n" "data:" 2 "\n\n"
      '1 event : chunk 4 field 17 payload 7 field 21 payload 1 field 2 chunk 2',
      '1 event : chunk 4 field 12 payload 7 field 2 chunk 2',
      '1 event : chunk 5',
    ])
    expect(blocks('an event stream up to the end, with every kind of line end').down).toEqual([
      '1 response 200 OK: status-line 17 headers 50',
      '1 event : field 12 payload 7 field 2',
      '1 event : field 6 payload 1 field 3',
      '1 event : field 6 payload 1 field 2',
      '1 event : field 6 payload 1',
    ])
  })

  test('of frames, by their opcode', () => {
    expect(blocks('a WebSocket')).toEqual({
      up: [
        '1 handshake GET /w: request-line 17 headers 52',
        '1 frame text: frame-header 2 mask 4 payload 5',
        '1 frame text: frame-header 4 mask 4 payload 300',
        '1 frame pong: frame-header 2 mask 4 control 1',
        '1 frame text: frame-header 2 mask 4',
      ],
      down: [
        '1 handshake 101 Switching Protocols: status-line 34 headers 43',
        '1 frame text: frame-header 2 payload 15',
        '1 frame text: frame-header 10 payload 70000',
        '1 frame ping: frame-header 2 control 1',
        '1 frame text: frame-header 2',
      ],
    })
  })

  test('of what comes before a handshake is answered', () => {
    expect(blocks('a WebSocket with a frame in the packet of its handshake').up).toEqual([
      '1 handshake GET /w: request-line 17 headers 52',
      '1 frame text: frame-header 2 mask 4 payload 5',
      '1 frame text: frame-header 2 mask 4 payload 4',
    ])
    expect(blocks('a handshake that is refused, and a request after it').up[1]).toBe('2 request GET /after: request-line 21 headers 11')
  })

  test('also where there is no grammar: it is unattributed, and counted', () => {
    expect(run(conversations['a request that is none'] as readonly Said[]).up).toEqual({ unattributed: 26 })
    expect(run(conversations['chunks that are none'] as readonly Said[]).up).toEqual({
      'request-line': 18,
      headers: 30,
      body: 2,
      chunk: 5,
      unattributed: 4,
    })
    expect(run(conversations['a head that does not end'] as readonly Said[]).up).toEqual({ unattributed: 70_019 })
  })
})

test('nothing that anybody sends makes a byte disappear', () => {
  const scraps = [
    ...Object.values(conversations).flat(),
    ['up', '\r\n'],
    ['down', '0\r\n\r\n'],
    ['up', Buffer.from([0x81, 0xff, 255])],
  ] as Said[]
  const said = fc.array(
    fc.oneof(
      fc.constantFrom(...scraps),
      fc.tuple(
        fc.constantFrom('up' as const, 'down' as const),
        fc.uint8Array({ maxLength: 50 }).map((bytes) => Buffer.from(bytes)),
      ),
    ),
    { maxLength: 12 },
  )
  fc.assert(
    fc.property(said, fc.array(fc.integer({ min: 1, max: 200 }), { maxLength: 5 }), (all, cuts) => {
      const { up, down, held } = run(all, cuts)
      expect(sum(up) + held.up).toBe(bytesOf(all, 'up'))
      expect(sum(down) + held.down).toBe(bytesOf(all, 'down'))
    }),
    { numRuns: 300 },
  )
})

test('a block has a bounded number of pieces, and what follows is the next one', () => {
  const body = chunk('x').repeat(100)
  const { blocks } = run([['up', `POST /m HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n${body}0\r\n\r\n`]])
  const kinds = (block: string): number => block.slice('1 request POST /m:'.length).trim().split(' ').length / 2
  expect(blocks.up.map(kinds)).toEqual([64, 64, 64, 11])
})

test('questions that nobody answers, as in a hole, take a bounded number of places: what follows is unattributed', () => {
  const conversation = new Conversation()
  const question = Buffer.from('GET / HTTP/1.1\r\n\r\n')
  for (let index = 0; index < 5_000; index++) conversation.sent(question)
  expect(conversation.requests).toBe(4_096)
  expect(conversation.up.counts.unattributed).toBe((5_000 - 4_096) * question.length)
})
