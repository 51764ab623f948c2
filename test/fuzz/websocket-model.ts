/** What RFC 6455 says must become of these bytes from a client: read here, without `ws`. */
import { isUtf8 } from 'node:buffer'

/** Contract §12. */
const maxPayload = 32 * 1024
const maxFragments = 64
/** Fewer control frames than are a flood, and more than are surely one, of one burst (50 a second, looked at every 10 s). */
const surelyNoFlood = 400
const surelyFlood = 520

export interface Expected {
  /** `open`: a ping behind these bytes has its pong. `closed`: by one of `codes`. `waiting`: within a frame or a message. */
  readonly end: 'open' | 'closed' | 'waiting'
  readonly codes: ReadonlySet<number>
  /** Messages for the application: with three bad ones among them it may close the socket itself. */
  readonly messages: number
}

interface FrameRead {
  readonly fin: boolean
  readonly rsv: number
  readonly opcode: number
  readonly masked: boolean
  readonly length: number
  /** Undefined where not all of it is there. */
  readonly payload: Buffer | undefined
  readonly end: number
}

/** The walk of a receiver through them. */
export function expectedOf(bytes: Buffer): Expected {
  const state = { at: 0, message: undefined as { readonly opcode: number; readonly parts: Buffer[] } | undefined, messages: 0, controls: 0 }
  const maybe = new Set<number>()
  const closed = (...codes: readonly number[]): Expected => ({
    end: 'closed',
    codes: new Set([...maybe, ...codes]),
    messages: state.messages,
  })
  for (;;) {
    const read = readFrame(bytes, state.at)
    if (read === undefined)
      return {
        end: state.at === bytes.length ? (state.message === undefined ? 'open' : 'waiting') : 'waiting',
        codes: maybe,
        messages: state.messages,
      }
    const { message } = state
    const total = (message?.parts.reduce((sum, part) => sum + part.length, 0) ?? 0) + (read.opcode < 8 ? read.length : 0)
    const wrong = headFaults(read, message !== undefined, total)
    if (wrong.length > 0) return closed(...wrong)
    // A receiver may refuse the fragments that it has counted before the last of them has come.
    if ((message?.parts.length ?? 0) >= maxFragments - 1) maybe.add(1008)
    if (read.opcode < 8 && (message?.parts.length ?? 0) > maxFragments) return closed(1008)
    if (read.payload === undefined) return { end: 'waiting', codes: maybe, messages: state.messages }
    state.at = read.end
    if (read.opcode === 8) return closed(...closeCode(read.payload))
    if (read.opcode > 8) {
      state.controls++
      if (state.controls > surelyNoFlood) maybe.add(1008)
      if (state.controls > surelyFlood) return closed(1008)
      continue
    }
    const parts = [...(message?.parts ?? []), read.payload]
    const opcode = message?.opcode ?? read.opcode
    state.message = read.fin ? undefined : { opcode, parts }
    if (!read.fin) continue
    if (opcode === 2) return closed(1003)
    if (!isUtf8(Buffer.concat(parts))) return closed(1007)
    state.messages++
  }
}

function readFrame(bytes: Buffer, at: number): FrameRead | undefined {
  if (bytes.length < at + 2) return undefined
  const [first = 0, second = 0] = bytes.subarray(at)
  const short = second & 0x7f
  const extra = short < 126 ? 0 : short === 126 ? 2 : 8
  const masked = second >= 0x80
  const bits = { fin: first >= 0x80, rsv: (first >> 4) & 7, opcode: first & 15, masked }
  const begin = at + 2 + extra
  // What the first two bytes have wrong is wrong before the others come.
  if (bytes.length < begin)
    return headFaults({ ...bits, length: 0 }, undefined, 0).length > 0 ? { ...bits, length: 0, payload: undefined, end: at } : undefined
  const length = extra === 0 ? short : extra === 2 ? bytes.readUInt16BE(at + 2) : Number(bytes.readBigUInt64BE(at + 2))
  const end = begin + (masked ? 4 : 0) + length
  const mask = bytes.subarray(begin, begin + 4)
  const payload =
    bytes.length < end
      ? undefined
      : bytes.subarray(begin + (masked ? 4 : 0), end).map((byte, index) => (masked ? byte ^ (mask[index & 3] as number) : byte))
  return { ...bits, length, payload: payload && Buffer.from(payload), end }
}

/** The codes that say what is wrong with the head of a frame; none where nothing is. `within`: a message has begun; undefined where it says nothing. */
function headFaults(
  { fin, rsv, opcode, masked, length }: Omit<FrameRead, 'payload' | 'end'>,
  within: boolean | undefined,
  total: number,
): number[] {
  const isControl = opcode >= 8
  const protocol =
    rsv !== 0 ||
    !masked ||
    (opcode > 2 && opcode < 8) ||
    opcode > 10 ||
    (isControl && (!fin || length > 125)) ||
    (opcode === 8 && length === 1) ||
    (within !== undefined && !isControl && (opcode === 0) !== within)
  return [...(protocol ? [1002] : []), ...(!isControl && total > maxPayload ? [1009] : [])]
}

/** RFC 6455, 7.4: which codes may be sent, and the answer that each gets. 1005 is an answer without a code. */
function closeCode(payload: Buffer): number[] {
  if (payload.length === 0) return [1005]
  const code = payload.readUInt16BE()
  const may = (code >= 1000 && code <= 1014 && ![1004, 1005, 1006].includes(code)) || (code >= 3000 && code <= 4999)
  const text = isUtf8(payload.subarray(2))
  return [...(may ? [] : [1002]), ...(text ? [] : [1007]), ...(may && text ? [code] : [])]
}
