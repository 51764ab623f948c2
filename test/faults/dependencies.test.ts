/** What is installed is what was tested, and nothing older than what the promises need. */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { describe, expect, test } from 'vitest'
import { eventually, metric } from '../support/answers.ts'
import { RawClient, request } from '../support/raw-client.ts'
import { RawWebSocket } from '../support/raw-websocket.ts'
import { startServer } from '../support/server.ts'

interface Locked {
  readonly version: string
  readonly integrity?: string
  readonly link?: true
  readonly dev?: true
}

const read = (path: string): Record<string, unknown> =>
  JSON.parse(readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')) as Record<string, unknown>
const locked = Object.entries(read('package-lock.json')['packages'] as Record<string, Locked>).filter(([path]) => path !== '')
const wanted = { ...(read('package.json')['dependencies'] as Record<string, string>) }

/** Before 8.21 `ws` bounds neither fragments nor the time of a close; of the others these are the oldest that our own close was tried with. */
const least: Readonly<Record<string, string>> = { ws: '8.21.0', fastify: '5.12.8', '@fastify/websocket': '11.3.6' }

const isLess = (one: string, other: string): boolean => one.localeCompare(other, 'en', { numeric: true }) < 0
const require = createRequire(import.meta.url)

describe('what is installed', () => {
  test('is locked: every package by version and hash', () => {
    expect(locked.length).toBeGreaterThan(100)
    expect(locked.filter(([, { link, integrity }]) => !link && !integrity?.startsWith('sha512-')).map(([path]) => path)).toEqual([])
  })

  test.each(Object.entries(least))('has no %s before %s, neither locked nor allowed nor there', (name, version) => {
    const all = locked.filter(([path, { dev }]) => path.endsWith(`node_modules/${name}`) && !dev)
    expect(all.length).toBeGreaterThan(0)
    for (const [, each] of all) expect(isLess(each.version, version), `locked ${each.version}`).toBe(false)
    expect(isLess((wanted[name] ?? '0').replace(/^[~^]/, ''), version), `allowed ${wanted[name]}`).toBe(false)
    const { version: there } = require(`${name}/package.json`) as Locked
    expect(isLess(there, version), `installed ${there}`).toBe(false)
  })
})

test('close() ends all that is held, by itself: a long poll, a stream, a socket that answers no close, a connection that is kept', async () => {
  const server = await startServer()
  const { cursor } = (await (await fetch(`${server.url}/rooms/r/poll`)).json()) as { cursor: string }
  const kept = await RawClient.connect(server.port)
  expect((await kept.send(request(server.port, 'GET /rooms/r/poll')).response()).status).toBe(200)
  const poll = (await RawClient.connect(server.port)).send(request(server.port, `GET /rooms/r/long-poll?since=${cursor}&wait=55`))
  const stream = (await RawClient.connect(server.port)).send(request(server.port, 'GET /rooms/r/sse'))
  const socket = await RawWebSocket.open(server.port, '/rooms/r/websocket')
  for (const wire of ['long-poll', 'sse', 'websocket'])
    await eventually(async () => (await metric(server.url, `fourwires_connections{transport="${wire}"}`)) === 1, `${wire} is held`)
  // Of the application itself: nothing here cuts who stays.
  await server.app.close()
  await Promise.all([kept, poll, stream, socket.client].map(({ ended }) => ended))
})
