import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, it, onTestFinished, vi } from 'vitest'
import { answerMs, Http } from '../../src/client/http.ts'
import { node } from '../../src/client/node.ts'

it('takes a page that a proxy answers with for no word of the server: it passes', async () => {
  const proxy = createServer((_request, response) => {
    response.writeHead(502, { 'content-type': 'text/html', connection: 'close' }).end('<html><h1>502 Bad Gateway</h1></html>')
  })
  onTestFinished(() => void proxy.close())
  await once(proxy.listen(0, '127.0.0.1'), 'listening')
  const http = new Http(node(), `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`, 'lobby')
  const { signal } = new AbortController()
  const passes = { name: 'Error', message: 'something on the way answered 502' }
  await expect(http.batch('long-poll', { since: undefined }, signal)).rejects.toMatchObject(passes)
  await expect(http.publish({ id: 'message-1', text: 'hello' }, signal)).rejects.toMatchObject(passes)
})

it('leaves a request without its answer in time, before the head and in the midst of the body, whatever garbage is collected meanwhile', async () => {
  let asked = 0
  const server = createServer((request, response) => {
    if (request.url?.endsWith('/session')) response.writeHead(201, { 'content-type': 'application/json', 'content-length': 100 }).write('{')
    asked++
  })
  onTestFinished(() => {
    server.close()
    server.closeAllConnections()
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  // The real one, sooner. No spy: it would hold what it returned, and nothing of that is garbage then.
  const timeout = AbortSignal.timeout.bind(AbortSignal)
  const patience: number[] = []
  AbortSignal.timeout = (ms) => {
    patience.push(ms)
    return timeout(ms / 4)
  }
  onTestFinished(() => void (AbortSignal.timeout = timeout))
  const http = new Http(node(), `http://127.0.0.1:${(server.address() as AddressInfo).port}`, 'lobby')
  const { signal } = new AbortController()
  const left = Promise.allSettled([
    http.publish({ id: 'message-1', text: 'hello' }, signal),
    http.session('Ann', signal),
    http.lease(signal),
    http.reachable(signal),
  ])
  await vi.waitFor(() => expect(asked).toBe(4), { timeout: 10_000 })
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  collect()
  const rejected = { status: 'rejected', reason: { name: 'TimeoutError' } }
  expect(await left).toMatchObject([rejected, rejected, rejected, { status: 'fulfilled', value: false }])
  expect(patience).toEqual([answerMs, answerMs, answerMs, answerMs])
})
