import { execFile } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Bug, bugs, root, withBug } from './gallery.ts'
import type { Verdict } from './run.ts'

/** Those that the contract was written against, which are tried here; all are with `npm run gallery -- --run`. */
const tried = [
  'timestamp-cursor',
  'flush-on-write',
  'read-then-watch',
  'comment-heartbeat',
  'raw-newline',
  'uncapped-buffer',
  'fixed-reconnect-delay',
  'epoch-without-tag',
  'swallowed-write-timeout',
  'split-characters',
]
const gallery = bugs()
let verdicts: readonly Verdict[] = []
const ending = new AbortController()
afterAll(() => ending.abort())

beforeAll(async () => {
  // A process of its own: a runner within a test would be taken for the test's own. Whoever is not caught fails below, by name.
  const main = ['--import', 'tsx', join(root, 'test/gallery/main.ts'), '--run', '--json', ...tried]
  const env = { PATH: process.env['PATH'], HOME: process.env['HOME'] }
  const done = promisify(execFile)(process.execPath, main, { cwd: root, env, signal: ending.signal, killSignal: 'SIGKILL' })
  const { stdout } = await done.catch((error: { readonly stdout: string; readonly stderr: string }) => {
    if (error.stdout === '') throw new Error(error.stderr)
    return error
  })
  verdicts = JSON.parse(stdout) as Verdict[]
}, 120_000)

describe.each(gallery)('$name', (bug) => {
  const { source, seen, caught } = bug

  it('is a variant of lines that stand in src, once', () => {
    const code = readFileSync(join(root, source), 'utf8')
    expect(withBug(bug, code)).not.toBe(code)
  })

  it('is caught by a file of tests that there is', () => {
    expect(existsSync(join(root, caught.file))).toBe(true)
  })

  it('was had by somebody', () => {
    for (const one of seen) expect(one).toMatch(/^[\w.-]+\/[\w.-]+#\d+$/)
  })
})

describe.each(tried)('%s', (name) => {
  const { caught } = gallery.find((bug) => bug.name === name) as Bug

  it(`is caught: ${caught.sentence}`, () => {
    const verdict = verdicts.find((each) => each.name === name)
    expect(verdict).toMatchObject({ asItIs: 'passed', withBug: 'failed' })
    expect(verdict?.said).toContain(caught.saying)
  })
})
