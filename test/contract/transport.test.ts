/** The transport contract × {memory, late store, file, Redis}. */
import { join } from 'node:path'
import { transportNames } from '../../src/protocol/message.ts'
import { FileStore } from '../../src/store/file.ts'
import { MemoryStore } from '../../src/store/memory.ts'
import { temporaryDirectory } from '../support/directory.ts'
import { LateStore } from '../support/late-store.ts'
import { sharedRedis } from '../support/shared-redis.ts'
import { transportContract } from './transport.ts'

const directory = temporaryDirectory()
let opened = 0
const redis = sharedRedis()

for (const transport of transportNames) {
  transportContract(transport, 'memory', (limits) => new MemoryStore(limits))
  transportContract(transport, 'late', (limits) => new LateStore(new MemoryStore(limits), { seed: 7, maxDelayMs: 15, failureRate: 0.05 }))
  // Another directory for each test.
  transportContract(transport, 'file', (limits) => FileStore.open(join(directory, `${++opened}`), { limits, batchMs: 0 }))
  transportContract(transport, 'redis', (limits) => redis.open(limits))
}
