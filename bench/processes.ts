/** Processes of the bench: each answers questions over its IPC channel, and ends with the one that started it. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

export type Methods = Record<string, (...args: never[]) => unknown>
interface Question {
  readonly number: number
  readonly method: string
  readonly args: unknown[]
}
interface Answer {
  readonly number: number
  readonly value?: unknown
  readonly error?: string
}

/** A process that was started, and what it can be asked. */
export interface Process<M extends Methods> {
  readonly pid: number
  /** Rejects with what the process threw, or says that it has ended. */
  ask<Name extends keyof M & string>(method: Name, ...args: Parameters<M[Name]>): Promise<Awaited<ReturnType<M[Name]>>>
  /** Ends it, by its pid. */
  end(): Promise<void>
}

/** The server has a core for itself, and all that loads it has the others; where the system can say so and has two. */
export type Place = 'server' | 'generator'

const root = fileURLToPath(new URL('..', import.meta.url))

/** The cores that this process may use, by taskset of util-linux; none where there is no such thing. */
function coresHere(): number[] {
  try {
    const list = execFileSync('taskset', ['-cp', String(process.pid)], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
    return (/([\d,-]+)\s*$/.exec(list)?.[1] ?? '').split(',').flatMap((range) => {
      const [first = 0, last = first] = range.split('-').map(Number)
      return Array.from({ length: last - first + 1 }, (_, index) => first + index)
    })
  } catch {
    return []
  }
}

const cores = coresHere()

/** Can processes be bound to cores here? */
export const pinned = cores.length > 1

/** A command bound to its place. taskset becomes the command, so that its pid is the command's. */
export function placed(place: Place, command: string, args: readonly string[]): [string, string[]] {
  const list = place === 'server' ? cores.slice(0, 1) : cores.slice(1)
  return pinned ? ['taskset', ['-c', list.join(','), command, ...args]] : [command, [...args]]
}

/** Starts a file of the bench as a process of its own; `through` is a command that becomes the one it is given, as taskset does. */
export function start<M extends Methods>(file: URL, place: Place, through: readonly string[] = []): Process<M> {
  const [bound, boundArgs] = placed(place, process.execPath, ['--import', 'tsx', fileURLToPath(file)])
  const [command = bound, ...commandArgs] = [...through, bound, ...boundArgs]
  // A group of its own: Ctrl-C in a terminal reaches who started it alone, who ends it. It could not be caught while it starts.
  const child = spawn(command, commandArgs, {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    serialization: 'advanced',
    detached: true,
  })
  const waiting = new Map<number, { resolve: (value: never) => void; reject: (error: Error) => void }>()
  let next = 0
  const failAll = (error: Error): void => {
    for (const { reject } of waiting.values()) reject(error)
    waiting.clear()
  }
  child.on('message', ({ number, value, error }: Answer) => {
    const question = waiting.get(number)
    waiting.delete(number)
    if (error === undefined) question?.resolve(value as never)
    else question?.reject(new Error(error))
  })
  child.on('error', failAll)
  child.on('exit', (code, signal) => failAll(new Error(`${file.pathname.split('/').at(-1)} ended (${signal ?? code})`)))
  return {
    pid: child.pid ?? 0,
    ask: (method, ...args) =>
      new Promise((resolve, reject) => {
        const question: Question = { number: next++, method, args }
        waiting.set(question.number, { resolve, reject })
        child.send(question, (error) => error && reject(error))
      }),
    end: () => end(child),
  }
}

/** SIGTERM, and SIGKILL for what does not listen. */
export async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return
  const ended = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGTERM')
  const patience = setTimeout(() => child.kill('SIGKILL'), 2_000)
  await ended
  clearTimeout(patience)
}

/** Answers what the process that started this one asks; ends with it. */
export function answer(methods: Methods): void {
  const send = (message: Answer): void => {
    process.send?.(message, undefined, {}, () => {})
  }
  const reply = async ({ number, method, args }: Question): Promise<void> => {
    try {
      send({ number, value: await methods[method]?.(...(args as never[])) })
    } catch (error) {
      send({ number, error: (error as Error).stack ?? String(error) })
    }
  }
  process.on('message', (question: Question) => void reply(question))
  process.on('disconnect', () => process.exit())
  process.on('SIGTERM', () => process.exit())
}
