/** The command line as a person has it: a process of its own, what it prints, how it ends. */
import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { experiments } from '../../bench/experiments/index.ts'
import { parseOptions, UsageError } from '../../bench/options.ts'
import type { Report } from '../../bench/report/report.ts'
import type { Ack, Draft, Member } from '../../src/protocol/message.ts'
import { MemoryStore } from '../../src/store/memory.ts'
import type { Appended } from '../../src/store/store.ts'
import { eventually } from '../support/answers.ts'
import { startServer, type TestServer } from '../support/server.ts'

const onLinux = process.platform === 'linux'
const root = fileURLToPath(new URL('../..', import.meta.url))
/** A run of some seconds, on a machine that does something else beside it. */
const patienceMs = 60_000

interface Running {
  readonly child: ChildProcess
  readonly output: { stdout: string; stderr: string }
  /** The code with which it ended. */
  readonly exited: Promise<number | null>
  /** Its processes: itself and all that it has started, which have its environment, also where their parents are gone (proc(5)). */
  readonly processes: () => number[]
}

/** In a group of its own, as a shell starts each command. */
function run(...args: readonly string[]): Running {
  const mark = `BENCH_TEST=${randomUUID()}`
  const child = spawn(process.execPath, ['--import', 'tsx', 'bench/run.ts', ...args], {
    cwd: root,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], BENCH_TEST: mark.slice(mark.indexOf('=') + 1) },
  })
  const output = { stdout: '', stderr: '' }
  child.stdout?.on('data', (data: Buffer) => (output.stdout += data.toString()))
  child.stderr?.on('data', (data: Buffer) => (output.stderr += data.toString()))
  return { child, output, exited: once(child, 'close').then(([code]) => code as number | null), processes: () => processesOf(mark) }
}

/** None where there is no /proc to look into. */
function processesOf(mark: string): number[] {
  if (!onLinux) return []
  return readdirSync('/proc').flatMap((name) => {
    try {
      return /^\d+$/.test(name) && readFileSync(`/proc/${name}/environ`, 'latin1').includes(mark) ? [Number(name)] : []
    } catch {
      // It has ended meanwhile, or is somebody else's.
      return []
    }
  })
}

/** Resolves with its line of progress; rejects where it ends before. */
async function begun({ output, exited }: Running, title: string): Promise<void> {
  const ended = exited.then(() => Promise.reject(new Error(`it never began ${title}: ${output.stderr}`)))
  await Promise.race([ended, eventually(() => output.stderr.includes(` ${title}\n`), `it begins ${title}`, patienceMs)])
}

let folder: string
beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), 'fourwires-bench-'))))
afterAll(() => rm(folder, { recursive: true }))
const reportIn = (out: string): Report => JSON.parse(readFileSync(join(out, 'report.json'), 'utf8')) as Report

describe.concurrent('the command line', () => {
  test('--help tells every option and the exit codes, --list every experiment, and they measure nothing', async () => {
    const [help, list] = [run('--help'), run('--list')]
    expect([await help.exited, await list.exited]).toEqual([0, 0])
    for (const flag of [
      '--clients',
      '--rate',
      '--payload',
      '--rounds',
      '--seconds',
      '--seed',
      '--rtt',
      '--via',
      '--peers',
      '--out',
      '--quick',
      '--json',
    ])
      expect(help.output.stdout).toContain(flag)
    expect(help.output.stdout).toMatch(/Exit: 0 .* 1 .* 2 .* 130/)
    expect(experiments.length).toBeGreaterThan(10)
    for (const { name, question } of experiments) expect(list.output.stdout.replaceAll(/ {2,}/g, ' ')).toContain(`\n ${name} ${question}\n`)
    expect([help.output.stderr, list.output.stderr]).toEqual(['', ''])
  })

  test('refuses what it does not have, and says what there is, with exit code 2', async () => {
    const [experiment, option] = [run('overhed'), run('--client', '3')]
    expect([await experiment.exited, await option.exited]).toEqual([2, 2])
    expect(experiment.output.stderr).toContain('There is no experiment "overhed".')
    for (const { name } of experiments) expect(experiment.output.stderr).toContain(name)
    expect(option.output.stderr).toContain('--client')
    expect(option.output.stderr).toContain('--clients <n>')
    expect([experiment.output.stdout, option.output.stdout]).toEqual(['', ''])
  })

  const via = '--via is the address of a server, as http://localhost:8080/chat; it got "nonsense"'
  test('refuses a value that is none in one sentence, with exit code 2', async () => {
    const { exited, output } = run('--via', 'nonsense')
    expect(await exited).toBe(2)
    expect(output.stderr.trim().split('\n')).toEqual([expect.stringContaining(via)])
    expect(output.stdout).toBe('')
  })

  // What is thrown here is what that process says: to start one for each would be most of the work.
  test.each([
    [['--clients', '0'], 'from 1 to 20000; it got "0"'],
    [['--payload', '3'], 'from 16 to 4096; it got "3"'],
    [['--rtt', 'x'], 'is a list as 0,50; it got "x"'],
    [['fan-out', '--peers', 'x'], '--peers are of naive, socket.io, nchan; it got "x"'],
    [['--via', 'nonsense'], via],
  ])('has for %j the sentence %s', (args, sentence) => {
    expect(() => parseOptions(args)).toThrow(sentence)
    expect(() => parseOptions(args)).toThrow(UsageError)
  })
})

describe.concurrent('a run', () => {
  test('writes its report, prints JSON alone with --json, and leaves no process behind', { timeout: patienceMs }, async () => {
    const out = join(folder, 'whole')
    const { processes, exited, output } = run(
      'overhead',
      '--json',
      '--quick',
      '--rounds',
      '1',
      '--seconds',
      '0.3',
      '--seed',
      '7',
      '--out',
      out,
    )
    expect([await exited, output.stderr]).toEqual([0, expect.stringContaining('wrote ')])
    expect(processes()).toEqual([])
    const report = JSON.parse(output.stdout) as Report
    expect(report).toMatchObject({ schema: 1, seed: 7, quick: true, interrupted: false, results: [{ name: 'overhead' }] })
    expect(report.results[0]?.rounds.length).toBeGreaterThan(0)
    expect(report).toEqual(reportIn(out))
    expect(readdirSync(out).toSorted()).toEqual(['report.html', 'report.json', 'runs.csv', 'summary.csv', 'summary.md'])
    for (const name of readdirSync(out)) expect(output.stderr).toContain(join(out, name))
  })

  test('ends at Ctrl-C with 130, and writes nothing where nothing was measured', { timeout: patienceMs }, async () => {
    const out = join(folder, 'nothing')
    const running = run('overhead', '--out', out)
    await begun(running, '1/1 overhead')
    if (onLinux) await eventually(() => running.processes().length > 2, 'it has children', patienceMs)
    // A terminal sends it to the whole group.
    process.kill(-(running.child.pid as number), 'SIGINT')
    expect([await running.exited, running.output.stderr]).toEqual([130, expect.stringContaining('stopping')])
    expect(running.processes()).toEqual([])
    expect(running.output.stdout).toBe('')
    expect(existsSync(out)).toBe(false)
  })

  test('ends at Ctrl-C with 130, and writes what was measured, marked as interrupted', { timeout: patienceMs }, async () => {
    const out = join(folder, 'some')
    const running = run('overhead', 'bytes-vs-rate', '--json', '--quick', '--out', out)
    await begun(running, '2/2 bytes-vs-rate')
    running.child.kill('SIGINT')
    expect([await running.exited, running.output.stderr]).toEqual([130, expect.stringContaining('stopping')])
    expect(running.processes()).toEqual([])
    const report = JSON.parse(running.output.stdout) as Report
    expect(report).toMatchObject({ interrupted: true, results: [{ name: 'overhead' }] })
    expect(report).toEqual(reportIn(out))
    expect(readFileSync(join(out, 'summary.md'), 'utf8')).toMatch(/interrupted|Ctrl-C/i)
  })

  describe('of a server', () => {
    /** Acknowledges one message that it does not keep. */
    class ForgetfulStore extends MemoryStore {
      readonly #forgets: (room: string, text: string) => boolean
      constructor(forgets: (room: string, text: string) => boolean) {
        super()
        this.#forgets = forgets
      }
      override async append(room: string, member: Member, draft: Draft): Promise<Appended> {
        if (!this.#forgets(room, draft.text)) return super.append(room, member, draft)
        const { cursor } = await this.read(room, undefined)
        const ack: Ack = { id: draft.id, seq: Number(cursor.split('.')[1]) + 1, cursor, duplicate: false }
        return { outcome: 'appended', ack }
      }
    }
    const serve = (forgets: (room: string, text: string) => boolean): Promise<TestServer> =>
      startServer({ store: new ForgetfulStore(forgets), publishesPerSecond: 0, roomsPerMinute: 0 })

    test('that fails verification has no number: which message on which wire, and exit code 2', { timeout: patienceMs }, async () => {
      await using server = await serve((_, text) => text === 'three')
      const out = join(folder, 'unverified')
      const { exited, output } = run('overhead', '--json', '--via', server.url, '--out', out)
      expect(await exited).toBe(2)
      expect(output.stderr).toMatch(/^No number: (poll|long-poll|sse|websocket) brought message "four" in the place of "three"$/m)
      expect(output.stdout).toBe('')
      expect(existsSync(out)).toBe(false)
    })

    test('that loses a message has no number: which message of which lane, and exit code 2', { timeout: patienceMs }, async () => {
      await using server = await serve((_, text) => text.startsWith('4.'))
      const out = join(folder, 'lost')
      const { processes, exited, output } = run('overhead', '--json', '--via', server.url, '--out', out)
      expect(await exited).toBe(2)
      expect(output.stderr).toMatch(
        /^No number: 1 deliveries were lost: message 4 of room bench-\w+ never came to poll, no cookie subscriber 0$/m,
      )
      expect(output.stdout).toBe('')
      expect(existsSync(out)).toBe(false)
      expect(processes()).toEqual([])
    })
  })
})
