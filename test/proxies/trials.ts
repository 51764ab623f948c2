/** What a proxy does to a room beside carrying it: reloads, cuts, caches, compression, headers. Each with the real program. */
import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import type { Socket } from 'node:net'
import { transportNames } from '../../src/protocol/message.ts'
import { MemoryStore } from '../../src/store/memory.ts'
import type { Appended } from '../../src/store/store.ts'
import type { FastifyRequest } from 'fastify'
import type { Front, MakeFront } from '../support/company.ts'
import { Follower } from '../support/follower.ts'
import { type ProxyName, startRealProxy } from '../support/real-proxy.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { caching, compressing, deaf } from './edits.ts'
import { heldBackMs, passes, unhurried } from './look.ts'
import { Patience } from './patience.ts'
import { Reading } from './reading.ts'

/** What I1 asks of a run: every acknowledged message exactly once and in order, on all four wires. */
export interface Survival {
  readonly acknowledged: number
  readonly lost: number
  readonly repeated: number
  readonly reordered: number
  readonly gaps: number
  /** Wires that had to be opened again. */
  readonly reopened: number
}

const author = { id: 'm_published001', name: 'Ann' }

/** Every connection to the server is reset, as by a middlebox that forgot it. */
export function resetting(server: TestServer): () => void {
  const sockets = new Set<Socket>()
  server.app.server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  return () => sockets.forEach((socket) => socket.resetAndDestroy())
}

/** Four readers, one on each wire, and a writer on each: `disturb` is called between messages. */
export async function survive(url: string, messages: number, disturb: (n: number) => Promise<void>): Promise<Survival> {
  const readers = transportNames.map((transport) => new Follower({ url, room: 'lobby', transport, observe: true }))
  const writers = transportNames.map((transport) => new Follower({ url, room: 'lobby', transport }))
  let reopened = 0
  for (const { channel } of readers) channel.on('state', ({ status }) => void (status === 'waiting' && reopened++))
  try {
    await Promise.all([...readers, ...writers].map((each) => each.live()))
    const acknowledged: number[] = []
    for (let n = 0; n < messages; n++) {
      const acks = writers.map(({ channel }, index) => channel.send(`${index}/${n}`).then(({ seq }) => acknowledged.push(seq)))
      await disturb(n)
      // A wire that waits to come back need not: what it may lose is lost by now.
      for (const { channel } of [...readers, ...writers]) channel.nudge(true)
      await Promise.all(acks)
    }
    for (const reader of readers) await caughtUp(reader, acknowledged.length)
    return { acknowledged: acknowledged.length, reopened, ...tally(readers, acknowledged) }
  } finally {
    for (const { channel } of [...readers, ...writers]) channel.close()
  }
}

/** Until it has so many messages, or has not got one more, twice, in all the patience of a follower. */
async function caughtUp(reader: Follower, messages: number): Promise<void> {
  for (let still = 0; still < 2 && reader.seen.length < messages;) {
    const had = reader.seen.length
    reader.channel.nudge(true)
    await reader.count(messages).catch(() => {})
    still = reader.seen.length > had ? 0 : still + 1
  }
}

function tally(readers: readonly Follower[], acknowledged: readonly number[]): Omit<Survival, 'acknowledged' | 'reopened'> {
  const sum = (count: (reader: Follower) => number): number => readers.reduce((total, reader) => total + count(reader), 0)
  return {
    lost: sum(({ seqs }) => acknowledged.filter((seq) => !seqs.includes(seq)).length),
    repeated: sum(({ seqs }) => seqs.length - new Set(seqs).size),
    reordered: sum(({ seqs }) => seqs.filter((seq, index) => index > 0 && seq < (seqs[index - 1] ?? 0)).length),
    gaps: sum(({ gaps }) => gaps.length),
  }
}

/** A store that tells when a message has been kept, before the one who sent it is answered. */
class TellingStore extends MemoryStore {
  kept = (): void => {}

  override async append(...draft: Parameters<MemoryStore['append']>): Promise<Appended> {
    const appended = await super.append(...draft)
    this.kept()
    return appended
  }
}

/**
 * While all publish and read the proxy reads its configuration again, and in turn every connection to the server is reset in
 * the moment in which a message has been kept and not been acknowledged. Who came back without a cursor would miss messages.
 */
export async function reloaded(proxy: ProxyName, config: string, rounds: number): Promise<Survival> {
  const store = new TellingStore({ history: 1 })
  await using server = await startServer({ ...unhurried, store, publishesPerSecond: 0 })
  const reset = resetting(server)
  await using front = await startRealProxy({ proxy, config, servers: [server.port] })
  return await survive(front.url, rounds, async (n) => {
    if (n % 2 === 0) return await front.reload()
    await new Promise<void>((resolve) => (store.kept = resolve))
    store.kept = () => {}
    reset()
  })
}

/** An event stream where nginx does not hear the server's wish that nothing be gathered. */
export async function unheard(): Promise<{ readonly firstMs: number | undefined }> {
  return await passes({ proxy: 'nginx', config: 'default', edit: deaf }, 'sse')
}

/** Questions with the same address, each after another message: how many answers were not of that moment. */
export async function stale(config: string, ignoring: boolean, questions: number): Promise<number> {
  await using server = await startServer({ ...unhurried })
  await using front = await startRealProxy({ proxy: 'nginx', config, servers: [server.port], edit: caching(ignoring) })
  let old = 0
  for (let n = 1; n <= questions; n++) {
    await server.store.append('lobby', author, { id: `message-${n}`, text: `text ${n}` })
    for (const path of ['poll', 'long-poll?wait=0']) {
      const { messages } = (await (await fetch(`${front.url}/rooms/lobby/${path}`)).json()) as { messages: readonly unknown[] }
      if (messages.length !== n) old++
    }
  }
  return old
}

export interface Compressed {
  /** Content-Encoding of an event stream, and of a poll; or that not even their head came. */
  readonly sse: string
  readonly poll: string
  /** Did the first event, and one published later, come through at once? */
  readonly atOnce: boolean
}

export async function compressed(proxy: ProxyName, config: string): Promise<Compressed> {
  await using server = await startServer({ ...unhurried })
  await using front = await startRealProxy({ proxy, config, edit: compressing[proxy], servers: [server.port] })
  const encoding = async (path: string): Promise<string> => {
    using waiting = new Patience(front.url, heldBackMs)
    const asked = fetch(front.url + path, { headers: { 'accept-encoding': 'gzip' }, signal: waiting.signal })
    const answer = await asked.catch((error: unknown) => {
      if (!waiting.signal.aborted) throw error
    })
    await answer?.body?.cancel()
    return answer ? (answer.headers.get('content-encoding') ?? 'none') : 'held back'
  }
  // Proxies look at the first bytes of an answer to see whether it is worth it.
  await server.store.append('lobby', author, { id: 'message-1', text: 'long enough to be worth it '.repeat(40) })
  const [sse, poll] = await Promise.all([encoding('/rooms/lobby/sse'), encoding('/rooms/lobby/poll')])
  using reading = new Reading(front.url, 'sse')
  using beginning = new Patience(front.url, heldBackMs)
  const first = await reading.batch(() => true, beginning.signal)
  await server.store.append('lobby', author, { id: 'message-2', text: 'news' })
  using waiting = new Patience(front.url, heldBackMs)
  const news = await reading.batch(({ messages }) => messages.some(({ seq }) => seq === 2), waiting.signal)
  return { sse, poll, atOnce: first !== undefined && news !== undefined }
}

export interface Addressing {
  /** The client's address as the server sees it, with `--trust-proxy loopback`; clients are 127.0.0.2. */
  readonly address: string
  /** Is the cookie `Secure` where the proxy says that the client came by https? */
  readonly secure: boolean
  /** Status of POST /session by the proxy's own page, by another site's, and under a name with and without `--allow-host`. */
  readonly own: number
  readonly foreign: number
  readonly named: number
  readonly unnamed: number
}

/** A proxy of its own for each server. */
export const through =
  (proxy: ProxyName, config: string): MakeFront =>
  (server) =>
    startRealProxy({ proxy, config, servers: [server.port] })

/** Who a server behind the proxy believes to be asked by, and as whom. */
export async function addressed(makeFront: MakeFront): Promise<Addressing> {
  let address = ''
  const authenticate = (asked: FastifyRequest): undefined => void (address = asked.ip)
  await using watching = await startServer({ ...unhurried, trustProxy: ['loopback'], authenticate })
  await using server = await startServer({ ...unhurried, trustProxy: ['loopback'], allowHost: ['chat.example'] })
  await using front = await makeFront(server)
  await using watched = await makeFront(watching)
  await enter(watched, {}, '127.0.0.2')
  const own = await enter(front, { origin: front.url })
  const foreign = await enter(front, { origin: 'http://elsewhere.example' })
  const named = await enter(front, { host: 'chat.example', origin: 'http://chat.example' })
  const unnamed = await enter(front, { host: 'other.example', origin: 'http://other.example' })
  const secure = await enter(front, { 'x-forwarded-proto': 'https' })
  return {
    address,
    secure: secure.cookie.includes('Secure'),
    own: own.status,
    foreign: foreign.status,
    named: named.status,
    unnamed: unnamed.status,
  }
}

/** POST /session with these headers, from that address. */
async function enter({ url }: Front, headers: Readonly<Record<string, string>>, from = '127.0.0.1') {
  const options = { method: 'POST', agent: false, localAddress: from, headers: { 'content-type': 'application/json', ...headers } }
  const asked = request(`${url}/session`, options).end('{}')
  const [answer] = (await once(asked, 'response')) as [IncomingMessage]
  answer.resume()
  return { status: answer.statusCode ?? 0, cookie: String(answer.headers['set-cookie']) }
}
