/** A page that watches its own connections, on a bare WebSocket: the sum of all reports so far. */
import type { Block, BlockBytes, Chaos, ChaosNow, ConnectionState, Hall, LabNews, LabOrder, Report } from '../../src/lab/events.ts'
import { noChaos } from '../../src/lab/events.ts'
import { eventually } from './answers.ts'
import { frame, opcodes, RawWebSocket } from './raw-websocket.ts'

export class TestViewer {
  readonly socket: RawWebSocket
  /** The last that was told of each connection. */
  readonly connections = new Map<number, ConnectionState>()
  readonly blocks: Block[] = []
  readonly bytes: BlockBytes[] = []
  readonly halls: Hall[] = []
  readonly texts: string[] = []
  /** What was told in answer to orders, but bytes and reports. */
  readonly news: Exclude<LabNews, Report | BlockBytes>[] = []
  observer = { up: 0, down: 0 }
  skipped = 0
  reports = 0
  /** How it ended, and when it has. */
  farewell = ''
  readonly done: Promise<void>

  private constructor(socket: RawWebSocket) {
    this.socket = socket
    this.done = this.#read().catch((error: unknown) => {
      this.farewell = (error as Error).message
    })
  }

  static async open(port: number, cookie: string): Promise<TestViewer> {
    const viewer = new TestViewer(await RawWebSocket.open(port, '/lab/events', { cookie }))
    await eventually(() => viewer.reports > 0, 'the first report')
    return viewer
  }

  async #read(): Promise<never> {
    for (;;) {
      const { opcode, payload } = await this.socket.frame()
      if (opcode === opcodes.ping) this.socket.send(frame(payload, { opcode: opcodes.pong }))
      if (opcode === opcodes.close) throw new Error(`closed: ${payload.readUInt16BE()} ${payload.subarray(2).toString()}`)
      if (opcode !== opcodes.text) continue
      const text = payload.toString()
      this.texts.push(text)
      const heard = JSON.parse(text) as LabNews
      if (heard.type === 'bytes') this.bytes.push(heard)
      else if (heard.type === 'report') this.#take(heard)
      else if (heard.type === 'hall') this.halls.push(heard.hall)
      else this.news.push(heard)
    }
  }

  #take({ connections, blocks, observer, skipped }: Report): void {
    for (const state of connections) this.connections.set(state.connection, state)
    this.blocks.push(...blocks)
    this.observer = observer
    this.skipped += skipped
    this.reports++
  }

  /** The bytes of a block, as they are shown. */
  async ask({ connection, block }: Block): Promise<Buffer | undefined> {
    const before = this.bytes.length
    this.socket.sendJson({ type: 'bytes', connection, block })
    await eventually(() => this.bytes.length > before, 'the bytes of a block')
    const { base64 } = this.bytes.at(-1) as BlockBytes
    return base64 === undefined ? undefined : Buffer.from(base64, 'base64')
  }

  order(order: LabOrder): void {
    this.socket.sendJson(order)
  }

  /** Sends an order, and waits for the next news of this kind. */
  async hear<Type extends LabNews['type']>(order: LabOrder, type: Type): Promise<Extract<LabNews, { type: Type }>> {
    const before = this.news.length
    const next = () => this.news.slice(before).find((news) => news.type === type)
    this.order(order)
    await eventually(() => next() !== undefined, `news of ${type}`)
    return next() as unknown as Extract<LabNews, { type: Type }>
  }

  /** From now on this is done to the session's connections. */
  chaos(chaos: Partial<Chaos>): Promise<ChaosNow> {
    return this.hear({ type: 'chaos', chaos: { ...noChaos, ...chaos } }, 'chaos')
  }

  [Symbol.dispose](): void {
    this.socket.client.destroy()
  }
}
