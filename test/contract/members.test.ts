/** The contract of members × {memory, late store}. */
import { transportNames } from '../../src/protocol/message.ts'
import { MemoryStore } from '../../src/store/memory.ts'
import { LateStore } from '../support/late-store.ts'
import { membersContract } from './members.ts'

for (const transport of transportNames) {
  membersContract(transport, 'memory', () => new MemoryStore())
  membersContract(transport, 'late', () => new LateStore(new MemoryStore(), { seed: 7, maxDelayMs: 15, failureRate: 0.05 }))
}
