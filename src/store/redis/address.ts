/** Where Redis is, as a URL says it; and in one sentence why nothing can be done with it. */
import { Cluster, Redis, type RedisOptions } from 'ioredis'
import { drawMs } from '../../protocol/random.ts'

/** How long a connection may take to be made, and to be silent where an answer is due, in ms. Then it is made anew. */
const connectTimeoutMs = 2_000
const silentMs = 5_000

/** Between two attempts to connect, in ms: rising, and drawn, so that a thousand processes do not come back as one. */
const leastRetryMs = 50
const mostRetryMs = 2_000
const retryMs = (attempt: number): number => drawMs(leastRetryMs, Math.min(mostRetryMs, leastRetryMs * 2 ** attempt))

/** Two connections: one that is asked, one that is told. In a cluster both are one object, with connections to every node. */
export interface Clients {
  readonly asked: Redis | Cluster
  readonly told: Redis | Cluster
  readonly cluster: boolean
}

const common = {
  // A command that cannot be sent now fails now, one without an answer is never sent again by itself: who asked decides.
  maxRetriesPerRequest: 0,
  autoResendUnfulfilledCommands: false,
  connectTimeout: connectTimeoutMs,
  socketTimeout: silentMs,
  lazyConnect: true,
  // After a failover the one we know may have become a replica: its name or address may lead to another by now.
  reconnectOnError: (error: Error) => error.message.startsWith('READONLY'),
} as const satisfies RedisOptions

/**
 * `redis://[user:password@]host[:port][/db]`, `rediss://` for TLS, and `redis+cluster://[user:password@]host:port,host:port…`
 * (`rediss+cluster://`) for a cluster, of which some nodes are enough. Not connected yet; `mayRetry` is asked before each new attempt.
 * @throws RangeError for what is no such URL
 */
export function clientsOf(url: string, mayRetry: () => boolean): Clients {
  const strategy = (attempt: number): number | null => (mayRetry() ? retryMs(attempt) : null)
  const [, tls, cluster, rest = ''] = /^redis(s?)(\+cluster)?:\/\/(.+)$/.exec(url) ?? []
  if (tls === undefined) throw new RangeError(`a Redis is named as redis://host:6379; it got "${hidden(url)}"`)
  if (cluster === undefined) {
    if (!URL.canParse(url)) throw new RangeError(`a Redis is named as redis://host:6379; it got "${hidden(url)}"`)
    const connect = (): Redis => new Redis(url, { ...common, autoResubscribe: false, enableOfflineQueue: false, retryStrategy: strategy })
    return { asked: connect(), told: connect(), cluster: false }
  }
  const at = rest.lastIndexOf('@')
  const [username = '', ...password] = at === -1 ? [] : rest.slice(0, at).split(':').map(decodeURIComponent)
  const nodes = rest.slice(at + 1).split(',')
  if (nodes.some((node) => !URL.canParse(`redis://${node}`)))
    throw new RangeError(`a cluster is named as redis+cluster://host:6379,host:6380`)
  const options = {
    shardedSubscribers: true,
    enableOfflineQueue: false,
    lazyConnect: true,
    clusterRetryStrategy: strategy,
    slotsRefreshTimeout: connectTimeoutMs,
    redisOptions: {
      ...common,
      ...(tls === 's' && { tls: {} }),
      ...(username !== '' && { username }),
      ...(password.length > 0 && { password: password.join(':') }),
    },
  } as const
  const client = new Cluster(
    nodes.map((node) => `redis://${node}`),
    options,
  )
  return { asked: client, told: client, cluster: true }
}

/** Without what may be a password. */
export const hidden = (url: string): string => url.replace(/\/\/.*@/, '//…@')

/** What an error at the start means, and what to do: one sentence. */
export function explain(url: string, error: Error): string {
  const where = `The Redis at ${hidden(url)}`
  const text = error.message
  if (/WRONGPASS|NOAUTH|invalid password|without any password/.test(text))
    return `${where} refuses us: give its user and password, as redis://user:password@host:6379.`
  if (/unknown (sub)?command/i.test(text)) return `${where} has no functions: Redis 7 or later is needed.`
  if (text.startsWith('NOPERM'))
    return `${where} does not let this user do what is needed (${text}): give it other permissions, or us another user.`
  if (text.startsWith('READONLY')) return `${where} is a replica, which takes no messages: name its master.`
  if (/cluster support disabled/i.test(text)) return `${where} is no cluster: name it as redis://host:6379.`
  if (text.startsWith('MOVED')) return `${where} is a cluster: name it as redis+cluster://host:6379.`
  if (/ECONNREFUSED|ENOTFOUND|ETIMEDOUT|answered nothing|closed/.test(text))
    return `${where} does not answer (${text}): start it, or name another.`
  return `${where} cannot be used (${text}).`
}
