import { randomBytes } from 'node:crypto'
import { request } from 'node:http'
import { expect, it } from 'vitest'
import { acceptSteps, headerIn } from '../../src/page/wire/accept.ts'
import { startServer } from '../support/server.ts'

it('computes the example of RFC 6455, 1.3', () => {
  const { joined, digest, accept } = acceptSteps('dGhlIHNhbXBsZSBub25jZQ==')
  expect(joined).toBe('dGhlIHNhbXBsZSBub25jZQ==258EAFA5-E914-47DA-95CA-C5AB0DC85B11')
  expect(Buffer.from(digest).toString('hex')).toBe('b37a4f2cc0624f1690f64606cf385945b2bec4ea')
  expect(accept).toBe('s3pPLMBiTxaQ9kYGzzhZRbK+xOo=')
})

/** What the server answers to this key. */
function answerTo(port: number, key: string): Promise<string | string[] | undefined> {
  return new Promise((resolve, reject) => {
    const headers = { connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-version': '13', 'sec-websocket-key': key }
    const asked = request({ host: '127.0.0.1', port, path: '/rooms/accept/websocket', headers })
    asked.on('error', reject)
    asked.on('response', ({ statusCode }) => reject(new Error(`answered ${statusCode}`)))
    asked.on('upgrade', (response, socket) => {
      socket.destroy()
      resolve(response.headers['sec-websocket-accept'])
    })
    asked.end()
  })
}

it('says what the server answers, on 100 random keys', async () => {
  await using server = await startServer()
  const keys = Array.from({ length: 100 }, () => randomBytes(16).toString('base64'))
  const answers = await Promise.all(keys.map((key) => answerTo(server.port, key)))
  expect(answers).toEqual(keys.map((key) => acceptSteps(key).accept))
})

it('finds a header in a head, in any case, without the space around it', () => {
  const head = Buffer.from('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nsec-websocket-ACCEPT:  abc= \r\n\r\n')
  expect(headerIn(head, 'Sec-WebSocket-Accept')).toBe('abc=')
  expect(headerIn(head, 'sec-websocket-key')).toBeUndefined()
})
