/** The process with its rooms in Redis: what it needs at the start, and what is left when one of two is killed. */
import { expect, it } from 'vitest'
import { Follower } from '../support/follower.ts'
import { listening, run } from '../support/process.ts'
import { member, postRaw } from '../support/server.ts'
import { sharedRedis } from '../support/shared-redis.ts'

const redis = sharedRedis()
const secret = ['--session-secret', 'shared by all of the nodes']

it('says in one sentence what is missing at the start, and exits with 1: a secret, a Redis', async () => {
  const refusal = async (...args: readonly string[]): Promise<readonly [number | null, string, string]> => {
    const { exited, output } = run('--port', '0', '--store', 'redis', ...args)
    return [(await exited).code, output.stdout, output.stderr] as const
  }
  const [secretless, away] = await Promise.all([refusal('--redis', redis.server.url), refusal('--redis', 'redis://127.0.0.1:1', ...secret)])
  expect(secretless).toEqual([1, '', '--store redis needs the secret that all its processes share: set SESSION_SECRET\n'])
  expect(away).toEqual([
    1,
    '',
    'The Redis at redis://127.0.0.1:1 does not answer (connect ECONNREFUSED 127.0.0.1:1): start it, or name another.\n',
  ])
})

it('loses nothing of what it acknowledged when it is killed amid publishing: who was on it goes on with another', async () => {
  const at = ['--store', 'redis', '--redis', redis.server.url, ...secret, '--publishes-per-second', '0', '--max-lag-ms', '60000']
  const [doomed, other] = await Promise.all([listening(...at), listening(...at)])
  const { cookie } = await member(doomed.url, 'Ann')
  using reader = new Follower({ url: doomed.url, room: 'lobby', transport: 'sse', observe: true, since: 'earliest' })
  await reader.live()
  const publish = (url: string, n: number): Promise<number> =>
    postRaw(url, 'lobby', cookie, JSON.stringify({ id: `message-${n}`, text: `${n}` })).then(
      ({ status }) => status,
      () => 0,
    )
  const acked: number[] = []
  const unsure: number[] = []
  await Promise.all(
    Array.from({ length: 4 }, async (_, writer) => {
      for (let n = writer * 1000; n < writer * 1000 + 40; n++) {
        if ((await publish(doomed.url, n)) === 201) acked.push(n)
        else unsure.push(n)
        if (acked.length === 60) doomed.child.kill('SIGKILL')
      }
    }),
  )
  expect(unsure.length).toBeGreaterThan(0)
  // What nobody answered is sent again, under the same id, to whoever is there.
  for (const n of unsure) expect([200, 201]).toContain(await publish(other.url, n))
  const { cursor, counts } = reader.channel
  using resumed = new Follower({ url: other.url, room: 'lobby', transport: 'websocket', observe: true, since: cursor ?? 'earliest' })
  await resumed.count(160 - reader.seen.length)
  const texts = [...reader.texts, ...resumed.texts]
  expect([...reader.seqs, ...resumed.seqs]).toEqual(Array.from({ length: 160 }, (_, index) => index + 1))
  expect(new Set(texts).size).toBe(160)
  for (const n of acked) expect(texts).toContain(`${n}`)
  expect([...reader.gaps, ...resumed.gaps, counts.repeats]).toEqual([0])
})
