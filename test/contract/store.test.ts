import { join } from 'node:path'
import { FileStore } from '../../src/store/file.ts'
import { MemoryStore } from '../../src/store/memory.ts'
import { LateStore } from '../support/late-store.ts'
import { temporaryDirectory } from '../support/directory.ts'
import { sharedRedis } from '../support/shared-redis.ts'
import { storeContract } from './store.ts'

storeContract('memory', (limits) => new MemoryStore(limits))

// Another seed for every test, the same ones in every run.
let seed = 0
storeContract('late', (limits) => new LateStore(new MemoryStore(limits), { seed: ++seed, maxDelayMs: 8, failureRate: 0.2 }))

let opened = 0
const directory = temporaryDirectory()
storeContract('file', (limits) => FileStore.open(join(directory, `${++opened}`), { limits, batchMs: 2 }))

const redis = sharedRedis()
storeContract('redis', (limits) => redis.open(limits))
