/** The contract of members × {memory, late store}, and one over files. */
import { join } from 'node:path'
import { transportNames } from '../../src/protocol/message.ts'
import { FileStore } from '../../src/store/file.ts'
import { MemoryStore } from '../../src/store/memory.ts'
import { temporaryDirectory } from '../support/directory.ts'
import { LateStore } from '../support/late-store.ts'
import { membersContract } from './members.ts'

const directory = temporaryDirectory()
let opened = 0

for (const transport of transportNames) {
  membersContract(transport, 'memory', (limits) => new MemoryStore(limits))
  membersContract(transport, 'late', (limits) => new LateStore(new MemoryStore(limits), { seed: 7, maxDelayMs: 15, failureRate: 0.05 }))
}
// Members are not in the store: one wire shows that they are the same over a slower one.
membersContract('long-poll', 'file', (limits) => FileStore.open(join(directory, `${++opened}`), { limits, batchMs: 0 }))
