/** What becomes of one wire behind one proxy: its first batch, what is published meanwhile, and what a quiet room does to it. */
import type { TransportName } from '../../src/protocol/message.ts'
import { type ProxyName, startRealProxy } from '../support/real-proxy.ts'
import { startServer } from '../support/server.ts'
import { impatient } from './edits.ts'
import { Reading } from './reading.ts'

/** A machine that does something else meanwhile is no overload: it is the proxy that is looked at. */
export const unhurried = { maxLagMs: 60_000 } as const
/** A batch that has not come by then is held back, in ms. */
export const heldBackMs = 5_000
/** Sixty seconds of a proxy's patience and twenty between heartbeats, twenty times as fast, in ms. */
export const scaled = { patienceMs: 3_000, heartbeatMs: 1_000, watchedMs: 6_500 } as const

export interface Cell {
  readonly proxy: ProxyName
  readonly config: string
  readonly transport: TransportName
  /** ms to the first batch, and from a publish to its arrival; undefined where it did not come within `heldBackMs`. */
  readonly firstMs: number | undefined
  readonly newsMs: number | undefined
  /** The status that refused it. */
  readonly refused: number | undefined
  /** When a quiet room's wire was cut, in ms, by a proxy that waits for `scaled.patienceMs`; undefined where it was not. */
  readonly cutWithHeartbeatsMs: number | undefined
  readonly cutWithoutMs: number | undefined
}

interface Place {
  readonly proxy: ProxyName
  readonly config: string
  readonly edit?: (config: string) => string
}

export async function look(place: Place, transport: TransportName): Promise<Cell> {
  const passed = await passes(place, transport)
  const idle = async (heartbeats: boolean): Promise<number | undefined> =>
    passed.firstMs === undefined ? undefined : (await quiet(place, transport, heartbeats))?.ms
  const [cutWithHeartbeatsMs, cutWithoutMs] = await Promise.all([idle(true), idle(false)])
  return { proxy: place.proxy, config: place.config, transport, ...passed, cutWithHeartbeatsMs, cutWithoutMs }
}

export async function passes(place: Place, transport: TransportName): Promise<Pick<Cell, 'firstMs' | 'newsMs' | 'refused'>> {
  await using server = await startServer({ ...unhurried })
  await using proxy = await startRealProxy({ ...place, servers: [server.port] })
  using reading = new Reading(proxy.url, transport, 5)
  const first = await reading.batch(() => true, heldBackMs)
  if (first === undefined) return { firstMs: undefined, newsMs: undefined, refused: reading.ending?.status }
  const published = performance.now()
  await server.store.append('lobby', { id: 'm_published001', name: 'Ann' }, { id: 'published-1', text: 'news' })
  const news = await reading.batch(({ messages }) => messages.length > 0, heldBackMs)
  return {
    firstMs: first.ms,
    newsMs: news && performance.now() - published,
    refused: news === undefined ? reading.ending?.status : undefined,
  }
}

/**
 * A room in which nothing happens, behind a proxy that is out of patience after 3 s. With heartbeats: one a second, and a
 * long poll is held for one second. Without: none within the time, and a long poll is held for five.
 */
export async function quiet(place: Place, transport: TransportName, heartbeats: boolean): Promise<Reading['ending']> {
  await using server = await startServer(
    heartbeats
      ? { ...unhurried, heartbeatMs: scaled.heartbeatMs }
      : { ...unhurried, heartbeatMs: 60_000, pingMs: 60_000, silentMs: 90_000 },
  )
  const edit = (config: string): string => impatient(place.proxy, scaled.patienceMs)((place.edit ?? String)(config))
  await using proxy = await startRealProxy({ ...place, edit, servers: [server.port] })
  using reading = new Reading(proxy.url, transport, heartbeats ? 1 : 5)
  return await reading.ended(scaled.watchedMs)
}
