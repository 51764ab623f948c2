/** The server under fuzz, a process of its own: what it does to its memory, its descriptors and its log is seen from outside. */
import { type ChildProcess, spawn } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { RawClient, request } from '../support/raw-client.ts'
import { serverProgram } from '../support/server-program.ts'

/**
 * No limit of rates, which would answer for everything else; few rooms; leases that end while somebody waits for them. What
 * answers no ping, as an input does, is not cut for its silence, nor is anybody refused because the machine is late: on a busy
 * one that would be the answer to everything.
 */
const options = [
  '--host=127.0.0.1 --port=0 --publishes-per-second=0 --states-per-second=0 --rooms-per-minute=0 --rooms=200',
  '--lease-grace-ms=300 --poll-lease-ms=1000 --poll-lease-percent=100 --linger-ms=200',
  '--silent-ms=3600000 --max-lag-ms=60000',
]
  .join(' ')
  .split(' ')

/** What a server holds for those who are connected. */
export interface Held {
  readonly connections: number
  readonly tcp: number
  readonly members: number
  readonly rooms: number
  readonly timers: number
  /** Open file descriptors, where the system tells (/proc). */
  readonly fds: number | undefined
}

export class Target {
  readonly child: ChildProcess
  readonly port: number
  /** Lines of its log of level `warn` and above, and all that it wrote beside its log but the presenter's address. */
  readonly complaints: string[]
  readonly #kill = (): void => void this.child.kill('SIGKILL')

  private constructor(child: ChildProcess, port: number, complaints: string[]) {
    this.child = child
    this.port = port
    this.complaints = complaints
    process.once('exit', this.#kill)
  }

  static async start(): Promise<Target> {
    const child = spawn(process.execPath, [...serverProgram(), ...options], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH: process.env['PATH'], HOME: process.env['HOME'], NODE_ENV: 'production' },
    })
    const complaints: string[] = []
    const port = await new Promise<number>((resolve, reject) => {
      const read = (line: string): void => {
        const open = /open http:\/\/127\.0\.0\.1:(\d+)/.exec(line)?.[1]
        if (open !== undefined) return resolve(Number(open))
        if (line !== '' && !/^\{"level":[1-3]0,|^presenter: /.test(line)) complaints.push(line)
      }
      for (const stream of [child.stdout, child.stderr]) eachLine(stream as NodeJS.ReadableStream, read)
      child.once('error', reject)
      child.once('exit', () => reject(new Error(`the server does not start: ${complaints.join('\n')}`)))
    })
    return new Target(child, port, complaints)
  }

  /** How it ended, undefined while it runs. */
  get ended(): string | undefined {
    return this.child.signalCode ?? (this.child.exitCode === null ? undefined : `exit ${this.child.exitCode}`)
  }

  /** What /metrics says, over a connection that leaves nothing behind. */
  async metrics(): Promise<ReadonlyMap<string, number>> {
    const client = await RawClient.connect(this.port)
    client.socket.on('error', () => {})
    try {
      const { body } = await client.send(request(this.port, 'GET /metrics', { connection: 'close' })).response()
      return new Map([...body.toString().matchAll(/^([a-z][^ ]*) (\S+)$/gm)].map(([, name = '', value]) => [name, Number(value)]))
    } finally {
      client.destroy()
    }
  }

  async rss(): Promise<number> {
    return (await this.metrics()).get('process_resident_memory_bytes') ?? Number.NaN
  }

  async held(): Promise<Held> {
    const metrics = await this.metrics()
    const of = (name: string): number => metrics.get(`fourwires_${name}`) ?? Number.NaN
    const connections = ['poll', 'long-poll', 'sse', 'websocket'].reduce((sum, name) => sum + of(`connections{transport="${name}"}`), 0)
    return {
      connections,
      tcp: of('tcp_connections'),
      members: of('members'),
      rooms: of('rooms_watched'),
      timers: of('timers'),
      fds: this.#fds(),
    }
  }

  async end(): Promise<void> {
    process.removeListener('exit', this.#kill)
    if (this.ended !== undefined) return
    const ended = new Promise((resolve) => this.child.once('exit', resolve))
    this.child.kill('SIGKILL')
    await ended
  }

  #fds(): number | undefined {
    try {
      return readdirSync(`/proc/${this.child.pid}/fd`).length
    } catch {
      return undefined
    }
  }
}

function eachLine(stream: NodeJS.ReadableStream, read: (line: string) => void): void {
  let rest = ''
  stream.on('data', (data: Buffer) => {
    const lines = (rest + data.toString()).split('\n')
    rest = lines.pop() ?? ''
    lines.forEach(read)
  })
}
