/** The stores of the matrix: how a server with each is started, ended, killed and rolled back. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { optionTable, type ServerOptions, withDefaults } from '../../src/server/options.ts'
import { FileStore } from '../../src/store/file.ts'
import { MemoryStore } from '../../src/store/memory.ts'
import { RedisStore } from '../../src/store/redis.ts'
import { LateStore } from '../support/late-store.ts'
import { RedisServer } from '../support/redis.ts'
import { serverProgram } from '../support/server-program.ts'
import { startServer } from '../support/server.ts'

export const storeNames = ['memory', 'late', 'file', 'redis'] as const
export type StoreName = (typeof storeNames)[number]

/** A server that runs now. */
export interface Host extends AsyncDisposable {
  readonly port: number
  /** Ends it, and resolves with its exit code (null of a signal). Only as a process of its own. */
  end?(signal: 'SIGTERM' | 'SIGKILL'): Promise<number | null>
}

/** Where messages are kept while servers come and go. */
export interface Backing extends AsyncDisposable {
  /** Starts a server, at `port` if one is given. */
  serve(options: Partial<ServerOptions>, own: boolean, port?: number): Promise<Host>
  /** Keeps a copy of all that there is; later, with no server running, goes back to it. */
  copy?(): Promise<void>
  rollBack?(): Promise<void>
  /** Stops and continues what is behind the servers. */
  stop?(): void
  cont?(): void
}

export interface StoreKind {
  /** What was acknowledged is there after `kill -9`. */
  readonly survives: boolean
  /** Several servers may share it. */
  readonly shared: boolean
  open(seed: number): Promise<Backing>
}

const children = new Set<ChildProcess>()
process.on('exit', () => children.forEach((child) => child.kill('SIGKILL')))

/** Sessions outlive a restart: who publishes stays the same member. */
const sessionSecret = 'the secret of the fault matrix'

const kebab = (name: string): string => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)

const flags = (options: Partial<ServerOptions>): string[] =>
  Object.entries({ ...options, sessionSecret })
    .filter(([name]) => name in optionTable)
    .flatMap(([name, value]) => [`--${kebab(name)}`, String(value)])

/** The server as the command line starts it. */
async function spawnServer(args: readonly string[], port = 0): Promise<Host> {
  const child = spawn(process.execPath, [...serverProgram(), '--no-lab', '--host', '127.0.0.1', '--port', String(port), ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'] },
  })
  children.add(child)
  const exited = once(child, 'close').then(([code]) => {
    children.delete(child)
    return code as number | null
  })
  let said = ''
  const open = new Promise<number>((resolve, reject) => {
    const hear = (data: Buffer): void => {
      said += data.toString()
      const taken = /open http:\/\/127\.0\.0\.1:(\d+)/.exec(said)?.[1]
      if (taken !== undefined) resolve(Number(taken))
    }
    child.stdout.on('data', hear)
    child.stderr.on('data', hear)
    void exited.then((code) => reject(new Error(`the server ended with ${code}: ${said.slice(-500)}`)))
  })
  const end = (signal: NodeJS.Signals): Promise<number | null> => {
    child.kill(signal)
    return exited
  }
  try {
    return { port: await open, end, [Symbol.asyncDispose]: async () => void (await end('SIGKILL')) }
  } catch (error) {
    await end('SIGKILL')
    throw error
  }
}

const memory: StoreKind = {
  survives: false,
  shared: false,
  open: async () => ({
    async serve(options, own, port) {
      if (own) return spawnServer(flags(options), port)
      return inProcess(await startServer({ sessionSecret, ...options }, port))
    },
    async [Symbol.asyncDispose]() {},
  }),
}

/** Late by up to so much, and failing now and then: only in this process, and never killed. */
const lateness = { maxDelayMs: 20, failureRate: 0.03 }

const late: StoreKind = {
  survives: false,
  shared: false,
  open: async (seed) => ({
    async serve(options, own, port) {
      if (own) throw new Error('the late store is no process of its own')
      const store = new LateStore(new MemoryStore(options), { seed, ...lateness })
      return inProcess(await startServer({ sessionSecret, ...options, store }, port))
    },
    async [Symbol.asyncDispose]() {},
  }),
}

const inProcess = (server: Awaited<ReturnType<typeof startServer>>): Host => ({
  port: server.port,
  [Symbol.asyncDispose]: () => server.close(),
})

/** A directory of its own, which goes with it; its copy is what a backup would have taken then. */
const file: StoreKind = {
  survives: true,
  shared: false,
  open: async () => {
    const base = await mkdtemp(join(tmpdir(), 'fourwires-faults-'))
    const [data, older] = [join(base, 'data'), join(base, 'older')]
    // A socket says that the directory is in use, and belongs to who is using it.
    const filter = (path: string): boolean => !path.endsWith('.sock')
    return {
      async serve(options, own, port) {
        if (own) return spawnServer(['--store', 'file', '--data', data, ...flags(options)], port)
        const store = await FileStore.open(data, { limits: withDefaults(options) })
        return inProcess(await startServer({ sessionSecret, ...options, store }, port))
      },
      copy: () => cp(data, older, { recursive: true, filter }),
      async rollBack() {
        await rm(data, { recursive: true })
        await cp(older, data, { recursive: true })
      },
      [Symbol.asyncDispose]: () => rm(base, { recursive: true, force: true }),
    }
  },
}

/** A Redis of its own. What it had when it was copied is a snapshot, as a backup keeps one. */
const redis: StoreKind = {
  survives: true,
  shared: true,
  open: async () => {
    const server = await RedisServer.start()
    const [dump, older] = [join(server.directory, 'dump.rdb'), join(server.directory, 'older.rdb')]
    return {
      async serve(options, own, port) {
        if (own) return spawnServer(['--store', 'redis', '--redis', server.url, ...flags(options)], port)
        const store = await RedisStore.open(server.url, withDefaults(options))
        return inProcess(await startServer({ sessionSecret, ...options, store }, port))
      },
      async copy() {
        await server.client.save()
        await cp(dump, older)
      },
      async rollBack() {
        await server.kill()
        await cp(older, dump)
        await server.begin()
      },
      stop: () => server.freeze(),
      cont: () => server.thaw(),
      [Symbol.asyncDispose]: () => server.stop(),
    }
  },
}

export const stores: Readonly<Record<StoreName, StoreKind>> = { memory, late, file, redis }
