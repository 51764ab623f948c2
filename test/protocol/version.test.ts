import { describe, expect, it } from 'vitest'
import { Problem } from '../../src/protocol/problem.ts'
import { formatVersion, nobody, parseKnown, parseVersion } from '../../src/protocol/version.ts'

describe('a version', () => {
  it.each(['ZkT0aQ1mB7xY.0', '______------.999999999999999', nobody])('%s is spelled as it is parsed', (text) => {
    const version = parseVersion(text)
    expect(version && formatVersion(version)).toBe(text)
    expect(parseKnown('members', text)).toBe(text)
  })

  it('is known as 0 to who knows none, and undefined to who does not ask', () => {
    expect(parseKnown('states', '0')).toBe('0')
    expect(parseKnown('states', undefined)).toBeUndefined()
  })

  it.each(['', '00', '1', 'x', 'ZkT0aQ1mB7xY', 'ZkT0aQ1mB7xY.', 'ZkT0aQ1mB7x.1', 'ZkT0aQ1mB7xY.01', 'ZkT0aQ1mB7xY.1 ', 'ZkT0aQ1mB7xY.1\n'])(
    '%j is none',
    (text) => {
      expect(parseVersion(text)).toBeUndefined()
      expect(() => parseKnown('members', text)).toThrow(Problem)
    },
  )
})
