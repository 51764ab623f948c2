import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, it, onTestFinished } from 'vitest'
import { Http } from '../../src/client/http.ts'
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
