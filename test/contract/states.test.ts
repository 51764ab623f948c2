/** The contract of states × {memory, late store}. */
import { transportNames } from '../../src/protocol/message.ts'
import { MemoryStore } from '../../src/store/memory.ts'
import { LateStore } from '../support/late-store.ts'
import { statesContract } from './states.ts'

for (const transport of transportNames) {
  statesContract(transport, 'memory', (limits) => new MemoryStore(limits))
  statesContract(transport, 'late', (limits) => new LateStore(new MemoryStore(limits), { seed: 7, maxDelayMs: 15, failureRate: 0.05 }))
}
