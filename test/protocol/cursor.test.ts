import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { drawEpoch, drawTag, formatCursor, originTag, parseCursor, parseSince } from '../../src/protocol/cursor.ts'
import { Problem } from '../../src/protocol/problem.ts'
import { hostileTexts, promptly } from '../support/hostile.ts'

const letters = Array.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_')
const word = (length: number): fc.Arbitrary<string> =>
  fc.array(fc.constantFrom(...letters), { minLength: length, maxLength: length }).map((chosen) => chosen.join(''))
const positions = fc.record({ epoch: word(12), seq: fc.nat({ max: 999_999_999_999_999 }), tag: word(6) })

const epoch = 'ZkT0aQ1mB7xY'
const tag = 'q3Xv_a'
const sequences = {
  '2^53': '9007199254740992',
  '16 digits': '1000000000000000',
  'a leading zero': '01',
  'two zeros': '00',
  'an exponent': '1e3',
  'minus zero': '-0',
  'a negative': '-1',
  'a plus': '+1',
  'a fraction': '1.5',
  hexadecimal: '0x1',
  'a separator': '1_000',
  'Arabic-Indic digits': '١٢٣',
  'fullwidth digits': '１２',
  nothing: '',
  'a space': ' 1',
  NaN: 'NaN',
  Infinity: 'Infinity',
}
const hostile: Record<string, string> = {
  ...Object.fromEntries(Object.entries(sequences).map(([what, seq]) => [`seq is ${what}`, `${epoch}.${seq}.${tag}`])),
  'nothing at all': '',
  'only dots': '..',
  'no epoch': `.1.${tag}`,
  'a short epoch': `${epoch.slice(1)}.1.${tag}`,
  'a long epoch': `${epoch}x.1.${tag}`,
  'no tag': `${epoch}.1.`,
  'two parts': `${epoch}.1`,
  'four parts': `${epoch}.1.${tag}.1`,
  'a short tag': `${epoch}.1.${tag.slice(1)}`,
  'a long tag': `${epoch}.1.${tag}x`,
  'a line feed after it': `${epoch}.1.${tag}\n`,
  'a carriage return before it': `\r${epoch}.1.${tag}`,
  'NUL after it': `${epoch}.1.${tag}\0`,
  'a letter of another alphabet': `${epoch.slice(1)}é.1.${tag}`,
  'a Cyrillic look-alike': `${epoch.slice(1)}а.1.${tag}`,
  'characters of base64 that are not base64url': `${epoch.slice(1)}+.1.${tag}`,
  'percent encoding': `${epoch}%2E1.${tag}`,
  'a list': `${epoch}.1.${tag},${epoch}.1.${tag}`,
  'another word': 'latest',
  'the word in capitals': 'EARLIEST',
}

describe('a cursor', () => {
  it('is epoch.seq.tag, and what is formatted parses to the same position', () => {
    fc.assert(
      fc.property(positions, (position) => {
        expect(parseCursor(formatCursor(position))).toEqual(position)
      }),
    )
  })

  it('has one spelling only: what parses is formatted to the same text', () => {
    const nearly = fc.stringMatching(/^[A-Za-z0-9_-]{11,13}\.[0-9]{1,17}\.[A-Za-z0-9_-]{5,7}$/)
    fc.assert(
      fc.property(fc.oneof(nearly, fc.string({ unit: 'binary' })), (text) => {
        const position = parseCursor(text)
        if (position !== undefined) expect(formatCursor(position)).toBe(text)
      }),
      { numRuns: 1000 },
    )
  })

  it('is safe in a URL, a header and an SSE id', () => {
    fc.assert(
      fc.property(positions, (position) => {
        const cursor = formatCursor(position)
        expect(encodeURIComponent(cursor)).toBe(cursor)
        expect(new Headers({ 'last-event-id': cursor }).get('last-event-id')).toBe(cursor)
      }),
    )
  })

  it('counts to 15 digits, exactly', () => {
    expect(parseCursor(`${epoch}.999999999999999.${tag}`)?.seq).toBe(999_999_999_999_999)
    expect(parseCursor(`${epoch}.0.${originTag}`)).toEqual({ epoch, seq: 0, tag: 'AAAAAA' })
  })

  it.each(Object.entries(hostile))('that is hostile (%s) is refused as invalid-cursor', (_what, text) => {
    expect(parseCursor(text)).toBeUndefined()
    expect(() => parseSince(text)).toThrowError(expect.objectContaining({ code: 'invalid-cursor', status: 400 }))
  })

  it('of any text either passes unchanged or is an invalid-cursor', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        try {
          expect(parseSince(text)).toBe(text)
        } catch (error) {
          expect(error).toBeInstanceOf(Problem)
          expect((error as Problem).code).toBe('invalid-cursor')
        }
      }),
    )
  })

  it('may be left out, and may be "earliest"', () => {
    expect(parseSince(undefined)).toBeUndefined()
    expect(parseSince('earliest')).toBe('earliest')
  })

  it('is refused promptly, however long and hostile', () => {
    for (const text of [...hostileTexts, `${epoch}.${'1'.repeat(65_536)}.${tag}`]) {
      promptly(() => expect(parseCursor(text)).toBeUndefined())
    }
  })
})

describe('epochs and tags', () => {
  it('are drawn anew each time, in the spelling of a cursor', () => {
    const cursors = Array.from({ length: 1000 }, (_, seq) => formatCursor({ epoch: drawEpoch(), seq, tag: drawTag() }))
    for (const cursor of cursors) expect(parseCursor(cursor)).toBeDefined()
    expect(new Set(cursors.map((cursor) => parseCursor(cursor)?.epoch)).size).toBe(1000)
    expect(new Set(cursors.map((cursor) => parseCursor(cursor)?.tag)).size).toBe(1000)
  })

  it('have every character equally often', () => {
    const counts = new Map<string, number>()
    for (let drawn = 0; drawn < 4000; drawn++) for (const letter of drawEpoch()) counts.set(letter, (counts.get(letter) ?? 0) + 1)
    // 48,000 letters over 64: 750 each, give or take six times the square root of it.
    expect(counts.size).toBe(64)
    for (const count of counts.values()) expect(Math.abs(count - 750)).toBeLessThan(165)
  })
})
