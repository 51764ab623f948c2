/** The stores under test, by name: how one is opened, and opened again with what it has kept. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { FileStore } from '../../src/store/file.ts'
import { MemoryStore } from '../../src/store/memory.ts'
import { RedisStore } from '../../src/store/redis.ts'
import type { RoomStore, StoreLimits } from '../../src/store/store.ts'
import { LateStore } from '../support/late-store.ts'
import { RedisServer } from '../support/redis.ts'

export interface Kept {
  /** Opens the same rooms as before, or as much as is left of them. */
  open(): Promise<RoomStore>
  /** Lets go of all that was kept. */
  dispose(): Promise<void>
}

export interface Keeping {
  keep(limits: Partial<StoreLimits>, seed: number): Promise<Kept>
  /** Lets go of what all of them share. */
  close(): Promise<void>
}

const memory: Keeping = {
  keep: async (limits) => ({ open: async () => new MemoryStore(limits), dispose: async () => {} }),
  close: async () => {},
}

const late: Keeping = {
  keep: async (limits, seed) => ({
    open: async () => new LateStore(new MemoryStore(limits), { seed, maxDelayMs: 2, failureRate: 0.1 }),
    dispose: async () => {},
  }),
  close: async () => {},
}

const file: Keeping = {
  keep: async (limits) => {
    const directory = await mkdtemp(join(tmpdir(), 'fourwires-'))
    return {
      open: () => FileStore.open(directory, { limits, batchMs: 1 }),
      dispose: () => rm(directory, { recursive: true, force: true }),
    }
  },
  close: async () => {},
}

/** One Redis for all schedules, in which each has a prefix of its own. */
class InRedis implements Keeping {
  #server: Promise<RedisServer> | undefined
  #kept = 0

  async keep(limits: Partial<StoreLimits>): Promise<Kept> {
    this.#server ??= RedisServer.start()
    const { url } = await this.#server
    const prefix = `schedule${++this.#kept}`
    return { open: () => RedisStore.open(url, limits, { prefix }), dispose: async () => {} }
  }
  async close(): Promise<void> {
    await (await this.#server)?.stop()
  }
}

export const keepings: Readonly<Record<string, Keeping>> = { memory, late, file, redis: new InRedis() }
