/** A session that watches its own connections and troubles them: all of these go through a counter of bytes. */
import { expect } from 'vitest'
import type { Counts, Direction } from '../../src/lab/events.ts'
import type { Member } from '../../src/protocol/message.ts'
import type { AppOptions } from '../../src/server/app.ts'
import { eventually } from './answers.ts'
import { RawClient, request } from './raw-client.ts'
import { RawWebSocket } from './raw-websocket.ts'
import { type Relay, startRelay } from './relay.ts'
import { member, startServer, type TestServer } from './server.ts'
import { TestViewer } from './viewer.ts'

const sum = (counts: Counts): number => Object.values(counts).reduce((total, bytes) => total + bytes, 0)

export class Troubled implements AsyncDisposable {
  readonly server: TestServer
  readonly relay: Relay
  readonly viewer: TestViewer
  readonly cookie: string
  readonly member: Member
  readonly #clients: RawClient[] = []

  private constructor(server: TestServer, relay: Relay, viewer: TestViewer, who: { readonly cookie: string; readonly member: Member }) {
    this.server = server
    this.relay = relay
    this.viewer = viewer
    this.cookie = who.cookie
    this.member = who.member
  }

  static async start(options: AppOptions = {}): Promise<Troubled> {
    const server = await startServer({ lab: true, ...options })
    const relay = await startRelay(server.port)
    const who = await member(server.url, 'Ann')
    return new Troubled(server, relay, await TestViewer.open(server.port, who.cookie), who)
  }

  /** A connection by the counter, on which nothing was asked yet. */
  async client(): Promise<RawClient> {
    const client = await RawClient.connect(this.relay.port)
    this.#clients.push(client)
    return client
  }

  /** The text of a request as this session. */
  request(line: string): string {
    return request(this.server.port, line, { cookie: this.cookie })
  }

  /** An event stream that has told where it stands. */
  async stream(room = 'r'): Promise<RawClient> {
    const client = await this.client()
    client.send(this.request(`GET /rooms/${room}/sse`))
    await client.head()
    await client.chunk()
    await client.chunk()
    return client
  }

  /** A WebSocket that has told where it stands. */
  async socket(room = 'r'): Promise<RawWebSocket> {
    const socket = await RawWebSocket.open(this.relay.port, `/rooms/${room}/websocket`, { cookie: this.cookie })
    this.#clients.push(socket.client)
    await socket.text()
    return socket
  }

  /** Where the room stands. */
  async cursor(room = 'r'): Promise<string> {
    const answer = await fetch(`${this.server.url}/rooms/${room}/poll`)
    return ((await answer.json()) as { cursor: string }).cursor
  }

  /** Each byte has its kind, and the sockets' own counts are what an independent one says: the client's that it sent, and what it was sent. */
  async expectExactBooks(): Promise<void> {
    const total = (direction: Direction): number =>
      [...this.viewer.connections.values()].reduce((bytes, state) => bytes + state[direction].bytes, 0)
    const exact = (): boolean => total('up') === this.relay.up && total('down') === this.relay.down
    await eventually(exact, 'all is reported').catch(() => {})
    expect({ up: total('up'), down: total('down') }).toEqual({ up: this.relay.up, down: this.relay.down })
    for (const { up, down } of this.viewer.connections.values()) {
      expect([sum(up.counts), sum(down.counts)]).toEqual([up.bytes, down.bytes])
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#clients) client.destroy()
    this.viewer[Symbol.dispose]()
    await this.relay[Symbol.asyncDispose]()
    await this.server.close()
  }
}
