import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Process, start } from '../../bench/processes.ts'
import type { Answering } from '../support/answering.ts'

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

describe('a process of the bench', () => {
  let one: Process<Answering>
  beforeEach(() => void (one = start<Answering>(new URL('../support/answering.ts', import.meta.url), 'generator')))
  afterEach(() => one.end())

  it('answers each question with its own answer, whichever is first, and fails as what was asked has failed', async () => {
    const answers: unknown[] = []
    const slow = one.ask('echo', 'slow', 60).then((answer) => answers.push(answer))
    const failed = one.ask('fail').catch((error: Error) => answers.push(error.message.split('\n')[0]))
    const quick = one.ask('echo', Float64Array.of(1.5, Infinity)).then((answer) => answers.push(answer))
    await Promise.all([slow, failed, quick])
    expect(answers).toEqual(['RangeError: it cannot', Float64Array.of(1.5, Infinity), 'slow'])
  })

  it('fails what it was asked where it ends before it has answered, and what it is asked then', async () => {
    const unanswered = expect(one.ask('echo', 1, 60_000)).rejects.toThrow('answering.ts ended (3)')
    await expect(one.ask('leave', 3)).rejects.toThrow('answering.ts ended (3)')
    await unanswered
    await expect(one.ask('echo', 2)).rejects.toThrow(/./)
  })

  it('is gone once it was ended, though it hears no SIGTERM, and may be ended again', async () => {
    await one.ask('hang')
    expect(isAlive(one.pid)).toBe(true)
    await one.end()
    expect(isAlive(one.pid)).toBe(false)
    await one.end()
  })
})
