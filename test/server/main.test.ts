/** The process: it ends by a signal only, in time, and says in one sentence why it cannot start. */
import { once } from 'node:events'
import { connect, createServer, type AddressInfo } from 'node:net'
import { networkInterfaces } from 'node:os'
import { describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import type { Batch } from '../../src/protocol/message.ts'
import { parseCommandLine } from '../../src/server/command-line.ts'
import { RawClient, request } from '../support/raw-client.ts'
import { RawWebSocket } from '../support/raw-websocket.ts'
import { listening, run } from '../support/process.ts'
import { member, post } from '../support/server.ts'

test('listens on both addresses of localhost, with the same limits and answers on each', async () => {
  const { child, port, exited } = await listening('--host', 'localhost')
  const both = Object.values(networkInterfaces()).some((list) => list?.some(({ address }) => address === '::1'))
  for (const host of both ? ['127.0.0.1', '[::1]'] : ['127.0.0.1']) {
    const url = `http://${host}:${port}`
    expect((await fetch(`${url}/rooms/r/poll`)).status).toBe(200)
    const metrics = await (await fetch(`${url}/metrics`)).text()
    expect(metrics).toMatch(/^fourwires_tcp_connections [1-9]/m)
    const socket = new WebSocket(`${url.replace('http', 'ws')}/rooms/r/websocket`)
    expect(String(await once(socket, 'message').then(([data]) => data as Buffer))).toContain('"messages":[]')
    socket.terminate()
    const raw = connect({ host: host.replace(/[[\]]/g, ''), port })
    raw.write('NONSENSE\r\n\r\n')
    expect(String((await once(raw, 'data'))[0])).toContain('"code":"invalid-request"')
    raw.destroy()
  }
  child.kill('SIGTERM')
  expect((await exited).code).toBe(0)
})

describe('SIGTERM', () => {
  test('sends everybody away and exits with 0, also where peers never answer a close', async () => {
    const { child, port, url, exited, output } = await listening('--drain-ms', '500', '--drain-limit-ms', '2000')
    const { cookie } = await member(url)
    const { cursor } = await post(url, 'r', cookie, { text: 'hi' })
    const poll = await RawClient.connect(port)
    poll.send(request(port, `GET /rooms/r/long-poll?since=${cursor}`))
    const stream = await RawClient.connect(port)
    await stream.send(request(port, 'GET /rooms/r/sse')).head()
    await stream.chunk()
    await stream.chunk()
    // It answers no close, and its end of the connection stays open.
    const socket = await RawWebSocket.open(port, '/rooms/r/websocket')
    await socket.text()
    const silent = await RawClient.connect(port)
    silent.send('GET /healthz HTTP/1.1\r\nhost: ')
    const idle = await RawClient.connect(port)
    await idle.send(request(port, 'GET /healthz')).response()

    child.kill('SIGTERM')
    expect((JSON.parse((await poll.response()).body.toString()) as Batch).retryMs).toBeGreaterThan(0)
    expect(String(await stream.chunk())).toMatch(new RegExp(`^retry: \\d+\nid: ${cursor}\n`))
    expect(await stream.chunk()).toBeUndefined()
    expect(await socket.json()).toMatchObject({ messages: [], cursor, retryMs: expect.any(Number) as number })
    expect((await socket.closing()).code).toBe(1012)
    expect(await exited).toMatchObject({ code: 0, signal: null })
    for (const line of output.stdout.trim().split('\n')) expect(JSON.parse(line)).toHaveProperty('level')
    // Nothing but where the presenter begins, with a key that the log has not.
    const [, key = ''] = /^presenter: http:\/\/127\.0\.0\.1:\d+\/#presenter=([\w-]{16})\n$/.exec(output.stderr) ?? []
    expect(key).not.toBe('')
    expect(output.stdout).not.toContain(key)
    for (const { socket: open } of [poll, stream, socket.client, silent, idle]) open.destroy()
  })

  test('exits with 0 in its time, also where a reader has stopped reading', async () => {
    const limits = ['--publishes-per-second', '0', '--keep-bytes', '64000000', '--drain-ms', '100', '--drain-limit-ms', '1500']
    const { child, port, url, exited } = await listening(...limits)
    const { cookie } = await member(url)
    const stalled = await RawClient.connect(port)
    await stalled.send(request(port, 'GET /rooms/r/sse')).head()
    stalled.socket.pause()
    stalled.socket.on('error', () => {})
    const author = await RawWebSocket.open(port, '/rooms/r/websocket', { cookie })
    const last = 3_000
    for (let index = 1; index <= last; index++) author.sendJson({ type: 'publish', id: `long-one-${index}`, text: 'x'.repeat(4_000) })
    while ((await author.json())['id'] !== `long-one-${last}`);
    child.kill('SIGTERM')
    expect(await exited).toMatchObject({ code: 0, signal: null })
    stalled.destroy()
    author.client.destroy()
  })

  test('twice ends at once', async () => {
    // By the first alone it would end long after this test.
    const { child, port, exited } = await listening('--drain-ms', '600000', '--drain-limit-ms', '600000')
    const streams = await Promise.all([1, 2, 3].map(() => RawClient.connect(port)))
    for (const stream of streams) {
      await stream.send(request(port, 'GET /rooms/r/sse')).head()
      await stream.chunk()
      await stream.chunk()
    }
    child.kill('SIGTERM')
    // The first is sent away at once: the process has heard.
    await Promise.race(streams.map((stream) => stream.chunk()))
    child.kill('SIGTERM')
    expect((await exited).code).toBe(0)
    for (const stream of streams) stream.destroy()
  })

  test('SIGINT does the same', async () => {
    const { child, exited } = await listening()
    child.kill('SIGINT')
    expect(await exited).toMatchObject({ code: 0, signal: null })
  })
})

describe('the command line', () => {
  test('--help tells every option, and starts nothing', async () => {
    const { exited, output } = run('--help')
    expect((await exited).code).toBe(0)
    for (const flag of [
      '--port',
      '--host',
      '--allow-host',
      '--allow-origin',
      '--keep-messages',
      '--stall-ms',
      '--max-connections',
      '--session-secret',
      '--no-lab',
      '--hall',
      '--presenter-key',
      '--text-units',
      '--no-generated-names',
    ]) {
      expect(output.stdout).toContain(flag)
    }
    expect(output.stderr).toBe('')
  })

  test('what it cannot take is refused in a sentence that names it, with exit code 1', { timeout: 60_000 }, async () => {
    const wrong = [
      ['--nonsense'],
      ['--port', 'abc'],
      ['--port', '65536'],
      ['--allow-origin', 'example.com'],
      ['--allow-host', 'http://example.com'],
      ['--session-secret', 'short'],
      ['--keep-bytes', '0'],
      ['--stall-ms', '0'],
      ['--keep-messages', '1e3'],
      ['--log-level', 'loud'],
      ['--presenter-key', 'short-1'],
      ['--presenter-key', 'not safe in an address'],
      ['--text-units', '0'],
    ] as const
    // A process each, side by side.
    const refused = wrong.map((args) => ({ args, ...run(...args) }))
    for (const { args, exited, output } of refused) {
      expect([args, (await exited).code, output.stdout]).toEqual([args, 1, ''])
      const [sentence = '', ...more] = output.stderr.trim().split('\n')
      expect(sentence).toContain(args[0])
      expect(more).toEqual(['Try: fourwires --help'])
      expect(output.stderr).not.toMatch(/\bat .*:\d+:\d+|node:internal/)
    }
  })

  test('an empty PORT is no port, and a bad one is named', async () => {
    const empty = run('--version')
    expect((await empty.exited).code).toBe(0)
    expect(empty.output.stdout).toMatch(/^fourwires \d+\.\d+\.\d+\n$/)
    expect(parseCommandLine([], { PORT: '', HOST: '' })).toMatchObject({ port: 3000, host: 'localhost' })
    expect(() => parseCommandLine([], { PORT: 'x' })).toThrow(/^PORT /)
    expect(() => parseCommandLine([], { PRESENTER_KEY: 'short' })).toThrow(/^PRESENTER_KEY /)
    expect(parseCommandLine([], { PRESENTER_KEY: 'long-enough' })).toMatchObject({ presenterKey: 'long-enough', hall: false })
  })

  test.each([
    ['by itself it taps its connections', [], 426],
    ['with --no-lab it does not', ['--no-lab'], 404],
  ] as const)('%s', async (_title, args, status) => {
    const { child, url, exited } = await listening(...args)
    expect((await fetch(`${url}/lab/events`)).status).toBe(status)
    child.kill('SIGTERM')
    expect((await exited).code).toBe(0)
  })

  test('a port in use is told in one sentence, with exit code 1', async () => {
    const taken = createServer().listen(0, '127.0.0.1')
    await once(taken, 'listening')
    const { port } = taken.address() as AddressInfo
    const { exited, output } = run('--host', '127.0.0.1', '--port', String(port))
    expect((await exited).code).toBe(1)
    expect(output.stderr.trim()).toBe(`Port ${port} is in use. Choose another: fourwires --port ${port + 1}, or --port 0 for a free one.`)
    taken.close()
  })
})
