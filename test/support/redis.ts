/** A Redis of one's own: a real server on a free port of 127.0.0.1, its files in a directory that goes with it. */
import { Redis } from 'ioredis'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface RedisServerOptions {
  /** Is everything that it is told in a file before it answers? Nothing is kept otherwise. */
  readonly aof?: boolean
  /** Directives of redis.conf, as they are spelled there. */
  readonly config?: Readonly<Record<string, string | readonly string[]>>
}

interface BeginOptions {
  readonly ready?: boolean
  /** Further directives, for this time. */
  readonly config?: Readonly<Record<string, string | readonly string[]>>
}

const attempts = 5

export class RedisServer implements AsyncDisposable {
  readonly port: number
  readonly directory: string
  readonly #options: RedisServerOptions
  #child: ChildProcess | undefined
  #watchdog: ChildProcess | undefined
  #client: Redis | undefined
  readonly #clients: Redis[] = []

  /** Resolves once it answers. */
  static async start(options: RedisServerOptions = {}): Promise<RedisServer> {
    for (let attempt = 1; ; attempt++) {
      const server = new RedisServer(await freePort(), await mkdtemp(join(tmpdir(), 'fourwires-redis-')), options)
      try {
        await server.begin()
        return server
      } catch (error) {
        await server.stop()
        // Somebody else may have taken the port meanwhile.
        if (attempt === attempts) throw error
      }
    }
  }

  private constructor(port: number, directory: string, options: RedisServerOptions) {
    this.port = port
    this.directory = directory
    this.#options = options
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`
  }

  /** The connection for what a test itself asks of it. */
  get client(): Redis {
    this.#client ??= this.connect()
    return this.#client
  }

  /** One more, which goes with the server. */
  connect(): Redis {
    const client = new Redis(this.port, '127.0.0.1', { retryStrategy: () => 20 }).on('error', () => {})
    this.#clients.push(client)
    return client
  }

  /** Starts it, where it was killed, with what its directory has. `ready: false` does not wait until it has loaded that. */
  async begin({ ready = true, config: now = {} }: BeginOptions = {}): Promise<void> {
    const { aof = false, config = {} } = this.#options
    const directives = {
      port: `${this.port}`,
      bind: '127.0.0.1',
      dir: this.directory,
      save: '',
      appendonly: aof ? 'yes' : 'no',
      'enable-debug-command': 'yes',
      ...config,
      ...now,
    }
    const args = Object.entries(directives).flatMap(([name, value]) => [`--${name}`, ...[value].flat()])
    const child = spawn('redis-server', args, { stdio: ['ignore', 'pipe', 'inherit'] })
    this.#child = child
    // Ends it when this process is gone, however it went: its end of the pipe is closed then.
    this.#watchdog = spawn('sh', ['-c', `read _; kill -9 ${child.pid}`], { stdio: ['pipe', 'ignore', 'ignore'] })
    this.#watchdog.stdin?.on('error', () => {})
    const sign = ready ? /Ready to accept connections/ : /Server initialized/
    let said = ''
    await new Promise<void>((resolve, reject) => {
      child.stdout?.on('data', (data: Buffer) => {
        said += data.toString()
        if (sign.test(said)) resolve()
      })
      child.once('error', reject)
      child.once('exit', () => reject(new Error(`redis-server ended: ${said}`)))
    })
  }

  /** Ends it at once, as a crash does: what is not in a file is gone. */
  async kill(): Promise<void> {
    this.#watchdog?.kill()
    this.#watchdog = undefined
    const child = this.#child
    this.#child = undefined
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    child.kill('SIGKILL')
    await once(child, 'exit')
  }

  /** Killed, and started again with what its directory has. */
  async restart(): Promise<void> {
    await this.kill()
    await this.begin()
  }

  /** It answers nothing any more, as a machine that is overloaded or cut off; its connections stay. */
  freeze(): void {
    this.#child?.kill('SIGSTOP')
  }
  thaw(): void {
    this.#child?.kill('SIGCONT')
  }

  /** Ends it, and leaves nothing of it. */
  async stop(): Promise<void> {
    for (const client of this.#clients) client.disconnect()
    await this.kill()
    await rm(this.directory, { recursive: true, force: true })
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}
