/** What becomes of one wire behind one proxy: its first batch, what is published meanwhile, and what a quiet room does to it. */
import type { TransportName } from '../../src/protocol/message.ts'
import { type ProxyName, startRealProxy } from '../support/real-proxy.ts'
import { startServer } from '../support/server.ts'
import { impatient } from './edits.ts'
import { confirmed, Patience } from './patience.ts'
import { Reading } from './reading.ts'

/** A machine that does something else meanwhile is no overload: it is the proxy that is looked at. */
export const unhurried = { maxLagMs: 60_000 } as const
/** A batch that has not come by then, while the proxy serves others, is held back, in ms. */
export const heldBackMs = 2_000
/** Sixty seconds of a proxy's patience and twenty between heartbeats, twenty times as fast, in ms. */
export const scaled = { patienceMs: 3_000, heartbeatMs: 1_000, watchedMs: 6_500 } as const

export interface Cell {
  readonly proxy: ProxyName
  readonly config: string
  readonly transport: TransportName
  /** ms to the first batch, and from a publish to its arrival; undefined where it was held back (patience.ts). */
  readonly firstMs: number | undefined
  readonly newsMs: number | undefined
  /** The status that refused it. */
  readonly refused: number | undefined
  /** When a quiet room's wire was cut, in ms, by a proxy that waits for `scaled.patienceMs`; undefined where it was not. With heartbeats: each time. */
  readonly cutWithHeartbeatsMs: number | undefined
  readonly cutWithoutMs: number | undefined
}

interface Place {
  readonly proxy: ProxyName
  readonly config: string
  readonly edit?: (config: string) => string
}

const uncut = { cutWithHeartbeatsMs: undefined, cutWithoutMs: undefined } as const

export async function look(place: Place, transport: TransportName): Promise<Cell> {
  const passed = await passes(place, transport)
  if (passed.firstMs === undefined) return { proxy: place.proxy, config: place.config, transport, ...passed, ...uncut }
  const [cutWithHeartbeatsMs, cutWithoutMs] = await Promise.all([
    confirmed(
      (slower) => quiet(place, transport, true, slower),
      (cut) => cut !== undefined,
    ),
    quiet(place, transport, false),
  ])
  return { proxy: place.proxy, config: place.config, transport, ...passed, cutWithHeartbeatsMs, cutWithoutMs }
}

export async function passes(place: Place, transport: TransportName): Promise<Pick<Cell, 'firstMs' | 'newsMs' | 'refused'>> {
  await using server = await startServer({ ...unhurried })
  await using proxy = await startRealProxy({ ...place, servers: [server.port] })
  using reading = new Reading(proxy.url, transport, 5)
  using beginning = new Patience(proxy.url, heldBackMs)
  const first = await reading.batch(() => true, beginning.signal)
  if (first === undefined) return { firstMs: undefined, newsMs: undefined, refused: reading.ending?.status }
  const published = performance.now()
  await server.store.append('lobby', { id: 'm_published001', name: 'Ann' }, { id: 'published-1', text: 'news' })
  using waiting = new Patience(proxy.url, heldBackMs)
  const news = await reading.batch(({ messages }) => messages.length > 0, waiting.signal)
  return {
    firstMs: first.ms,
    newsMs: news && performance.now() - published,
    refused: news === undefined ? reading.ending?.status : undefined,
  }
}

/**
 * A room in which nothing happens, behind a proxy that is out of patience after 3 s. With heartbeats: one a second, and a
 * long poll is held for one second. Without: none within the time, and a long poll is held for five. All times `slower`
 * times as long, but the one that is told: when it was cut, in ms.
 */
export async function quiet(place: Place, transport: TransportName, heartbeats: boolean, slower = 1): Promise<number | undefined> {
  await using server = await startServer(
    heartbeats
      ? { ...unhurried, heartbeatMs: scaled.heartbeatMs * slower }
      : { ...unhurried, heartbeatMs: 60_000, pingMs: 60_000, silentMs: 90_000 },
  )
  const edit = (config: string): string => impatient(place.proxy, scaled.patienceMs * slower)((place.edit ?? String)(config))
  await using proxy = await startRealProxy({ ...place, edit, servers: [server.port] })
  using reading = new Reading(proxy.url, transport, heartbeats ? slower : 5)
  using watched = new Patience(proxy.url, scaled.watchedMs * slower)
  const ending = await reading.ended(watched.signal)
  return ending && ending.ms / slower
}
