/**
 * nginx, haproxy or Caddy in front of servers of this machine: the real program, on a free port of 127.0.0.1, with a
 * folder of its own for what it writes, as whoever runs the tests. It ends with the test, and with the process at the latest.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { programPath } from './programs.ts'

export const proxyNames = ['nginx', 'haproxy', 'caddy'] as const
export type ProxyName = (typeof proxyNames)[number]

/** How long a proxy may take to accept its first connection, in ms: Caddy needs a second on a busy core. */
const patienceMs = 15_000
/** Another process may take the port between our look and the proxy's: then another is tried. */
const attempts = 5

const extension: Record<ProxyName, string> = { nginx: 'conf', haproxy: 'cfg', caddy: 'Caddyfile' }
const templates = fileURLToPath(new URL('../proxies/', import.meta.url))

export interface RealProxyOptions {
  readonly proxy: ProxyName
  /** Which of the files in `test/proxies/<proxy>/`. */
  readonly config: string
  /** The ports of the servers behind it, in the order in which the configuration names them. */
  readonly servers: readonly number[]
  /** Changes the configuration: a shorter timeout, a cache. */
  readonly edit?: (config: string) => string
}

export interface RealProxy extends AsyncDisposable {
  readonly port: number
  /** `http://127.0.0.1:<port>`. */
  readonly url: string
  /** What it wrote on standard error. */
  readonly log: () => string
  /** Reads its configuration again, as its service does on `systemctl reload`. Resolves once it is told. */
  reload(): Promise<void>
  close(): Promise<void>
}

/** A configuration with its ports filled in; those that are not given stay as they are. */
export function configuration(proxy: ProxyName, config: string, ports: Readonly<Record<string, number>> = {}): string {
  const text = readFileSync(join(templates, proxy, `${config}.${extension[proxy]}`), 'utf8')
  return text.replace(/<(port|server\d?)>/g, (whole, name: string) => String(ports[name] ?? whole))
}

/** @throws Error with what the proxy said, where it does not start */
export function startRealProxy({ proxy, config, servers, edit = (text) => text }: RealProxyOptions): Promise<RealProxy> {
  const [server = 0, server2 = 0] = servers
  return startProgram(proxy, 1, ([port = 0]) => edit(configuration(proxy, config, { port, server, server2 })))
}

/**
 * The program with a configuration that listens on so many ports; its own is the first of them.
 * @throws Error with what it said, where it does not start
 */
export async function startProgram(
  name: ProxyName,
  addresses: number,
  configure: (ports: readonly number[]) => string,
): Promise<RealProxy> {
  for (let attempt = 1; ; attempt++) {
    const ports = await Promise.all(Array.from({ length: addresses }, freePort))
    const proxy = begin(name, configure(ports), ports)
    const failure = await proxy.accepting.then(
      () => undefined,
      (error: Error) => error,
    )
    if (failure === undefined) return proxy
    await proxy.close()
    if (attempt === attempts || !/in use|cannot bind|bind\(\)/i.test(failure.message)) throw failure
  }
}

function begin(name: ProxyName, site: string, ports: readonly number[]): RealProxy & { accepting: Promise<void> } {
  const folder = mkdtempSync(join(tmpdir(), `fourwires-${name}-`))
  const program = programs[name](folder, site)
  const child = spawn(programPath(name), program.args, {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { PATH: process.env['PATH'], HOME: folder },
  })
  let log = ''
  child.stderr.on('data', (data: Buffer) => (log += data.toString()))
  // Ends it when this process is gone, however it went: its end of the pipe is closed then.
  const watchdog = spawn('sh', ['-c', `read _; kill -${program.end.slice(3)} ${child.pid}`], { stdio: ['pipe', 'ignore', 'ignore'] })
  watchdog.stdin.on('error', () => {})
  const exited = once(child, 'close')
  const close = async (): Promise<void> => {
    watchdog.kill()
    child.kill(program.end)
    await exited
    rmSync(folder, { recursive: true, force: true })
  }
  const [port = 0] = ports
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    log: () => log,
    accepting: accepting(child, ports, () => `${name}: ${log}`),
    reload: () => program.reload(child),
    close,
    [Symbol.asyncDispose]: close,
  }
}

interface Program {
  readonly args: readonly string[]
  /** The signal after which it and its workers are gone at once. */
  readonly end: NodeJS.Signals
  reload(child: ChildProcess): Promise<void>
}

/** How each is started in the foreground, told to read again, and ended. */
const programs: Record<ProxyName, (folder: string, site: string) => Program> = {
  nginx(folder, site) {
    copyFileSync(join(templates, 'nginx', 'nginx.conf'), join(folder, 'nginx.conf'))
    writeFileSync(join(folder, 'site'), site)
    // Workers of a root's nginx would be somebody who may not enter the folder.
    const directives = `daemon off;${process.getuid?.() === 0 ? ' user root;' : ''}`
    const args = ['-p', folder, '-c', join(folder, 'nginx.conf'), '-e', 'stderr', '-g', directives]
    return { args, end: 'SIGTERM', reload: async (child) => void child.kill('SIGHUP') }
  },
  haproxy(folder, site) {
    const file = join(folder, 'haproxy.cfg')
    writeFileSync(file, site)
    // A master with workers, as Debian's service starts it: SIGUSR2 starts a new worker with `-sf` of the old one.
    return { args: ['-W', '-f', file], end: 'SIGTERM', reload: async (child) => void child.kill('SIGUSR2') }
  },
  caddy(folder, site) {
    const file = join(folder, 'Caddyfile')
    const admin = `unix//${join(folder, 'admin')}`
    writeFileSync(file, `{\n\tadmin ${admin}\n}\n${site}`)
    const args = ['--config', file, '--adapter', 'caddyfile']
    const env = { PATH: process.env['PATH'], HOME: folder }
    const reload = async (): Promise<void> =>
      void (await promisify(execFile)(programPath('caddy'), ['reload', ...args, '--address', admin, '--force'], { env }))
    // It has no workers, and would wait for streams that never end.
    return { args: ['run', ...args], end: 'SIGKILL', reload }
  },
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

/** Resolves once it accepts on each. @throws Error with what it said where it ended before, or never did */
async function accepting(child: ChildProcess, ports: readonly number[], said: () => string): Promise<void> {
  let failed: string | undefined
  child.once('error', ({ message }) => (failed = message))
  child.once('exit', (code) => (failed = `it ended with ${code}`))
  for (const tooLate = performance.now() + patienceMs; ;) {
    const accepted = (await Promise.all(ports.map(accepts))).every(Boolean)
    if (failed === undefined && accepted) return
    if (failed !== undefined || performance.now() > tooLate) throw new Error(`${said()} (${failed ?? 'it does not accept'})`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

const accepts = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
    socket.once('connect', () => socket.destroy())
  })
