/**
 * A soak: a server under people who come, speak, change their wire, leave and die, for as long as is asked for.
 *
 *     npm run soak -- --minutes 5
 *
 * Exit: 0 it ends where it began, and nobody lost a message · 1 it does not, or somebody did · 2 a wrong command line.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs, styleText } from 'node:util'
import { type Process, start } from '../../bench/processes.ts'
import { seededRandom, slope } from '../../bench/statistics.ts'
import type { Attendance, AudienceMethods } from './audience.ts'
import type { Held } from './held.ts'
import type { ServerMethods } from './server.ts'

const numbers = {
  minutes: { value: 5, help: 'how long they come and go' },
  clients: { value: 1_000, help: 'people at a time, a quarter on each wire' },
  rooms: { value: 10, help: 'rooms that they are in' },
  seed: { value: 1, help: 'draws who comes, goes and dies' },
} as const
type Name = keyof typeof numbers
type Options = Readonly<Record<Name, number>>

const help = `npm run soak -- [options]

A server of its own process under people on all four wires who speak, change their wire and leave at random times. They are
in eight processes, of which one is killed every 15 s (now and then it is frozen first), and replaced. Every 10 s, after a
collection of garbage: heap, resident memory, file descriptors, timers, members. In the end all leave, and once the longest
lease has passed it is to be as it was in the beginning.

${Object.entries(numbers)
  .map(([name, { value, help: what }]) => `  --${`${name} <n>`.padEnd(15)} ${what} (default ${value})`)
  .join('\n')}
  --json            one line of JSON for each sample, and one for the end
  --help, -h        this text`

const parts = 8
/** To the beginning of the line, and what stood there away. */
const cleared = '\r\u001b[K'
const sampleMs = 10_000
const killMs = 15_000
/** A process is frozen for so long before it is killed. */
const freezeMs = 8_000
/** The longest lease is 90 s; then it is told, and what was watched is let go. */
const restMs = 120_000
/** What a heap may have more at the end: caches, compiled code, a log of each room. */
const heapSlackBytes = 16 * 1024 * 1024

interface Sample extends Held {
  readonly atMs: number
}

async function main(): Promise<number> {
  let given
  try {
    given = commandLine()
  } catch (error) {
    console.error(`${(error as Error).message}\nTry: npm run soak -- --help`)
    return 2
  }
  if (given.help) {
    console.log(help)
    return 0
  }
  const soak = new Soak(given.options, given.json)
  try {
    return (await soak.run()) ? 0 : 1
  } finally {
    await soak.end()
  }
}

function commandLine(): { options: Options; json: boolean; help: boolean } {
  const { values } = parseArgs({
    options: {
      minutes: { type: 'string' },
      clients: { type: 'string' },
      rooms: { type: 'string' },
      seed: { type: 'string' },
      json: { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
    },
  })
  const value = (name: Name): number => {
    const text = values[name]
    if (text === undefined) return numbers[name].value
    if (!/^\d+(\.\d+)?$/.test(text) || Number(text) <= 0) throw new Error(`--${name} is a number above 0; it got "${text}".`)
    return name === 'minutes' ? Number(text) : Math.ceil(Number(text))
  }
  const options = { minutes: value('minutes'), clients: value('clients'), rooms: value('rooms'), seed: value('seed') }
  return { options, json: values.json ?? false, help: values.help ?? false }
}

class Soak {
  readonly #options: Options
  readonly #json: boolean
  readonly #random: () => number
  readonly #server = start<ServerMethods>(new URL('server.ts', import.meta.url), 'server')
  readonly #parts: Process<AudienceMethods>[] = []
  readonly #samples: Sample[] = []
  /** Of those that were killed. */
  readonly #past: Attendance[] = []
  #url = ''
  #killed = 0

  constructor(options: Options, json: boolean) {
    this.#options = options
    this.#json = json
    this.#random = seededRandom(options.seed)
  }

  /** @returns whether it ended where it began, and nobody lost a message */
  async run(): Promise<boolean> {
    this.#url = await this.#server.ask('open')
    const before = await this.#server.ask('held')
    this.#say('before', before)
    for (let part = 0; part < parts; part++) this.#parts.push(await this.#people())
    const begun = performance.now()
    const until = begun + this.#options.minutes * 60_000
    const killing = this.#killAgain(until)
    for (let due = begun + sampleMs; due <= until; due += sampleMs) {
      await sleep(due - performance.now())
      const sample = { ...(await this.#server.ask('held')), atMs: performance.now() - begun }
      this.#samples.push(sample)
      this.#say(`${Math.round(sample.atMs / 1000)} s`, sample)
    }
    await killing
    const seen = sum([...this.#past, ...(await Promise.all(this.#parts.map((part) => part.ask('attendance'))))])
    for (const part of this.#parts.splice(0)) process.kill(part.pid, 'SIGKILL')
    return this.#judge(before, await this.#rest(before), seen)
  }

  async end(): Promise<void> {
    await Promise.all([...this.#parts, this.#server].map((each) => each.end()))
  }

  async #people(): Promise<Process<AudienceMethods>> {
    const { clients, rooms } = this.#options
    const part = start<AudienceMethods>(new URL('audience.ts', import.meta.url), 'generator')
    const seed = Math.floor(this.#random() * 2 ** 31)
    await part.ask('open', { url: this.#url, clients: Math.ceil(clients / parts), rooms, seed, stayMs: 30_000, silentMs: 60_000 })
    return part
  }

  /** One process after the other dies without a word, with all who are in it; every third is frozen first. */
  async #killAgain(until: number): Promise<void> {
    for (let turn = 0; performance.now() + killMs + freezeMs < until; turn++) {
      await sleep(killMs)
      const index = Math.floor(this.#random() * parts)
      const part = this.#parts[index]
      if (part === undefined) continue
      this.#past.push(await part.ask('attendance'))
      if (turn % 3 === 2) {
        process.kill(part.pid, 'SIGSTOP')
        await sleep(freezeMs)
      }
      process.kill(part.pid, 'SIGKILL')
      this.#killed++
      this.#parts[index] = await this.#people()
    }
  }

  /** What is held once everybody has gone; waits until it is as before, or should have been for long. */
  async #rest(before: Held): Promise<Held> {
    const until = performance.now() + restMs
    for (;;) {
      const now = await this.#server.ask('held')
      if (countsOf(now) === countsOf(before) || performance.now() > until) {
        this.#say('after', now)
        return now
      }
      if (!this.#json && process.stderr.isTTY)
        process.stderr.write(`${cleared}waiting for the last lease: ${now.members} members, ${now.timers} timers`)
      await sleep(2_000)
    }
  }

  #judge(before: Held, after: Held, seen: Attendance): boolean {
    const heap = after.heapBytes - before.heapBytes
    const same = countsOf(after) === countsOf(before)
    const right = same && seen.lost === 0 && heap < heapSlackBytes
    const slopes = Object.fromEntries(measured.map((name) => [name, perHour(this.#samples, name)]))
    if (this.#json) {
      console.log(JSON.stringify({ before, after, seen, killed: this.#killed, slopes, right }))
      return right
    }
    console.log(
      `\n${seen.came} came, ${seen.left} left, ${seen.switched} changed their wire, killed with their process, of ${Math.ceil(this.#options.clients / parts)} people each: ${this.#killed}`,
    )
    console.log(`${seen.delivered} messages were delivered, ${seen.lost} lost, ${seen.gaps} gaps told`)
    console.log('While they came and went, without the first third:')
    for (const name of measured) console.log(`  ${name.padEnd(12)} ${slopes[name]}`)
    const mark = right ? styleText('green', '✓') : styleText('red', '✗')
    console.log(`${mark} before: ${countsOf(before)}; after: ${countsOf(after)}; heap ${heap < 0 ? '' : '+'}${megabytes(heap)}`)
    return right
  }

  #say(when: string, held: Held): void {
    if (this.#json) return console.log(JSON.stringify({ when, ...held }))
    if (process.stderr.isTTY) process.stderr.write(cleared)
    console.log(`${when.padStart(7)}  heap ${megabytes(held.heapBytes)}, resident ${megabytes(held.rssBytes)}, ${countsOf(held)}`)
  }
}

const measured = ['heapBytes', 'rssBytes', 'descriptors', 'timers', 'members'] as const

/** By least squares, with the interval that holds it 95 times of 100; of what has warmed up. */
function perHour(samples: readonly Sample[], name: (typeof measured)[number]): string {
  const warm = samples.slice(Math.floor(samples.length / 3))
  if (warm.length < 3) return 'too short to say: samples are taken every 10 s'
  const scale = name.endsWith('Bytes') ? 1024 * 1024 : 1
  const line = slope(warm.map((sample) => [sample.atMs / 3_600_000, sample[name] / scale] as const))
  // Of the slope of a line by least squares, from the share of the variance that it explains.
  const error = line.r2 === 0 ? 0 : Math.abs(line.slope) * Math.sqrt((1 / line.r2 - 1) / (warm.length - 2))
  const [low, high] = [line.slope - 1.96 * error, line.slope + 1.96 * error]
  const unit = scale === 1 ? '' : ' MB'
  return `${line.slope.toFixed(1)}${unit} an hour (${low.toFixed(1)} to ${high.toFixed(1)})`
}

const countsOf = ({ descriptors, connections, rooms, members, timers }: Held): string =>
  `${descriptors} descriptors, ${connections} connections, ${rooms} rooms watched, ${members} members, ${timers} timers`

const megabytes = (bytes: number): string => `${(bytes / 1024 / 1024).toFixed(1)} MB`

function sum(all: readonly Attendance[]): Attendance {
  const total = { live: 0, delivered: 0, came: 0, left: 0, switched: 0, gaps: 0, lost: 0 }
  for (const one of all) for (const name of Object.keys(total) as (keyof Attendance)[]) total[name] += one[name]
  return total
}

process.exitCode = await main()
