/** Who is here, by which wire, and how we know: what the wire told of members, joined with what the lab knows of each. Pure. */
import type { PresentMember, TransportName } from '../../client/index.ts'
import type { ListedWire, MembersAnswer } from '../../lab/events.ts'
import { transportNames } from '../../protocol/message.ts'
import { count, duration, seconds } from '../units.ts'
import { wires } from '../wires.ts'

/** One wire of a member. `silent`: not heard for more than half of what its last sign proves. */
export interface Held {
  readonly transport: TransportName
  readonly silent: boolean
  /** How we know; empty where nobody told us. */
  readonly proof: string
}

export interface Row {
  readonly id: string
  readonly name: string
  readonly own: boolean
  /** All of its wires are: it may be gone. */
  readonly silent: boolean
  readonly wires: readonly Held[]
}

export interface Attendance {
  readonly rows: readonly Row[]
  /** Members beyond those rows. */
  readonly others: number
}

/** What the lab answered, and how long ago, in ms. */
export interface Evidence {
  readonly list: ReadonlyMap<string, readonly ListedWire[]>
  readonly ageMs: number
}

export const evidenceOf = ({ list }: MembersAnswer): Evidence['list'] => new Map(list.map((each) => [each.id, each.wires]))

/** So many rows are shown at the most. */
export const mostRows = 200

const collator = new Intl.Collator('en', { numeric: true })

/** Ours first, the others by name: a row stays where it is while its seconds run. */
export const inOrder = (members: readonly PresentMember[], own: string | undefined): readonly PresentMember[] =>
  members.toSorted((a, b) => Number(b.id === own) - Number(a.id === own) || collator.compare(a.name, b.name) || (a.id < b.id ? -1 : 1))

export function attendance(ordered: readonly PresentMember[], own: string | undefined, evidence?: Evidence): Attendance {
  const rows = ordered.slice(0, mostRows).map((member) => rowOf(member, member.id === own, evidence))
  return { rows, others: ordered.length - rows.length }
}

function rowOf({ id, name, wires: told }: PresentMember, own: boolean, evidence: Evidence | undefined): Row {
  const heard = evidence?.list.get(id)
  const held = told.map((transport) =>
    heldOf(
      transport,
      heard?.find((wire) => wire.transport === transport),
      evidence?.ageMs ?? 0,
    ),
  )
  if (evidence === undefined || heard !== undefined) return { id, name, own, silent: held.every(({ silent }) => silent), wires: held }
  // The lab is a second ahead of the wire, and more where the wire is in trouble.
  return {
    id,
    name,
    own,
    silent: true,
    wires: held.map((wire) => ({ ...wire, silent: true, proof: 'has left; this wire is yet to say so' })),
  }
}

function heldOf(transport: TransportName, heard: ListedWire | undefined, ageMs: number): Held {
  if (heard === undefined) return { transport, silent: false, proof: '' }
  const seenMs = heard.seenMs + ageMs
  const silent = seenMs > heard.leaseMs / 2
  return { transport, silent, proof: silent ? silence(seenMs, heard.leaseMs) : proofs[transport](ago(seenMs)) }
}

const silence = (seenMs: number, leaseMs: number): string =>
  seenMs >= leaseMs ? `silent for ${whole(seenMs)}, leaves now` : `silent for ${whole(seenMs)}, leaves in ${seconds(leaseMs - seenMs)}`

const proofs: Readonly<Record<TransportName, (ago: string) => string>> = {
  poll: (ago) => `seen ${ago}`,
  'long-poll': (ago) => `seen ${ago}`,
  sse: (ago) => `stream open, lease renewed ${ago}`,
  websocket: (ago) => `socket open, pong or frame ${ago}`,
}

const tenSeconds = 10_000
/** Tenths only where they are news; never ms, which nobody could read as they run. */
const whole = (ms: number): string =>
  ms < tenSeconds ? `${(Math.floor(ms / 100) / 10).toFixed(1)}\u202fs` : duration(ms).replace(/\.\d/, '')
const ago = (ms: number): string => `${whole(ms)} ago`

/** How many are here by each wire; who has two counts for both. */
export function byWire(members: readonly PresentMember[]): Readonly<Record<TransportName, number>> {
  const counts = { poll: 0, 'long-poll': 0, sse: 0, websocket: 0 }
  for (const member of members) for (const transport of member.wires) counts[transport]++
  return counts
}

/** The numbers in a sentence: `23 here: 12 by polling, 11 by SSE.` */
export function headcount(members: readonly PresentMember[]): string {
  const counts = byWire(members)
  const parts = transportNames.filter((name) => counts[name] > 0).map((name) => `${count(counts[name])} by ${wires[name].word}`)
  return parts.length === 0 ? `${count(members.length)} here.` : `${count(members.length)} here: ${parts.join(', ')}.`
}
