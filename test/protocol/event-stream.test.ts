import { createParser } from 'eventsource-parser'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodeEvent, type EventFields, EventStreamDecoder, type StreamEvent } from '../../src/protocol/event-stream.ts'
import { hostileTexts, promptly } from '../support/hostile.ts'

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)

function decode(...chunks: (string | Uint8Array)[]): StreamEvent[] {
  const decoder = new EventStreamDecoder()
  return chunks.flatMap((chunk) => decoder.push(typeof chunk === 'string' ? bytesOf(chunk) : chunk))
}
const event = (data: string, fields: Partial<StreamEvent> = {}): StreamEvent => ({
  id: '',
  event: 'message',
  retry: undefined,
  data,
  ...fields,
})

/** `bytes`, cut at these offsets. */
function cut(bytes: Uint8Array, offsets: readonly number[]): Uint8Array[] {
  const edges = [0, ...offsets.toSorted((a, b) => a - b), bytes.length]
  return edges.slice(1).map((end, index) => bytes.subarray(edges[index], end))
}

/** Every rule of the standard in one stream, each character of which is a place to be cut at. */
const everything =
  '\ufeff: comment\r\ndata: one\n\nid: 1\rretry: 1500\rdata: 🜁 é\rdata:  two\r\revent: tick\r\ndata\r\ndata:\r\n\r\n' +
  'id: a\0b\ndata: x\n\nid\ndata: y\n\nevent: nothing\n\ndata: 👩‍👩‍👧‍👦\n\nretry: 12a\ndata: z\r\n\r\ndata: not ended\n'

// Made where they are needed: the table of all characters takes a second.
function streams(): fc.Arbitrary<string> {
  const line = fc.oneof(
    fc
      .record({
        name: fc.constantFrom('data', 'event', 'id', 'retry', 'other', ' data', 'DATA', ''),
        value: fc.string({ unit: 'grapheme' }),
      })
      .chain(({ name, value }) => fc.constantFrom(`${name}:${value}`, `${name}: ${value}`, name)),
    fc.nat().map((ms) => `retry: ${ms}`),
    fc.string({ unit: fc.constantFrom(':', ' ', 'd', 'data', 'id', '\0', '\ufeff', 'é', '😀') }),
    fc.constant(''),
  )
  // The standard's line ends only; what an event stream has in it besides is any text.
  return fc
    .array(fc.tuple(line, fc.constantFrom('\n', '\r\n', '\r')), { maxLength: 30 })
    .map((lines) => lines.map(([text, end]) => text.replaceAll(/[\r\n]/g, '') + end).join(''))
}

describe('an event stream', () => {
  it.each<[string, string, StreamEvent[]]>([
    ['ends its lines with LF, CR LF or CR', 'data: a\n\ndata: b\r\n\r\ndata: c\r\r', ['a', 'b', 'c'].map((data) => event(data))],
    ['may mix its line ends', 'data: a\rdata: b\r\n\ndata: c\n\r\n', [event('a\nb'), event('c')]],
    ['may begin with one byte order mark', '\ufeffdata: a\n\n', [event('a')]],
    ['has a second byte order mark as part of a field name', '\ufeff\ufeffdata: a\n\n', []],
    ['joins the lines of its data by LF', 'data: a\ndata:\ndata: b\n\n', [event('a\n\nb')]],
    ['drops one space after the colon, not two', 'data:a\n\ndata: b\n\ndata:  c\n\n', [event('a'), event('b'), event(' c')]],
    ['keeps a tab after the colon', 'data:\ta\n\n', [event('\ta')]],
    ['takes a field without a colon as an empty one', 'data\n\ndata\ndata\n\n', [event(''), event('\n')]],
    ['passes over comments', ': hi\n:\ndata: a\n:data: b\n\n', [event('a')]],
    ['passes over fields that it does not know', 'daat: a\nData: b\n data: c\ndata : d\ndata: e\n\n', [event('e')]],
    ['keeps later colons', 'data: a:b: c\n\n', [event('a:b: c')]],
    ['dispatches nothing without data', 'event: a\nid: 1\n\n\n\n', []],
    ['forgets the type of an event without data', 'event: a\n\ndata: b\n\n', [event('b')]],
    ['names its events', 'event: a\ndata: b\n\ndata: c\n\n', [event('b', { event: 'a' }), event('c')]],
    ['has "message" for an empty name', 'event: a\nevent:\ndata: b\n\n', [event('b')]],
    ['keeps the last id for what follows', 'id: 1\ndata: a\n\ndata: b\n\n', [event('a', { id: '1' }), event('b', { id: '1' })]],
    ['keeps an id that came without data', 'id: 1\n\ndata: a\n\n', [event('a', { id: '1' })]],
    ['resets the id by an empty one', 'id: 1\ndata: a\n\nid\ndata: b\n\n', [event('a', { id: '1' }), event('b')]],
    ['ignores an id with NUL', 'id: 1\nid: 2\0\ndata: a\n\n', [event('a', { id: '1' })]],
    ['keeps NUL in data', 'data: a\0b\n\n', [event('a\0b')]],
    ['sets the time to come back', 'retry: 1500\ndata: a\n\n', [event('a', { retry: 1500 })]],
    [
      'ignores a time that is not digits only',
      ['12a', '-1', '1.5', '', ' 1', '1e3', '١'].map((retry) => `retry: ${retry}\n`).join('') + 'data: a\n\n',
      [event('a')],
    ],
    ['drops what is incomplete at its end', 'data: a\n\ndata: b\n', [event('a')]],
    ['does not end its lines at other separators', 'data: a\u2028b\u0085c\u000bd\n\n', [event('a\u2028b\u0085c\u000bd')]],
  ])('%s', (_rule, stream, events) => {
    expect(decode(stream)).toEqual(events)
  })

  it('gives the example of the standard, in which the first block is a comment and the last has no end', () => {
    const stream = ': test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n'
    expect(decode(stream)).toEqual([event('first event', { id: '1' }), event('second event')])
  })

  it('replaces what is not UTF-8, and goes on', () => {
    expect(decode(bytesOf('data: a'), new Uint8Array([0xff, 0xc3]), bytesOf('b\n\ndata: c\n\n'))).toEqual([
      event('a\ufffd\ufffdb'),
      event('c'),
    ])
  })

  it('gives an event as soon as its blank line is there, also where that is a CR that may be half a line end', () => {
    const decoder = new EventStreamDecoder()
    expect(decoder.push(bytesOf('data: a\r\n\r'))).toEqual([event('a')])
    expect(decoder.push(bytesOf('\ndata: b\r\r'))).toEqual([event('b')])
    expect(decoder.push(bytesOf('\n'))).toEqual([])
    expect(decoder.push(bytesOf('data: c\n\n'))).toEqual([event('c')])
  })

  it('gives the same events wherever it is cut in two', () => {
    const bytes = bytesOf(everything)
    const whole = decode(bytes)
    expect(whole).toHaveLength(7)
    for (let at = 0; at <= bytes.length; at++) expect(decode(...cut(bytes, [at]))).toEqual(whole)
  })

  it('gives the same events byte by byte, with empty chunks in between', () => {
    const bytes = bytesOf(everything)
    expect(decode(...Array.from(bytes, (byte) => [new Uint8Array(), new Uint8Array([byte])]).flat())).toEqual(decode(bytes))
  })

  it('gives the same events however it is cut', () => {
    const cutStreams = streams()
      .map(bytesOf)
      .chain((bytes) => fc.tuple(fc.constant(bytes), fc.array(fc.nat(bytes.length))))
    fc.assert(
      fc.property(cutStreams, ([bytes, offsets]) => {
        expect(decode(...cut(bytes, offsets))).toEqual(decode(bytes))
      }),
    )
  })

  it('gives the same events whatever its bytes are, and does not throw', () => {
    const cutBytes = fc.uint8Array({ maxLength: 200 }).chain((bytes) => fc.tuple(fc.constant(bytes), fc.array(fc.nat(bytes.length))))
    fc.assert(
      fc.property(cutBytes, ([bytes, offsets]) => {
        expect(decode(...cut(bytes, offsets))).toEqual(decode(bytes))
      }),
    )
  })

  it('is read as an independent parser reads it', () => {
    fc.assert(
      fc.property(streams(), (stream) => {
        // That parser tells the id of a block, the retry as it comes, and holds a CR back until it sees what follows.
        const theirs: StreamEvent[] = []
        let retry: number | undefined
        const parser = createParser({
          onEvent: ({ id = '', event: name = 'message', data }) => theirs.push({ id, event: name, data, retry }),
          onRetry: (ms) => (retry = ms),
        })
        parser.feed(`${stream.replace(/^\ufeff/, '')}:\n`)
        const ours = decode(`${stream}:\n`)
        // Theirs has no id where the block has none; ours has the last one then.
        expect(ours).toEqual(theirs.map((block, index) => ({ ...block, id: block.id || ours[index]?.id })))
      }),
      { numRuns: 1000 },
    )
  })

  it('is read promptly, however long and hostile', () => {
    for (const text of hostileTexts) {
      promptly(() => decode(text, text))
      promptly(() => decode(`data: ${text}`, '\n\n'))
    }
    const bytes = bytesOf(`data: ${'a'.repeat(65_536)}\n\n`)
    promptly(() => expect(decode(...Array.from(bytes, (_, at) => bytes.subarray(at, at + 1)))).toHaveLength(1))
  })
})

describe('an event that is written', () => {
  it('is its retry, event, id and data, and a blank line', () => {
    expect(encodeEvent({ id: 'a.1.b', event: 'problem', data: '{}', retry: 1500.4 })).toBe(
      'retry: 1500\nevent: problem\nid: a.1.b\ndata: {}\n\n',
    )
    expect(encodeEvent({})).toBe('\n')
  })

  it('is read back as it was, whatever its data', () => {
    const anyText = fc.string({ unit: 'binary' })
    const oneLine = anyText.filter((text) => !/[\r\n\0]/.test(text))
    const fields = fc.record({ id: oneLine, event: oneLine, data: anyText, retry: fc.nat() })
    fc.assert(
      fc.property(fields, ({ id, event: name, data, retry }) => {
        // What is not a line end of the standard stays; the three that are become LF.
        const lines = data.replaceAll(/\r\n?/g, '\n')
        expect(decode(encodeEvent({ id, event: name, data, retry }))).toEqual([{ id, event: name || 'message', data: lines, retry }])
      }),
      { numRuns: 1000 },
    )
  })

  it('leaves JSON byte for byte', () => {
    fc.assert(
      fc.property(fc.json(), (json) => {
        expect(decode(encodeEvent({ data: json }))).toEqual([event(json)])
      }),
    )
  })

  it('cannot be forged from within: no id, event or data ends it or adds a field', () => {
    const evil = fc.string({ unit: fc.constantFrom('\n', '\r', '\0', 'data: x', 'id: x', 'event: x', 'retry: 1', ':', ' ') })
    fc.assert(
      fc.property(fc.record({ id: evil, event: evil, data: evil }, { requiredKeys: ['data'] }), (fields: EventFields) => {
        const bad = /[\r\n\0]/.test(`${fields.id ?? ''}${fields.event ?? ''}`)
        if (bad) expect(() => encodeEvent(fields)).toThrow(RangeError)
        else expect(decode(encodeEvent(fields))).toMatchObject([{ id: fields.id ?? '', retry: undefined }])
      }),
    )
  })

  it.each(['\n', '\r', '\r\n'])('has what follows %j in its data as data, not as a field', (end) => {
    const data = ['a', 'id: evil', '', 'retry: 1']
    expect(decode(encodeEvent({ id: '1', data: data.join(end) }))).toEqual([event(data.join('\n'), { id: '1' })])
  })

  it.each(['a\nb', 'a\rb', 'a\r\nb', 'a\0b', '\n'])('refuses %j as an id or an event', (text) => {
    expect(() => encodeEvent({ id: text })).toThrow(RangeError)
    expect(() => encodeEvent({ event: text })).toThrow(RangeError)
  })
})
