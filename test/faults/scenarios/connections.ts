/** What befalls connections: silent, reset, half closed, left idle, swallowed, slow. */
import { setTimeout as sleep } from 'node:timers/promises'
import { onlyOver, type Scenario } from '../scenario.ts'
import { atMost, type Harm } from '../stage.ts'

export const frozenPeer: Scenario = {
  name: 'frozen-peer',
  must: 'A peer that is gone without a word is noticed by who reads (10 s poll, 35 s long poll, 45 s streams), and the room resumed.',
  quick: onlyOver({ memory: ['poll'] }),
  async run(stage) {
    const { talkers, listener } = await stage.company()
    await stage.chat(talkers, 5, 20)
    // Between two questions of a poll nothing is under way: the next one is asked on the frozen connection.
    listener.proxy.freeze()
    await stage.chat(talkers, 5, 20)
    talkers[0]?.proxy.freeze()
    await stage.chat(talkers, 5, 20)
  },
}

const stalling: Harm = (random) => (exchange) =>
  exchange.asks === 'read' ? { kind: 'stall', side: 'down', at: 150 + Math.floor(random() * 900), ms: 200 + random() * 500 } : undefined

export const stall: Scenario = {
  name: 'stall',
  must: 'A stream that stands still and goes on, in the midst of an event or a frame, goes on where it stood.',
  quick: onlyOver({ memory: ['sse'] }),
  async run(stage) {
    const { talkers } = await stage.company(stalling)
    await stage.chat(talkers, stage.quick ? 15 : 60, 40)
  },
}

export const blackHole: Scenario = {
  name: 'black-hole',
  must: 'A connection that is accepted and never answered is left (5 s for the first batch of a stream, 10 s for an answer), and another is tried.',
  quick: onlyOver({ memory: ['sse'] }),
  async run(stage) {
    const swallow: Harm = (random) => {
      let swallowed = 0
      return ({ asks }) => (asks === 'read' && ++swallowed <= 2 ? { kind: 'black-hole', reads: random() < 0.5 } : undefined)
    }
    const writer = await stage.join('ann')
    const readers = [await stage.enter('eve', { observe: true, harm: swallow }), await stage.enter('joe', { observe: true, harm: swallow })]
    await stage.chat([writer], 10, 50)
    await Promise.all(readers.map((reader) => reader.live()))
    await stage.chat([writer], 5, 50)
  },
}

export const bufferingProxy: Scenario = {
  name: 'buffering-proxy',
  must: 'Behind a proxy that holds a stream back until it ends, the client goes down to long polling, and says so.',
  unfit: (transport) => (transport === 'sse' || transport === 'websocket' ? undefined : 'an answer that ends is not held back'),
  quick: onlyOver({ memory: ['sse'] }),
  async run(stage) {
    const harm: Harm = () => (exchange) => (/\/(sse|websocket)\b/.test(exchange.path) ? { kind: 'buffer' } : undefined)
    const writer = await stage.join('ann', { transport: 'poll' })
    const reader = await stage.enter('eve', { harm })
    await stage.chat([writer, reader], 5, 50)
    await reader.until('on long polling', () => reader.channel.state.transport === 'long-poll')
    await stage.chat([writer, reader], 5, 50)
  },
}

export const idleKiller: Scenario = {
  name: 'idle-killer',
  must: 'A proxy that cuts what is idle, in a room quieter than that, loses nobody a message.',
  quick: onlyOver({ memory: ['poll', 'long-poll'] }),
  async run(stage) {
    const { talkers } = await stage.company()
    for (const { proxy } of stage.participants) proxy.idleMs = 700
    for (const { proxy } of stage.participants) proxy.cut()
    await stage.chat(talkers, stage.quick ? 4 : 30, 800)
  },
}

/** In the midst of a request, of its answer, or of the head of one. */
const halfClosing =
  (most: number): Harm =>
  (random) =>
    atMost(most, ({ asks, upgrade }) => {
      if (asks === 'other' || (asks === 'read' && random() < 0.3)) return undefined
      const side = random() < 0.5 ? 'up' : 'down'
      return { kind: 'half-close', side, at: Math.floor(random() * (upgrade || asks === 'read' ? 400 : 250)) }
    })

export const halfClose: Scenario = {
  name: 'half-close',
  must: 'A FIN from one side, at any place of a request or an answer, ends that connection and nothing else: it is asked again.',
  quick: onlyOver({ memory: ['poll', 'sse'] }),
  async run(stage) {
    const { talkers } = await stage.company(halfClosing(stage.quick ? 4 : 12), { hurried: true })
    await stage.chat(talkers, stage.quick ? 8 : 40, 60)
  },
}

export const resetStorm: Scenario = {
  name: 'reset-storm',
  busy: true,
  must: 'Many readers are reset in the midst of a burst: they resume, and who was not reset misses nothing.',
  quick: onlyOver({ memory: ['sse', 'websocket'] }),
  async run(stage) {
    const { talkers } = await stage.company()
    const many = await Promise.all(
      Array.from({ length: stage.quick ? 8 : 100 }, (_, index) => stage.join(`reader${index}`, { observe: true })),
    )
    const talking = stage.chat(talkers, stage.quick ? 30 : 150, 20)
    for (let storm = 0; storm < (stage.quick ? 2 : 6); storm++) {
      await sleep(stage.between(100, 300))
      for (const { proxy } of many) if (stage.chance(0.7)) proxy.cut('reset')
    }
    await talking
  },
}

/** Three bytes a character in UTF-8. */
const long = '€'.repeat(4_000)

export const slowReader: Scenario = {
  name: 'slow-reader',
  busy: true,
  must: 'Who does not read is cut by the server and resumes by its cursor; who reads sees everything meanwhile.',
  options: { stallMs: 1_000, keepBytes: 64 * 1024 * 1024, keepMessages: 10_000 },
  quick: onlyOver({}),
  async run(stage) {
    const { talkers } = await stage.company()
    // Not from its first byte: it begins well.
    const slow = await stage.join('slow', {
      observe: true,
      harm: () => {
        let stalled = false
        return ({ asks }) => {
          if (asks !== 'read' || stalled) return undefined
          stalled = true
          return { kind: 'stall', side: 'down', at: 20_000, ms: 4_000 }
        }
      },
    })
    if (stage.transport.endsWith('poll')) slow.leave()
    await stage.chat(talkers, stage.quick ? 300 : 500, 0, (n) => `${n} ${long}`)
    // Polls have one answer at a time to be slow about: one long one.
    if (!stage.transport.endsWith('poll')) return
    slow.proxy.choose = ({ asks, number }) =>
      asks === 'read' && number % 7 === 0 ? { kind: 'stall', side: 'down', at: 20_000, ms: 2_000 } : undefined
    slow.rejoin()
  },
}

export const trimmedReader: Scenario = {
  name: 'trimmed-reader',
  must: 'Who comes back when the room keeps less than they missed is told how many they missed, exactly.',
  options: { keepMessages: 10 },
  quick: onlyOver({ memory: ['long-poll'] }),
  async run(stage) {
    const { talkers, listener } = await stage.company()
    const away = await stage.join('away', { observe: true })
    await stage.chat(talkers, 3, 0)
    await Promise.all(stage.participants.map((each) => each.until('six seen', () => each.channel.counts.delivered >= 6)))
    away.leave()
    stage.harm()
    for (let said = 6; said < 46;) {
      // Fewer than are kept: whoever is here has read them before there are more, however slow the machine.
      await stage.chat(talkers, 4, 0)
      said += 8
      await Promise.all([listener, ...talkers].map((each) => each.until(`${said} seen`, () => each.channel.counts.delivered >= said)))
    }
    away.rejoin()
    stage.dueGap('trimmed', 1, 'away')
  },
}

export const switchStorm: Scenario = {
  name: 'switch-storm',
  busy: true,
  must: 'The transport is toggled again and again while people talk: nothing lost, nothing twice, one order.',
  quick: onlyOver({ memory: ['websocket'], late: ['sse'], file: ['poll'], redis: ['long-poll'] }),
  async run(stage) {
    const { talkers } = await stage.company()
    const all = ['poll', 'long-poll', 'sse', 'websocket'] as const
    const rounds = stage.quick ? 25 : 250
    const storm = async (participant: (typeof talkers)[number]): Promise<void> => {
      for (let turn = 0; turn < rounds; turn++) {
        stage.injections++
        participant.channel.switchTo(all[stage.between(0, 3)] ?? stage.transport)
        // Now and then it is left before the other was there.
        if (stage.chance(0.7)) await participant.live().catch(() => {})
        await sleep(stage.between(0, 30))
        if (turn % 50 === 49) stage.progress(`${turn + 1} of ${rounds} switches of ${participant.name}`)
      }
      participant.channel.switchTo(stage.transport)
    }
    const over = new AbortController()
    const talking = (async () => {
      while (!over.signal.aborted) await stage.chat(talkers, 5, 10)
    })()
    await Promise.all(stage.participants.map(storm))
    over.abort()
    await talking
  },
}
