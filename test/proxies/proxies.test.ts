/** Behind a real proxy with the configuration that we recommend the contract holds; what defaults cost, and what headers prevent. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { transportNames } from '../../src/protocol/message.ts'
import { MemoryStore } from '../../src/store/memory.ts'
import { proxyNames } from '../support/real-proxy.ts'
import { type SharedProxy, startSharedProxy } from '../support/shared-proxy.ts'
import { sharedRedis } from '../support/shared-redis.ts'
import { transportContract } from '../contract/transport.ts'
import { passes } from './look.ts'
import { addressed, compressed, reloaded, stale, through, unheard } from './trials.ts'
import { withoutOne } from './two-nodes.ts'

/** As many as vitest runs beside each other. */
const places = 8

const none = { lost: 0, repeated: 0, reordered: 0, gaps: 0 }

describe.concurrent('behind a proxy as it is installed', () => {
  it.concurrent('an event stream is gathered by nginx only where it does not hear X-Accel-Buffering: no', async () => {
    const [heard, deaf] = await Promise.all([passes({ proxy: 'nginx', config: 'default' }, 'sse'), unheard()])
    expect(heard.firstMs).toBeDefined()
    expect(heard.newsMs).toBeDefined()
    expect(deaf.firstMs).toBeUndefined()
  })

  it.concurrent('nginx passes no upgrade, and says with its own Host that a page of ours is another site', async () => {
    expect(await passes({ proxy: 'nginx', config: 'default' }, 'websocket')).toMatchObject({ refused: 426 })
    expect(await addressed(through('nginx', 'default'))).toMatchObject({ own: 403 })
  })

  it.concurrent('no batch is ever stale: a cache that ignores nothing keeps none of them', async () => {
    expect(await stale('default', false, 4)).toBe(0)
    // The same cache keeps all but the first of each address, where it does not hear no-store.
    expect(await stale('default', true, 4)).toBe(6)
  })
})

describe.each(proxyNames)('behind %s as we recommend it', (proxy) => {
  let shared: SharedProxy
  beforeAll(async () => void (shared = await startSharedProxy(proxy, 'tuned', places)))
  afterAll(() => shared[Symbol.asyncDispose]())

  for (const transport of transportNames) {
    transportContract(
      transport,
      `memory store behind ${proxy}`,
      (limits) => new MemoryStore(limits),
      (server) => shared.front(server),
    )
  }

  it.concurrent('nothing is lost or repeated while it is reloaded and its connections to the server are reset', async () => {
    expect(await reloaded(proxy, 'tuned', 4)).toMatchObject({ acknowledged: 16, ...none })
  })

  it.concurrent('events are there at once, also where everything is compressed that can be', async () => {
    const { sse, atOnce } = await compressed(proxy, 'tuned')
    expect(atOnce).toBe(true)
    // nginx does not know no-transform (RFC 9111, 5.2.2.6): it compresses piece by piece.
    expect(sse).toBe(proxy === 'nginx' ? 'gzip' : 'none')
  })

  it.concurrent('the server knows its clients by address, and pages of its own by Host', async () => {
    expect(await addressed((server) => shared.front(server))).toEqual({
      address: '127.0.0.2',
      secure: false,
      own: 201,
      foreign: 403,
      named: 201,
      unnamed: 400,
    })
  })
})

const redis = sharedRedis()

describe.concurrent.each(['nginx', 'haproxy'] as const)('two nodes with one Redis behind %s', (proxy) => {
  it.concurrent.each(['killed', 'drained'] as const)('lose nothing when one of them is %s, and both had served before', async (how) => {
    const { delivered, ...survival } = await withoutOne(proxy, how, 6, () => redis.open({}, `${proxy}-${how}`))
    expect(survival).toMatchObject({ acknowledged: 24, ...none })
    for (const batches of delivered) expect(batches).toBeGreaterThan(0)
  })
})
