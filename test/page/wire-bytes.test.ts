/** What each byte of a block is, as the inspector says it; and how long own messages took. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Conversation } from '../../src/lab/conversation.ts'
import type { Block, PieceKind } from '../../src/lab/events.ts'
import { annotate, hexOf, textOf, unmask } from '../../src/page/wire/annotation.ts'
import { Delays } from '../../src/page/wire/delays.ts'

interface Written {
  readonly block: Block
  readonly bytes: Buffer
}

/** What the lab itself makes of these bytes: the same blocks that a page is told of. */
function written(up: string | Buffer, down: string | Buffer = ''): readonly Written[] {
  const conversation = new Conversation()
  const all: Written[] = []
  for (const direction of ['up', 'down'] as const) {
    let pieces: [PieceKind, number][] = []
    let bytes: Buffer[] = []
    let head: Partial<Block> = {}
    conversation[direction].recorder = {
      begin: (begun) => {
        head = begun
        pieces = []
        bytes = []
      },
      piece: (kind, part) => {
        const last = pieces.at(-1)
        if (last?.[0] === kind) last[1] += part.length
        else pieces.push([kind, part.length])
        bytes.push(Buffer.from(part))
      },
      end: () => all.push({ block: { ...head, direction, pieces } as Block, bytes: Buffer.concat(bytes) }),
    }
  }
  conversation.sent(Buffer.from(up))
  conversation.answered(Buffer.from(down))
  conversation.close()
  return all
}

const names = ({ block, bytes }: Written): readonly string[] => annotate(block, bytes).map(({ name }) => name)
const handshake = 'GET /rooms/a/websocket HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n'
const switched = 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n'

/** RFC 6455, 5.7: a masked "Hello". */
const hello = Buffer.from('818537fa213d7f9f4d5158', 'hex')

/** Frames go up once the handshake is answered. */
function framesUp(frames: Buffer): Written {
  const all = written(Buffer.concat([Buffer.from(handshake), frames]), switched)
  return all.find(({ block }) => block.what === 'frame') as Written
}

describe('a block', () => {
  it('of a request is its line, its headers by name, its body', () => {
    const [request] = written('POST /rooms/a/messages HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}')
    expect(names(request as Written)).toEqual(['request line', 'Host', 'Content-Length', 'blank line', 'payload'])
  })

  it('of an event is its chunk, its fields and what they carry', () => {
    const event = 'id: 7\ndata: {"a":1}\n\n'
    const head = 'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n'
    const all = written('GET /rooms/a/sse HTTP/1.1\r\n\r\n', `${head}${event.length.toString(16)}\r\n${event}\r\n`)
    const told = all.find(({ block }) => block.what === 'event') as Written
    expect(names(told)).toEqual(['chunk size', 'id:', 'data:', 'payload', 'line end', 'line end', 'chunk end'])
    expect(annotate(told.block, told.bytes)[0]?.note).toBe(`hexadecimal 15 = ${event.length} B`)
  })

  it('of a frame is FIN and opcode, MASK and length, key, payload; unmasked with its own key it is what was said', () => {
    const { block, bytes } = framesUp(hello)
    const segments = annotate(block, bytes)
    expect(segments.map(({ name, note }) => [name, note])).toEqual([
      ['FIN, opcode', 'FIN 1, RSV 0, opcode 1 = text'],
      ['MASK, length', 'MASK 1, length 5 B'],
      ['masking key', undefined],
      ['payload', undefined],
    ])
    expect(Buffer.from(bytes.subarray(6)).toString()).not.toBe('Hello')
    expect(Buffer.from(unmask(segments, bytes).subarray(6)).toString()).toBe('Hello')
  })

  it.each([
    [126, '126: the next 2 bytes say', 2],
    [65_536, '127: the next 8 bytes say', 8],
  ])('of a frame of %i bytes says its length in %s', (length, note, more) => {
    const header = Buffer.alloc(2 + more)
    header[0] = 0x82
    header[1] = 0x80 | (more === 2 ? 126 : 127)
    if (more === 2) header.writeUInt16BE(length, 2)
    else header.writeBigUInt64BE(BigInt(length), 2)
    const { block, bytes } = framesUp(Buffer.concat([header, Buffer.alloc(4 + length)]))
    expect(annotate(block, bytes).map((each) => each.note)).toContain(`MASK 1, length ${note}`)
    expect(annotate(block, bytes).map((each) => each.note)).toContain(`${length} B`)
  })

  it('that is kept in part is told in part, each byte once and in order', () => {
    const { block, bytes } = framesUp(hello)
    fc.assert(
      fc.property(fc.nat({ max: bytes.length }), (kept) => {
        const segments = annotate(block, bytes.subarray(0, kept))
        let at = 0
        for (const { from, to } of segments) {
          expect(from).toBe(at)
          expect(to).toBeGreaterThan(from)
          at = to
        }
        expect(at).toBe(kept)
      }),
    )
  })

  it('masked twice is as it was', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 4, maxLength: 4 }), fc.uint8Array({ maxLength: 200 }), (key, payload) => {
        const bytes = Uint8Array.of(0x82, 0x80, ...key, ...payload)
        const segments = annotate(
          {
            pieces: [
              ['frame-header', 2],
              ['mask', 4],
              ['payload', payload.length],
            ],
          } as unknown as Block,
          bytes,
        )
        const once = unmask(segments, bytes)
        expect(once.subarray(6)).toEqual(payload.map((byte, index) => byte ^ (key[index % 4] ?? 0)))
        expect(unmask(segments, once)).toEqual(bytes)
      }),
    )
  })
})

it('shows bytes as hex and as text that cannot turn the page around', () => {
  expect(hexOf(Uint8Array.of(0, 10, 255))).toBe('00 0a ff')
  expect(textOf(new TextEncoder().encode('a\r\n\u202eü\u0007'))).toBe('a\\r\\n·ü·')
  expect(textOf(Uint8Array.of(0x61, 0xff, 0x62))).toBe('a·b')
})

describe('a delay', () => {
  it('is from sending to coming back, of own messages only, each once', () => {
    const delays = new Delays()
    delays.sent(['a', 'b'], 100)
    expect(delays.arrived('other', 'sse', 110)).toBe(false)
    expect(delays.arrived('a', 'sse', 112.5)).toBe(true)
    // It came back before it was acknowledged: it is still among those that wait.
    delays.sent(['a', 'b'], 113)
    expect(delays.arrived('a', 'sse', 200)).toBe(false)
    expect(delays.arrived('b', 'poll', 600)).toBe(true)
    expect(delays.of('sse').quantile(0.5, 1)).toBe(12.5)
    expect(delays.of('poll').quantile(0.5, 1)).toBe(500)
    expect(delays.of('poll').n).toBe(1)
  })

  it('that a hidden tab made long is none', () => {
    const delays = new Delays()
    delays.sent(['a'], 100)
    delays.interrupt()
    delays.sent(['a'], 60_000)
    expect(delays.arrived('a', 'poll', 60_100)).toBe(false)
  })

  it('has a quantile by the nearest rank, where there are enough', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0.1, max: 90_000, noNaN: true }), { minLength: 1, maxLength: 300 }), (all) => {
        const delays = new Delays()
        for (const [index, ms] of all.entries()) {
          delays.sent([String(index)], 0)
          delays.arrived(String(index), 'websocket', ms)
        }
        const samples = delays.of('websocket')
        expect(samples.bins.reduce((sum, amount) => sum + amount, 0)).toBe(all.length)
        const rank = Math.max(1, Math.ceil(0.95 * all.length))
        const sorted = all.toSorted((one, other) => one - other)
        expect(samples.quantile(0.95, 100)).toBe(all.length < 100 ? undefined : sorted[rank - 1])
      }),
    )
  })
})
