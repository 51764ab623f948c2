/** What the server promises holds behind the tap too: the suites that a connection in between could break, over again. */
import { expect, test } from 'vitest'
import { standard, startServer } from '../support/server.ts'

standard.lab = true

await import('../server/drain.test.ts')
await import('../server/held.test.ts')
await import('../server/malformed.test.ts')
await import('../server/slow-reader.test.ts')
await import('../wire/poll.test.ts')
await import('../wire/sse.test.ts')
await import('../wire/websocket.test.ts')

test('all of these were behind the tap', async () => {
  await using server = await startServer()
  const names: string[] = []
  server.app.server.on('connection', (socket) => names.push(socket.constructor.name))
  await (await fetch(`${server.url}/healthz`)).text()
  expect(names).toEqual(['TappedSocket'])
})
