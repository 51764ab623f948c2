/** The process of a swarm: members that read and are there, a quarter of them on each wire. Started by swarm.ts. */
import { type Channel, connect, transportNames } from '../client/node.ts'
import type { SwarmNews, SwarmOrder } from './swarm.ts'

/** They come one by one, so many ms apart: a crowd, not a storm. */
const apartMs = 5
/** How many are live is told at most so often, in ms. */
const tellMs = 100

const channels: Channel[] = []
let order: SwarmOrder | undefined
let coming: NodeJS.Timeout | undefined
let told = -1

const isLive = ({ state: { status, transport, wanted } }: Channel): boolean => status === 'live' && transport === wanted

function enter({ url, key, room }: SwarmOrder): Channel {
  const number = channels.length + 1
  const transport = transportNames[number % transportNames.length] ?? 'websocket'
  return connect({ url, room, transport, name: `Synthetic ${number}`, headers: { authorization: `Bearer ${key}` } })
}

/** Towards what was ordered: who is too many goes at once, who is missing comes in turn. */
function obey(next: SwarmOrder): void {
  if (order !== undefined && (order.room !== next.room || order.url !== next.url)) for (const channel of channels.splice(0)) channel.close()
  order = next
  for (const channel of channels.splice(next.members)) channel.close()
  clearInterval(coming)
  coming = setInterval(() => {
    if (channels.length < next.members) channels.push(enter(next))
    else clearInterval(coming)
  }, apartMs)
}

function tell(): void {
  const live = channels.filter(isLive).length
  if (live === told) return
  told = live
  process.send?.({ live } satisfies SwarmNews, undefined, {}, () => {})
}

process.on('message', (message) => obey(message as SwarmOrder))
// Whoever started it is gone, however it went.
process.on('disconnect', () => process.exit())
process.on('SIGTERM', () => process.exit())
// Ctrl-C in a terminal reaches it too: the server sends it away in its turn.
process.on('SIGINT', () => {})
setInterval(tell, tellMs)
