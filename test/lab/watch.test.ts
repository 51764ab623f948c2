/** What watching may cost the server: bounded, and nothing while nobody watches. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { expect, test, vi } from 'vitest'
import type { ChaosNow, Report } from '../../src/lab/events.ts'
import { Tap } from '../../src/lab/tap.ts'
import { type Viewer, Watch } from '../../src/lab/watch.ts'
import { eventually } from '../support/answers.ts'
import { RawClient, request } from '../support/raw-client.ts'

const body = 'x'.repeat(3_000)

async function tapped() {
  const server = createServer((_request, response) => response.end(body))
  const tap = new Tap({ ownerOf: (cookie) => cookie, observes: () => false })
  tap.install(server)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const client = await RawClient.connect(port)
  const asks = async (times: number): Promise<void> => {
    for (let index = 0; index < times; index++) await client.send(request(port, 'GET /', { cookie: 'ann' })).response()
  }
  const close = async (): Promise<void> => {
    client.destroy()
    await new Promise((resolve) => server.close(resolve))
  }
  return { tap, asks, close }
}

class Watcher implements Viewer {
  waiting = 0
  readonly reports: Report[] = []
  report(report: Report): void {
    this.reports.push(report)
  }
  readonly told: ChaosNow[] = []
  tell(now: ChaosNow): void {
    this.told.push(now)
  }
  get blocks() {
    return this.reports.flatMap(({ blocks }) => blocks)
  }
}

test('of the bytes of blocks the newest 256 KiB of a session are kept', async () => {
  const { tap, asks, close } = await tapped()
  const watcher = new Watcher()
  const watching = tap.watch('ann', watcher)
  // A request of some 70 bytes, and 2 KiB of its answer.
  await asks(45)
  await eventually(() => watcher.blocks.length === 90, 'all are told of')
  await asks(200)
  await eventually(() => watcher.reports.at(-1)?.connections[0]?.requests === 245, 'all are counted')
  const kept = Array.from({ length: 490 }, (_, index) => watching?.bytesOf({ type: 'bytes', connection: 1, block: index + 1 }).base64)
  const bytes = kept.reduce((total, base64) => total + Buffer.from(base64 ?? '', 'base64').length, 0)
  expect(bytes).toBeLessThanOrEqual(262_144)
  expect(bytes).toBeGreaterThan(250_000)
  const oldest = kept.findIndex((base64) => base64 !== undefined)
  expect(kept.slice(oldest).every((base64) => base64 !== undefined)).toBe(true)
  watching?.leave()
  await close()
})

test('of very many sessions each keeps its share of 64 MiB', () => {
  let sessions = 1
  const watch = new Watch(() => sessions)
  const keep = (number: number): void =>
    watch.block(
      { connection: 1, block: number, direction: 'down', what: 'frame', at: 0, until: 0, exchange: 1, detail: '', pieces: [] },
      Buffer.alloc(2_048),
    )
  const kept = (): number =>
    Array.from({ length: 200 }, (_, block) => watch.bytesOf({ type: 'bytes', connection: 1, block })).filter(({ base64 }) => base64).length
  for (let block = 0; block < 150; block++) keep(block)
  expect(kept()).toBe(128)
  sessions = 2_048
  keep(150)
  expect(kept()).toBe(16)
})

test('who reads reports too slowly is sent none, and then everything that is, and how much it missed', async () => {
  const { tap, asks, close } = await tapped()
  const slow = new Watcher()
  const healthy = new Watcher()
  const leaving = [tap.watch('ann', slow), tap.watch('ann', healthy)]
  await asks(1)
  await eventually(() => slow.blocks.length === 2 && healthy.blocks.length === 2, 'both hear')
  slow.waiting = 1_000_000
  await asks(3)
  await eventually(() => healthy.blocks.length === 8, 'one hears')
  expect(slow.blocks.length).toBe(2)
  slow.waiting = 0
  await eventually(() => slow.reports.at(-1)?.skipped === 6, 'the other hears what it missed')
  expect(slow.reports.at(-1)?.connections).toEqual(healthy.reports.at(-1)?.connections)
  for (const one of leaving) one?.leave()
  await close()
})

test('of holes that only the client has not noticed so many are kept, the newest', async () => {
  const server = createServer((_request, response) => response.end(body))
  const tap = new Tap({ ownerOf: (cookie) => cookie, observes: () => false, keptHoles: 2 })
  tap.install(server)
  const sockets: Socket[] = []
  server.on('connection', (socket) => sockets.push(socket))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const watching = tap.watch('ann', new Watcher())
  const clients: RawClient[] = []
  for (let index = 0; index < 3; index++) {
    const client = await RawClient.connect(port)
    clients.push(client)
    await client.send(request(port, 'GET /', { cookie: 'ann' })).response()
  }
  watching?.obey({ type: 'black-hole', ms: 60_000 })
  for (const socket of sockets) socket.destroy()
  await clients[0]?.ended
  expect([tap.connections.size, ...clients.map(({ over }) => over)]).toEqual([2, true, false, false])
  watching?.leave()
  for (const client of clients) client.destroy()
  await eventually(() => tap.connections.size === 0, 'the clients have given them up')
  await new Promise((resolve) => server.close(resolve))
})

test('nothing is written down and no timer runs while nobody watches', async () => {
  const { tap, asks, close } = await tapped()
  const set = vi.spyOn(globalThis, 'setInterval')
  const cleared = vi.spyOn(globalThis, 'clearInterval')
  await asks(2)
  expect(set).not.toHaveBeenCalled()
  const watcher = new Watcher()
  const watching = tap.watch('ann', watcher)
  await eventually(() => watcher.reports.length === 1, 'it hears')
  expect(watcher.reports[0]?.connections[0]?.requests).toBe(2)
  expect(set).toHaveBeenCalledTimes(1)
  watching?.leave()
  expect(cleared).toHaveBeenCalledWith(set.mock.results[0]?.value)
  await asks(1)
  const again = tap.watch('ann', watcher)
  expect(again?.bytesOf({ type: 'bytes', connection: 1, block: 1 }).base64).toBeUndefined()
  again?.leave()
  vi.restoreAllMocks()
  await close()
})
