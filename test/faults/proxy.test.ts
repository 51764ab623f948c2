/** The faulty proxy: each fault does what it says, between an independent client and a server of one line each. */
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { eventually } from '../support/answers.ts'
import type { Fault } from '../support/fault.ts'
import { type FaultyProxy, startFaultyProxy } from '../support/faulty-proxy.ts'
import { RawClient } from '../support/raw-client.ts'

const answer = 'HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n0123456789'
const head = answer.length - 10
const ask = (path = '/rooms/r/poll', body = ''): string =>
  `${body === '' ? 'GET' : 'POST'} ${path} HTTP/1.1\r\nhost: h\r\n${body === '' ? '' : `content-length: ${body.length}\r\n`}\r\n${body}`

/** A server that answers each request it has whole, and keeps what it heard. */
async function startServer(): Promise<{
  readonly port: number
  readonly heard: string[]
  readonly ended: () => number
  close(): Promise<void>
}> {
  const heard: string[] = []
  const sockets = new Set<Socket>()
  let ended = 0
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    sockets.add(socket)
    const index = heard.push('') - 1
    socket.on('error', () => {})
    let unanswered = ''
    socket.on('data', (bytes: Buffer) => {
      heard[index] += bytes.toString('latin1')
      unanswered += bytes.toString('latin1')
      for (let end = unanswered.indexOf('\r\n\r\n'); end !== -1; end = unanswered.indexOf('\r\n\r\n')) {
        unanswered = unanswered.slice(end + 4)
        socket.write(answer)
      }
    })
    socket.on('end', () => {
      ended++
      socket.end()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve())
      for (const socket of sockets) socket.destroy()
    })
  return { port: (server.address() as AddressInfo).port, heard, ended: () => ended, close }
}

describe('the faulty proxy', () => {
  let server: Awaited<ReturnType<typeof startServer>>
  let proxy: FaultyProxy
  const clients: RawClient[] = []
  const begin = async (...faults: readonly (Fault | undefined)[]): Promise<RawClient> => {
    server = await startServer()
    proxy = await startFaultyProxy(server.port, ({ number }) => faults[number - 1])
    return another()
  }
  const another = async (): Promise<RawClient> => {
    const client = await RawClient.connect(proxy.port)
    clients.push(client)
    return client
  }
  afterEach(async () => {
    for (const client of clients.splice(0)) client.destroy()
    await proxy[Symbol.asyncDispose]()
    await server.close()
  })

  it('passes what nothing befalls, and knows each exchange by what it is for', async () => {
    const client = await begin()
    for (const path of ['/rooms/r/sse', '/session', '/rooms/r/members']) expect((await client.send(ask(path)).response()).status).toBe(200)
    await client.send(ask('/rooms/r/messages', '{"text":"GET / HTTP/1.1"}')).response()
    expect(proxy.exchanges.map(({ asks }) => asks)).toEqual(['read', 'session', 'other', 'publish'])
    expect(proxy.exchanges[0]?.passed).toEqual({ up: ask('/rooms/r/sse').length, down: answer.length })
    expect(proxy.injections).toBe(0)
  })

  it('cuts an answer after exactly so many bytes, wherever that is', async () => {
    await begin()
    for (let at = 0; at < answer.length; at++) {
      proxy.choose = () => ({ kind: 'cut', side: 'down', at, how: at % 2 === 0 ? 'end' : 'reset' })
      const client = (await another()).send(ask())
      expect((await client.rest()).toString()).toBe(answer.slice(0, at))
    }
    expect(proxy.injections).toBe(answer.length)
  })

  it('cuts a request after exactly so many bytes', async () => {
    await begin()
    const request = ask('/rooms/r/messages', 'body')
    for (let at = 1; at < request.length; at += 7) {
      proxy.choose = () => ({ kind: 'cut', side: 'up', at, how: 'end' })
      await (await another()).send(request).rest()
      await eventually(() => server.heard.at(-1) === request.slice(0, at), `the server heard ${at} bytes`)
    }
  })

  it('drops the reply of a request that has passed', async () => {
    const client = await begin({ kind: 'drop-reply', how: 'end' })
    expect((await client.send(ask()).rest()).toString()).toBe('')
    expect(server.heard).toEqual([ask()])
    expect((await (await another()).send(ask()).response()).status).toBe(200)
  })

  it('cuts before the piece of an answer in which a text stands', async () => {
    const client = await begin({ kind: 'cut-before', text: '456', how: 'end' })
    expect((await client.send(ask()).rest()).toString()).toBe('')
  })

  it('lets an answer be overtaken by one that was asked for later', async () => {
    let letGo = (): void => {}
    const first = await begin({ kind: 'hold', until: new Promise((resolve) => (letGo = resolve)) })
    first.send(ask())
    await eventually(() => proxy.injections === 1, 'the first answer is held')
    await (await another()).send(ask()).response()
    expect(first.unread).toHaveLength(0)
    letGo()
    expect((await first.response()).status).toBe(200)
  })

  it('splits into single bytes, and all of them come', async () => {
    const client = await begin({ kind: 'split' })
    expect((await client.send(ask('/rooms/r/poll')).response()).body.toString()).toBe('0123456789')
    expect(server.heard).toEqual([ask()])
  })

  it('half-closes one side after so many bytes, and the other goes on', async () => {
    const client = await begin({ kind: 'half-close', side: 'down', at: head + 3 }, undefined)
    expect((await client.send(ask()).rest()).toString()).toBe(answer.slice(0, head + 3))
    expect(server.ended()).toBe(0)
    client.halfClose()
    proxy.choose = () => ({ kind: 'half-close', side: 'up', at: 10 })
    const next = await another()
    next.send(ask())
    await eventually(() => server.ended() === 2, 'the server was told that nothing more comes')
    expect(server.heard.at(-1)).toBe(ask().slice(0, 10))
  })

  it('stands still after so many bytes, and goes on after its time', async () => {
    const client = await begin({ kind: 'stall', side: 'down', at: head + 2, ms: 50 })
    expect((await client.send(ask()).response()).body.toString()).toBe('0123456789')
  })

  it('answers nothing from a black hole, and what goes in reaches nobody', async () => {
    const client = await begin({ kind: 'black-hole', reads: true }, { kind: 'black-hole', reads: false })
    client.send(ask())
    const unread = await another()
    unread.send(ask())
    await eventually(() => proxy.injections === 2, 'both are swallowed')
    expect(server.heard.join('')).toBe('')
    expect(client.unread).toHaveLength(0)
  })

  it('brings a request twice, and one answer', async () => {
    const client = await begin({ kind: 'duplicate' })
    const request = ask('/rooms/r/messages', '{}')
    expect((await client.send(request).response()).body.toString()).toBe('0123456789')
    await eventually(() => server.heard.length === 2 && server.heard[1] === request, 'the server heard it twice')
    expect(server.heard[0]).toBe(request)
    expect(client.unread).toHaveLength(0)
  })

  it('answers with a page of its own, and the server hears nothing', async () => {
    const page = 'HTTP/1.1 502 Bad Gateway\r\ncontent-length: 2\r\n\r\nno'
    const client = await begin({ kind: 'page', bytes: page })
    expect((await client.send(ask()).rest()).toString()).toBe(page)
    expect(server.heard.join('')).toBe('')
  })

  it('holds an answer back until the server has ended it', async () => {
    const client = await begin({ kind: 'buffer' })
    client.send(ask())
    await eventually(() => proxy.injections === 1, 'the answer is there')
    expect(client.unread).toHaveLength(0)
    client.halfClose()
    expect((await client.rest()).toString()).toBe(answer)
  })

  it('delays each piece, and keeps their order', async () => {
    const client = await begin({ kind: 'delay', side: 'down', ms: () => 30 })
    const begun = performance.now()
    expect((await client.send(ask()).response()).body.toString()).toBe('0123456789')
    expect(performance.now() - begun).toBeGreaterThanOrEqual(29)
  })

  it('cuts what is idle, and nothing that is not', async () => {
    await begin()
    proxy.idleMs = 100
    const idle = await another()
    const busy = await another()
    let asked = 0
    const talk = setInterval(() => {
      busy.send(ask())
      asked++
    }, 20)
    await idle.ended
    clearInterval(talk)
    for (let n = 0; n < asked; n++) expect((await busy.response()).status).toBe(200)
    expect(proxy.injections).toBe(1)
  })

  it('freezes what is open, and lets in who comes after', async () => {
    const client = await begin()
    await client.send(ask()).response()
    expect(proxy.freeze()).toBe(1)
    client.send(ask())
    expect((await (await another()).send(ask()).response()).status).toBe(200)
    expect(client.unread).toHaveLength(0)
  })

  it('cuts all, and leads to another server from then on', async () => {
    const client = await begin()
    await client.send(ask()).response()
    const other = await startServer()
    proxy.to = other.port
    expect(proxy.cut('reset')).toBe(1)
    await client.ended
    expect((await (await another()).send(ask()).response()).status).toBe(200)
    expect(other.heard).toEqual([ask()])
    await other.close()
  })
})
