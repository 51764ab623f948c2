/** Who takes part in one figure: processes, directories and a Redis, all of which go with it. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { placed, type Methods, type Process, start } from '../../../bench/processes.ts'
import { RedisServer } from '../../support/redis.ts'
import { serverProgram } from '../../support/server-program.ts'
import type { Crowd } from './crowd.ts'
import type { Host, HostSetup } from './host.ts'
import type { People } from './people.ts'
import { Publisher } from './publisher.ts'

export interface Served {
  readonly process: Process<Host>
  readonly port: number
  readonly url: string
}

/** The server as the command line starts it. */
export interface Main {
  readonly child: ChildProcess
  readonly port: number
  readonly url: string
  readonly exited: Promise<number | null>
}

const root = fileURLToPath(new URL('../../..', import.meta.url))

export class Cast implements AsyncDisposable {
  readonly #ends: (() => Promise<unknown>)[] = []

  /** A server in a process of its own; `url` is where it is on 127.0.0.1, or on `setup.host`. */
  async serve(setup: HostSetup = {}): Promise<Served> {
    const process = this.#start<Host>('host.ts', 'server')
    const port = await process.ask('open', setup)
    return { process, port, url: `http://${setup.host ?? '127.0.0.1'}:${port}` }
  }
  /** `through` is a command that runs another, as ip netns exec. */
  crowd(through: readonly string[] = []): Process<Crowd> {
    return this.#start<Crowd>('crowd.ts', 'generator', through)
  }
  people(through: readonly string[] = []): Process<People> {
    return this.#start<People>('people.ts', 'generator', through)
  }
  async publisher(port: number, room: string): Promise<Publisher> {
    const publisher = await Publisher.enter(port, room)
    this.#ends.push(async () => publisher.leave())
    return publisher
  }

  async directory(): Promise<string> {
    const path = await mkdtemp(join(tmpdir(), 'fourwires-figures-'))
    this.#ends.push(() => rm(path, { recursive: true, force: true }))
    return path
  }
  async redis(options: Parameters<typeof RedisServer.start>[0] = {}): Promise<RedisServer> {
    const redis = await RedisServer.start(options)
    this.#ends.push(() => redis.stop())
    return redis
  }
  /** Ends with the others, before them. */
  also(end: () => Promise<unknown>): void {
    this.#ends.push(end)
  }

  /** Any program; resolves with its exit code and what it printed. */
  async program(args: readonly string[], progress: (line: string) => void = () => {}): Promise<{ code: number | null; stdout: string }> {
    const child = this.#spawn(process.execPath, ['--import', 'tsx', ...args])
    let stdout = ''
    child.stdout?.on('data', (data: Buffer) => (stdout += data.toString()))
    child.stderr?.on('data', (data: Buffer) =>
      progress(
        data
          .toString()
          .trim()
          .split(/[\r\n]/)
          .at(-1) ?? '',
      ),
    )
    const [code] = (await once(child, 'close')) as [number | null]
    return { code, stdout }
  }

  async main(args: readonly string[]): Promise<Main> {
    const all = [...serverProgram(), '--no-lab', '--host', '127.0.0.1', '--port', '0', ...args]
    const child = this.#spawn(...placed('server', process.execPath, all))
    const exited = once(child, 'close').then(([code]) => code as number | null)
    let said = ''
    const port = await new Promise<number>((resolve, reject) => {
      const hear = (data: Buffer): void => {
        said = (said + data.toString()).slice(-4_000)
        const taken = /open http:\/\/127\.0\.0\.1:(\d+)/.exec(said)?.[1]
        if (taken !== undefined) resolve(Number(taken))
      }
      child.stdout?.on('data', hear)
      child.stderr?.on('data', hear)
      void exited.then((code) => reject(new Error(`the server ended with ${code}: ${said}`)))
    })
    return { child, port, url: `http://127.0.0.1:${port}`, exited }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const end of this.#ends.splice(0).toReversed()) await end().catch(() => {})
  }

  #start<M extends Methods>(file: string, place: 'server' | 'generator', through: readonly string[] = []): Process<M> {
    const started = start<M>(new URL(file, import.meta.url), place, through)
    this.#ends.push(async () => {
      // What is stopped hears no SIGTERM.
      kill(started.pid, 'SIGCONT')
      await started.end()
    })
    return started
  }

  #spawn(command: string, args: readonly string[]): ChildProcess {
    const child = spawn(command, args, {
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH: process.env['PATH'], HOME: process.env['HOME'] },
    })
    this.#ends.push(async () => {
      if (child.exitCode !== null || child.signalCode !== null) return
      const closed = once(child, 'exit')
      child.kill('SIGKILL')
      await closed
    })
    return child
  }
}

/** A process that is gone already is no matter. */
export function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch {}
}
