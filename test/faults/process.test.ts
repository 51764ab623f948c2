/** What happens to a process from outside: it is stopped, starved of descriptors, cut off from its log, told to go while it begins. */
import { execFileSync } from 'node:child_process'
import { connect, type Socket } from 'node:net'
import { onTestFinished, expect, test } from 'vitest'
import { eventually } from '../support/answers.ts'
import { listening, run } from '../support/process.ts'
import { ask, RawClient, request } from '../support/raw-client.ts'
import { frame, opcodes, RawWebSocket } from '../support/raw-websocket.ts'
import { member } from '../support/server.ts'

/** Answers pings, as a healthy client does; resolves after so many. @throws Error where the socket is over */
async function answerPings(socket: RawWebSocket, pings: number): Promise<void> {
  for (let left = pings; left > 0;) {
    const { opcode, payload } = await socket.frame()
    if (opcode !== opcodes.ping) continue
    socket.send(frame(payload, { opcode: opcodes.pong }))
    left--
  }
}

test('a process that was stopped for longer than a WebSocket may be silent cuts none of them when it goes on', async () => {
  const { child, port } = await listening('--ping-ms', '200', '--silent-ms', '1500')
  const sockets = await Promise.all([1, 2, 3, 4].map(() => RawWebSocket.open(port, '/rooms/r/websocket')))
  await Promise.all(sockets.map((socket) => socket.text()))
  child.kill('SIGSTOP')
  await new Promise((resolve) => setTimeout(resolve, 2_500))
  child.kill('SIGCONT')
  // As many pings as would come within the time that they may be silent.
  await Promise.all(sockets.map((socket) => answerPings(socket, 8)))
  expect(sockets.map(({ client }) => client.over)).toEqual([false, false, false, false])
  for (const socket of sockets) socket.client.destroy()
})

test('a process without descriptors left goes on for those who are here, lives, and lets others in when there are some again', async () => {
  const { child, port, url } = await listening()
  const { cookie } = await member(url)
  using author = await RawWebSocket.open(port, '/rooms/r/websocket', { cookie })
  await author.text()
  using reader = await RawClient.connect(port)
  await reader.send(request(port, 'GET /rooms/r/sse')).head()
  await reader.chunk()
  await reader.chunk()
  const limit = String(
    execFileSync('ls', [`/proc/${child.pid}/fd`])
      .toString()
      .trim()
      .split('\n').length + 8,
  )
  execFileSync('prlimit', ['--pid', String(child.pid), `--nofile=${limit}:`])
  const crowd: Socket[] = Array.from({ length: 40 }, () => connect(port, '127.0.0.1').on('error', () => {}))
  onTestFinished(() => crowd.forEach((socket) => socket.destroy()))
  let answered = 0
  for (const socket of crowd) socket.once('data', () => answered++).write(request(port, 'GET /healthz'))
  await eventually(() => answered > 0, 'some are let in')
  author.sendJson({ type: 'publish', id: 'in-the-crowd', text: 'still here' })
  let told = ''
  while (!told.includes('still here')) told = String(await reader.chunk())
  expect(answered).toBeLessThan(crowd.length)
  expect([child.exitCode, child.signalCode]).toEqual([null, null])
  for (const socket of crowd) socket.destroy()
  await eventually(async () => {
    const answer = await ask(port, request(port, 'GET /rooms/r/poll')).catch(() => undefined)
    return answer?.status === 200
  }, 'who comes later is let in')
})

test('a process whose log nobody reads any more goes on, and ends as it should', async () => {
  const { child, port, url, exited } = await listening('--log-level', 'trace', '--drain-ms', '0')
  child.stdout?.destroy()
  child.stderr?.destroy()
  const { cookie } = await member(url)
  using socket = await RawWebSocket.open(port, '/rooms/r/websocket', { cookie })
  await socket.text()
  socket.sendJson({ type: 'publish', id: 'into-the-dark', text: 'hi' })
  while (!(await socket.text()).includes('"ack"'));
  expect((await ask(port, 'GET /%zz HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n')).status).toBe(400)
  // What it says of this goes nowhere.
  child.kill('SIGTERM')
  expect(await exited).toMatchObject({ code: 0, signal: null })
})

test.each([0, 150, 'open'] as const)('SIGTERM while it starts (%s) ends it at once, without a complaint', async (when) => {
  const { child, exited, output } = run('--host', '127.0.0.1', '--port', '0')
  if (when === 'open') await eventually(() => output.stdout.includes('open http'), 'it listens', 15_000)
  else await new Promise((resolve) => setTimeout(resolve, when))
  child.kill('SIGTERM')
  const { code, signal } = await exited
  // Before it has taken over the signal, the system ends it.
  expect([code === 0, signal === 'SIGTERM']).toContain(true)
  expect(output.stderr).not.toMatch(/Error|\bat .*:\d+:\d+/)
})
