import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  checkState,
  drawId,
  maxNameLength,
  maxStateBytes,
  maxTextLength,
  parseDraft,
  parseName,
  parseRoom,
  parseState,
} from '../../src/protocol/draft.ts'
import { Problem } from '../../src/protocol/problem.ts'
import { hostileTexts, promptly } from '../support/hostile.ts'

const id = 'c1f09b2e'

/** The code of the problem that it throws; undefined where it throws none. Anything else thrown is a crash. */
function refusal(parse: () => unknown): string | undefined {
  try {
    parse()
    return undefined
  } catch (error) {
    if (error instanceof Problem) return error.code
    throw error
  }
}
const attempt = (run: () => unknown): boolean => {
  try {
    run()
    return true
  } catch {
    return false
  }
}
const refusalOfText = (text: unknown): string | undefined => refusal(() => parseDraft({ id, text }))
const refusalOfName = (name: unknown): string | undefined => refusal(() => parseName({ name }))

const controls = [...Array.from({ length: 32 }, (_, code) => code), ...Array.from({ length: 33 }, (_, index) => 0x7f + index)].map((code) =>
  String.fromCharCode(code),
)
const shapes: [string, unknown][] = [
  ['null', null],
  ['undefined', undefined],
  ['a text', 'hi'],
  ['a number', 1],
  ['a list', [{ text: 'hi' }]],
  ['a function', () => 'hi'],
  ['an unknown key', { text: 'hi', name: 'Ann', at: 1 }],
  ['__proto__ as a key', JSON.parse('{"text":"hi","name":"Ann","__proto__":{"admin":true}}')],
  ['constructor as a key', JSON.parse('{"text":"hi","name":"Ann","constructor":1}')],
]

describe('a text', () => {
  it.each([
    ['one unit', 'a'],
    ['4,096 units', 'a'.repeat(maxTextLength)],
    ['2,048 emoji, which are 4,096 units', '😀'.repeat(maxTextLength / 2)],
    ['a family joined by ZWJ', '👩‍👩‍👧‍👦'],
    ['a flag of regional indicators', '🇦🇹'],
    ['a skin tone and a variation selector', '👍🏽 ❤️'],
    ['line feeds and tabs', 'a\n\tb\n'],
    ['white space only', ' '],
    ['right-to-left writing and its overrides', 'שלום \u202eabc\u202c'],
    ['combining marks', 'Z͑ͫ̓a'],
    ['noncharacters, which are well-formed', '\uffff\u{10ffff}'],
    ['a byte order mark', '\ufeffa'],
    ['line and paragraph separators', 'a\u2028b\u2029c'],
    ['what would be markup', '<script>alert(1)</script>'],
  ])('of %s is taken unchanged', (_what, text) => {
    expect(parseDraft({ id, text })).toEqual({ id, text })
  })

  it.each([
    ['no units', ''],
    ['4,097 units', 'a'.repeat(maxTextLength + 1)],
    ['2,049 emoji', '😀'.repeat(maxTextLength / 2 + 1)],
    ['a lone high surrogate', 'a\ud83d'],
    ['a lone low surrogate', '\ude00a'],
    ['a surrogate pair the wrong way round', '\ude00\ud83d'],
    ['no string', 1],
    ['null', null],
    ['a list', ['a']],
    ['a boxed string', Object('a')],
  ])('of %s is an invalid-message', (_what, text) => {
    expect(refusalOfText(text)).toBe('invalid-message')
  })

  it('has no control characters but line feed and tab', () => {
    expect(controls).toHaveLength(65)
    for (const control of controls) expect(refusalOfText(`a${control}b`)).toBe('\n\t'.includes(control) ? undefined : 'invalid-message')
  })

  it('is taken exactly where it is 1 to 4,096 units, well-formed and free of controls', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.nat(0xffff).map((unit) => String.fromCharCode(unit)), maxLength: 8 }), (text) => {
        // encodeURIComponent throws on what is not well-formed: an oracle that is not a pattern.
        const wellFormed = attempt(() => encodeURIComponent(text))
        const good = text.length > 0 && wellFormed && !Array.from(text).some((unit) => controls.includes(unit) && !'\n\t'.includes(unit))
        expect(refusalOfText(text)).toBe(good ? undefined : 'invalid-message')
      }),
      { numRuns: 2000 },
    )
  })
})

describe('a draft', () => {
  it.each(['aaaaaaaa', 'a'.repeat(64), '--------', '________', '00000000', '__proto__', 'toString'])('may have the id %s', (good) => {
    expect(parseDraft({ id: good, text: 'hi' }).id).toBe(good)
  })

  it.each([
    ['of 7 characters', 'aaaaaaa'],
    ['of 65 characters', 'a'.repeat(65)],
    ['of nothing', ''],
    ['that is a number', 12345678],
    ['that is null', null],
    ['with a dot', 'aaaa.aaaa'],
    ['with a space', 'aaaa aaaa'],
    ['with a line feed', 'aaaaaaaa\n'],
    ['with a letter of another alphabet', 'aaaaaaaé'],
    ['that is a list', ['aaaaaaaa']],
  ])('with an id %s is an invalid-message', (_what, bad) => {
    expect(refusal(() => parseDraft({ id: bad, text: 'hi' }))).toBe('invalid-message')
  })

  it('without an id is given one of its own', () => {
    const drawn = Array.from({ length: 100 }, () => parseDraft({ text: 'hi' }).id)
    expect(new Set(drawn).size).toBe(100)
    for (const good of [...drawn, drawId()]) expect(good).toMatch(/^[A-Za-z0-9_-]{8,64}$/)
  })

  it.each(shapes)('that is %s is an invalid-request', (_what, input) => {
    expect(refusal(() => parseDraft(input))).toBe('invalid-request')
  })

  it('of any value is a draft that the gate takes again, or one of two problems', () => {
    const nearly = fc.record({ id: fc.anything(), text: fc.anything() }, { requiredKeys: [] })
    fc.assert(
      fc.property(fc.oneof(fc.anything(), nearly), (input) => {
        const code = refusal(() => {
          const draft = parseDraft(input)
          expect(parseDraft(draft)).toEqual(draft)
        })
        expect([undefined, 'invalid-request', 'invalid-message']).toContain(code)
      }),
      { numRuns: 1000 },
    )
  })

  it('says in its refusal nothing of what was sent', () => {
    const secret = 'hunter2'
    for (const input of [{ [secret]: 1 }, { id: `${secret} `, text: 'hi' }, { id, text: `${secret}\0` }, secret]) {
      expect(() => parseDraft(input)).toThrowError(expect.objectContaining({ message: expect.not.stringContaining(secret) as string }))
    }
  })
})

describe('a name', () => {
  it.each([
    ['of one unit', 'A', 'A'],
    ['of 32 units', 'a'.repeat(maxNameLength), 'a'.repeat(maxNameLength)],
    ['of 16 emoji, which are 32 units', '😀'.repeat(16), '😀'.repeat(16)],
    ['with white space around it', ' \t Ann \n', 'Ann'],
    ['of 32 units, and white space around it', ` ${'a'.repeat(32)} `, 'a'.repeat(32)],
    ['with white space within', 'Ann B', 'Ann B'],
    ['written from right to left', 'שרה', 'שרה'],
    ['with a joined emoji', '👩‍💻', '👩‍💻'],
    ['with a right-to-left mark, which overrides nothing', 'a\u200f', 'a\u200f'],
  ])('%s is taken, trimmed', (_what, name, taken) => {
    expect(parseName({ name })).toBe(taken)
  })

  it('may be left out', () => {
    expect(parseName({})).toBeUndefined()
  })

  it.each([
    ['of nothing', ''],
    ['of white space', ' \t\n\u00a0\u3000\ufeff'],
    ['of 33 units', 'a'.repeat(33)],
    ['of 17 emoji', '😀'.repeat(17)],
    ['that is no string', 1],
    ['that is null', null],
    ['with a lone surrogate', 'A\ud800'],
  ])('%s is an invalid-message', (_what, name) => {
    expect(refusalOfName(name)).toBe('invalid-message')
  })

  it('has no control characters', () => {
    for (const control of controls) expect(refusalOfName(`A${control}n`)).toBe('invalid-message')
  })

  it('has no bidirectional overrides, embeddings or isolates', () => {
    for (const override of '\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069')
      expect(refusalOfName(`A${override}n`)).toBe('invalid-message')
  })

  it.each(shapes)('in %s is an invalid-request', (_what, input) => {
    expect(refusal(() => parseName(input))).toBe('invalid-request')
  })

  it('of any value is a name that the gate takes again, or one of two problems', () => {
    fc.assert(
      fc.property(fc.oneof(fc.anything(), fc.record({ name: fc.string({ unit: 'binary' }) })), (input) => {
        const code = refusal(() => {
          const name = parseName(input)
          if (name !== undefined) expect(parseName({ name })).toBe(name)
        })
        expect([undefined, 'invalid-request', 'invalid-message']).toContain(code)
      }),
      { numRuns: 1000 },
    )
  })
})

describe('a state', () => {
  it('is what its JSON says, of any kind', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 3 }), (state) => {
        const json = JSON.stringify(state)
        if (Buffer.byteLength(json) <= maxStateBytes) expect(JSON.stringify(parseState({ state }))).toBe(json)
        else expect(refusal(() => parseState({ state }))).toBe('invalid-message')
      }),
    )
  })

  it.each<[string, unknown]>([
    ['nothing', undefined],
    ['null', null],
    ['a text', 'state'],
    ['a list', [1]],
    ['no state', {}],
    ['more than a state', { state: 1, of: 'me' }],
  ])('in %s is an invalid-request', (_what, input) => {
    expect(refusal(() => parseState(input))).toBe('invalid-request')
  })

  it('has 256 bytes of UTF-8 at the most, and a copy of its own', () => {
    const state = { text: 'é'.repeat(122) }
    expect(Buffer.byteLength(JSON.stringify(state))).toBe(255)
    expect(checkState(state)).toEqual(state)
    expect(checkState(state)).not.toBe(state)
    expect(refusal(() => checkState({ text: 'é'.repeat(123) }))).toBe('invalid-message')
  })

  it('has JSON', () => {
    for (const state of [undefined, () => 1, Symbol('state')]) expect(refusal(() => checkState(state))).toBe('invalid-message')
    expect(checkState([Infinity, -0, undefined])).toEqual([null, 0, null])
  })
})

describe('a room', () => {
  it.each(['a', '0', 'lobby', 'a'.repeat(64), 'a.b_c~d-e', 'A..', 'constructor', 'toString'])('may be named %s', (room) => {
    expect(parseRoom(room)).toBe(room)
  })

  it.each([
    ['nothing', ''],
    ['65 characters', 'a'.repeat(65)],
    ['a dot', '.'],
    ['two dots', '..'],
    ['__proto__', '__proto__'],
    ['a leading hyphen', '-a'],
    ['a leading tilde', '~a'],
    ['a slash', 'a/b'],
    ['a backslash', 'a\\b'],
    ['a space', 'a b'],
    ['a percent sign', 'a%20b'],
    ['a line feed at the end', 'a\n'],
    ['NUL', 'a\0'],
    ['a letter of another alphabet', 'é'],
    ['a Cyrillic look-alike', 'lоbby'],
    ['an emoji', '😀'],
  ])('may not be named by %s', (_what, room) => {
    expect(refusal(() => parseRoom(room))).toBe('invalid-room')
  })
})

describe('the gate', () => {
  it('answers promptly, however long and hostile the input', () => {
    for (const text of hostileTexts) {
      promptly(() => expect(refusalOfText(text)).toBe('invalid-message'))
      // One character within white space is a name.
      promptly(() => expect(refusalOfName(text)).toBe(text.trim().length === 1 ? undefined : 'invalid-message'))
      promptly(() => expect(refusal(() => parseDraft({ id: text, text: 'hi' }))).toBe('invalid-message'))
      promptly(() => expect(refusal(() => parseRoom(text))).toBe('invalid-room'))
    }
  })
})
