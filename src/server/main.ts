#!/usr/bin/env node
/** The process: options, listen, signals. */
import type { FastifyInstance, FastifyServerOptions } from 'fastify'
import { readFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { networkInterfaces } from 'node:os'
import type { Hall } from '../lab/events.ts'
import { lanAddresses } from './addresses.ts'
import { hasColours } from './half-blocks.ts'
import { Announcer } from './announce.ts'
import { buildApp } from './app.ts'
import { type CommandLine, helpText, inFlags, parseCommandLine } from './command-line.ts'
import { withDefaults } from './options.ts'
import { drawPresenterKey } from './presenter-key.ts'
import { openStore } from './stores.ts'

/** How this process was started, and is started again. */
const script = process.env['npm_lifecycle_event']
const command = script === 'start' ? 'npm start --' : script === 'hall' ? 'npm run hall --' : 'fourwires'

const commandLine = readCommandLine()
if (commandLine.help) {
  console.log(helpText(command))
} else if (commandLine.version) {
  console.log(version())
} else {
  await serve(commandLine)
}

function readCommandLine(): CommandLine {
  try {
    const parsed = parseCommandLine(process.argv.slice(2), process.env)
    withDefaults(parsed.server)
    return parsed
  } catch (error) {
    return fail(`${inFlags((error as Error).message)}\nTry: ${command} --help`)
  }
}

async function serve({ port, host, logLevel, lab, hall, keeping, server, ...given }: CommandLine): Promise<void> {
  // Until there is a log.
  let told = (sentence: string): void => console.error(sentence)
  const opened = await openStore(keeping, server, (sentence) => told(sentence)).catch((error: Error) => fail(error.message))
  const presenterKey = given.presenterKey || drawPresenterKey()
  let heard = (_hall: Hall): void => {}
  const app = await buildApp({
    ...server,
    ...opened,
    lab,
    presenterKey,
    hall: { open: hall, told: (now) => heard(now) },
    logger: logger(logLevel, hall),
  })
  told = (sentence) => app.log.warn(sentence)
  // A full disk or a closed pipe behind the log is no reason to leave the room.
  process.stdout.on('error', () => {})

  let stopping = false
  const stop = async (signal: NodeJS.Signals): Promise<void> => {
    // Asked twice, it goes at once.
    if (stopping) process.exit(0)
    stopping = true
    app.log.info(`${signal}: sending clients away, then stopping`)
    setTimeout(() => process.exit(0), withDefaults(server).drainLimitMs).unref()
    await app.close()
    process.exit(0)
  }
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, (received) => void stop(received))

  try {
    await app.listen({ port, host: host === 'localhost' ? '127.0.0.1' : host })
  } catch (error) {
    fail(explain(error as NodeJS.ErrnoException, port, host))
  }
  const { port: taken } = app.server.address() as AddressInfo
  if (host === 'localhost') {
    await listenOnIPv6(app, taken).catch((error: NodeJS.ErrnoException) => fail(explain(error, taken, '::1')))
  }
  const presenter = `http://${here(host)}:${taken}/#presenter=${presenterKey}`
  if (hall) {
    const { address } = app.server.address() as AddressInfo
    const announcer = new Announcer({
      print: (line) => console.log(line),
      colours: hasColours(process.stdout, process.env),
      bound: `${address}:${taken}`,
      port: taken,
      presenter,
      addresses: lanAddresses({ address, port: taken }),
    })
    heard = announcer.heard
    app.server.once('close', () => announcer.close())
    await announcer.open()
    return
  }
  for (const url of addresses(host, taken)) app.log.info(`open ${url}`)
  // Beside the log, never in it: who keeps logs need not know the key.
  if (lab) console.error(`presenter: ${presenter}`)
}

/** The log is for machines; in a hall standard output is for people, and the log goes beside it. */
function logger(level: string, hall: boolean): FastifyServerOptions['logger'] {
  const redact = ['req.headers.cookie', 'req.headers.authorization']
  const destination = hall ? 2 : 1
  if (hall ? process.stderr.isTTY : process.stdout.isTTY)
    return { level, redact, transport: { target: 'pino-pretty', options: { ignore: 'pid,hostname', destination } } }
  return { level, redact, ...(hall && { stream: process.stderr }) }
}

/** This machine, as its own browser finds a server that listens there. */
function here(host: string): string {
  if (host === '0.0.0.0' || host === '::') return 'localhost'
  return host.includes(':') ? `[${host}]` : host
}

/**
 * Localhost has two addresses. Connections of the second are handed to the one server that knows every limit and every
 * answer; Fastify's own second server would have Node's.
 */
async function listenOnIPv6(app: FastifyInstance, port: number): Promise<void> {
  const second = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => app.server.emit('connection', socket))
  app.server.once('close', () => second.close())
  await new Promise<void>((resolve, reject) => {
    second.once('error', (error: NodeJS.ErrnoException) => {
      // A machine without IPv6 has one address only.
      if (error.code === 'EADDRNOTAVAIL' || error.code === 'EAFNOSUPPORT') resolve()
      else reject(error)
    })
    second.listen({ port, host: '::1' }, resolve)
  })
}

function explain(error: NodeJS.ErrnoException, port: number, host: string): string {
  if (error.code === 'EADDRINUSE')
    return `Port ${port} is in use. Choose another: ${command} --port ${port + 1}, or --port 0 for a free one.`
  if (error.code === 'EACCES') return `Port ${port} is not ours to use. Choose one over 1023: ${command} --port 3000`
  if (error.code === 'EADDRNOTAVAIL' || error.code === 'ENOTFOUND')
    return `This machine has no address ${host}. Use localhost, or 0.0.0.0 for all.`
  return error.message
}

/** Where a person finds the page: each address of this machine, where all are listened on. */
function addresses(host: string, port: number): string[] {
  if (host !== '0.0.0.0' && host !== '::') return [`http://${host.includes(':') ? `[${host}]` : host}:${port}`]
  const found = Object.values(networkInterfaces()).flatMap((list) => list ?? [])
  const external = found.filter(({ family, internal }) => family === 'IPv4' && !internal).map(({ address }) => `http://${address}:${port}`)
  return [`http://localhost:${port}`, ...external]
}

function version(): string {
  const { version: number } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string }
  return `fourwires ${number}`
}

function fail(message: string): never {
  console.error(message)
  process.exit(1)
}
