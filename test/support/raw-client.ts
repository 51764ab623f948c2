/** An independent client on a bare TCP connection: nothing of what it reads or writes goes through `http`, `fetch` or `ws`. */
import { connect as connectTcp, type Socket } from 'node:net'

/** How long a test waits for bytes that should come, in ms. */
const patienceMs = 8_000

export interface RawHead {
  readonly statusLine: string
  readonly status: number
  /** Name (in lower case) and value of each header line, in the order of the wire. */
  readonly headers: readonly (readonly [string, string])[]
  header(name: string): string | undefined
  /** As it came, the blank line included. */
  readonly text: string
}

export interface RawResponse extends RawHead {
  /** Decoded: without the framing of chunks. */
  readonly body: Buffer
}

/** A connection whose bytes are read piece by piece, each once. */
export class RawClient {
  readonly socket: Socket
  /** Resolves once the peer has ended or cut the connection. */
  readonly ended: Promise<void>
  // Put together when somebody looks: a test may leave megabytes unread.
  #pieces: Buffer[] = []
  #over = false
  #woken: () => void = () => {}

  constructor(socket: Socket) {
    this.socket = socket
    socket.on('data', (data) => {
      this.#pieces.push(data)
      this.#woken()
    })
    this.ended = new Promise((resolve) => {
      for (const event of ['end', 'close', 'error'] as const) {
        socket.on(event, () => {
          this.#over = true
          this.#woken()
          resolve()
        })
      }
    })
  }

  /** `from` is the address that the server is to see. */
  static async connect(port: number, host = '127.0.0.1', from?: string): Promise<RawClient> {
    const socket = connectTcp({ port, host, allowHalfOpen: true, ...(from !== undefined && { localAddress: from }) })
    socket.setNoDelay(true)
    await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject))
    return new RawClient(socket)
  }

  /** Bytes that came and were not read yet. */
  get unread(): Buffer {
    if (this.#pieces.length !== 1) this.#pieces = [Buffer.concat(this.#pieces)]
    return this.#pieces[0] as Buffer
  }
  /** True once the peer has ended or cut the connection. */
  get over(): boolean {
    return this.#over
  }

  send(data: string | Uint8Array): this {
    this.socket.write(data)
    return this
  }

  /** Waits until `found` says how many bytes to take from the front. */
  async take(found: (bytes: Buffer, over: boolean) => number | undefined, what: string): Promise<Buffer> {
    const tooLate = AbortSignal.timeout(patienceMs)
    tooLate.addEventListener('abort', () => this.#woken())
    for (;;) {
      const { unread } = this
      const length = found(unread, this.#over)
      if (length !== undefined) {
        this.#pieces = [unread.subarray(length)]
        return unread.subarray(0, length)
      }
      if (this.#over || tooLate.aborted)
        throw new Error(`${this.#over ? 'the end' : 'nothing more'} came in place of ${what}: ${this.#shown()}`)
      await new Promise<void>((resolve) => (this.#woken = resolve))
    }
  }

  bytes(length: number): Promise<Buffer> {
    return this.take((bytes) => (bytes.length >= length ? length : undefined), `${length} bytes`)
  }

  async until(mark: string): Promise<string> {
    const found = await this.take((bytes) => endOf(bytes, mark), JSON.stringify(mark))
    return found.toString()
  }

  /** Everything up to the end of the connection. */
  rest(): Promise<Buffer> {
    return this.take((bytes, over) => (over ? bytes.length : undefined), 'the end of the connection')
  }

  async head(): Promise<RawHead> {
    return parseHead(await this.until('\r\n\r\n'))
  }

  /** One whole answer: its length is told by chunks, by content-length, or by the end of the connection. */
  async response(): Promise<RawResponse> {
    const head = await this.head()
    return { ...head, body: await this.#body(head) }
  }

  /** The next chunk of a chunked body; undefined is the last, empty one. */
  async chunk(): Promise<Buffer | undefined> {
    const line = await this.until('\r\n')
    if (!/^[0-9a-f]+\r\n$/.test(line)) throw new Error(`no size of a chunk: ${JSON.stringify(line)}`)
    const data = await this.bytes(Number.parseInt(line, 16) + 2)
    if (data.subarray(-2).toString() !== '\r\n') throw new Error(`no end of a chunk: ${JSON.stringify(data.toString())}`)
    return data.length === 2 ? undefined : data.subarray(0, -2)
  }

  /** FIN: nothing more will be sent, everything may still be read. */
  halfClose(): void {
    this.socket.end()
  }
  /** RST. */
  reset(): void {
    this.socket.resetAndDestroy()
  }
  destroy(): void {
    this.socket.destroy()
  }
  [Symbol.dispose](): void {
    this.socket.destroy()
  }

  async #body(head: RawHead): Promise<Buffer> {
    if (head.header('transfer-encoding') === 'chunked') {
      const chunks: Buffer[] = []
      for (let chunk = await this.chunk(); chunk !== undefined; chunk = await this.chunk()) chunks.push(chunk)
      return Buffer.concat(chunks)
    }
    const length = head.header('content-length')
    if (length !== undefined) return this.bytes(Number(length))
    return head.status === 204 || head.status === 304 || head.status < 200 ? Buffer.alloc(0) : this.rest()
  }

  #shown(): string {
    return JSON.stringify(this.unread.subarray(0, 500).toString('latin1'))
  }
}

function endOf(bytes: Buffer, mark: string): number | undefined {
  const at = bytes.indexOf(mark)
  return at === -1 ? undefined : at + Buffer.byteLength(mark)
}

function parseHead(text: string): RawHead {
  const [statusLine = '', ...lines] = text.slice(0, -4).split('\r\n')
  const status = Number(/^HTTP\/1\.[01] ([0-9]{3}) /.exec(statusLine)?.[1] ?? Number.NaN)
  const headers = lines.map((line) => {
    const colon = line.indexOf(': ')
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 2)] as const
  })
  const header = (name: string): string | undefined => headers.find(([known]) => known === name)?.[1]
  return { statusLine, status, headers, header, text }
}

/** The text of a request. Host is the server's own unless the headers name one. */
export function request(
  port: number,
  line: string,
  headers: Readonly<Record<string, string | readonly string[]>> = {},
  body?: string,
): string {
  const all = { ...('host' in headers ? {} : { host: `127.0.0.1:${port}` }), ...headers }
  const lines = Object.entries(all).flatMap(([name, value]) => [value].flat().map((one) => `${name}: ${one}`))
  if (body !== undefined && !('content-length' in headers)) lines.push(`content-length: ${Buffer.byteLength(body)}`)
  return `${line}${line.includes(' HTTP/') ? '' : ' HTTP/1.1'}\r\n${lines.map((one) => `${one}\r\n`).join('')}\r\n${body ?? ''}`
}

/** One request on a connection of its own, and its whole answer. */
export async function ask(port: number, text: string | Uint8Array): Promise<RawResponse & { readonly client: RawClient }> {
  const client = await RawClient.connect(port)
  const answer = await client.send(text).response()
  client.destroy()
  return { ...answer, client }
}
