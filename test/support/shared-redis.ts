/** One Redis for all tests of a file; each store that is opened there has rooms of its own. */
import { afterAll, beforeAll } from 'vitest'
import { RedisStore } from '../../src/store/redis.ts'
import type { StoreLimits } from '../../src/store/store.ts'
import { RedisServer, type RedisServerOptions } from './redis.ts'

export interface SharedRedis {
  readonly server: RedisServer
  /** A store on it. Those of the same prefix share their rooms, as processes do; without one it is alone. */
  open(limits?: Partial<StoreLimits>, prefix?: string): Promise<RedisStore>
}

/** To be called where a file's tests are described: the server starts before the first of them, and goes after the last. */
export function sharedRedis(options: RedisServerOptions = {}): SharedRedis {
  let server: RedisServer | undefined
  let opened = 0
  beforeAll(async () => void (server = await RedisServer.start(options)))
  afterAll(() => server?.stop())
  return {
    get server() {
      if (server === undefined) throw new Error('it has not been started yet')
      return server
    },
    open(limits = {}, prefix = `test-${++opened}`) {
      return RedisStore.open(this.server.url, limits, { prefix })
    },
  }
}
