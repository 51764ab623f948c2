/** JSON that is nearly right, as bytes: for bodies and for frames. */
import { mutated } from './mutation.ts'
import type { Random } from './random.ts'

const texts = [
  'hi',
  '',
  ' ',
  'grüße 𝄞',
  '\u2028',
  '\u202e',
  'a\u0000b',
  'a\r\nb',
  '\ufeff',
  '👩‍👩‍👧',
  'data: x\n\nid: 1',
  '<img src=x onerror=alert(1)>',
  '__proto__',
]
const values = [
  'null',
  'true',
  '0',
  '-0',
  '1e999',
  '1e-999',
  '-1',
  '12345678901234567890',
  '[]',
  '{}',
  '""',
  '"\\ud800"',
  '"\\u0000"',
  '[[[[]]]]',
  '{"a":1,"a":2}',
  '{"__proto__":{"polluted":1}}',
]
const keys = [
  'text',
  'id',
  'name',
  'state',
  'type',
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'te\\u0078t',
  '',
  'more',
  'ms',
  'room',
]
/** No UTF-8: overlong, a surrogate, beyond the last character, cut short, a continuation alone. */
const noUtf8 = ['c080', 'eda080', 'f4908080', 'e282', '80', 'fffe', 'f8888080'].map((hex) => Buffer.from(hex, 'hex'))

const draw = (length: number, random: Random): string => random.many(length, () => random.pick('abcdefgh01234567_-'.split(''))).join('')

function text(random: Random): string {
  if (random.chance(0.7)) return random.pick(texts)
  return random.pick(['x', '𝄞', '\n', 'é']).repeat(random.pick([1, 63, 64, 255, 256, 2047, 2048, 4095, 4096, 4097, 9000]))
}

function value(random: Random): string {
  return random.chance(0.5) ? random.pick(values) : JSON.stringify(text(random))
}

const nested = (random: Random): string => {
  const [open, close] = random.pick([
    ['[', ']'],
    ['{"a":', '}'],
    ['{"state":', '}'],
    ['[{"a":[', ']}]'],
  ] as const)
  const depth = random.pick([2, 10, 127, 128, 129, 1000, 5000])
  return `${open.repeat(depth)}1${random.chance(0.8) ? close.repeat(depth) : ''}`
}

const valid = (random: Random): string =>
  random.pick([
    () => JSON.stringify({ text: text(random) }),
    () => JSON.stringify({ id: draw(random.pick([7, 8, 12, 64, 65]), random), text: text(random) }),
    () => JSON.stringify({ name: text(random) }),
    () => JSON.stringify({ state: { x: random.below(100), y: text(random) } }),
    () => `{"state":${value(random)}}`,
    () => JSON.stringify({ type: 'publish', id: draw(12, random), text: text(random) }),
    () => JSON.stringify({ type: 'state', state: { x: random.below(100) } }),
  ])()

const object = (random: Random): string =>
  `{${random.many(random.from(0, 5), () => `"${random.pick(keys)}":${value(random)}`).join(random.pick([',', ',', ' , ', ',,', '']))}}`

/** One body or message. Half of them pass the parser, so that what is behind it is met too. */
export function jsonInput(random: Random): Buffer {
  const whole = Buffer.from(
    random
      .pick([valid, valid, valid, object, object, nested, value])(random)
      .padEnd(random.chance(0.02) ? random.pick([32_767, 32_768, 32_769, 40_000]) : 0),
  )
  if (random.chance(0.1)) {
    const at = random.below(whole.length + 1)
    return Buffer.concat([whole.subarray(0, at), random.pick(noUtf8), whole.subarray(at)])
  }
  return random.chance(0.3) ? mutated(whole, random) : whole
}

/** What the route at `path` takes, half of the time; anything else the other half. */
export function bodyFor(path: string, random: Random): Buffer {
  if (random.chance(0.5)) return jsonInput(random)
  const id = draw(12, random)
  const bodies: Readonly<Record<string, unknown>> = {
    '/session': random.chance(0.5) ? {} : { name: draw(random.from(1, 33), random) },
    messages: random.chance(0.8) ? { id, text: text(random) } : { text: text(random) },
    state: { state: { x: random.below(1_000), y: text(random) } },
    lease: {},
  }
  return Buffer.from(JSON.stringify(bodies[path] ?? bodies[path.split('/').at(-1) ?? ''] ?? {}))
}
