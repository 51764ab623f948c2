/** The contract of members and of states over two nodes that share a Redis, every request of a client at the other one. */
import type { AppOptions } from '../../src/server/app.ts'
import { RedisAttendance } from '../../src/store/redis/attendance.ts'
import type { TestServer } from '../support/server.ts'
import { type NodeParts, startNodes } from '../support/nodes.ts'
import { sharedRedis } from '../support/shared-redis.ts'
import { membersContract } from './members.ts'
import { statesContract } from './states.ts'

const redis = sharedRedis()
let prefixes = 0

async function twoNodes(options: AppOptions, port: number): Promise<TestServer> {
  const prefix = `nodes-${++prefixes}`
  const part = async (): Promise<NodeParts> => {
    const store = await redis.open({}, prefix)
    return { store, attendance: await RedisAttendance.open(store.connection) }
  }
  return startNodes([await part(), await part()], { maxLagMs: 60_000, ...options }, port)
}

// In each test there are members by all four wires. Who watches asks again and again, at the other node each time.
membersContract('long-poll', 'redis, two nodes', () => redis.open(), twoNodes)
statesContract('poll', 'redis, two nodes', () => redis.open(), twoNodes)
