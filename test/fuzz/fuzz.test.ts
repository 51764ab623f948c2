/** A short run of the fuzzer, the same each time: `npm run fuzz` goes on from there. */
import { expect, test } from 'vitest'
import { fuzz } from './fuzz.ts'
import { parseOptions, targetNames } from './options.ts'

const inputs = { http: 400, websocket: 250, cursor: 20_000 }

test.concurrent.each(targetNames)(
  'nothing that is nearly right ends the server, is answered by a 500 or its insides, or is left behind: %s',
  { timeout: 120_000 },
  async (target) => {
    const report = await fuzz({ seconds: 60, inputs: inputs[target], seed: 1, targets: [target], only: undefined, json: true }, () => {})
    for (const { failures, wrong } of report.targets) expect([failures, wrong]).toEqual([[], []])
    expect(report.targets[0]?.inputs).toBeGreaterThan(100)
  },
)

test('an input is told by the seed, the target and its number, and by nothing else', () => {
  expect(parseOptions(['--target', 'http', '--seed', '7', '--only', '3,14'])).toMatchObject({ seed: 7, targets: ['http'], only: [3, 14] })
  expect(() => parseOptions(['--only', '3'])).toThrow('--seed')
  expect(() => parseOptions(['--target', 'ftp'])).toThrow('http, websocket, cursor or all')
})
