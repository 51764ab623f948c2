/** A part of those who come and go in a soak, in a process of its own, which may be killed with all of them. */
import { answer } from '../../bench/processes.ts'
import { seededRandom } from '../../bench/statistics.ts'
import { type Channel, connect } from '../../src/client/node.ts'
import { parseCursor } from '../../src/protocol/cursor.ts'
import { type TransportName, transportNames } from '../../src/protocol/message.ts'

export interface AudienceSetup {
  readonly url: string
  readonly clients: number
  readonly rooms: number
  readonly seed: number
  /** How long a client stays, and how long it is silent between two messages, in ms and on the average. */
  readonly stayMs: number
  readonly silentMs: number
}

export interface Attendance {
  readonly live: number
  readonly delivered: number
  /** Clients that came, left by themselves, and changed their wire. */
  readonly came: number
  readonly left: number
  readonly switched: number
  readonly gaps: number
  /** Messages that did not follow the one before, and no gap said so. */
  readonly lost: number
}

const counts = { delivered: 0, came: 0, left: 0, switched: 0, gaps: 0, lost: 0 }
const channels = new Set<Channel>()
let random = Math.random

/** Exponential: without memory, as people are who come and go. */
const drawMs = (averageMs: number): number => -Math.log(1 - random()) * averageMs
const drawTransport = (): TransportName => transportNames[Math.floor(random() * transportNames.length)] ?? 'poll'

/** Somebody comes, says something now and then, and goes over to another wire, or leaves: then somebody else comes. */
function enter(setup: AudienceSetup): void {
  const room = `room-${Math.floor(random() * setup.rooms)}`
  const channel = connect({ url: setup.url, room, transport: drawTransport() })
  channels.add(channel)
  counts.came++
  let [next, covered] = [0, true]
  channel.on('gap', () => {
    counts.gaps++
    covered = true
  })
  channel.on('message', ({ seq }) => {
    counts.delivered++
    if (!covered && seq !== next) counts.lost++
    next = seq + 1
    covered = false
  })
  channel.on('batch', ({ cursor, messages }) => {
    // Where an empty room begins.
    if (messages.length === 0 && covered) [next, covered] = [(parseCursor(cursor)?.seq ?? 0) + 1, false]
  })
  const speak = (): void => {
    if (channel.closed.aborted) return
    channel.send(`it is ${new Date().toISOString()}`).catch(() => {})
    setTimeout(speak, drawMs(setup.silentMs))
  }
  setTimeout(speak, drawMs(setup.silentMs))
  const decide = (): void => {
    if (random() < 0.5) {
      counts.switched++
      channel.switchTo(drawTransport())
      setTimeout(decide, drawMs(setup.stayMs))
      return
    }
    counts.left++
    channels.delete(channel)
    channel.close()
    enter(setup)
  }
  setTimeout(decide, drawMs(setup.stayMs))
}

const methods = {
  /** So many come within a second. */
  open(setup: AudienceSetup): void {
    random = seededRandom(setup.seed)
    for (let client = 0; client < setup.clients; client++) setTimeout(() => enter(setup), random() * 1_000)
  },
  attendance(): Attendance {
    return { ...counts, live: [...channels].filter(({ state }) => state.status === 'live').length }
  },
}
export type AudienceMethods = typeof methods

answer(methods)
