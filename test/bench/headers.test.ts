import { beforeAll, describe, expect, it } from 'vitest'
import { captureChromium, captureNode } from '../../bench/capture.ts'
import { type Captured, captured, headerLines } from '../../bench/headers.ts'
import { transportNames } from '../../src/protocol/message.ts'
import { launch } from '../support/browser.ts'

const names = (lines: readonly string[]): string[] => lines.map((line) => line.slice(0, line.indexOf(':')))

describe.each([
  ['fetch', captureNode],
  [
    'chromium',
    async () => {
      const browser = await launch({ whole: true })
      try {
        return await captureChromium(browser)
      } finally {
        await browser.close()
      }
    },
  ],
] as const)('the header set %s', (set, capture) => {
  let fresh: Captured
  beforeAll(async () => {
    fresh = await capture()
  })

  it.each(transportNames)('has the names that are sent over %s now, in their order', (wire) => {
    expect(names(captured[set][wire])).toEqual(names(fresh[wire]))
  })

  it('names the server that it is sent to, and no other', () => {
    for (const wire of transportNames) {
      const lines = headerLines(set, wire, 'example.test:1')
      expect(lines.join('\n')).not.toMatch(/127\.0\.0\.1|localhost|\{host\}/)
      expect(names(lines).map((name) => name.toLowerCase())).not.toContain('host')
    }
  })
})

describe('the header set minimal', () => {
  it('adds nothing', () => {
    expect(headerLines('minimal', 'poll', 'example.test')).toEqual([])
  })
})
