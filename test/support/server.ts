/** A server of its own for a test: real sockets, a free port of 127.0.0.1, no log, gone at once when it is closed. */
import type { FastifyInstance } from 'fastify'
import type { AddressInfo, Socket } from 'node:net'
import type { Ack, Member } from '../../src/protocol/message.ts'
import { type AppOptions, buildApp } from '../../src/server/app.ts'
import { withDefaults } from '../../src/server/options.ts'
import { MemoryStore } from '../../src/store/memory.ts'
import type { RoomStore } from '../../src/store/store.ts'

export interface TestServer extends AsyncDisposable {
  /** `http://127.0.0.1:<port>`, without a slash at its end. */
  readonly url: string
  readonly port: number
  readonly app: FastifyInstance
  /** The store that was given, or the memory store that was made. */
  readonly store: RoomStore
  /** Cuts every connection, as a network does that goes away. */
  cut(): void
  /** Requests and streams held now, by the server's own count. */
  connections(): Promise<number>
  /** Resolves once nothing is left of those who were here: no connection held, no room watched, no member, no timer. */
  quiet(): Promise<void>
  /** Drains, then closes, and cuts whoever is still there. A second call waits for the first. */
  close(): Promise<void>
}

/** How long peers have to leave by themselves once everybody has been sent away, in ms. */
const graceMs = 250

/** What servers of this test file have if they say nothing else. */
export const standard: { lab?: boolean } = {}

/**
 * Everything is the contract's default but `drainMs`, which is 0: nobody is sent away slowly; and `maxLagMs`: all that a test
 * runs shares one event loop, which is late for seconds on a busy machine, and a refusal for it would be of the test's own making.
 */
export async function startServer(options: AppOptions = {}, at = 0): Promise<TestServer> {
  const store = options.store ?? new MemoryStore(withDefaults(options))
  const app = await buildApp({ ...standard, drainMs: 0, maxLagMs: 20_000, ...options, store })
  const { port, close, cut } = await listen(app, graceMs, at)
  const url = `http://127.0.0.1:${port}`
  return { url, port, app, store, close, cut, connections: () => connections(url), quiet: () => quiet(url), [Symbol.asyncDispose]: close }
}

async function connections(url: string): Promise<number> {
  const lines = (await (await fetch(`${url}/metrics`)).text()).match(/^fourwires_connections\{.*$/gm) ?? []
  return lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0)
}

const held = /^(fourwires_connections\{.*|fourwires_rooms_watched|fourwires_members|fourwires_timers) ([1-9].*)$/gm

/** The server's own count of what it holds comes down to nothing, soon after the last one has left; a lease that nobody gives back runs out first. */
async function quiet(url: string): Promise<void> {
  for (let left = 300; ; left--) {
    const still = (await (await fetch(`${url}/metrics`)).text()).match(held)
    if (still === null) return
    if (left === 0) throw new Error(`still held: ${still.join(', ')}`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

interface Listening {
  readonly port: number
  readonly cut: () => void
  readonly close: () => Promise<void>
}

/** Any application on a free port of 127.0.0.1; `close` cuts who has not left `patienceMs` after it was asked to. */
export async function listen(app: FastifyInstance, patienceMs = graceMs, at = 0): Promise<Listening> {
  const sockets = new Set<Socket>()
  app.server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  await app.listen({ port: at, host: '127.0.0.1' })
  const { port } = app.server.address() as AddressInfo
  const cut = (): void => sockets.forEach((socket) => socket.destroy())
  const stop = async (): Promise<void> => {
    let giveUp: NodeJS.Timeout | undefined
    const idle = setInterval(() => {
      // While it listens it drains: a connection that is idle now may be asked on in a moment.
      if (app.server.listening) return
      app.server.closeIdleConnections()
      giveUp ??= setTimeout(cut, patienceMs)
    }, 10)
    await app.close().finally(() => {
      clearInterval(idle)
      clearTimeout(giveUp)
    })
  }
  let closed: Promise<void> | undefined
  return { port, cut, close: () => (closed ??= stop()) }
}

export interface TestMember {
  /** The value of a `Cookie` header. */
  readonly cookie: string
  readonly member: Member
}

/** A new member, through POST /session. */
export async function member(url: string, name?: string): Promise<TestMember> {
  const response = await fetch(`${url}/session`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(name === undefined ? {} : { name }),
  })
  if (response.status !== 201) throw new Error(`POST /session: ${response.status} ${await response.text()}`)
  const cookie = (response.headers.getSetCookie()[0] ?? '').split(';')[0] ?? ''
  const { member: who } = (await response.json()) as { member: Member }
  return { cookie, member: who }
}

/** A publish, whatever becomes of it. */
export function postRaw(url: string, room: string, cookie: string, body: string | Uint8Array<ArrayBuffer>): Promise<Response> {
  return fetch(`${url}/rooms/${room}/messages`, { method: 'POST', headers: { 'content-type': 'application/json', cookie }, body })
}

/** A publish that is taken, or found to be a repeat. */
export async function post(
  url: string,
  room: string,
  cookie: string,
  draft: { readonly id?: string; readonly text: string },
): Promise<Ack> {
  const response = await postRaw(url, room, cookie, JSON.stringify(draft))
  if (!response.ok) throw new Error(`POST /rooms/${room}/messages: ${response.status} ${await response.text()}`)
  return (await response.json()) as Ack
}
