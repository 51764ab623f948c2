import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { leastPayload, readStamp, stamp } from '../../bench/stamp.ts'
import { parseDraft } from '../../src/protocol/draft.ts'

/** Two million messages, and an hour. */
const numbers = fc.integer({ min: 0, max: 2_000_000 })
const times = fc.double({ min: 0, max: 3_600_000, noNaN: true })

describe('a stamp', () => {
  it('says its number and, to the microsecond, its time, in exactly so many bytes', () => {
    fc.assert(
      fc.property(numbers, times, fc.integer({ min: leastPayload, max: 4_096 }), (number, intendedMs, bytes) => {
        const text = stamp(number, intendedMs, bytes)
        expect(Buffer.byteLength(text)).toBe(bytes)
        const read = readStamp(text)
        expect(read.number).toBe(number)
        expect(Math.abs(read.intendedMs - intendedMs)).toBeLessThanOrEqual(0.000_51)
      }),
    )
  })

  it('is a text that a room takes, and that is the same in JSON', () => {
    fc.assert(
      fc.property(numbers, times, (number, intendedMs) => {
        const text = stamp(number, intendedMs, 40)
        expect(parseDraft({ id: '00000000', text }).text).toBe(text)
        expect(JSON.stringify(text)).toBe(`"${text}"`)
      }),
    )
  })
})
