/** The duplex in front of a connection, on real sockets: a slow lane, and what the connection is asked for. */
import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { describe, expect, test } from 'vitest'
import { Lane } from '../../src/lab/lane.ts'
import { type Listening, TappedSocket } from '../../src/lab/socket.ts'
import { eventually } from '../support/answers.ts'
import { RawClient } from '../support/raw-client.ts'

interface Pair extends AsyncDisposable {
  readonly client: RawClient
  readonly tapped: TappedSocket
  readonly raw: Socket
  readonly heard: { sent: number; answered: number; closed: number }
}

async function pair(): Promise<Pair> {
  const heard = { sent: 0, answered: 0, closed: 0 }
  const listening: Listening = {
    sent(bytes) {
      heard.sent += bytes.length
      return bytes
    },
    ended: () => Buffer.alloc(0),
    scout: () => ({ whole: true, read: () => {} }),
    abandoned: () => {},
    answered: ({ length }) => (heard.answered += length),
    closed: () => heard.closed++,
  }
  const server = createServer({ allowHalfOpen: true, noDelay: true })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const accepted = once(server, 'connection') as Promise<[Socket]>
  const client = await RawClient.connect((server.address() as AddressInfo).port)
  const [raw] = await accepted
  const tapped = new TappedSocket(raw, listening)
  tapped.on('error', () => {})
  return {
    client,
    tapped,
    raw,
    heard,
    async [Symbol.asyncDispose]() {
      client.destroy()
      tapped.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

describe('a slow lane', () => {
  test('delays a burst once, not each piece behind the one before it', async () => {
    await using both = await pair()
    both.tapped.down.delayMs = 300
    const begun = performance.now()
    for (let index = 0; index < 5; index++) {
      both.tapped.write(`${index}`)
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
    expect(String(await both.client.bytes(5))).toBe('01234')
    const took = performance.now() - begun
    expect(took).toBeGreaterThanOrEqual(340)
    // One behind the other they would take five times as long.
    expect(took).toBeLessThan(1_500)
  })

  test('keeps the order when it becomes fast again, and the end behind the bytes', async () => {
    await using both = await pair()
    both.tapped.down.delayMs = 100
    both.tapped.write('slow ')
    both.tapped.down.delayMs = 0
    both.tapped.end('fast')
    expect(String(await both.client.rest())).toBe('slow fast')
  })

  test('delays what the client sends, and its end', async () => {
    await using both = await pair()
    both.tapped.up.delayMs = 100
    const begun = performance.now()
    both.client.send('hello').halfClose()
    let text = ''
    both.tapped.on('data', (bytes: Buffer) => (text += bytes.toString()))
    await once(both.tapped, 'end')
    expect(text).toBe('hello')
    expect(performance.now() - begun).toBeGreaterThanOrEqual(95)
    expect(both.heard.sent).toBe(5)
  })

  test('holds a bounded number of bytes: then who writes waits, and what waits is seen', async () => {
    await using both = await pair()
    both.tapped.down.delayMs = 60_000
    const piece = Buffer.alloc(65_536)
    for (let index = 0; index < 6; index++) both.tapped.write(piece)
    await new Promise((resolve) => setImmediate(resolve))
    expect(both.tapped.writableLength).toBe(2 * piece.length)
    expect(both.tapped.bytesWritten).toBe(6 * piece.length)
    expect(both.heard.answered).toBe(0)
  })

  test('leaves no timer behind', () => {
    const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
    const before = timers()
    const lane = new Lane()
    lane.delayMs = 1_000
    let left = 0
    const leave = (taken: () => void): void => {
      left++
      taken()
    }
    lane.put(1, leave, () => {})
    lane.stop()
    lane.put(1, leave, () => {})
    expect(timers()).toBe(before)
    expect(left).toBe(0)
  })
})

describe('a tapped connection', () => {
  test('counts as waiting what the network has not taken, and calls back when it has', async () => {
    await using both = await pair()
    both.client.socket.pause()
    const piece = Buffer.alloc(65_536)
    while (both.tapped.writableLength < piece.length) {
      both.tapped.write(piece)
      await new Promise((resolve) => setImmediate(resolve))
    }
    let taken = false
    both.tapped.write('', () => (taken = true))
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(taken).toBe(false)
    expect(both.tapped.bytesWritten % piece.length).toBe(0)
    both.client.socket.resume()
    await eventually(() => taken, 'all is taken')
    expect(both.tapped.writableLength).toBe(0)
    expect(both.heard.answered).toBe(both.tapped.bytesWritten)
  })

  test('has nothing waiting after a burst that the network takes at once', async () => {
    await using both = await pair()
    for (let index = 0; index < 10; index++) both.tapped.write('x'.repeat(100))
    expect(both.tapped.writableLength).toBe(0)
  })

  test('is not read on while nobody takes what came', async () => {
    await using both = await pair()
    for (let index = 0; index < 64; index++) both.client.send(Buffer.alloc(65_536))
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(both.heard.sent).toBeLessThanOrEqual(262_144)
    both.tapped.resume()
    await eventually(() => both.heard.sent === 64 * 65_536, 'all is read')
  })

  test('ends in halves, as the real one: answers still go out to who has said everything', async () => {
    await using both = await pair()
    both.client.send('question').halfClose()
    both.tapped.resume()
    await once(both.tapped, 'end')
    expect(both.tapped.destroyed).toBe(false)
    both.tapped.write('answer')
    both.tapped.destroySoon()
    expect(String(await both.client.rest())).toBe('answer')
    await eventually(() => both.raw.destroyed && both.heard.closed === 1, 'it is gone')
  })

  test('passes on a reset as an error, and what is left over goes with it', async () => {
    await using both = await pair()
    both.tapped.resume()
    const failed = once(both.tapped, 'error') as Promise<[NodeJS.ErrnoException]>
    both.client.reset()
    expect((await failed)[0].code).toBe('ECONNRESET')
    await eventually(() => both.heard.closed === 1 && both.raw.destroyed, 'it is gone')
  })

  test('resets the real one when it is told to', async () => {
    await using both = await pair()
    const failed = once(both.client.socket, 'error') as Promise<[NodeJS.ErrnoException]>
    both.tapped.resetAndDestroy()
    expect((await failed)[0].code).toBe('ECONNRESET')
    await eventually(() => both.heard.closed === 1, 'it is gone')
  })

  test('tells of silence, and has the addresses of the real one', async () => {
    await using both = await pair()
    let silent = 0
    both.tapped.setTimeout(50, () => silent++)
    await eventually(() => silent === 1, 'it is silent')
    expect(both.tapped.timeout).toBe(50)
    const { remoteAddress, remotePort, remoteFamily, localPort } = both.tapped
    expect([remoteAddress, remotePort, remoteFamily, localPort]).toEqual([
      '127.0.0.1',
      both.client.socket.localPort,
      'IPv4',
      both.client.socket.remotePort,
    ])
  })
})
