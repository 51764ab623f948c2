/** Sequences of frames after a right handshake, nearly right ones among them. RFC 6455, section 5. */
import { frameHead, opcodes } from '../support/raw-websocket.ts'
import { cursorInput, escaped, versionInput } from './cursor-inputs.ts'
import type { Known } from './http-inputs.ts'
import { jsonInput } from './json-inputs.ts'
import { mutated } from './mutation.ts'
import type { Random } from './random.ts'

export interface WebSocketInput {
  readonly kind: string
  /** Of the handshake. */
  readonly path: string
  readonly cookie: boolean
  /** All that is sent behind the handshake. */
  readonly bytes: Buffer
  /** In the same packet as the handshake. */
  readonly early: boolean
}

const closeCodes = [
  0, 999, 1000, 1001, 1002, 1003, 1004, 1005, 1006, 1007, 1011, 1012, 1014, 1015, 1016, 2999, 3000, 3999, 4000, 4999, 5000, 65_535,
]
const lengths = [126, 65_535, 65_536, 32_769, 2 ** 31, 2n ** 53n, 2n ** 63n, 2n ** 64n - 1n]

interface Bits {
  readonly opcode?: number
  readonly fin?: boolean
  readonly rsv?: number
  readonly masked?: boolean
}

/** As `frame` of the tests, with a mask of this input's own. */
function frame(payload: Buffer, bits: Bits, random: Random): Buffer {
  const head = frameHead(payload.length, bits)
  if (bits.masked === false) return Buffer.concat([head, payload])
  const mask = random.chance(0.9) ? random.bytes(4) : Buffer.alloc(4)
  return Buffer.concat([head, mask, payload.map((byte, index) => byte ^ (mask[index & 3] as number))])
}

/** In 2 to 80 fragments, cut anywhere, with control frames in between. */
function fragments(random: Random): Buffer {
  const whole = random.chance(0.7) ? jsonInput(random) : random.bytes(random.below(40))
  const count = random.chance(0.9) ? random.from(2, 6) : random.pick([63, 64, 65, 66, 80])
  const cuts = random.many(count - 1, () => random.below(whole.length + 1)).toSorted((a, b) => a - b)
  const opcode = random.chance(0.9) ? opcodes.text : opcodes.binary
  return Buffer.concat(
    [...cuts, whole.length].flatMap((cut, index) => [
      frame(
        whole.subarray(cuts[index - 1] ?? 0, cut),
        { opcode: index === 0 ? opcode : 0, fin: index === count - 1 && random.chance(0.95) },
        random,
      ),
      ...(random.chance(0.1) && index < count - 1 ? [control(random)] : []),
    ]),
  )
}

const control = (random: Random): Buffer =>
  frame(
    random.bytes(random.chance(0.95) ? random.below(126) : random.from(126, 200)),
    { opcode: random.pick([opcodes.ping, opcodes.pong]), fin: random.chance(0.98) },
    random,
  )

function closing(random: Random): Buffer {
  if (random.chance(0.2)) return frame(random.bytes(random.below(2)), { opcode: opcodes.close }, random)
  const reason = random.pick([
    Buffer.alloc(0),
    Buffer.from('going away'),
    Buffer.from('𝄞'),
    Buffer.from('c080', 'hex'),
    random.bytes(123),
    Buffer.alloc(123, 'x'),
  ])
  const payload = Buffer.alloc(2 + reason.length)
  payload.writeUInt16BE(random.pick(closeCodes))
  reason.copy(payload, 2)
  return frame(payload, { opcode: opcodes.close }, random)
}

const makers: readonly (readonly [kind: string, make: (random: Random) => Buffer])[] = [
  ['json', (random) => frame(jsonInput(random), {}, random)],
  ['json', (random) => frame(jsonInput(random), {}, random)],
  ['json', (random) => frame(jsonInput(random), {}, random)],
  ['fragments', fragments],
  ['control', control],
  ['control', control],
  ['close', closing],
  ['binary', (random) => frame(random.bytes(random.below(20)), { opcode: opcodes.binary }, random)],
  ['text', (random) => frame(random.bytes(random.below(20)), {}, random)],
  [
    'bits',
    (random) =>
      frame(
        random.bytes(random.below(130)),
        { opcode: random.below(16), rsv: random.below(8), fin: random.chance(0.7), masked: random.chance(0.8) },
        random,
      ),
  ],
  [
    'length',
    (random) => Buffer.concat([frameHead(random.pick(lengths), { opcode: random.pick([0, 1, 2, 8, 9]) }), random.bytes(random.below(50))]),
  ],
  ['spelled long', (random) => spelledLong(jsonInput(random), random)],
  ['mutated', (random) => mutated(frame(jsonInput(random), {}, random), random)],
  ['garbage', (random) => random.bytes(random.from(1, 60))],
]

/** A length in more bits than it needs. */
function spelledLong(payload: Buffer, random: Random): Buffer {
  const whole = frame(payload, {}, random)
  if (payload.length > 125) return whole
  return Buffer.concat([whole.subarray(0, 1), Buffer.from([0xfe, 0, payload.length]), whole.subarray(2)])
}

/** The WebSocket input of this number: one to eight frames, the last kind in its name. */
export function webSocketInput(random: Random, known: Known): WebSocketInput {
  const chosen = random.many(random.chance(0.4) ? 1 : random.from(2, 8), () => random.pick(makers))
  const flood = random.chance(0.005) ? [Buffer.concat(random.many(random.from(400, 900), () => control(random)))] : []
  const query = random.chance(0.9)
    ? ''
    : `?${random.pick(['since', 'members', 'states', 'x'])}=${escaped(random.chance(0.5) ? cursorInput(random, known.cursors) : versionInput(random, known.versions))}`
  return {
    kind: chosen.at(-1)?.[0] ?? '',
    path: `/rooms/${random.pick(['r0', 'r0', 'r1', 'r2'])}/websocket${query}`,
    cookie: random.chance(0.8),
    bytes: Buffer.concat([...chosen.map(([, make]) => make(random)), ...flood]),
    early: random.chance(0.1),
  }
}
