/** Inputs by the thousand against one server, and what holds at the end of them: it runs, it is quiet, it has its memory back, people chat. */
import { nobody } from '../../src/protocol/version.ts'
import { Chat } from './chat.ts'
import { Fence } from './exchange.ts'
import { Guest } from './guest.ts'
import type { Known } from './http-inputs.ts'
import { type Held, Target } from './target.ts'
import type { Run, Trial } from './trials.ts'
import { Tally } from './verdict.ts'

/** Inputs under way at once. */
const atOnce = 48
/** What logs may take (contract §7) and the process itself. */
const mostRss = 512 * 1024 * 1024
/** Members, leases and watched rooms go within seconds of the last who left. */
const quietWithinMs = 20_000
/** A log of them is for a person; the first says most. */
const mostFailures = 10

export interface Failure {
  readonly number: number
  readonly kind: string
  readonly fault: string
  /** What was sent, in hex. */
  readonly sent: string
}

export interface Result {
  readonly inputs: number
  readonly seconds: number
  readonly kinds: Readonly<Record<string, number>>
  readonly statuses: Readonly<Record<string, number>>
  readonly codes: Readonly<Record<string, number>>
  readonly failures: readonly Failure[]
  /** What is wrong with the server, and no input by itself. */
  readonly wrong: readonly string[]
  readonly rss: { readonly start: number; readonly peak: number; readonly end: number }
  readonly before: Held
  readonly after: Held
  readonly said: number
}

export interface Plan {
  readonly run: Run
  readonly seed: number
  /** The numbers of the inputs. */
  readonly numbers: Iterator<number>
  readonly progress: (inputs: number, seconds: number, rss: number) => void
}

/** @throws Error where the server does not even start */
export async function campaign({ run, seed, numbers, progress }: Plan): Promise<Result> {
  const target = await Target.start()
  try {
    const url = `http://127.0.0.1:${target.port}`
    const before = await target.held()
    const chat = await Chat.begin(url)
    const guest = await Guest.enter(url, 'Fuzz')
    const known = await furnish(guest, target.port)
    const begun = performance.now()
    const rss = { start: await target.rss(), peak: 0, end: 0 }
    const watch = new Watch(target, rss, progress)
    const tally = new Tally()
    const subject = { port: target.port, known, tally, fence: new Fence(target.port) }
    const { inputs, kinds, failures } = await watch.during(shoot(run, seed, numbers, subject, target, watch))
    const seconds = (performance.now() - begun) / 1000
    const wrong: string[] = []
    const said = chat.said
    if (target.ended === undefined) {
      wrong.push(...present(await chat.end()))
      await guest.leave()
      rss.end = await target.rss()
    } else wrong.push(`the server ended: ${target.ended}`)
    const after = target.ended === undefined ? await settled(target, before) : before
    wrong.push(...notBack(before, after), ...target.complaints.map((line) => `the server complained: ${line.slice(0, 500)}`))
    if (rss.peak > mostRss) wrong.push(`the server had ${rss.peak} bytes of memory`)
    return {
      inputs,
      seconds,
      kinds,
      statuses: sorted(tally.statuses),
      codes: sorted(tally.codes),
      failures,
      wrong,
      rss,
      before,
      after,
      said,
    }
  } finally {
    await target.end()
  }
}

/** Three rooms with a few messages, and cursors of them. */
async function furnish(guest: Guest, port: number): Promise<Known> {
  const cursors: string[] = []
  for (const room of ['r0', 'r1', 'r2']) {
    for (const text of ['one', 'two', 'three']) cursors.push((await guest.say(room, `${room}-${text}-0`, text))?.cursor ?? '')
  }
  return { host: `127.0.0.1:${port}`, cookie: guest.cookie, cursors, versions: [nobody] }
}

interface Shots {
  readonly inputs: number
  readonly kinds: Readonly<Record<string, number>>
  readonly failures: readonly Failure[]
}

async function shoot(
  run: Run,
  seed: number,
  numbers: Iterator<number>,
  subject: Parameters<Run>[2],
  target: Target,
  watch: Watch,
): Promise<Shots> {
  const kinds = new Map<string, number>()
  const failures: Failure[] = []
  const underWay = new Set<number>()
  const lane = async (): Promise<void> => {
    for (let next = numbers.next(); !next.done && target.ended === undefined && failures.length < mostFailures; next = numbers.next()) {
      const number = next.value
      underWay.add(number)
      const trial = await run(seed, number, subject).catch((error: Error): Trial => ({
        kind: 'broken',
        sent: Buffer.alloc(0),
        fault: `${error.message} ${error.stack ?? ''}`,
      }))
      if (target.ended !== undefined) break
      underWay.delete(number)
      kinds.set(trial.kind, (kinds.get(trial.kind) ?? 0) + 1)
      watch.inputs++
      if (trial.fault !== undefined) failures.push({ number, kind: trial.kind, fault: trial.fault, sent: trial.sent.toString('hex') })
    }
  }
  await Promise.all(Array.from({ length: atOnce }, lane))
  if (target.ended !== undefined) {
    for (const number of underWay)
      failures.push({ number, kind: 'under way', fault: `under way when the server ended (${target.ended})`, sent: '' })
  }
  return { inputs: watch.inputs, kinds: sorted(kinds), failures }
}

/** Looks at the server's memory while inputs run. */
class Watch {
  inputs = 0
  readonly #begun = performance.now()
  readonly #target: Target
  readonly #rss: { peak: number }
  readonly #progress: Plan['progress']

  constructor(target: Target, rss: { peak: number }, progress: Plan['progress']) {
    this.#target = target
    this.#rss = rss
    this.#progress = progress
  }

  async during<T>(work: Promise<T>): Promise<T> {
    let looking = false
    const timer = setInterval(() => {
      if (looking) return
      looking = true
      this.#look()
        .catch(() => {})
        .finally(() => (looking = false))
    }, 250)
    try {
      return await work
    } finally {
      clearInterval(timer)
      await this.#look().catch(() => {})
    }
  }

  async #look(): Promise<void> {
    const rss = await this.#target.rss()
    this.#rss.peak = Math.max(this.#rss.peak, rss)
    this.#progress(this.inputs, (performance.now() - this.#begun) / 1000, rss)
  }
}

async function settled(target: Target, before: Held): Promise<Held> {
  const tooLate = performance.now() + quietWithinMs
  for (;;) {
    const after = await target.held()
    if (notBack(before, after).length === 0 || performance.now() > tooLate) return after
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

function notBack(before: Held, after: Held): string[] {
  return (Object.keys(before) as (keyof Held)[])
    .filter((name) => (after[name] ?? 0) > (before[name] ?? 0))
    .map((name) => `${name} before ${before[name]}, after ${after[name]}`)
}

const present = <T>(value: T | undefined): T[] => (value === undefined ? [] : [value])
const sorted = (counts: ReadonlyMap<string | number, number>): Record<string, number> =>
  Object.fromEntries([...counts].toSorted(([a], [b]) => String(a).localeCompare(String(b))).map(([key, count]) => [String(key), count]))
