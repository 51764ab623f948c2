/** Cursors and versions that are nearly right. */
import type { Random } from './random.ts'

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-'.split('')
const foreign = Array.from('.%+/= \0\n\r\té٣０\u202e😀\ud800,;&#?')
const seqs = [
  '0',
  '-0',
  '00',
  '01',
  '+1',
  '1e3',
  '1.5',
  '0x10',
  '٣',
  '１',
  '',
  ' 1',
  '1 ',
  '999999999999999',
  '1000000000000000',
  '9007199254740991',
  '9007199254740992',
  '9007199254740993',
  'NaN',
  'Infinity',
  '-1',
]
const whole = [
  '',
  'earliest',
  'EARLIEST',
  'latest',
  '0',
  '1',
  '.',
  '..',
  '...',
  'null',
  'undefined',
  '__proto__',
  'constructor',
  '*',
  '%',
  '%00',
]

const base64url = (length: number, random: Random): string => random.many(length, () => random.pick(alphabet)).join('')

/** A cursor: with luck a right one. `known` are cursors of logs that exist. */
export function cursorInput(random: Random, known: readonly string[]): string {
  if (random.chance(0.1)) return random.pick(whole)
  const [epoch = '', seq = '', tag = ''] = (
    random.chance(0.7) ? random.pick(known) : `${base64url(12, random)}.7.${base64url(6, random)}`
  ).split('.')
  const parts = [
    random.chance(0.85) ? epoch : base64url(random.pick([0, 1, 11, 12, 12, 13, 400]), random),
    random.chance(0.3) ? seq : random.chance(0.6) ? String(random.below(random.pick([2, 10, 30, 1e6, 1e15, 1e17]))) : random.pick(seqs),
    random.chance(0.7) ? tag : base64url(random.pick([0, 5, 6, 6, 7]), random),
  ]
  const text = parts
    .slice(0, random.chance(0.97) ? 3 : random.from(1, 2))
    .join(random.chance(0.98) ? '.' : random.pick(['', '..', ',', '%2e']))
  return random.chance(0.2) ? disturbed(text, random) : text
}

/** A version of members or states, `epoch.number`, or `0`. */
export function versionInput(random: Random, known: readonly string[]): string {
  if (random.chance(0.2)) return random.pick(['0', '', '00', ...whole])
  const version = random.chance(0.5)
    ? random.pick(known)
    : `${base64url(random.pick([11, 12, 12, 12, 13]), random)}.${random.chance(0.6) ? random.below(1e6) : random.pick(seqs)}`
  return random.chance(0.2) ? disturbed(version, random) : version
}

function disturbed(text: string, random: Random): string {
  const at = random.below(text.length + 1)
  return text.slice(0, at) + random.pick(foreign) + text.slice(at + random.below(2))
}

/** The text as a value in a query; half a surrogate has no UTF-8, and is replaced. */
export const escaped = (text: string): string => encodeURIComponent(Buffer.from(text).toString())
