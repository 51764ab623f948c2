/** Random schedules: what authors, readers, wires and processes do, in an order that nobody would think of. */
import * as fc from 'fast-check'

/** So many people read, and so many write. */
export const readers = 4
export const authors = 3

export type Step =
  /** So many authors at once, a message each. */
  | { readonly kind: 'say'; readonly together: number }
  /** An id that was used before, with its own text or with another. */
  | { readonly kind: 'repeat'; readonly which: number; readonly otherText: boolean }
  /** The log is read from the place of an earlier message. */
  | { readonly kind: 'look'; readonly which: number; readonly limit: number }
  /** One reader: comes (where it stands, or anew), leaves, takes no bytes any more, takes them again, is cut off, changes its wire. */
  | { readonly kind: 'join' | 'leave' | 'stall' | 'drain' | 'cut' | 'switch'; readonly reader: number }
  /** Everybody is sent away; the process ends and another begins; the room is emptied. Before it all may have come to rest. */
  | { readonly kind: 'send away' | 'restart'; readonly atRest: boolean }
  | { readonly kind: 'clear'; readonly atRest: boolean }
  /** The event loop turns: what was begun goes on. */
  | { readonly kind: 'turn' }

const reader = fc.nat(readers - 1)
const which = fc.nat(40)

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('say'), together: fc.integer({ min: 1, max: authors }) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('repeat'), which, otherText: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('look'), which, limit: fc.integer({ min: 1, max: 6 }) }) },
  { weight: 12, arbitrary: fc.record({ kind: fc.constantFrom('join', 'leave', 'stall', 'drain', 'cut', 'switch'), reader }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('send away', 'restart', 'clear'), atRest: fc.boolean() }) },
  { weight: 4, arbitrary: fc.constant({ kind: 'turn' } as const) },
)

/** Of up to 40 steps. Two readers are there from the beginning: one alone could be right by chance. */
export const schedules: fc.Arbitrary<readonly Step[]> = fc
  .array(step, { minLength: 4, maxLength: 40, size: 'max' })
  .map((steps) => [{ kind: 'join', reader: 0 }, { kind: 'join', reader: 1 }, ...steps])

/** For real sockets: everybody is there, and comes back by itself; two interruptions at the most, for each takes a second. */
export const wireSchedules: fc.Arbitrary<readonly Step[]> = fc
  .tuple(
    fc.array(
      fc.oneof(
        { weight: 4, arbitrary: fc.record({ kind: fc.constant('say'), together: fc.integer({ min: 1, max: authors }) }) },
        { weight: 2, arbitrary: fc.record({ kind: fc.constant('switch'), reader }) },
        { weight: 1, arbitrary: fc.record({ kind: fc.constant('repeat'), which, otherText: fc.boolean() }) },
        { weight: 1, arbitrary: fc.constant({ kind: 'turn' } as const) },
      ),
      { minLength: 4, maxLength: 20, size: 'max' },
    ),
    fc.array(fc.record({ at: fc.nat(20), kind: fc.constantFrom('cut', 'restart', 'clear'), atRest: fc.boolean() }), { maxLength: 2 }),
  )
  .map(([steps, interruptions]) => {
    const all: Step[] = [...steps]
    for (const { at, kind, atRest } of interruptions) all.splice(at, 0, kind === 'cut' ? { kind, reader: 0 } : { kind, atRest })
    return all
  })
