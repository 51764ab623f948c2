/** Behind a real proxy with the configuration that we recommend the contract holds; what defaults cost, and what headers prevent. */
import { transportNames } from '../../src/protocol/message.ts'
import { MemoryStore } from '../../src/store/memory.ts'
import { proxyNames, startRealProxy } from '../support/real-proxy.ts'
import { transportContract } from '../contract/transport.ts'

for (const proxy of proxyNames) {
  for (const transport of transportNames) {
    transportContract(
      transport,
      `memory store behind ${proxy}`,
      (limits) => new MemoryStore(limits),
      ({ port }) => startRealProxy({ proxy, config: 'tuned', servers: [port] }),
    )
  }
}
