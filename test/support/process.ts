/** The server as a process of its own, as the command line starts it. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'
import { eventually } from './answers.ts'
import { serverProgram } from './server-program.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

export interface Running {
  readonly child: ChildProcess
  readonly output: { stdout: string; stderr: string }
  readonly exited: Promise<{ readonly code: number | null; readonly signal: string | null; readonly ms: number }>
}

export function run(...args: readonly string[]): Running {
  const child = spawn(process.execPath, [...serverProgram(), ...args], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'] },
  })
  const output = { stdout: '', stderr: '' }
  child.stdout?.on('data', (data: Buffer) => (output.stdout += data.toString()))
  child.stderr?.on('data', (data: Buffer) => (output.stderr += data.toString()))
  // Of a test that failed nothing is left.
  onTestFinished(() => void child.kill('SIGKILL'))
  const begun = performance.now()
  const exited = once(child, 'close').then(([code, signal]) => ({
    code: code as number | null,
    signal: signal as string | null,
    ms: performance.now() - begun,
  }))
  return { child, output, exited }
}

/** A process that listens on a free port, of 127.0.0.1 if nothing else is said. */
export async function listening(...args: readonly string[]): Promise<Running & { readonly port: number; readonly url: string }> {
  const running = run('--host', '127.0.0.1', '--port', '0', ...args)
  const address = /(?:open|presenter:) (http:\/\/(?:127\.0\.0\.1|localhost):(\d+))/
  await eventually(() => address.test(running.output.stdout), `it listens ${running.output.stderr}`, 15_000)
  const [, url = '', port] = address.exec(running.output.stdout) ?? []
  return { ...running, url, port: Number(port) }
}
