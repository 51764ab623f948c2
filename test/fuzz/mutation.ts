/** What happens to bytes that were right: a few are lost, doubled, changed, and all of them are cut into TCP segments. */
import type { Random } from './random.ts'

/** Bytes that mean something to one of the grammars: HTTP's, JSON's, UTF-8's, RFC 6455's. */
const telling = [
  0x00, 0x09, 0x0a, 0x0d, 0x20, 0x22, 0x23, 0x25, 0x2c, 0x2e, 0x2f, 0x3a, 0x3b, 0x3f, 0x5c, 0x7b, 0x7d, 0x7f, 0x80, 0xbf, 0xc0, 0xed, 0xf4,
  0xff,
]

type Mutate = (bytes: Buffer, at: number, random: Random) => Buffer

const replaced = (bytes: Buffer, at: number, length: number, by: Uint8Array): Buffer =>
  Buffer.concat([bytes.subarray(0, at), by, bytes.subarray(at + length)])

const mutations: readonly Mutate[] = [
  (bytes, at, random) => replaced(bytes, at, 1, Buffer.from([(bytes[at] ?? 0) ^ (1 << random.below(8))])),
  (bytes, at, random) => replaced(bytes, at, 1, Buffer.from([random.pick(telling)])),
  (bytes, at, random) => replaced(bytes, at, 0, Buffer.from([random.pick(telling)])),
  (bytes, at, random) => replaced(bytes, at, 0, random.bytes(random.from(1, 6))),
  (bytes, at, random) => replaced(bytes, at, random.from(1, 8), Buffer.alloc(0)),
  (bytes, at, random) => replaced(bytes, at, 0, bytes.subarray(at, at + random.from(1, 40))),
  (bytes, at) => bytes.subarray(0, at),
  (bytes, at, random) =>
    replaced(bytes, at, 2, random.pick(['\r\n', '\n', '\r', '\r\n\r\n', '\0', '%00', '%0d%0a'].map((text) => Buffer.from(text)))),
]

/** One to eight mutations, the first few likeliest. */
export function mutated(bytes: Buffer, random: Random): Buffer {
  let result = bytes
  do result = random.pick(mutations)(result, random.below(result.length + 1), random)
  while (random.chance(0.6))
  return result
}

/** The same bytes in pieces: mostly one, sometimes a few, now and then each byte of the beginning by itself. */
export function segmented(bytes: Buffer, random: Random): Buffer[] {
  if (random.chance(0.6)) return [bytes]
  const single = random.chance(0.1) ? Math.min(bytes.length, 64) : 0
  const cuts = [...random.many(single, (index) => index + 1), ...random.many(random.from(1, 4), () => random.below(bytes.length + 1))]
  const pieces: Buffer[] = []
  let from = 0
  for (const cut of cuts.toSorted((a, b) => a - b)) {
    if (cut > from) pieces.push(bytes.subarray(from, cut))
    from = Math.max(from, cut)
  }
  return [...pieces, bytes.subarray(from)]
}
