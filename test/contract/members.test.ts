/** The contract of members × {memory, late store}. */
import { transportNames } from '../../src/protocol/message.ts'
import { MemoryStore } from '../../src/store/memory.ts'
import { LateStore } from '../support/late-store.ts'
import { membersContract } from './members.ts'

for (const transport of transportNames) {
  membersContract(transport, 'memory', (limits) => new MemoryStore(limits))
  membersContract(transport, 'late', (limits) => new LateStore(new MemoryStore(limits), { seed: 7, maxDelayMs: 15, failureRate: 0.05 }))
}
