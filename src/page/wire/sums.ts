/** Sums over connections: what the sockets count, and what each byte was. */
import { type ConnectionState, type Counts, type PieceKind, payloadKinds } from '../../lab/events.ts'

export interface Sums {
  readonly connections: number
  readonly requests: number
  /** Bytes by the sockets' own count. */
  readonly up: number
  readonly down: number
  /** Bytes by the grammar of the wire: payload is part of what is attributed. */
  readonly payload: number
  readonly attributed: number
  readonly unattributed: number
}

const payload = new Set<PieceKind>(payloadKinds)

/** Of one connection since it was opened. */
export function sumsOf({ requests, up, down }: ConnectionState): Sums {
  const both = [up.counts, down.counts]
  const of = (wanted: (kind: PieceKind) => boolean): number => both.reduce((sum, counts) => sum + countOf(counts, wanted), 0)
  return {
    connections: 1,
    requests,
    up: up.bytes,
    down: down.bytes,
    payload: of((kind) => payload.has(kind)),
    attributed: of((kind) => kind !== 'unattributed'),
    unattributed: of((kind) => kind === 'unattributed'),
  }
}

/** Without the bytes of which it is not known yet what they are: whoever counts from now on counts them once they are. */
export function settledSumsOf(state: ConnectionState): Sums {
  const settled = (counts: Counts): number => countOf(counts, (kind) => kind !== 'unattributed')
  return { ...sumsOf(state), up: settled(state.up.counts), down: settled(state.down.counts), unattributed: 0 }
}

function countOf(counts: Counts, wanted: (kind: PieceKind) => boolean): number {
  return Object.entries(counts).reduce((sum, [kind, bytes]) => (wanted(kind as PieceKind) ? sum + bytes : sum), 0)
}

/** What has come since `base`. The connection itself still counts as one. */
export function since(now: Sums, base: Sums | undefined): Sums {
  if (base === undefined) return now
  return {
    connections: 1,
    requests: now.requests - base.requests,
    up: now.up - base.up,
    down: now.down - base.down,
    payload: now.payload - base.payload,
    attributed: now.attributed - base.attributed,
    unattributed: now.unattributed - base.unattributed,
  }
}

export function sumOf(all: readonly Sums[]): Sums {
  const add = (one: Sums, other: Sums): Sums => ({
    connections: one.connections + other.connections,
    requests: one.requests + other.requests,
    up: one.up + other.up,
    down: one.down + other.down,
    payload: one.payload + other.payload,
    attributed: one.attributed + other.attributed,
    unattributed: one.unattributed + other.unattributed,
  })
  return all.reduce(add, { connections: 0, requests: 0, up: 0, down: 0, payload: 0, attributed: 0, unattributed: 0 })
}

/** The part that is not what was said: (total − payload) / total; undefined of nothing. */
export function overheadShare({ up, down, payload: said }: Sums): number | undefined {
  const total = up + down
  return total === 0 ? undefined : (total - said) / total
}

type Pieces = readonly (readonly [PieceKind, number])[]
export const bytesOf = (pieces: Pieces): number => pieces.reduce((sum, [, bytes]) => sum + bytes, 0)
export const payloadOf = (pieces: Pieces): number => pieces.reduce((sum, [kind, bytes]) => (payload.has(kind) ? sum + bytes : sum), 0)
