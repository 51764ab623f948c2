/** What each byte of a block is, finer than its pieces: request line, each header, chunk size, field, FIN and opcode, mask. No DOM. */
import type { Block, PieceKind } from '../../lab/events.ts'

export interface Segment {
  readonly kind: PieceKind
  /** In the words of the standard. */
  readonly name: string
  /** What it says, where that is not its text. */
  readonly note?: string
  readonly from: number
  readonly to: number
}

const lf = 0x0a
const opcodes: Readonly<Record<number, string>> = { 0: 'continuation', 1: 'text', 2: 'binary', 8: 'close', 9: 'ping', 10: 'pong' }
const latin1 = new TextDecoder('latin1')

/** The first `bytes.length` bytes of the block, in order and without a hole. */
export function annotate({ pieces }: Block, bytes: Uint8Array): readonly Segment[] {
  const segments: Segment[] = []
  let from = 0
  for (const [kind, length] of pieces) {
    const to = Math.min(from + length, bytes.length)
    if (to <= from) break
    segments.push(...segmentsOf(kind, bytes, from, to))
    from = to
  }
  return segments
}

function segmentsOf(kind: PieceKind, bytes: Uint8Array, from: number, to: number): readonly Segment[] {
  const whole = (name: string, note?: string): readonly Segment[] => [{ kind, name, from, to, ...(note !== undefined && { note }) }]
  switch (kind) {
    case 'request-line':
      return whole('request line')
    case 'status-line':
      return whole('status line')
    case 'headers':
      return linesOf(bytes, from, to).map(([start, end]) => ({ kind, name: headerName(bytes, start, end), from: start, to: end }))
    case 'field':
      return linesOf(bytes, from, to).map(([start, end]) => ({ kind, name: fieldName(bytes, start, end), from: start, to: end }))
    case 'chunk':
      return chunkOf(bytes, from, to)
    case 'frame-header':
      return frameHeader(bytes, from, to)
    case 'mask':
      return whole('masking key')
    case 'control':
      return whole('control payload')
    case 'unattributed':
      return whole('not recognised')
    default:
      return whole('payload')
  }
}

/** Each line with its end. */
function linesOf(bytes: Uint8Array, from: number, to: number): readonly (readonly [number, number])[] {
  const lines: (readonly [number, number])[] = []
  for (let start = from; start < to;) {
    const end = bytes.indexOf(lf, start)
    const next = end === -1 || end >= to ? to : end + 1
    lines.push([start, next])
    start = next
  }
  return lines
}

function headerName(bytes: Uint8Array, from: number, to: number): string {
  const text = latin1.decode(bytes.subarray(from, to))
  if (/^\r?\n$/.test(text)) return 'blank line'
  return /^([^:\r\n]+):/.exec(text)?.[1] ?? 'header'
}

/** `data:` is the field's name; its value is payload, and not part of this. */
function fieldName(bytes: Uint8Array, from: number, to: number): string {
  const text = latin1.decode(bytes.subarray(from, to))
  if (/^\r?\n$/.test(text)) return 'line end'
  return /^[a-z]*:/.exec(text)?.[0] ?? 'field'
}

/** Before a chunk its size, behind it the end of its line: both are the chunk's framing. */
function chunkOf(bytes: Uint8Array, from: number, to: number): readonly Segment[] {
  return linesOf(bytes, from, to).map(([start, end]) => {
    const text = latin1.decode(bytes.subarray(start, end)).trim()
    const size = /^[0-9a-f]+/i.exec(text)?.[0]
    if (size === undefined) return { kind: 'chunk', name: 'chunk end', from: start, to: end }
    return { kind: 'chunk', name: 'chunk size', note: `hexadecimal ${size} = ${parseInt(size, 16)} B`, from: start, to: end }
  })
}

/** RFC 6455, 5.2. */
function frameHeader(bytes: Uint8Array, from: number, to: number): readonly Segment[] {
  const kind = 'frame-header'
  const [first = 0, second] = bytes.subarray(from, to)
  const opcode = first & 0x0f
  const fin = `FIN ${first >> 7}, RSV ${(first >> 4) & 7}, opcode ${opcode} = ${opcodes[opcode] ?? 'unknown'}`
  const segments: Segment[] = [{ kind, name: 'FIN, opcode', note: fin, from, to: Math.min(from + 1, to) }]
  if (second === undefined) return segments
  const length = second & 0x7f
  const more = length === 126 ? '126: the next 2 bytes say' : length === 127 ? '127: the next 8 bytes say' : `${length} B`
  segments.push({ kind, name: 'MASK, length', note: `MASK ${second >> 7}, length ${more}`, from: from + 1, to: from + 2 })
  if (to > from + 2) {
    const said = bytes.subarray(from + 2, to).reduce((sum, byte) => sum * 256 + byte, 0)
    segments.push({ kind, name: 'length', note: `${said} B`, from: from + 2, to })
  }
  return segments
}

/** The block's bytes as the application gave them: each of the payload with its byte of the key (RFC 6455, 5.3). */
export function unmask(segments: readonly Segment[], bytes: Uint8Array): Uint8Array {
  const plain = Uint8Array.from(bytes)
  const mask = segments.find(({ kind }) => kind === 'mask')
  if (mask === undefined || mask.to - mask.from < 4) return plain
  const key = bytes.subarray(mask.from, mask.to)
  for (let index = mask.to; index < plain.length; index++) plain[index] = (bytes[index] ?? 0) ^ (key[(index - mask.to) % 4] ?? 0)
  return plain
}

/** `48 65 6c 6c 6f` */
export const hexOf = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(' ')

/** What can be read; line ends as a programmer writes them. UTF-8 where it is, and a byte that is none by a dot. */
export function textOf(bytes: Uint8Array): string {
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    text = Array.from(bytes, (byte) => (byte < 0x7f ? String.fromCharCode(byte) : '·')).join('')
  }
  return text
    .replace(/\r/g, '\\r')
    .replace(/\n/g, '\\n')
    .replace(/[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu, '·')
}

export const bytesFrom = (base64: string): Uint8Array => Uint8Array.from(atob(base64), (character) => character.charCodeAt(0))
