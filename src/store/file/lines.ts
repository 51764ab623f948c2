/**
 * How a room is spelled on disk: one JSON object a line, each sealed by a checksum of its own.
 *
 *     {"epoch":"ZkT0aQ1mB7xY","seq":0,"tag":"AAAAAA","at":1763683200000,"crc":"…"}        the log, before its first line kept
 *     {"key":"m_8QdXw2kzT0aQ c1f09b2e","seq":7,"tag":"…","textHash":"…","at":…,"crc":"…"}  an id whose message is not kept
 *     {"seq":8,"id":"…","member":"…","author":"…","text":"…","at":…,"tag":"…","crc":"…"}   a message
 */
import { crc32 } from 'node:zlib'
import type { Position } from '../../protocol/cursor.ts'
import type { KeptId, Line, Log } from '../log.ts'

/** Where the log of a file begins; `at` is when its last message came, in ms since 1970. */
export interface Origin extends Position {
  readonly at: number
}
type Flat = Line['message'] & { readonly tag: string }
export type Kept = Origin | KeptId | Flat

export const isOrigin = (kept: Kept): kept is Origin => 'epoch' in kept
export const isMessage = (kept: Kept): kept is Flat => 'text' in kept

const sealMark = ',"crc":"'
const checksum = (open: string | Buffer): string => crc32(open).toString(16).padStart(8, '0')
const sealBytes = sealMark.length + checksum('').length + '"}'.length

function seal(kept: Kept): string {
  const open = JSON.stringify(kept).slice(0, -1)
  return `${open}${sealMark}${checksum(open)}"}\n`
}

/** What a line says, without its end; undefined where it is not as it was written. */
function unseal(line: Buffer): Kept | undefined {
  const open = line.subarray(0, Math.max(0, line.length - sealBytes))
  if (line.toString('latin1', open.length) !== `${sealMark}${checksum(open)}"}`) return undefined
  const { crc: _, ...kept } = JSON.parse(line.toString()) as Kept & { readonly crc: string }
  return kept
}

export const spellMessage = ({ message, tag }: Line): string => seal({ ...message, tag })

/** A whole log as it is now, a line at a time: what it lets go of while it is written is in it still. */
export function spellLog(log: Log, lastAt: number): Iterable<string> {
  const { floor, idsBelow, lines } = log
  return (function* () {
    yield seal({ ...floor, at: lastAt })
    for (const { key, seq, tag, textHash, at } of idsBelow) yield seal({ key, seq, tag, textHash, at })
    for (const line of lines) yield spellMessage(line)
  })()
}

/**
 * What of a file can be read. `torn`: it ends in what a crash leaves of a write that nobody was told of, behind `soundBytes`.
 * `damaged`: a line that was written once is not as it was.
 */
export interface Spelled {
  readonly kept: readonly Kept[]
  readonly soundBytes: number
  readonly state: 'whole' | 'torn' | 'damaged'
}

export function readLines(bytes: Buffer): Spelled {
  const kept: Kept[] = []
  let bad: number | undefined
  let goodAfterBad = false
  for (let begin = 0, end: number; begin < bytes.length; begin = end) {
    const newline = bytes.indexOf(0x0a, begin)
    end = newline === -1 ? bytes.length : newline + 1
    const line = newline === -1 ? undefined : unseal(bytes.subarray(begin, newline))
    if (line === undefined) {
      bad ??= begin
      continue
    }
    goodAfterBad ||= bad !== undefined
    kept.push(line)
  }
  if (bad === undefined) return { kept, soundBytes: bytes.length, state: 'whole' }
  // A write that was cut has no end, or a hole of zeros where a page did not reach the disk. A line with an end and without
  // zeros that does not check was whole once, and so was one with a line behind it.
  const rest = bytes.subarray(bad)
  const torn = !goodAfterBad && (rest.at(-1) !== 0x0a || rest.includes(0))
  return { kept, soundBytes: bad, state: torn ? 'torn' : 'damaged' }
}
