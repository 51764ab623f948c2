/**
 * A full hall: mixed subscribers of one room on the four wires, a steady publisher, and what the server says of itself.
 *
 *     npm run crowd -- --clients 2000 --rate 50 --seconds 20
 *
 * Subscribers are raw sockets in this process, the server is a process of its own; a subscriber that has not seen the last
 * message at the end fails the run (exit 2).
 */
import { spawn } from 'node:child_process'
import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { type TransportName, transportNames } from '../src/protocol/message.ts'

const { values } = parseArgs({
  options: {
    clients: { type: 'string', default: '2000' },
    rate: { type: 'string', default: '50' },
    seconds: { type: 'string', default: '20' },
    poll: { type: 'string', default: '1000' },
    only: { type: 'string' },
    help: { type: 'boolean', short: 'h' },
  },
})
if (values.help) {
  console.log('crowd [--clients 2000] [--rate 50 messages/s] [--seconds 20] [--poll 1000 ms] [--only poll|long-poll|sse|websocket]')
  process.exit(0)
}
const clients = Number(values.clients)
const names = values.only === undefined ? transportNames : transportNames.filter((name) => name === values.only)

/** One subscriber: keeps its wire open (or asking), and the seq of the last message that came. */
class Subscriber {
  seq = 0
  bytes = 0
  readonly #name: TransportName
  readonly #port: number
  readonly #socket: Socket
  #tail = ''
  #cursor = ''

  constructor(name: TransportName, port: number) {
    this.#name = name
    this.#port = port
    this.#socket = connect(port, '127.0.0.1')
    this.#socket.setNoDelay(true)
    this.#socket.on('data', (bytes) => this.#hear(bytes.toString('latin1')))
    this.#socket.on('error', () => {})
    this.#ask()
  }

  close(): void {
    this.#socket.destroy()
  }

  #ask(): void {
    const since = this.#cursor && `since=${this.#cursor}`
    const query = this.#name === 'long-poll' && since ? `${since}&wait=25` : since
    const upgrade =
      this.#name === 'websocket'
        ? 'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n'
        : ''
    this.#socket.write(`GET /rooms/crowd/${this.#name}?${query} HTTP/1.1\r\nHost: 127.0.0.1:${this.#port}\r\n${upgrade}\r\n`)
  }

  /** Every batch ends with its cursor, and no text here has one. */
  #hear(text: string): void {
    this.bytes += text.length
    this.#tail = (this.#tail + text).slice(-400)
    const cursor = /"cursor":"([^"]+)"(?:,"more":true)?\}\s*$/.exec(this.#tail)?.[1]
    if (cursor === undefined) return
    this.#tail = ''
    this.#cursor = cursor
    this.seq = Number(cursor.split('.')[1])
    if (this.#name === 'long-poll') this.#ask()
    if (this.#name === 'poll') setTimeout(() => this.#ask(), Number(values.poll)).unref()
  }
}

async function metrics(url: string): Promise<(name: string) => number> {
  const text = await (await fetch(`${url}/metrics`)).text()
  return (name) => {
    const lines = text.split('\n').filter((line) => line.startsWith(name))
    return lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0)
  }
}

const main = fileURLToPath(new URL('../dist/server/main.js', import.meta.url))
const server = spawn(process.execPath, [main, '--port', '0', '--host', '127.0.0.1', '--publishes-per-second', '0'])
const url = await new Promise<string>((resolve) =>
  server.stdout.on('data', (bytes: Buffer) => {
    const found = /open (http:\/\/[\d.:]+)/.exec(bytes.toString())?.[1]
    if (found !== undefined) resolve(found)
  }),
)
const port = Number(new URL(url).port)
let failed = false
try {
  const subscribers: Subscriber[] = []
  for (let index = 0; index < clients; index++) {
    subscribers.push(new Subscriber(names[index % names.length] as TransportName, port))
    if (index % 100 === 99) await sleep(20)
  }
  await sleep(1500)
  const session = await fetch(`${url}/session`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' })
  const cookie = session.headers.getSetCookie()[0]?.split(';')[0] ?? ''
  const publish = async (): Promise<number> => {
    const body = JSON.stringify({ text: 'forty bytes of payload in every message!' })
    const headers = { 'content-type': 'application/json', cookie }
    return ((await (await fetch(`${url}/rooms/crowd/messages`, { method: 'POST', headers, body })).json()) as { seq: number }).seq
  }
  await metrics(url) // begins a new window of the lag
  const publishes: Promise<number>[] = []
  const start = performance.now()
  const total = Number(values.rate) * Number(values.seconds)
  for (let index = 0; index < total; index++) {
    const due = start + (index * 1000) / Number(values.rate)
    if (due > performance.now()) await sleep(due - performance.now())
    publishes.push(publish())
    if (process.stderr.isTTY && index % 50 === 0) process.stderr.write(`\r${index} of ${total} messages`)
  }
  const last = Math.max(...(await Promise.all(publishes)))
  const seen = await metrics(url)
  await sleep(Number(values.poll) + 1000)
  failed = subscribers.some(({ seq }) => seq !== last)
  const behind = subscribers.filter(({ seq }) => seq !== last).length
  console.log(
    `\n${clients} subscribers (${names.join(', ')}), ${values.rate} messages/s for ${values.seconds} s, poll every ${values.poll} ms`,
  )
  console.log(`deliveries        ${seen('fourwires_deliveries_total')}`)
  for (const name of names)
    console.log(
      `  ${name.padEnd(15)} ${seen(`fourwires_deliveries_total{transport="${name}"}`)} in ${seen(`fourwires_batches_total{transport="${name}"}`)} batches`,
    )
  console.log(
    `lag p50 p99 max   ${['0.5', '0.99', '1'].map((q) => (seen(`fourwires_event_loop_lag_seconds{quantile="${q}"}`) * 1000).toFixed(1)).join('  ')} ms`,
  )
  console.log(`slow readers cut  ${seen('fourwires_slow_readers_cut_total')}`)
  console.log(`last message      seen by ${clients - behind} of ${clients}`)
  for (const subscriber of subscribers) subscriber.close()
} finally {
  server.kill('SIGTERM')
}
process.exitCode = failed ? 2 : 0
