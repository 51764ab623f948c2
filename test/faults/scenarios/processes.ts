/** What befalls the processes: the server, its store, and one of two servers. */
import { setTimeout as sleep } from 'node:timers/promises'
import { onlyOver, type Scenario } from '../scenario.ts'
import type { Stage } from '../stage.ts'
import { stores } from '../stores.ts'

const notShared = 'one process owns it'

/** A server whose store dies with it tells of another log; from one that outlives it nobody hears a gap. */
const dueAfterRestart = (stage: Stage, times: number): void => {
  if (!stage.survives) stage.dueGap('epoch', times)
}

async function goDown(stage: Stage, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  const code = await stage.host.end?.(signal)
  if (signal === 'SIGTERM' && code !== 0) throw new Error(`the server ended with ${code} on ${signal}`)
}

/** Ends the server in the midst of talking, once, and begins again at its port. */
const ending =
  (signal: 'SIGTERM' | 'SIGKILL', quiet: boolean) =>
  async (stage: Stage): Promise<void> => {
    const { talkers } = await stage.company()
    await stage.chat(talkers, 5, 20)
    if (quiet) await Promise.all(stage.participants.map((each) => each.until('all is read', () => each.channel.counts.delivered >= 10)))
    const talking = quiet ? Promise.resolve() : stage.chat(talkers, stage.quick ? 20 : 100, 20)
    if (!quiet) await sleep(stage.between(50, 200))
    await goDown(stage, signal)
    dueAfterRestart(stage, 1)
    await stage.serveAgain()
    stage.harm()
    await talking
    await stage.chat(talkers, 5, 20)
  }

export const restart: Scenario = {
  name: 'restart',
  must: 'A server that ends and begins again: on memory everybody is told the gap "epoch" once, on a store that outlives it nobody is told anything.',
  ownProcess: true,
  options: { drainMs: 200 },
  quick: onlyOver({ memory: ['websocket'], file: ['sse'] }),
  run: ending('SIGTERM', true),
}

export const kill9: Scenario = {
  name: 'kill-9',
  must: 'Killed while people talk: on memory the gap "epoch" once; on a store that outlives it no gap, and all that was acknowledged.',
  ownProcess: true,
  quick: onlyOver({ memory: ['poll'], file: ['websocket'], redis: ['sse'] }),
  run: ending('SIGKILL', false),
}

export const drain: Scenario = {
  name: 'drain',
  must: 'SIGTERM under load: publishes in flight are answered, everybody is sent away, exit 0; what was acknowledged is there or told of.',
  ownProcess: true,
  options: { drainMs: 1_000 },
  quick: onlyOver({ memory: ['long-poll'] }),
  run: ending('SIGTERM', false),
}

export const rollback: Scenario = {
  name: 'rollback',
  must: 'A store that is restored from an older copy, and uses its numbers again, is told as a gap, never silent.',
  ownProcess: true,
  unfit: (_transport, store) => (store === 'memory' || store === 'late' ? 'nothing is left to restore' : undefined),
  quick: onlyOver({ file: ['sse'], redis: ['poll'] }),
  async run(stage) {
    const { talkers } = await stage.company()
    await stage.chat(talkers, 5, 20)
    await stage.backing.copy?.()
    await stage.chat(talkers, 4, 20)
    await Promise.all(stage.participants.map((each) => each.until('all is read', () => each.channel.counts.delivered >= 18)))
    await goDown(stage, 'SIGKILL')
    await stage.backing.rollBack?.()
    for (const { proxy } of stage.participants) proxy.away = true
    await stage.serveAgain()
    stage.harm()
    for (const { name } of stage.participants) stage.dueGap('rollback', 1, name)
    // Past the number that they stand at, before they are back: the numbers alone would say that nothing is missing.
    const other = await stage.join('joe')
    await stage.chat([other], 12, 0)
    for (const { proxy } of stage.participants) proxy.away = false
    await stage.chat(talkers, 5, 20)
  },
}

export const twoNodes: Scenario = {
  name: 'two-nodes-one-killed',
  must: 'One of two servers on one store is killed: its clients go on at the other, without a gap.',
  ownProcess: true,
  unfit: (_transport, store) => (stores[store].shared ? undefined : notShared),
  quick: onlyOver({ redis: ['websocket'] }),
  async run(stage) {
    const { talkers, listener } = await stage.company()
    const first = stage.host
    await using other = await stage.serveBeside()
    for (const { proxy } of [talkers[0], listener].flatMap((each) => each ?? [])) {
      proxy.to = other.port
      proxy.cut()
    }
    await stage.chat(talkers, 10, 20)
    const talking = stage.chat(talkers, stage.quick ? 20 : 100, 20)
    await sleep(stage.between(50, 200))
    await first.end?.('SIGKILL')
    for (const { proxy } of stage.participants) proxy.to = other.port
    stage.host = other
    stage.harm()
    await talking
    await stage.chat(talkers, 5, 20)
    await stage.settle()
  },
}

export const storeStopped: Scenario = {
  name: 'redis-stopped',
  must: 'A store that stands still for seconds: publishes are answered 503 or later, streams stay open, and all catch up.',
  ownProcess: true,
  unfit: (_transport, store) => (store === 'redis' ? undefined : 'there is no other process to stop'),
  quick: onlyOver({ redis: ['long-poll'] }),
  async run(stage) {
    const { talkers } = await stage.company()
    await stage.chat(talkers, 5, 20)
    stage.backing.stop?.()
    const talking = stage.chat(talkers, 10, 20)
    await sleep(stage.quick ? 3_000 : 10_000)
    stage.backing.cont?.()
    stage.harm()
    await talking
    await stage.chat(talkers, 5, 20)
  },
}
