/** Synthetic members: a process of their own, the real client on all four wires, gone without a trace. */
import { expect, onTestFinished, test } from 'vitest'
import { Swarm } from '../../src/server/swarm.ts'
import { eventually } from '../support/answers.ts'
import { hallOf, key, setHall } from '../support/presenter.ts'
import { listening } from '../support/process.ts'
import { startServer } from '../support/server.ts'

interface Listed {
  readonly id: string
  readonly name: string
  readonly wires: readonly { readonly transport: string }[]
}
const membersOf = async (url: string, room: string): Promise<readonly Listed[]> =>
  (await (await fetch(`${url}/rooms/${room}/members`)).json()) as Listed[]

function runs(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

test('twenty of them are in the room by name, five on each wire; they move, become fewer, and none leaves no process', async () => {
  await using server = await startServer({ leaseGraceMs: 50, membersMs: 50, drainMs: 0 })
  let news = 0
  const log = { info: () => {}, warn: () => {} }
  const swarm = new Swarm(
    () => ({ url: server.url, key }),
    () => news++,
    log,
  )
  onTestFinished(() => swarm.end())
  swarm.set({ members: 20, room: 'r' })
  const { pid = 0 } = swarm
  await eventually(() => swarm.live === 20, 'all are live', 15_000)
  expect(news).toBeGreaterThan(0)
  const members = await membersOf(server.url, 'r')
  expect(new Set(members.map(({ name }) => name))).toEqual(new Set(Array.from({ length: 20 }, (_, index) => `Synthetic ${index + 1}`)))
  const wires = members.map((each) => each.wires.map(({ transport }) => transport).join())
  for (const transport of ['poll', 'long-poll', 'sse', 'websocket']) expect(wires.filter((one) => one === transport)).toHaveLength(5)

  swarm.set({ members: 4, room: 'other' })
  await eventually(() => swarm.live === 4, 'fewer are live', 15_000)
  expect(await membersOf(server.url, 'other')).toHaveLength(4)
  expect([swarm.pid, runs(pid)]).toEqual([pid, true])

  swarm.set({ members: 0, room: 'other' })
  await swarm.end()
  expect([swarm.pid, swarm.live, runs(pid)]).toEqual([undefined, 0, false])
  await eventually(async () => (await server.connections()) === 0, 'their wires are gone', 15_000)
})

test('they are the presenter’s to order, have their names where others’ are drawn, and die with the server, however it dies', async () => {
  const { child, url, output, exited } = await listening('--presenter-key', key, '--generated-names')
  await setHall({ url }, { swarm: { members: 4, room: 'r' } })
  await eventually(async () => (await hallOf({ url })).swarm.live === 4, 'all are live', 15_000)
  expect((await hallOf({ url })).swarm).toEqual({ members: 4, room: 'r', live: 4 })
  expect((await membersOf(url, 'r')).map(({ name }) => name).toSorted()).toEqual([1, 2, 3, 4].map((number) => `Synthetic ${number}`))
  expect((await hallOf({ url })).joined).toBe(0)
  const pid = Number(/"swarm":(\d+)/.exec(output.stdout)?.[1])
  expect(runs(pid)).toBe(true)
  child.kill('SIGKILL')
  await exited
  await eventually(() => !runs(pid), 'the swarm is gone too', 15_000)
})
