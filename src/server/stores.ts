/** Where rooms are kept: what the command line says of it, and the store that it names. */
import { MemoryStore } from '../store/memory.ts'
import { fileLimits, FileStore, type FsyncPolicy, fsyncPolicies } from '../store/file.ts'
import type { Attendance } from '../store/attendance.ts'
import { redisLimits, RedisStore } from '../store/redis.ts'
import { RedisAttendance } from '../store/redis/attendance.ts'
import type { RoomStore } from '../store/store.ts'
import { type ServerOptions, withDefaults } from './options.ts'

export const storeNames = ['memory', 'file', 'redis'] as const
export type StoreName = (typeof storeNames)[number]

/** What the process is told of its store; empty is not given. */
export interface StoreChoice {
  readonly store: StoreName
  /** `file`: the directory that rooms are kept in. */
  readonly data: string
  /** `file`: what is on disk before an acknowledgement. */
  readonly fsync: FsyncPolicy
  /** `redis`: where it is. */
  readonly redis: string
}

export interface OpenStore {
  readonly store: RoomStore
  /** What its processes tell each other of who is here, where there may be several. */
  readonly attendance?: Attendance
  /** Signs the session cookies: of the command line, or kept with the store; empty: one is drawn. */
  readonly sessionSecret: string
}

/** Each of these belongs to one store. */
const belongsTo = { data: 'file', fsync: 'file', redis: 'redis' } as const satisfies Record<string, StoreName>

/**
 * The choice that these flags make. @param given what was said, by flag
 * @throws Error in one sentence, for what is no store and what does not go together
 */
export function chooseStore(given: Readonly<Record<string, string | undefined>>): StoreChoice {
  const store = given['store'] ?? 'memory'
  if (!isOneOf(storeNames, store)) throw new Error(`--store is ${oneOf(storeNames)}; it got "${store}"`)
  for (const [flag, of] of Object.entries(belongsTo)) {
    if (given[flag] !== undefined && store !== of) throw new Error(`--${flag} goes with --store ${of}`)
  }
  const { data = '', fsync = 'batched', redis = '' } = given
  if (store === 'file' && data === '') throw new Error('--store file needs a directory: --data DIR')
  if (store === 'redis' && !/^rediss?(\+cluster)?:\/\/./.test(redis))
    throw new Error('--store redis needs an address: --redis redis://HOST:PORT')
  if (!isOneOf(fsyncPolicies, fsync)) throw new Error(`--fsync is ${oneOf(fsyncPolicies)}; it got "${fsync}"`)
  return { store, data, fsync, redis }
}

/**
 * Opens it. @param told hears what an operator should know of it
 * @throws Error in one sentence where it cannot be used
 */
export async function openStore(
  { store, data, fsync, redis }: StoreChoice,
  given: Partial<ServerOptions>,
  told: (sentence: string) => void,
): Promise<OpenStore> {
  const { sessionSecret, storeTimeoutMs } = withDefaults(given)
  if (store === 'file') {
    const kept = await FileStore.open(data, { limits: withDefaults({ ...fileLimits, ...given }), fsync, told })
    return { store: kept, sessionSecret: sessionSecret || (await kept.sessionSecret()) }
  }
  if (store === 'redis') {
    // One drawn by each process would make strangers of all who land on another.
    if (sessionSecret === '') throw new Error('--store redis needs the secret that all its processes share: set SESSION_SECRET')
    const limits = withDefaults({ ...redisLimits, ...given })
    const report = (error: Error): void => told(`Redis: ${error.message}`)
    const kept = await RedisStore.open(redis, limits, { timeoutMs: storeTimeoutMs, report })
    return { store: kept, attendance: await RedisAttendance.open(kept.connection), sessionSecret }
  }
  return { store: new MemoryStore(withDefaults(given)), sessionSecret }
}

const isOneOf = <T extends string>(names: readonly T[], name: string): name is T => names.some((each) => each === name)
const oneOf = (names: readonly string[]): string => `${names.slice(0, -1).join(', ')} or ${names.at(-1)}`
