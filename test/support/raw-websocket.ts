/** The frames of RFC 6455 on a bare connection: written and read here, without `ws`. */
import { createHash, randomBytes } from 'node:crypto'
import { RawClient, type RawHead, request } from './raw-client.ts'

/** RFC 6455, 1.3: the key of its example, and the answer that it asks for. */
export const sampleKey = 'dGhlIHNhbXBsZSBub25jZQ=='

export const handshake = (port: number, path: string, headers: Readonly<Record<string, string>> = {}): string =>
  request(port, `GET ${path}`, {
    connection: 'Upgrade',
    upgrade: 'websocket',
    'sec-websocket-version': '13',
    'sec-websocket-key': sampleKey,
    ...headers,
  })

/** RFC 6455, 4.2.2. */
export const acceptOf = (key: string): string => createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64')

export interface Frame {
  readonly fin: boolean
  readonly rsv: number
  readonly opcode: number
  readonly masked: boolean
  /** Of the header: 2, 4 or 10 from a server. */
  readonly headerBytes: number
  readonly payload: Buffer
}

export const opcodes = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const

export interface FrameBits {
  readonly opcode?: number
  readonly fin?: boolean
  readonly rsv?: number
  readonly masked?: boolean
}

/** A frame as a client writes it (RFC 6455, 5.2): text, whole and masked, unless something else is said. */
export function frame(payload: string | Uint8Array, bits: FrameBits = {}): Buffer {
  const data = Buffer.from(payload as Uint8Array)
  const head = frameHead(data.length, bits)
  if (bits.masked === false) return Buffer.concat([head, data])
  const mask = randomBytes(4)
  return Buffer.concat([head, mask, data.map((byte, index) => byte ^ (mask[index & 3] as number))])
}

/** The head alone, which may promise more than ever comes. */
export function frameHead(length: number | bigint, bits: FrameBits = {}): Buffer {
  const { opcode = opcodes.text, fin = true, rsv = 0, masked = true } = bits
  const first = (fin ? 0x80 : 0) | (rsv << 4) | opcode
  const mask = masked ? 0x80 : 0
  if (length < 126) return Buffer.from([first, mask | Number(length)])
  const head = Buffer.alloc(length < 65_536 ? 4 : 10)
  head[0] = first
  head[1] = mask | (head.length === 4 ? 126 : 127)
  if (head.length === 4) head.writeUInt16BE(Number(length), 2)
  else head.writeBigUInt64BE(BigInt(length), 2)
  return head
}

/** Status code and reason of a close. */
export const closeFrame = (code: number, reason = ''): Buffer => {
  const payload = Buffer.alloc(2 + Buffer.byteLength(reason))
  payload.writeUInt16BE(code, 0)
  payload.write(reason, 2)
  return frame(payload, { opcode: opcodes.close })
}

/** A WebSocket on a raw connection. */
export class RawWebSocket {
  readonly client: RawClient
  readonly head: RawHead

  constructor(client: RawClient, head: RawHead) {
    this.client = client
    this.head = head
  }

  /** Shakes hands at `path`; `more` goes out in the same packet. */
  static async open(
    port: number,
    path: string,
    headers: Readonly<Record<string, string>> = {},
    more: Uint8Array = Buffer.alloc(0),
  ): Promise<RawWebSocket> {
    const client = await RawClient.connect(port)
    client.send(Buffer.concat([Buffer.from(handshake(port, path, headers)), more]))
    const head = await client.head()
    if (head.status !== 101) throw new Error(`no upgrade: ${head.text}${client.unread.toString()}`)
    return new RawWebSocket(client, head)
  }

  send(...frames: readonly Uint8Array[]): this {
    this.client.send(Buffer.concat(frames))
    return this
  }
  sendJson(value: unknown): this {
    return this.send(frame(JSON.stringify(value)))
  }

  async frame(): Promise<Frame> {
    const [first = 0, second = 0] = await this.client.bytes(2)
    const short = second & 0x7f
    const extra = short < 126 ? 0 : short === 126 ? 2 : 8
    const long = await this.client.bytes(extra)
    const length = extra === 0 ? short : extra === 2 ? long.readUInt16BE() : Number(long.readBigUInt64BE())
    const payload = await this.client.bytes(length)
    return { fin: first >= 0x80, rsv: (first >> 4) & 7, opcode: first & 15, masked: second >= 0x80, headerBytes: 2 + extra, payload }
  }

  /** The next text frame; pings in between are passed over. */
  async text(): Promise<string> {
    for (;;) {
      const next = await this.frame()
      if (next.opcode === opcodes.text) return next.payload.toString()
      if (next.opcode === opcodes.close) throw new Error(`closed: ${JSON.stringify(closing(next))}`)
    }
  }

  async json<T = Record<string, unknown>>(): Promise<T> {
    return JSON.parse(await this.text()) as T
  }

  /** Reads on until the peer's close frame. */
  async closing(): Promise<{ readonly code: number; readonly reason: string }> {
    for (;;) {
      const next = await this.frame()
      if (next.opcode === opcodes.close) return closing(next)
    }
  }

  [Symbol.dispose](): void {
    this.client.destroy()
  }
}

const closing = ({ payload }: Frame): { code: number; reason: string } =>
  payload.length === 0 ? { code: 1005, reason: '' } : { code: payload.readUInt16BE(), reason: payload.subarray(2).toString() }
