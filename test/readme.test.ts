/** The README's code, run as it is written: only the port differs. */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import { afterAll, expect, it } from 'vitest'
import { configuration } from './support/real-proxy.ts'
import { startServer } from './support/server.ts'

const readme = readFileSync('README.md', 'utf8')
const children: ChildProcess[] = []
afterAll(() => children.forEach((child) => child.kill()))

/** The fenced block whose info string this is. */
function block(info: string): string {
  const [, code] = new RegExp(`^\`\`\`${info}\\n([^]*?)^\`\`\`$`, 'm').exec(readme) ?? []
  if (code === undefined) throw new Error(`the README has no block "${info}"`)
  return code
}

/** Runs a module as one of this package's own users would: by the package's name, from what was built. */
function run(code: string): ChildProcess {
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: ['ignore', 'pipe', 'inherit'] })
  children.push(child)
  return child
}

async function output(child: ChildProcess, pattern: RegExp): Promise<string> {
  let text = ''
  for await (const bytes of child.stdout ?? []) {
    text += String(bytes)
    const found = pattern.exec(text)?.[0]
    if (found !== undefined) return found
  }
  throw new Error(`it ended without ${String(pattern)}: ${text}`)
}

it('has a curl transcript that prints the same batch, byte for byte, on all four wires', async () => {
  await using server = await startServer()
  const script = block('sh transcript').replace('http://localhost:3000', server.url)
  const { stdout } = await promisify(execFile)('bash', ['-c', script])
  expect(stdout).toContain('{"member":{"id":"m_')
  expect(stdout).toContain('"seq":1')
  expect(stdout).toContain('Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=')
  const batches = stdout.match(/\{"messages":.*\}/g) ?? []
  expect(batches).toHaveLength(4)
  expect(new Set(batches).size).toBe(1)
  const shape = (text: string): string => text.replace(/"(member|cursor|at)":("[^"]*"|\d+)/g, '"$1":…').trim()
  expect(shape(batches[0] ?? '')).toBe(shape(block('json')))
})

it('embeds the server in about ten lines, and the client in five', async () => {
  const code = block('js embed server').replace('port: 3000', 'port: 0')
  const server = run(`const yourUser = () => ({ id: 'm_reader', name: 'Reader' })\n${code}\nconsole.log('port', app.server.address().port)`)
  const port = (await output(server, /port \d+/)).slice(5)
  const client = run(`${block('js embed client').replace('3000', port)}\n`)
  expect(await output(client, /Reader: hello/)).toBe('Reader: hello')
  expect(code.trim().split('\n').length).toBeLessThanOrEqual(10)
})

it.each([
  ['nginx', 'tuned'],
  ['haproxy', 'tuned'],
  ['caddy', 'tuned'],
  ['nginx', 'two-nodes'],
  ['haproxy', 'two-nodes'],
] as const)('shows of %s, %s, what the contract is tested through, line by line', (proxy, config) => {
  const bare = (text: string): string => text.replace(/^[ \t]+/gm, '')
  const ports = config === 'tuned' ? { server: 3000 } : { server: 3001, server2: 3002 }
  const tested = bare(configuration(proxy, config, ports))
  const paragraphs = bare(block(`${proxy} ${config}`)).split(/\n{2,}/)
  expect(paragraphs.filter((paragraph) => !tested.includes(paragraph))).toEqual([])
})
