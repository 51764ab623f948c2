/**
 * What real clients send, from the bytes of their sockets: our client in Node and in a Chromium, once over each wire.
 * `npx tsx bench/capture.ts` writes headers.json anew; headers.ts reads it. It needs a Chromium: the one that $CHROMIUM names,
 * one on the PATH, or playwright-core's own.
 */
import { build } from 'esbuild'
import { once } from 'node:events'
import { existsSync, writeFileSync } from 'node:fs'
import { type AddressInfo, connect as dial, createServer, type Server } from 'node:net'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Browser, chromium } from 'playwright-core'
import { connect } from '../src/client/node.ts'
import { type TransportName, transportNames } from '../src/protocol/message.ts'
import { buildApp } from '../src/server/app.ts'
import type { Captured } from './headers.ts'

/** How long a client may take to ask once, in ms. */
const patienceMs = 10_000

/** The bench sends these itself; of a client without a session nothing carries a cookie. */
const ours = /^(host|cookie):/i

/** Our server behind a tap: every byte of a client passes, and is kept. */
class Tap {
  readonly #server: Server
  readonly #app: Awaited<ReturnType<typeof buildApp>>
  /** One text for each connection. */
  readonly #sent: string[] = []
  #heard: () => void = () => {}

  private constructor(app: Awaited<ReturnType<typeof buildApp>>) {
    this.#app = app
    this.#server = createServer((client) => {
      const number = this.#sent.push('') - 1
      const upstream = dial((app.server.address() as AddressInfo).port, '127.0.0.1')
      client.on('data', (bytes) => {
        this.#sent[number] += bytes.toString('latin1')
        this.#heard()
      })
      client.pipe(upstream).pipe(client)
      client.on('error', () => upstream.destroy()).on('close', () => upstream.destroy())
      upstream.on('error', () => client.destroy()).on('close', () => client.destroy())
    })
  }

  static async open(): Promise<Tap> {
    const app = await buildApp({ drainMs: 0 })
    await app.listen({ port: 0, host: '127.0.0.1' })
    const tap = new Tap(app)
    await once(tap.#server.listen(0, '127.0.0.1'), 'listening')
    return tap
  }

  get host(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** The header lines of the first question over a wire, in their order; `{host}` where they name this server. */
  async lines(wire: TransportName, room: string): Promise<string[]> {
    const question = new RegExp(`GET /rooms/${room}/${wire}[ ?][^]*?\r\n\r\n`)
    const head = await new Promise<string>((resolve, reject) => {
      const late = setTimeout(() => reject(new Error(`nothing was asked over ${wire}`)), patienceMs)
      this.#heard = () => {
        const found = this.#sent.map((text) => question.exec(text)?.[0]).find((text) => text !== undefined)
        if (found === undefined) return
        clearTimeout(late)
        resolve(found)
      }
      this.#heard()
    })
    const lines = head.trimEnd().split('\r\n').slice(1)
    return lines.filter((line) => !ours.test(line)).map((line) => line.replaceAll(this.host, '{host}'))
  }

  async close(): Promise<void> {
    this.#server.close()
    await this.#app.close()
  }
}

/** Follows a room over each wire, one after the other. `open` enters a room, and returns how to leave it. */
async function capture(client: string, tap: Tap, open: (room: string, wire: TransportName) => Promise<() => unknown>): Promise<Captured> {
  const lines: Partial<Record<TransportName, readonly string[]>> = {}
  for (const wire of transportNames) {
    const room = `captured-${wire}`
    const leave = await open(room, wire)
    lines[wire] = await tap.lines(wire, room)
    await leave()
  }
  return { client, ...(lines as Record<TransportName, readonly string[]>) }
}

/** Our client in this Node: its `fetch`, and the socket of `ws`. */
export async function captureNode(): Promise<Captured> {
  const tap = await Tap.open()
  try {
    return await capture(`Node ${process.versions.node}`, tap, async (room, transport) => {
      const channel = connect({ url: `http://${tap.host}`, room, transport, observe: true })
      return () => channel.close()
    })
  } finally {
    await tap.close()
  }
}

/** Our client in a page of our server, in a browser. A Chromium without a window calls itself Headless; here it is told as with one. */
export async function captureChromium(browser: Browser): Promise<Captured> {
  const tap = await Tap.open()
  const context = await browser.newContext()
  try {
    const page = await context.newPage()
    await page.goto(`http://${tap.host}/`)
    // Evaluated by the debugger: the page's policy stays as it is.
    await page.evaluate(await bundle())
    const captured = await capture(`Chromium ${browser.version()}`, tap, async (room, wire) => {
      const options = JSON.stringify({ url: `http://${tap.host}`, room, transport: wire, observe: true })
      await page.evaluate(`globalThis.channel = fourwires.connect(${options}); undefined`)
      return () => page.evaluate('globalThis.channel.close()')
    })
    return JSON.parse(JSON.stringify(captured).replaceAll('HeadlessChrome', 'Chrome')) as Captured
  } finally {
    await context.close()
    await tap.close()
  }
}

async function bundle(): Promise<string> {
  const entry = fileURLToPath(new URL('../src/client/index.ts', import.meta.url))
  const { outputFiles } = await build({
    entryPoints: [entry],
    bundle: true,
    write: false,
    format: 'iife',
    globalName: 'fourwires',
    footer: { js: 'globalThis.fourwires = fourwires' },
    target: 'es2022',
  })
  return outputFiles[0]?.text ?? ''
}

function launch(): Promise<Browser> {
  const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']
  const onPath = (process.env['PATH'] ?? '').split(delimiter).flatMap((folder) => names.map((name) => join(folder, name)))
  const executablePath = process.env['CHROMIUM'] ?? onPath.find(existsSync)
  // As root, which a container often is, its sandbox does not start.
  const args = [...(process.getuid?.() === 0 ? ['--no-sandbox'] : []), '--no-first-run', '--disable-background-networking', '--lang=en-US']
  return chromium.launch({ ...(executablePath !== undefined && { executablePath }), args })
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const browser = await launch()
  try {
    const captured = { fetch: await captureNode(), chromium: await captureChromium(browser) }
    writeFileSync(new URL('headers.json', import.meta.url), `${JSON.stringify(captured, null, 2)}\n`)
  } finally {
    await browser.close()
  }
}
