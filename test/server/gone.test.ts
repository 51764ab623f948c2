/** Who goes while being served: what it asked for stops with it, quietly. Each is provoked by its one event, not by a race. */
import type { FastifyServerOptions } from 'fastify'
import { execFileSync } from 'node:child_process'
import { readdirSync, readlinkSync } from 'node:fs'
import type { Socket } from 'node:net'
import { expect, test } from 'vitest'
import { transportNames } from '../../src/protocol/message.ts'
import { eventually } from '../support/answers.ts'
import { logged } from '../support/logged.ts'
import { RawClient, request } from '../support/raw-client.ts'
import { handshake } from '../support/raw-websocket.ts'
import { member, startServer, type TestServer } from '../support/server.ts'

const accepted = ({ app }: TestServer): Promise<Socket> => new Promise((resolve) => app.server.once('connection', resolve))
const closed = (socket: Socket): Promise<void> => new Promise((resolve) => void socket.once('close', () => resolve()))

/** What a server logs that its operator should look at. */
function complaints(): { readonly logger: FastifyServerOptions['logger']; readonly log: readonly string[] } {
  const { log, stream } = logged()
  return { logger: { level: 'warn', stream }, log }
}

/** What is left of who has gone is let go of soon: nothing of it waits for the contract's times. */
const soon = { leaseGraceMs: 50, pollLeaseMs: 50, lingerMs: 50, membersMs: 50 } as const

/** Connects, asks and resets, all before a server of this process can look: its event loop waits for it here. */
function askAndReset(port: number, text: string): void {
  const script = `const socket = require('node:net').connect(${port}, '127.0.0.1', () => {
    socket.write(process.argv[1], () => socket.resetAndDestroy())
  })`
  execFileSync(process.execPath, ['-e', script, text])
}

test.concurrent.each(transportNames)(
  'who has gone before %s lets them in, and has no address any more, is no fault of ours',
  async (transport) => {
    const { logger, log } = complaints()
    let asked = 0
    await using server = await startServer({
      // Where there is a hall, it looks at the address of who comes.
      lab: true,
      logger,
      ...soon,
      authorize: () => ++asked > 0,
    })
    const { cookie } = await member(server.url)
    const path = `/rooms/r/${transport}`
    const accepting = accepted(server)
    const ask = transport === 'websocket' ? handshake(server.port, path, { cookie }) : request(server.port, `GET ${path}`, { cookie })
    askAndReset(server.port, ask)
    const peer = await accepting
    expect(peer.remoteAddress).toBeUndefined()
    await eventually(() => asked === 1 && peer.destroyed, 'it was asked for, and its connection is gone')
    await server.quiet()
    expect(log).toEqual([])
  },
)

test('a file that stops with its reader is no fault of ours', async () => {
  const { logger, log } = complaints()
  await using server = await startServer({ logger })
  const [client, peer] = await Promise.all([RawClient.connect(server.port), accepted(server)])
  const gone = closed(peer)
  // An upgrade behind an unanswered question ends the connection, long before the file is open.
  client.send(request(server.port, 'GET /race') + handshake(server.port, '/rooms/r/websocket'))
  await gone
  // Later files of the same folder are opened, read and answered after it.
  for (let later = 0; later < 3; later++) expect((await fetch(`${server.url}/race`)).status).toBe(200)
  expect(log).toEqual([])
})

/** The files of the page that this process has open, as Linux tells it. */
const filesOpen = (): string[] =>
  readdirSync('/proc/self/fd').flatMap((descriptor) => {
    try {
      return [readlinkSync(`/proc/self/fd/${descriptor}`)].filter((path) => path.endsWith('/public/assets/index.js'))
    } catch {
      // Closed meanwhile: the one of the listing itself.
      return []
    }
  })

test.runIf(process.platform === 'linux')('a file whose answer waits behind another is closed with its connection', async () => {
  await using server = await startServer(soon)
  const client = await RawClient.connect(server.port)
  const { cursor } = (await (await fetch(`${server.url}/rooms/r/poll`)).json()) as { cursor: string }
  client.send(request(server.port, `GET /rooms/r/long-poll?since=${cursor}&wait=30`) + request(server.port, 'GET /assets/index.js'))
  await eventually(() => filesOpen().length === 1, 'the file is open, and waits')
  client.destroy()
  await eventually(() => filesOpen().length === 0, 'it is closed')
  await server.quiet()
})
