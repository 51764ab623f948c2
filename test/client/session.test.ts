/** Who we are, where the answer to that is long in coming: a browser out of connections gives none to the question. */
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { node } from '../../src/client/node.ts'
import { eventually } from '../support/answers.ts'
import { Follower } from '../support/follower.ts'
import { startServer, type TestServer } from '../support/server.ts'

let server: TestServer

beforeEach(async () => {
  server = await startServer()
})
afterEach(async () => {
  vi.useRealTimers()
  await server.close()
})

/** A platform with its cookie from before, that lets no question for the session through until it is told to. */
function slow(platform = node()) {
  let release = (): void => {}
  const released = new Promise<void>((resolve) => (release = resolve))
  const asked = { times: 0 }
  const held: typeof platform = {
    ...platform,
    socket: (url) => platform.socket(url),
    fetch: async (url, init) => {
      if (!url.endsWith('/session')) return platform.fetch(url, init)
      asked.times++
      await Promise.race([released, new Promise((_, reject) => init?.signal?.addEventListener('abort', reject))])
      return platform.fetch(url, init)
    },
  }
  return { held, release: () => release(), asked }
}

const patience = async (): Promise<void> => void (await vi.advanceTimersByTimeAsync(3_000))

it('lets a wire open by the cookie that is there, and knows who we are once that is answered', async () => {
  const platform = node()
  const before = new Follower({ url: server.url, room: 'lobby' }, platform)
  await before.live('websocket')
  const { member } = before.channel.state
  before.channel.close()
  const { held, release, asked } = slow(platform)
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  const { channel } = new Follower({ url: server.url, room: 'lobby' }, held)
  await patience()
  vi.useRealTimers()
  await eventually(() => channel.state.status === 'live', 'live without an answer')
  expect(channel.state.member).toBeUndefined()
  expect(await channel.send('as whom the cookie says')).toMatchObject({ seq: 1 })
  release()
  await eventually(() => channel.state.status === 'live' && channel.state.member !== undefined, 'somebody')
  expect(channel.state.member).toEqual(member)
  expect(asked.times).toBe(1)
  channel.close()
})

it('is somebody from then on where there was no cookie either', async () => {
  const { held, release } = slow()
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  const { channel } = new Follower({ url: server.url, room: 'lobby' }, held)
  await patience()
  vi.useRealTimers()
  await eventually(() => channel.state.status === 'live', 'live, reading')
  release()
  await eventually(() => channel.state.status === 'live' && channel.state.member !== undefined, 'somebody')
  expect(await (await fetch(`${server.url}/rooms/lobby/members`)).text()).toContain(channel.state.member?.id)
  channel.close()
})

it('is asked for no more once the channel is closed', async () => {
  const platform = node()
  let asked = 0
  const deaf: typeof platform = {
    ...platform,
    socket: (url) => platform.socket(url),
    // As `fetch` does: rejects at the abort, and at once where it has been.
    fetch: (_url, init) =>
      new Promise((_, reject) => {
        // Who asks without end is stopped, so that there is an end to see.
        if (++asked > 10) return
        if (init?.signal?.aborted) reject(new Error('aborted'))
        init?.signal?.addEventListener('abort', () => reject(new Error('aborted')))
      }),
  }
  const { channel } = new Follower({ url: server.url, room: 'lobby' }, deaf)
  await eventually(() => asked === 1, 'asked')
  channel.close()
  await new Promise(setImmediate)
  expect(asked).toBe(1)
})
