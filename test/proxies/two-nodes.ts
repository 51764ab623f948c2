/** Two servers with one store behind one proxy, without sticky sessions: one of them goes while all publish and read. */
import { transportNames } from '../../src/protocol/message.ts'
import { MemoryStore } from '../../src/store/memory.ts'
import type { RoomStore } from '../../src/store/store.ts'
import { startRealProxy } from '../support/real-proxy.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { unhurried } from './look.ts'
import { survive, type Survival } from './trials.ts'

/** What each of the two is given as its store. */
export type StoreOfNode = () => Promise<RoomStore>

/** One store in this process for both, which the first to go does not take along. */
class SharedStore extends MemoryStore {
  override async close(): Promise<void> {}
}
const sharedMemory = (): StoreOfNode => {
  const store = new SharedStore()
  return async () => store
}

export interface Moved extends Survival {
  /** Batches that each of the two had delivered when one of them went. */
  readonly delivered: readonly [number, number]
  /** Wires held by the one that stayed, at the end. */
  readonly held: number
}

/** `killed` goes without a word, as by SIGKILL; `drained` sends everybody away first, as on SIGTERM. */
export async function withoutOne(
  proxy: 'nginx' | 'haproxy',
  how: 'killed' | 'drained',
  rounds: number,
  storeOf: StoreOfNode = sharedMemory(),
): Promise<Moved> {
  const shared = { ...unhurried, sessionSecret: 'known to both nodes', publishesPerSecond: 0, trustProxy: ['loopback'] }
  await using one = await startServer({ ...shared, store: await storeOf() })
  await using two = await startServer({ ...shared, store: await storeOf() })
  await using front = await startRealProxy({ proxy, config: 'two-nodes', servers: [one.port, two.port] })
  let at: readonly [number, number] = [0, 0]
  let held = 0
  const survival = await survive(front.url, rounds, async (n) => {
    if (n === rounds - 1) held = await two.connections()
    if (n !== Math.floor(rounds / 2)) return
    at = [await delivered(one), await delivered(two)]
    if (how === 'drained') return one.close()
    one.app.server.close()
    one.cut()
  })
  return { ...survival, delivered: at, held }
}

async function delivered({ url }: TestServer): Promise<number> {
  const lines = (await (await fetch(`${url}/metrics`)).text()).match(/^fourwires_batches_total\{.*$/gm) ?? []
  if (lines.length < transportNames.length) throw new Error('no metric of batches')
  return lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0)
}
