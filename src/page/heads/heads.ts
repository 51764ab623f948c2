/** Where heads are, from the states that members carry: samples as they came, none in between. Anything may be in a state. */
import type { TransportName } from '../../client/index.ts'

/** Both from 0 to 1: from the left, from the top. */
export interface Position {
  readonly x: number
  readonly y: number
}

export interface Sample extends Position {
  /** On `performance.now()`. */
  readonly at: number
  readonly transport: TransportName
}

/** Samples that came within so long before the newest one make its trail: what the wire did to a movement. */
export const trailMs = 3_000
/** But so many at the least, and at the most. */
const leastTrail = 5
const mostTrail = 40

/** What is counted is counted over so long. */
export const windowMs = 5_000

/** One telling of states: what it moved. */
interface Batch {
  readonly at: number
  readonly transport: TransportName
  /** How far each of the others jumped, in px of the field as it was then. */
  readonly jumps: readonly number[]
}

/** What one wire has brought so far. */
export interface Brought {
  readonly batches: number
  readonly samples: number
  /** In px; of those heads that were there before. */
  readonly meanJump: number | undefined
}

/** Of the last `windowMs`. */
export interface Recent extends Brought {
  /** One's own: moved here, and come back. */
  readonly moved: number
  readonly back: number
}

/** The position in a state; undefined where there is none. */
export function readPosition(state: unknown): Position | undefined {
  if (typeof state !== 'object' || state === null) return undefined
  const { x, y } = state as Record<string, unknown>
  return within(x) && within(y) ? { x, y } : undefined
}

const within = (value: unknown): value is number => typeof value === 'number' && value >= 0 && value <= 1

/** As it is sent: a field has fewer pixels than this has steps. */
export const rounded = ({ x, y }: Position): Position => ({ x: step(x), y: step(y) })
const step = (value: number): number => Math.round(Math.min(1, Math.max(0, value)) * 10_000) / 10_000

/** A state of ours with this position in it: what else is in it is for others. */
export const withPosition = (state: unknown, { x, y }: Position): Record<string, unknown> => ({
  ...(typeof state === 'object' && state !== null && !Array.isArray(state) ? state : {}),
  x,
  y,
})

export class Heads {
  /** In px: what a jump is measured in. */
  field = { width: 0, height: 0 }
  readonly #trails = new Map<string, readonly Sample[]>()
  readonly #brought = new Map<TransportName, { batches: number; samples: number; jumps: number; px: number }>()
  #batches: Batch[] = []
  #moved: (Position & { readonly at: number })[] = []
  #back: number[] = []
  #roundTripMs: number | undefined

  /** Newest last; never empty. */
  get trails(): ReadonlyMap<string, readonly Sample[]> {
    return this.#trails
  }
  /** From the last move of ours that came back to its coming back. */
  get roundTripMs(): number | undefined {
    return this.#roundTripMs
  }

  positionOf(id: string | undefined): Position | undefined {
    return id === undefined ? undefined : this.#trails.get(id)?.at(-1)
  }

  /** What is told now; `me` is the member whose own samples are an echo. Who is not in it has gone. */
  take(states: ReadonlyMap<string, unknown>, transport: TransportName, at: number, me: string | undefined): void {
    for (const id of this.#trails.keys()) if (readPosition(states.get(id)) === undefined) this.#trails.delete(id)
    const jumps: number[] = []
    let samples = 0
    for (const [id, state] of states) {
      const position = readPosition(state)
      if (position === undefined) continue
      const before = this.#trails.get(id)
      const last = before?.at(-1)
      // Told again, of a head that stands still: another moved.
      if (last?.x === position.x && last.y === position.y) continue
      this.#trails.set(id, trail([...(before ?? []), { ...position, at, transport }]))
      if (id === me) {
        this.#cameBack(position, at)
        continue
      }
      samples++
      if (last !== undefined) jumps.push(this.#pixels(last, position))
    }
    if (samples > 0) this.#count({ at, transport, jumps }, samples)
  }

  /** We moved ours. */
  move(position: Position, at: number): void {
    this.#moved = [...this.#moved.filter((each) => each.at > at - windowMs), { ...position, at }]
  }

  /** Another wire counts from its own beginning. */
  recent(transport: TransportName, now: number): Recent {
    const since = now - windowMs
    this.#batches = this.#batches.filter(({ at }) => at > since)
    this.#back = this.#back.filter((at) => at > since)
    const batches = this.#batches.filter((batch) => batch.transport === transport)
    const jumps = batches.flatMap((batch) => batch.jumps)
    return {
      batches: batches.length,
      samples: jumps.length,
      meanJump: jumps.length === 0 ? undefined : jumps.reduce((sum, px) => sum + px, 0) / jumps.length,
      moved: this.#moved.filter(({ at }) => at > since).length,
      back: this.#back.length,
    }
  }

  /** Since the page looks at heads: what shows the wires beside each other. */
  brought(transport: TransportName): Brought {
    const { batches, samples, jumps, px } = this.#brought.get(transport) ?? { batches: 0, samples: 0, jumps: 0, px: 0 }
    return { batches, samples, meanJump: jumps === 0 ? undefined : px / jumps }
  }

  #count(batch: Batch, samples: number): void {
    this.#batches.push(batch)
    const before = this.#brought.get(batch.transport) ?? { batches: 0, samples: 0, jumps: 0, px: 0 }
    this.#brought.set(batch.transport, {
      batches: before.batches + 1,
      samples: before.samples + samples,
      jumps: before.jumps + batch.jumps.length,
      px: before.px + batch.jumps.reduce((sum, px) => sum + px, 0),
    })
  }

  #cameBack({ x, y }: Position, at: number): void {
    this.#back.push(at)
    const moved = this.#moved.findLast((each) => each.x === x && each.y === y)
    if (moved !== undefined) this.#roundTripMs = at - moved.at
  }

  #pixels(from: Position, to: Position): number {
    return Math.hypot((to.x - from.x) * this.field.width, (to.y - from.y) * this.field.height)
  }
}

function trail(samples: readonly Sample[]): readonly Sample[] {
  const newest = samples.at(-1)?.at ?? 0
  return samples.slice(-mostTrail).filter(({ at }, index, { length }) => index >= length - leastTrail || at > newest - trailMs)
}
