/** Peers that are gone without a word, in a network of their own: no FIN, no RST, no acknowledgement of a byte. */
import { execFileSync } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { now } from '../../../bench/clock.ts'
import { transportNames } from '../../../src/protocol/message.ts'
import type { Cast } from './cast.ts'
import { duration, type Figure, type Line, mebibytes } from './figure.ts'

const perWire = 5
/** All of the contract's numbers as they are: a lease of 60 s and 5 s. */
const watchedMs = 66_000

interface Network {
  /** The server's address in it, and what runs a command on the other side. */
  readonly host: string
  readonly through: readonly string[]
  /** From now on nothing arrives, on neither side. */
  swallow(): void
}

/** Two ends of a cable, one of them in a namespace. Needs root and iproute2. @throws Error where there is neither */
function network(cast: Cast): Network {
  const ip = (...args: readonly string[]): void => void execFileSync('ip', args, { stdio: ['ignore', 'ignore', 'pipe'] })
  const name = `fw${process.pid}`
  const [ours, theirs] = [`${name}a`, `${name}b`]
  const subnet = `10.213.${process.pid % 250}`
  const within = ['-n', name]
  ip('netns', 'add', name)
  cast.also(async () => ip('netns', 'del', name))
  ip('link', 'add', ours, 'type', 'veth', 'peer', 'name', theirs, 'netns', name)
  ip('addr', 'add', `${subnet}.1/24`, 'dev', ours)
  ip('link', 'set', ours, 'up')
  ip(...within, 'addr', 'add', `${subnet}.2/24`, 'dev', theirs)
  ip(...within, 'link', 'set', theirs, 'up')
  ip(...within, 'link', 'set', 'lo', 'up')
  const nobody = ['lladdr', '02:00:00:00:00:99', 'nud', 'permanent']
  return {
    host: `${subnet}.1`,
    through: ['ip', 'netns', 'exec', name],
    swallow() {
      ip('neigh', 'replace', `${subnet}.2`, ...nobody, 'dev', ours)
      ip(...within, 'neigh', 'replace', `${subnet}.1`, ...nobody, 'dev', theirs)
    },
  }
}

export const blackHole: Figure = {
  name: 'black-hole',
  asks: 'Peers whose network swallows everything are noticed on both sides: sockets within 30 s by the server, every wire within 45 s by the client.',
  how: `members in a network namespace, behind addresses that nobody has; the contract's own times, a busy room; ${watchedMs / 1_000} s are watched`,
  limitSeconds: 110,
  beside: 'matrix',
  async measure(cast, say) {
    let net: Network
    try {
      net = network(cast)
    } catch (error) {
      const why = (error as Error).message.split('\n').at(-1) ?? ''
      return [{ what: 'a black hole', asked: '< 30 s, < 45 s', measured: `no network namespace can be made here: ${why}`, holds: false }]
    }
    const { process: server, port, url } = await cast.serve({ host: net.host })
    // One crowd of bare sockets, for what the server notices; and clients, for what they notice.
    const [crowd, people] = [cast.crowd(net.through), cast.people(net.through)]
    for (const wire of transportNames) await crowd.ask('join', { port, host: net.host, wire, readers: perWire, rooms: 1, members: true })
    await people.ask('enter', { url, room: 'room0', people: 4 * perWire })
    await people.ask('watchReturns')
    const before = await server.ask('rss')
    net.swallow()
    const swallowed = now()
    const gone = new Map<string, number>()
    const saying = server.ask('say', url, 'room0', 2_000, 1_000)
    saying.catch(() => {})
    while (now() < swallowed + watchedMs) {
      await sleep(250)
      const held = await server.ask('wires')
      for (const [wire, count] of Object.entries(held)) if (count === 0 && !gone.has(wire)) gone.set(wire, now() - swallowed)
      say(`${Math.round((now() - swallowed) / 1_000)} of ${watchedMs / 1_000} s`)
    }
    const lost = (await people.ask('returns')).lost.map((at) => at - swallowed)
    const rss = await server.ask('rss')
    const left = await server.ask('list', url, 'room0')
    const line = (what: string, asked: string, ms: number | undefined, mostMs: number): Line => ({
      what,
      asked,
      measured: ms === undefined ? `not within ${watchedMs / 1_000} s` : duration(ms),
      holds: ms !== undefined && ms <= mostMs,
    })
    return [
      line('the server ends the last WebSocket', '30 s of silence, and a tick', gone.get('websocket'), 30_500),
      line('the server ends the last long poll', '≤ wait + 10 s (it is answered: somebody speaks)', gone.get('long-poll'), 35_500),
      {
        what: 'members on a stream listed after lease + 5 s',
        asked: '0',
        measured: String(left.filter((wire) => wire === 'sse' || wire === 'websocket').length),
        holds: !left.some((wire) => wire === 'sse' || wire === 'websocket'),
      },
      line('the last client notices', '≤ 45 s', lost.length < 4 * perWire ? undefined : Math.max(...lost), 45_500),
      {
        what: 'memory meanwhile, in a room of 2 MB',
        asked: 'bounded',
        measured: `${mebibytes(rss - before)} more`,
        holds: rss - before < 64 * 2 ** 20,
      },
    ]
  },
}
