/** What befalls single answers: lost, late, out of order, twice, or another's. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Exchange, Fault } from '../../support/fault.ts'
import { onlyOver, type Scenario } from '../scenario.ts'
import { atMost, type Harm } from '../stage.ts'

/** On a stream an answer has no end: what it loses is cut off before the piece with the next message. */
const isStream = ({ path }: Exchange): boolean => /\/(sse|websocket)\b/.test(path)

/** So many harms for each participant, so that everybody gets through at last. A stream is asked for seldom: each time then. */
const harms = (quick: boolean): number => (quick ? 2 : 8)

const lostReads =
  (most: number): Harm =>
  (random) =>
    atMost(most, (exchange) => {
      const how = random() < 0.5 ? 'end' : 'reset'
      if (exchange.asks !== 'read') return undefined
      if (isStream(exchange)) return { kind: 'cut-before', text: '"seq":', how }
      return random() < 0.35 ? { kind: 'drop-reply', how } : undefined
    })

export const lostResponse: Scenario = {
  name: 'lost-response',
  must: 'A batch that was written and never arrived is sent again from the cursor: shown once.',
  quick: onlyOver({ memory: ['poll', 'long-poll', 'sse', 'websocket'], late: ['long-poll'] }),
  async run(stage) {
    const { talkers } = await stage.company(lostReads(harms(stage.quick)), { hurried: true })
    await stage.chat(talkers, stage.quick ? 12 : 60, 40)
  },
}

const lostAcks =
  (most: number): Harm =>
  (random) =>
    atMost(most, (exchange) => {
      const how = random() < 0.5 ? 'end' : 'reset'
      if (exchange.asks === 'publish') return random() < 0.5 ? { kind: 'drop-reply', how } : undefined
      return exchange.upgrade ? { kind: 'cut-before', text: '"type":"ack"', how } : undefined
    })

export const lostAcknowledgement: Scenario = {
  name: 'lost-acknowledgement',
  must: 'What was published and not acknowledged is sent again with its id, and stands in the log once.',
  quick: onlyOver({ memory: ['poll', 'websocket'], late: ['poll'] }),
  async run(stage) {
    const { talkers } = await stage.company(lostAcks(harms(stage.quick)), { hurried: true })
    await stage.chat(talkers, stage.quick ? 5 : 25, 10)
  },
}

export const duplicatedRequest: Scenario = {
  name: 'duplicated-request',
  must: 'A publish that reaches the server twice stands in the log once, and a question asked twice changes nothing.',
  unfit: (transport) => (transport === 'websocket' ? 'a frame on a connection comes once; its repeat is lost-acknowledgement' : undefined),
  quick: onlyOver({ memory: ['poll'] }),
  async run(stage) {
    const harm: Harm = (random) => (exchange) =>
      !isStream(exchange) && (exchange.asks === 'publish' || random() < 0.3) ? { kind: 'duplicate' } : undefined
    const { talkers } = await stage.company(harm)
    await stage.chat(talkers, stage.quick ? 20 : 100, 5)
  },
}

/** Answers wait for a drawn time while other connections' pass: acks before batches, old wires after new ones. */
const held: Harm = (random) => () => (random() < 0.7 ? { kind: 'hold', until: sleep(random() * 300) } : undefined)

export const reorderedAnswers: Scenario = {
  name: 'reordered-answers',
  must: 'An old answer that comes after a newer one, on a wire that is being left, moves nothing back and shows nothing twice.',
  quick: onlyOver({ memory: ['poll', 'long-poll'] }),
  async run(stage) {
    const { talkers, listener } = await stage.company(held)
    const others = ['poll', 'long-poll', 'sse', 'websocket'] as const
    const talking = stage.chat(talkers, stage.quick ? 15 : 60, 60)
    for (let turn = 0; turn < (stage.quick ? 10 : 40); turn++) {
      listener.channel.switchTo(others[stage.between(0, 3)] ?? stage.transport)
      await sleep(stage.between(0, 150))
    }
    listener.channel.switchTo(stage.transport)
    await talking
  },
}

const html = '<!doctype html><title>502</title><h1>Bad gateway</h1>'
const badGateway = `HTTP/1.1 502 Bad Gateway\r\nContent-Type: text/html\r\nContent-Length: ${html.length}\r\nConnection: close\r\n\r\n${html}`

export const html502: Scenario = {
  name: 'html-502',
  must: "A proxy's page instead of an answer is no answer: it is asked and said again, and nothing is shown of it.",
  quick: onlyOver({ memory: ['poll', 'websocket'] }),
  async run(stage) {
    const page: Fault = { kind: 'page', bytes: badGateway }
    const most = stage.quick ? 3 : 12
    const { talkers } = await stage.company(undefined, { hurried: true })
    const talking = stage.chat(talkers, stage.quick ? 6 : 30, 100)
    for (const { proxy } of stage.participants) {
      proxy.choose = atMost(most, ({ asks }) => (asks !== 'other' && stage.chance(0.6) ? page : undefined))
      // Streams have been asked for already: they ask again.
      proxy.cut()
    }
    await talking
  },
}

const letters = ['🙂', '👩‍👩‍👧', 'é', 'ß', '漢', '𝔘', '🇩🇪', 'עברית', 'ไทย']

export const splitUtf8: Scenario = {
  name: 'split-utf8',
  busy: true,
  must: 'Single bytes, each in a packet of its own, are put together again: every character, every frame, every event.',
  quick: onlyOver({ memory: ['sse', 'websocket'] }),
  async run(stage) {
    const harm: Harm =
      () =>
      ({ upgrade, asks }) => {
        if (upgrade) return { kind: 'split' }
        if (asks === 'read') return { kind: 'split', side: 'down' }
        return asks === 'publish' ? { kind: 'split', side: 'up' } : undefined
      }
    const { talkers } = await stage.company(harm)
    const text = (n: number): string => `${n} ${Array.from({ length: 8 }, () => letters[stage.between(0, letters.length - 1)]).join('')}`
    // Each byte is a turn of both event loops: the first of a stream are as good as the next thousand.
    await stage.chat(talkers, stage.quick ? 2 : 40, 50, text)
  },
}

export const jitter: Scenario = {
  name: 'jitter',
  must: 'Bytes that come late, each piece by another time, come in order.',
  quick: onlyOver({ late: ['long-poll'] }),
  async run(stage) {
    const { talkers } = await stage.company((random) => () => ({
      kind: 'delay',
      side: random() < 0.5 ? 'up' : 'down',
      ms: () => random() * 80,
    }))
    await stage.chat(talkers, stage.quick ? 10 : 60, 20)
  },
}
