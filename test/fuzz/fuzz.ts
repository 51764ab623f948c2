/** A run of the fuzzer over its targets: who gets how much time, and what it found. */
import { campaign, type Failure, type Result } from './campaign.ts'
import { CursorSubject } from './cursor-trials.ts'
import type { FuzzOptions, TargetName } from './options.ts'
import { runHttp, runWebSocket } from './trials.ts'

export type Progress = (target: TargetName, inputs: number, seconds: number, rssBytes: number | undefined) => void

export interface TargetReport {
  readonly target: TargetName
  readonly inputs: number
  readonly seconds: number
  readonly failures: readonly Failure[]
  /** What is wrong with the server, and no input by itself. */
  readonly wrong: readonly string[]
  /** Of a target that is a server. */
  readonly server?: Omit<Result, 'inputs' | 'seconds' | 'failures' | 'wrong'>
}

export interface FuzzReport {
  readonly seed: number
  readonly targets: readonly TargetReport[]
}

/** Cursors are as fast as a server is slow: they have a tenth of the time. */
const cursorShare = 0.1
/** Between two looks at the clock. */
const cursorsAtOnce = 1_000

export async function fuzz(options: FuzzOptions, progress: Progress): Promise<FuzzReport> {
  const { targets, seconds, seed } = options
  const servers = targets.filter((name) => name !== 'cursor').length
  const reports: TargetReport[] = []
  for (const name of targets) {
    const cursors = targets.includes('cursor') && servers > 0 ? seconds * cursorShare : seconds
    const own = name === 'cursor' ? cursors : (seconds - (targets.includes('cursor') ? cursors : 0)) / servers
    reports.push(name === 'cursor' ? await fuzzCursors(options, own, progress) : await fuzzServer(name, options, own, progress))
  }
  return { seed, targets: reports }
}

/** Numbers from 0, or those that are told, until it is too late or there were enough. */
function* numbers({ only, inputs }: FuzzOptions, seconds: number): Generator<number, undefined> {
  if (only !== undefined) return yield* only
  let end = Number.POSITIVE_INFINITY
  for (let number = 0; number < inputs && performance.now() < end; number++) {
    // The clock runs from the first input: a server takes its time to start.
    if (number === 0) end = performance.now() + seconds * 1000
    yield number
  }
  return undefined
}

async function fuzzServer(name: 'http' | 'websocket', options: FuzzOptions, seconds: number, progress: Progress): Promise<TargetReport> {
  const run = name === 'http' ? runHttp : runWebSocket
  const result = await campaign({
    run,
    seed: options.seed,
    numbers: numbers(options, seconds),
    progress: (done, took, rss) => progress(name, done, took, rss),
  })
  const { inputs, seconds: took, failures, wrong, ...server } = result
  return { target: name, inputs, seconds: took, failures, wrong, server }
}

async function fuzzCursors(options: FuzzOptions, seconds: number, progress: Progress): Promise<TargetReport> {
  const subject = await CursorSubject.make()
  const failures: Failure[] = []
  const begun = performance.now()
  const elapsed = (): number => (performance.now() - begun) / 1000
  let inputs = 0
  for (const number of numbers(options, seconds)) {
    const { input, fault } = await subject.fault(options.seed, number)
    inputs++
    if (fault !== undefined) failures.push({ number, kind: 'cursor', fault, sent: Buffer.from(input).toString('hex') })
    if (failures.length === 10) break
    if (inputs % cursorsAtOnce !== 0) continue
    progress('cursor', inputs, elapsed(), undefined)
    await new Promise((resolve) => setImmediate(resolve))
  }
  const took = elapsed()
  await subject.close()
  return { target: 'cursor', inputs, seconds: took, failures, wrong: [] }
}
