import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type Process, start } from '../../bench/processes.ts'
import type { RelayMethods, RelaySetup } from '../../bench/relay.ts'
import { seededRandom } from '../../bench/statistics.ts'
import { RawClient } from '../support/raw-client.ts'

describe('a relay', () => {
  let relay: Process<RelayMethods>
  const closers: (() => void)[] = []
  beforeAll(() => void (relay = start<RelayMethods>(new URL('../../bench/relay.ts', import.meta.url), 'generator')))
  afterEach(() => closers.splice(0).forEach((close) => close()))
  afterAll(() => relay.end())

  /** A server of the test's own behind the relay; resolves with a way to connect through it. */
  async function before(serve: (socket: Socket) => void, setup: Omit<RelaySetup, 'target'>): Promise<() => Promise<RawClient>> {
    const server = createServer({ noDelay: true }, (socket) => {
      socket.on('error', () => {})
      closers.push(() => socket.destroy())
      serve(socket)
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    closers.push(() => server.close())
    const url = await relay.ask('open', { ...setup, target: `http://127.0.0.1:${(server.address() as AddressInfo).port}` })
    return async () => {
      const client = await RawClient.connect(Number(new URL(url).port))
      client.socket.on('error', () => {})
      closers.push(() => client.destroy())
      return client
    }
  }

  const random = seededRandom(11)
  const noise = (size: number): Buffer => Buffer.from(Array.from({ length: size }, () => Math.floor(random() * 256)))

  /** Small pieces and large ones, each written in a turn of its own. */
  async function writeInPieces(socket: Socket, bytes: Buffer, most = 40_000): Promise<void> {
    for (let at = 0; at < bytes.length;) {
      const next = at + Math.ceil(random() ** 4 * most)
      socket.write(bytes.subarray(at, next))
      at = next
      await new Promise(setImmediate)
    }
  }

  it.each<Omit<RelaySetup, 'target'>>([
    {},
    { rttMs: 3 },
    { rttMs: 60 },
    { rttMs: 30, handshake: true },
    { loss: { probability: 0.3, ms: 7 } },
    { rttMs: 10, loss: { probability: 0.3, ms: 20 } },
    { rttMs: 5, idleMs: 60_000 },
  ])('passes every byte both ways, unchanged and in order, with %j', async (setup) => {
    const [up, down] = [noise(150_000), noise(250_000)]
    const received: Buffer[] = []
    let accepted: (socket: Socket) => void = () => {}
    const far = new Promise<Socket>((resolve) => (accepted = resolve))
    const through = await before((socket) => {
      socket.on('data', (bytes) => received.push(bytes))
      accepted(socket)
    }, setup)
    const client = await through()
    const answered = client.bytes(down.length)
    await Promise.all([writeInPieces(client.socket, up), far.then((socket) => writeInPieces(socket, down))])
    expect((await answered).equals(down)).toBe(true)
    const socket = await far
    while (socket.bytesRead < up.length) await once(socket, 'data')
    expect(Buffer.concat(received).equals(up)).toBe(true)
    // What was written last arrives before the end of the connection.
    const farewell = noise(1_000)
    socket.end(farewell)
    expect((await client.rest()).equals(farewell)).toBe(true)
    expect(await relay.ask('count')).toMatchObject({ connections: 1, cut: 0 })
  })

  it('cuts a connection over which nothing goes, at both ends, and counts it; a busy one it leaves alone', async () => {
    const ended: Promise<unknown>[] = []
    const through = await before(
      (socket) => {
        ended.push(once(socket, 'close'))
        socket.on('data', (bytes) => socket.write(bytes))
      },
      { idleMs: 400 },
    )
    const idle = await through()
    idle.send('hello')
    expect((await idle.bytes(5)).toString()).toBe('hello')
    const busy = await through()
    const gone = idle.ended.then(() => true)
    while (
      !(await Promise.race([
        gone,
        busy
          .send('still here')
          .bytes(10)
          .then(() => false),
      ]))
    );
    await ended[0]
    busy.send('and on')
    await busy.bytes(6)
    expect(await relay.ask('count')).toMatchObject({ connections: 2, cut: 1 })
  })

  const json = (body: string): string => `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`
  const streamHead = 'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n'
  const upgraded = 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n'

  describe('that buffers', () => {
    const chunk = '9\r\ndata: 1\n\n\r\n'
    it('holds an endless answer back until it ends, and passes whole ones meanwhile', async () => {
      let opened: (stream: Socket) => void = () => {}
      const asked = new Promise<Socket>((resolve) => (opened = resolve))
      const through = await before(
        (socket) =>
          socket.on('data', (bytes) => {
            if (bytes.toString() === 'stream') opened(socket)
            else socket.write(json('whole'))
          }),
        { buffers: true },
      )
      const listener = await through()
      listener.send('stream')
      const asker = await through()
      const stream = await asked
      stream.write(streamHead)
      for (let event = 0; event < 20; event++) {
        stream.write(chunk)
        expect(String(await asker.send('ask').bytes(json('whole').length))).toBe(json('whole'))
      }
      expect(listener.unread).toHaveLength(0)
      stream.write('0\r\n\r\n')
      const all = `${streamHead}${chunk.repeat(20)}0\r\n\r\n`
      expect(String(await listener.bytes(all.length))).toBe(all)
    })

    it('passes an answer with a length once its last byte is there, however it was cut', async () => {
      const answer = json('x'.repeat(500))
      const through = await before(
        (socket) => {
          socket.on('data', () => void writeInPieces(socket, Buffer.from(answer), 1))
        },
        { buffers: true },
      )
      const client = await through()
      const pieces: number[] = []
      client.socket.on('data', (bytes) => pieces.push(bytes.length))
      for (let asked = 0; asked < 2; asked++) expect(String(await client.send('ask').bytes(answer.length))).toBe(answer)
      expect(pieces).toEqual([answer.length, answer.length])
    })

    it('takes the end of the connection for the end of an answer that names no other', async () => {
      const answer = 'HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nall there is'
      const through = await before((socket) => void socket.once('data', () => socket.end(answer)), { buffers: true })
      expect(String(await (await through()).send('ask').rest())).toBe(answer)
    })

    it('passes what follows a 101 as it comes', async () => {
      const through = await before(
        (socket) => {
          socket.once('data', () => {
            socket.write(upgraded)
            socket.on('data', (bytes) => socket.write(bytes))
          })
        },
        { buffers: true },
      )
      const client = await through()
      expect((await client.send('upgrade').head()).status).toBe(101)
      for (const text of ['a frame', 'another']) expect(String(await client.send(text).bytes(text.length))).toBe(text)
    })
  })

  it('keeps the path of its target, and cuts every connection when it is told to', async () => {
    const url = await relay.ask('open', { target: 'http://127.0.0.1:9/chat' })
    expect(new URL(url).pathname).toBe('/chat')
    const through = await before((socket) => socket.resume(), {})
    const clients = [await through(), await through()]
    while ((await relay.ask('count')).connections < 2);
    await relay.ask('cut')
    await Promise.all(clients.map(({ ended }) => ended))
  })
})
