/** The stores under test, by name: how one is opened, and what of it is there when its process begins again. */
import type { RoomStore, StoreLimits } from '../../src/store/store.ts'
import { MemoryStore } from '../../src/store/memory.ts'
import { LateStore } from '../support/late-store.ts'

export interface Kept {
  /** Opens the same rooms as before, or as much as is left of them. */
  open(): Promise<RoomStore>
  /** Lets go of all that was kept. */
  dispose(): Promise<void>
}

export type Keeping = (limits: Partial<StoreLimits>, seed: number) => Promise<Kept>

export const keepings: Readonly<Record<string, Keeping>> = {
  memory: async (limits) => ({ open: async () => new MemoryStore(limits), dispose: async () => {} }),
  late: async (limits, seed) => ({
    open: async () => new LateStore(new MemoryStore(limits), { seed, maxDelayMs: 2, failureRate: 0.1 }),
    dispose: async () => {},
  }),
}
