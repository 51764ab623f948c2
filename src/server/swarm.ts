/** Synthetic members: the real client, many times over, in one process beside this one. It ends with this one. */
import type { FastifyBaseLogger } from 'fastify'
import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** How many, and in which room. */
export interface Crowd {
  readonly members: number
  readonly room: string
}

/** What the process is told: where the server is, and what proves that it may have names of its own. */
export interface SwarmOrder extends Crowd {
  readonly url: string
  readonly key: string
}
/** What it tells: how many of them are live on the wire that they are meant for. */
export interface SwarmNews {
  readonly live: number
}

/** A process that was asked to end and has not by then is killed, in ms. */
const patienceMs = 2_000

/** As this file runs, so does its neighbour: built, or from its source. */
const built = import.meta.url.endsWith('.js')
const script = fileURLToPath(new URL(built ? './synthetic.js' : './synthetic.ts', import.meta.url))

export class Swarm {
  readonly #order: () => Pick<SwarmOrder, 'url' | 'key'>
  readonly #changed: () => void
  readonly #log: Pick<FastifyBaseLogger, 'info' | 'warn'>
  #crowd: Crowd = { members: 0, room: 'lobby' }
  #live = 0
  #child: ChildProcess | undefined
  #ending: Promise<void> = Promise.resolve()

  /** `changed` is called when members came or went. */
  constructor(order: () => Pick<SwarmOrder, 'url' | 'key'>, changed: () => void, log: Pick<FastifyBaseLogger, 'info' | 'warn'>) {
    this.#order = order
    this.#changed = changed
    this.#log = log
  }

  get crowd(): Crowd {
    return this.#crowd
  }
  /** Members that follow their room now. */
  get live(): number {
    return this.#live
  }
  /** Of the process, while there is one. */
  get pid(): number | undefined {
    return this.#child?.pid
  }

  /** From now on there are so many. The process comes with the first of them and goes with the last. */
  set(crowd: Crowd): void {
    this.#crowd = crowd
    if (crowd.members === 0) {
      void this.end()
      return
    }
    this.#child ??= this.#start()
    this.#child.send({ ...this.#order(), ...crowd } satisfies SwarmOrder, () => {})
  }

  /** Resolves once no process is left. */
  end(): Promise<void> {
    this.#crowd = { ...this.#crowd, members: 0 }
    this.#live = 0
    const child = this.#child
    this.#child = undefined
    if (child !== undefined) this.#ending = Promise.all([this.#ending, ended(child)]).then(() => {})
    return this.#ending
  }

  #start(): ChildProcess {
    // Nothing on its command line or in its environment tells the key.
    const { PATH = '', HOME = '' } = process.env
    const child = fork(script, [], {
      execArgv: built ? [] : ['--import', 'tsx'],
      env: { PATH, HOME },
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    })
    this.#log.info({ swarm: child.pid }, 'synthetic members have a process of their own')
    // The server may end without it: it ends when the channel does.
    child.unref()
    child.channel?.unref()
    child.on('message', ({ live }: SwarmNews) => {
      if (this.#child !== child) return
      this.#live = live
      this.#changed()
    })
    const gone = (): void => {
      if (this.#child !== child) return
      this.#log.warn({ swarm: child.pid }, 'the process of the synthetic members has ended')
      this.#child = undefined
      this.#crowd = { ...this.#crowd, members: 0 }
      this.#live = 0
      this.#changed()
    }
    child.on('exit', gone)
    child.on('error', gone)
    return child
  }
}

/** SIGTERM, and SIGKILL for what does not listen. */
async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return
  const exit = new Promise((resolve) => child.once('exit', resolve))
  child.ref()
  child.kill('SIGTERM')
  const patience = setTimeout(() => child.kill('SIGKILL'), patienceMs)
  await exit
  clearTimeout(patience)
}
