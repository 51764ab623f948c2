/** The Autobahn test suite's case groups 1 to 7, 9 and 10, as raw frames: an application that answers by acks and problems in place of echoes. */
import { expect, test } from 'vitest'
import { closeFrame, frame, opcodes, RawWebSocket } from '../support/raw-websocket.ts'
import { member, startServer } from '../support/server.ts'

const ping = (payload: string | Uint8Array = ''): Buffer => frame(payload, { opcode: opcodes.ping })
const part = (payload: string | Uint8Array, fin = false): Buffer => frame(payload, { opcode: opcodes.continuation, fin })
const first = (payload: string | Uint8Array): Buffer => frame(payload, { fin: false })
const publish = (id: string, text: string): string => JSON.stringify({ type: 'publish', id, text })
const hex = (bytes: string): Buffer => Buffer.from(bytes, 'hex')

/** `ok`: the socket is open behind it, and answers a ping. */
type Case = readonly [group: string, what: string, due: number | 'ok', ...frames: Buffer[]]

const cases: readonly Case[] = [
  ...[1, 125, 126, 127, 128, 4096].map((length): Case => [
    '1.1',
    `text of ${length}`,
    'ok',
    frame(publish(`text-of-${length}`, 'x'.repeat(length))),
  ]),
  ['1.1', 'text of 65,536 bytes', 1009, frame('x'.repeat(65_536))],
  ['1.2', 'binary', 1003, frame('', { opcode: opcodes.binary })],
  ['2.1', 'an empty ping', 'ok', ping()],
  ['2.4', 'a ping of 125 bytes', 'ok', ping('x'.repeat(125))],
  ['2.5', 'a ping of 126 bytes', 1002, ping('x'.repeat(126))],
  ['2.7', 'a pong unasked, empty and not', 'ok', frame('', { opcode: opcodes.pong }), frame('x', { opcode: opcodes.pong })],
  ['2.10', 'ten pings', 'ok', ...Array.from({ length: 10 }, (_, index) => ping(`${index}`))],
  ...[1, 2, 3, 4, 5, 6, 7].map((rsv): Case => ['3', `RSV ${rsv}`, 1002, frame('hi', { rsv })]),
  ...[3, 4, 5, 6, 7, 11, 12, 13, 14, 15].map((opcode): Case => ['4', `opcode ${opcode}`, 1002, frame('', { opcode })]),
  ['5.1', 'a ping in two fragments', 1002, frame('a', { opcode: opcodes.ping, fin: false }), part('b', true)],
  ['5.3', 'text in two fragments', 'ok', first('{"type":"publish","id":"in-two-00",'), part('"text":"a"}', true)],
  ['5.6', 'text in two with a ping between', 'ok', first('{"type":"publish","id":"in-two-01",'), ping('x'), part('"text":"a"}', true)],
  ['5.9', 'a continuation of nothing', 1002, part('x', true)],
  ['5.12', 'a continuation of nothing, to be continued', 1002, part('x')],
  ['5.15', 'a continuation behind the end', 1002, first('{"type":"publish","id":"in-two-02",'), part('"text":"a"}', true), part('x', true)],
  ['5.18', 'a text within a text', 1002, first('a'), frame('b')],
  ['6.1', 'an empty text, whole and in three', 'ok', frame(''), first(''), part(''), part('', true)],
  ['6.2', 'UTF-8 cut within a character', 'ok', first(hex('7b22ce')), part(hex('ba223a317d'), true)],
  ...[
    'f4908080',
    'eda080',
    'c080',
    'e08080',
    'f08080af',
    'fe',
    'ff',
    '80',
    'c3',
    'f8888080a0',
    'cebae1bdb9cf83cebcceb5eda080656469746564',
  ].map((bytes): Case => ['6.3', `no UTF-8: ${bytes}`, 1007, frame(hex(bytes))]),
  ...['f48fbfbf', 'efbfbf', 'ed9fbf', 'ee8080', 'efbfbd', 'f0908080', 'c280', '00'].map((bytes): Case => [
    '6.6',
    `UTF-8: ${bytes}`,
    'ok',
    frame(hex(bytes)),
  ]),
  ['7.1', 'frames behind a close are not read', 1000, closeFrame(1000), frame('x', { rsv: 7 })],
  ['7.3', 'a close without a code', 1005, frame('', { opcode: opcodes.close })],
  ['7.3', 'a close of one byte', 1002, frame('x', { opcode: opcodes.close })],
  ['7.3', 'a close with 123 bytes of reason', 1000, closeFrame(1000, '*'.repeat(123))],
  ['7.3', 'a close of 126 bytes', 1002, closeFrame(1000, '*'.repeat(124))],
  ['7.5', 'a reason that is no UTF-8', 1007, frame(hex('03e8ceba80'), { opcode: opcodes.close })],
  ...[1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999].map((code): Case => [
    '7.7',
    `close code ${code}`,
    code,
    closeFrame(code),
  ]),
  ...[0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999, 5000, 65_535].map((code): Case => [
    '7.9',
    `close code ${code}`,
    1002,
    closeFrame(code),
  ]),
  ['9', 'as much as may be', 'ok', frame(publish('as-much-as', 'x').padEnd(32_768))],
  ['9', 'a byte more', 1009, frame(publish('as-much-as', 'x').padEnd(32_769))],
  [
    '10.1',
    'much in 60 fragments',
    'ok',
    first(publish('in-60-000', 'x').padEnd(32_768 - 59 * 4)),
    ...Array.from({ length: 59 }, (_, at) => part('    ', at === 58)),
  ],
]

test('every case ends as RFC 6455 says: in one packet, and a byte at a time', { timeout: 60_000 }, async () => {
  await using server = await startServer({ publishesPerSecond: 0 })
  const { cookie } = await member(server.url)
  const endOf = async (frames: readonly Buffer[], chopped: boolean): Promise<number | 'ok'> => {
    using socket = await RawWebSocket.open(server.port, '/rooms/r/websocket', { cookie })
    const bytes = Buffer.concat([...frames, ping('the end')])
    for (const piece of chopped ? bytes.toString('latin1').split('') : [bytes]) {
      socket.client.send(Buffer.from(piece as string, 'latin1'))
      if (chopped) await new Promise((resolve) => setImmediate(resolve))
    }
    for (;;) {
      const { opcode, payload } = await socket.frame()
      if (opcode === opcodes.pong && payload.toString() === 'the end') return 'ok'
      if (opcode === opcodes.close) return payload.length === 0 ? 1005 : payload.readUInt16BE()
    }
  }
  const ends = await Promise.all(
    cases.flatMap(([group, what, due, ...frames]) =>
      [false, Buffer.concat(frames).length < 300]
        .filter((chopped, index) => index === 0 || chopped)
        .map(async (chopped) => ({ [`${group} ${what}`]: await endOf(frames, chopped).catch(String), due })),
    ),
  )
  expect(ends).toEqual(ends.map((end) => ({ ...end, [Object.keys(end)[0] as string]: end.due })))
})
