#!/usr/bin/env node
/** The process: options, listen, signals. */
import type { FastifyInstance } from 'fastify'
import { readFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { networkInterfaces } from 'node:os'
import { buildApp } from './app.ts'
import { type CommandLine, helpText, inFlags, parseCommandLine, withDefaults } from './options.ts'

/** How this process was started, and is started again. */
const command = process.env['npm_lifecycle_event'] === 'start' ? 'npm start --' : 'fourwires'

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

async function serve({ port, host, logLevel, lab, server }: CommandLine): Promise<void> {
  const pretty = process.stdout.isTTY ? { transport: { target: 'pino-pretty', options: { ignore: 'pid,hostname' } } } : {}
  const redact = ['req.headers.cookie', 'req.headers.authorization']
  const app = await buildApp({ ...server, lab, logger: { level: logLevel, redact, ...pretty } })
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
  for (const url of addresses(host, taken)) app.log.info(`open ${url}`)
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
